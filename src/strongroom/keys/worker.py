"""Threads for calls that may never come back, as those of an HSM's driver.

Not an executor: the interpreter waits for an executor's threads before it ends, and a keeper whose driver hangs could not
be stopped. What is lost here is bounded: while every lane hangs, no call is begun.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

LANES = 4
"""Calls under way at once. Each is a thread and a session; a token has only so many."""

T = TypeVar("T")


class Workers:
    """Runs calls side by side, each with a time limit. Asked from one thread; `lanes` may grow, not shrink.

    A call that takes too long is given up by whoever asked for it, and holds its lane until it comes back: it delays
    nobody else while another lane is free.
    """

    def __init__(self, lanes: int = LANES) -> None:
        self.lanes = lanes
        self._started: list[_Lane] = []
        self._calls: SimpleQueue[_Call[Any]] = SimpleQueue()
        self._marks: list[_Mark] = []  # of calls that have not come back

    def run(self, call: Callable[[], T], seconds: float) -> T:
        """What `call` gives or raises. Raises TimeoutError when that takes longer, or every lane hangs already."""
        begun = self._begin(call, seconds)
        try:
            return begun.future.result(seconds)
        finally:
            begun.give_up()

    async def run_soon(self, call: Callable[[], T], seconds: float) -> T:
        """The same without holding up the loop."""
        begun = self._begin(call, seconds)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(begun.future)
        finally:
            begun.give_up()

    def _begin(self, call: Callable[[], T], seconds: float) -> "_Call[T]":
        now = time.monotonic()
        self._marks = [mark for mark in self._marks if not mark.ended]
        if sum(mark.due < now for mark in self._marks) >= self.lanes:
            raise TimeoutError
        if len(self._marks) >= len(self._started) < self.lanes:
            self._started.append(_Lane(self._calls))
        begun = _Call(call, mark := _Mark(now + seconds))
        self._marks.append(mark)
        self._calls.put(begun)
        return begun


class _Mark:
    """When a call is due, and whether it is over. Apart from the call, which holds keys."""

    def __init__(self, due: float) -> None:
        self.due = due
        self.ended = False


class _Call(Generic[T]):
    def __init__(self, call: Callable[[], T], mark: _Mark) -> None:
        self.future: Future[T] = Future()
        self._call = call
        self._mark = mark

    def run(self) -> None:
        """Over before it is told: who asks again at once finds the lane free, and begins no other thread and session."""
        if not self.future.set_running_or_notify_cancel():  # it was given up before it began
            return
        try:
            found = self._call()
        except BaseException as error:  # noqa: BLE001  # it is raised where the call was asked for
            self._mark.ended = True
            self.future.set_exception(error)
        else:
            self._mark.ended = True
            self.future.set_result(found)

    def give_up(self) -> None:
        """Nobody waits for it any more. Where it has not begun it never will, and holds no lane from now on."""
        if self.future.cancel():
            self._mark.ended = True


class _Lane(threading.Thread):
    def __init__(self, calls: "SimpleQueue[_Call[Any]]") -> None:
        super().__init__(name="hsm", daemon=True)
        self._calls = calls
        self.start()

    def run(self) -> None:
        while True:
            call = self._calls.get()
            call.run()
            del call  # it holds keys; the next may be long in coming
