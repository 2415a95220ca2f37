"""How far a long bench is, and about how long the rest takes: a line now and then, on standard error."""

import sys
import time
from collections.abc import Callable

EVERY = 30.0
"""Seconds between two lines."""


class Progress:
    """Of `total` things, done one after the other."""

    def __init__(self, what: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`what`: the things, in the plural."""
        self._what, self._total, self._clock = what, total, clock
        self._start = self._told = clock()

    def at(self, done: int) -> None:
        """So many are done."""
        now = self._clock()
        if done and now - self._told >= EVERY:
            self._told = now
            left = (now - self._start) / done * max(0, self._total - done)
            minutes = f"about {left / 60:.0f} min left" if left >= 60 else "less than a minute left"
            print(f"  {time.strftime('%H:%M:%S')} {done:,} of {self._total:,} {self._what}; {minutes}",
                  file=sys.stderr, flush=True)  # fmt: skip
