"""A thread for calls that may never come back, as those of an HSM's driver.

Not an executor: the interpreter waits for an executor's threads before it ends, and a keeper whose driver hangs could not
be stopped. What is lost here is bounded: while too many calls hang, no new one is started.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

MAX_LOST = 4
"""Threads that may hang at once. Each is a driver's call that has not come back, and its stack."""

T = TypeVar("T")


class Worker:
    """Runs one call after another, each with a time limit. Used by one thread."""

    def __init__(self) -> None:
        self._lost: list[_Thread] = []
        self._thread = _Thread()

    def run(self, call: Callable[[], T], seconds: float) -> T:
        """What `call` gives or raises. Raises TimeoutError when that takes longer, or too many calls hang already."""
        self._lost = [thread for thread in self._lost if thread.is_alive()]
        if len(self._lost) >= MAX_LOST:
            raise TimeoutError
        future: Future[T] = Future()
        self._thread.take(future, call)
        try:
            return future.result(seconds)
        finally:
            if not future.done():
                self._thread.dismiss()
                self._lost.append(self._thread)
                self._thread = _Thread()


class _Thread(threading.Thread):
    """Ends when it is dismissed and its call has come back."""

    def __init__(self) -> None:
        super().__init__(name="hsm", daemon=True)
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self.start()

    def take(self, future: "Future[T]", call: Callable[[], T]) -> None:
        self._calls.put((future, call))

    def dismiss(self) -> None:
        self._calls.put(None)

    def run(self) -> None:
        while (taken := self._calls.get()) is not None:
            future, call = taken
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001  # it is raised where the call was asked for
                future.set_exception(error)
            del taken, future, call  # they hold keys; the next call may be long in coming
