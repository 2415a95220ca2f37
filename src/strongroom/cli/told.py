"""Being told to stop, by a signal, while waiting for something else."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue

STOPPING = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether a signal has come. `tell` may interrupt `wait` anywhere: `SimpleQueue.put` is made for that.

    A `threading.Event` is not: its `set` in a handler waits for the lock that the interrupted `wait` holds, for ever.
    """

    def __init__(self) -> None:
        self._told: SimpleQueue[None] = SimpleQueue()
        self.told = False

    def tell(self, *_: object) -> None:
        """The handler."""
        self.told = True
        self._told.put(None)

    def wait(self, seconds: float) -> None:
        """Until told, at most so long."""
        try:
            self._told.get(timeout=seconds)
        except Empty:
            return


@contextmanager
def stopping() -> Iterator[Stop]:
    """What SIGINT and SIGTERM tell meanwhile. Belongs to the main thread."""
    stop = Stop()
    previous = {one: signal.signal(one, stop.tell) for one in STOPPING}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
