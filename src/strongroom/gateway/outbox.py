"""Events on their way to whoever collects them elsewhere, in batches. Nobody waits for the receiver: what finds no room is dropped,
and counted.

What was not taken is tried again, more and more slowly. A receiver sees events in their order, and those of a batch again where it
took them and its answer was lost; each has a number of its own (`metadata.uid`).
"""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import msgspec

QUEUE: Final = 10_000
"""Events that may wait for a receiver: about 10 MB."""
BATCH: Final = 500
"""Events that are sent together."""
LINGER: Final = 0.5
"""Seconds that the first of a batch waits for others."""
LONGEST: Final = 30.0
"""Seconds between two attempts, at most."""
CLOSING: Final = 2.0
"""Seconds that are spent at the end on what still waits."""
_log = logging.getLogger("strongroom.gateway")
Make = Callable[[], dict[str, Any]]


class Unwanted(Exception):
    """The receiver will not take these events, however often it is asked."""


class Way(Protocol):
    """To one receiver. Called by one thread."""

    def send(self, events: Sequence[tuple[str, bytes]]) -> None:
        """Send all, each with its number, and return when the receiver has them.

        Raises OSError where it may take them later, Unwanted where it never will.
        """

    def close(self) -> None:
        """Let it go. Raises nothing."""


class Outbox:
    """One receiver, one queue, one thread. `name`: of the receiver, in logs and numbers."""

    def __init__(self, name: str, way: Way, *, room: int = QUEUE, linger: float = LINGER) -> None:
        """Nobody is asked yet whether the receiver is there."""
        self.name, self._way, self._linger = name, way, linger
        self._queue: queue.Queue[Make] = queue.Queue(room)
        self._ending = threading.Event()
        self._crowded = self._lost = 0  # each counted by one thread
        self._under_way = 0
        self._thread = threading.Thread(target=self._run, name=f"events by {name}", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Events that nobody got."""
        return self._crowded + self._lost

    def put(self, event: Make) -> None:
        """Send what `event` gives, later. Never waits."""
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self._crowded += 1
            self._say(self._crowded - 1, 1, "they come faster than they are taken")

    def close(self) -> None:
        """Try once more for what waits, and end. What is not sent by then is lost, and counted."""
        self._ending.set()
        self._thread.join(CLOSING)
        if self._thread.is_alive():
            self._crowded += self._under_way + self._queue.qsize()

    def _run(self) -> None:
        while batch := self._next():
            self._under_way = len(batch)
            self._deliver([_written(make) for make in batch])
            self._under_way = 0
        self._way.close()

    def _next(self) -> list[Make]:
        """The next batch; nothing at the end."""
        batch: list[Make] = []
        while not batch and not (self._ending.is_set() and self._queue.empty()):
            with contextlib.suppress(queue.Empty):
                batch.append(self._queue.get(timeout=self._linger))
                self._ending.wait(self._linger)
                while len(batch) < BATCH:
                    batch.append(self._queue.get_nowait())
        return batch

    def _deliver(self, events: list[tuple[str, bytes]]) -> None:
        failed = 0
        while True:
            try:
                self._way.send(events)
            except Unwanted as error:
                self._drop(len(events), str(error))
                return
            except OSError as error:
                failed += 1
                if failed == 1:
                    _log.error("EVENTS ARE NOT TAKEN by %s (%s). They are kept and tried again.", self.name, error)
                if self._ending.is_set():
                    self._drop(len(events) + self._emptied(), "they were not taken before the end")
                    return
                self._ending.wait(min(LONGEST, 0.5 * 2.0 ** min(failed, 10)))
            else:
                if failed:
                    _log.warning("Events are taken again by %s.", self.name)
                return

    def _emptied(self) -> int:
        """How many waited."""
        waiting = 0
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
                waiting += 1
        return waiting

    def _drop(self, events: int, why: str) -> None:
        self._lost += events
        self._say(self._lost - events, events, why)

    def _say(self, before: int, more: int, why: str) -> None:
        """At the first, and at each thousandth."""
        if not before or before // 1_000 != (before + more) // 1_000:
            _log.error("EVENTS ARE LOST on their way by %s: %d so far: %s.", self.name, before + more, why)


def _written(make: Make) -> tuple[str, bytes]:
    event = make()
    return event["metadata"]["uid"], msgspec.json.encode(event)
