"""What a fuzz target is, and how one input is tried: within bounds of time and memory, whatever the target does.

A target takes any bytes, hands them to the product as a stranger's, and returns when all is well. It raises what the product
let out that is not declared, or AssertionError when what came out is not what must hold. The same function is called by the
fuzzer (`worker`) and by the tests that replay seeds; nothing in it depends on chance or on the time of day.
"""

import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Form = Literal["bytes", "json", "msgpack"]
"""What inputs are mutated as. In all forms also as mere bytes."""

CPU_LIMIT = 1.0
"""Seconds of CPU that one input, of some kilobytes, may take; honest ones take microseconds to some milliseconds."""
MEMORY_LIMIT = 64 * 1_048_576
"""Bytes by which one input may raise the most memory that the process ever had."""


class Hang(BaseException):
    """An input took longer than `CPU_LIMIT`. Not an Exception: nothing that the product catches."""


class Hoard(Exception):
    """An input made the product hold more than `MEMORY_LIMIT`."""


@dataclass(frozen=True, slots=True)
class Target:
    """One way in. `words` help the fuzzer to spell; `limit` is the longest input, in bytes."""

    name: str
    run: Callable[[bytes], None]
    form: Form = "bytes"
    words: tuple[str, ...] = ()
    limit: int = 4_096


class Watch:
    """Notices an input that does not end. One for each process: the kernel's timer of CPU time is one."""

    def __init__(self, limit: float = CPU_LIMIT) -> None:
        self._limit = limit
        self._trying = False
        self._heard = 0
        self._peak = _peak()

    @contextmanager
    def on(self) -> Iterator[None]:
        """While inputs are tried. The timer rings each `limit` seconds of CPU; an input that hears it twice hangs."""
        before = signal.signal(signal.SIGPROF, self._ring)
        signal.setitimer(signal.ITIMER_PROF, self._limit, self._limit)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def attempt(self, target: Target, data: bytes) -> None:
        """One input. Raises Hang, Hoard, and whatever the target raises."""
        began = time.process_time()
        self._heard, self._trying = 0, True
        try:
            target.run(data)
        finally:
            self._trying = False
        if time.process_time() - began > self._limit:
            raise Hang
        before, self._peak = self._peak, _peak()
        if self._peak - before > MEMORY_LIMIT:
            raise Hoard

    def _ring(self, _signal: int, _frame: object) -> None:
        if self._trying:
            self._heard += 1
            if self._heard > 1:
                raise Hang


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024


def must(holds: object, law: str) -> None:
    """Raises AssertionError that names the law; with -O too, unlike `assert`."""
    if not holds:
        raise AssertionError(law)
