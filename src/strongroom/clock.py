"""Time, handed in. Nothing else in the program asks the operating system what time it is.

Times are whole milliseconds since 1970-01-01 UTC (`Millis`). Durations are milliseconds too; the constants below name
the ones that budgets speak of.
"""

import time
from datetime import UTC, datetime
from typing import NewType, Protocol

from strongroom.errors import Unavailable

Millis = NewType("Millis", int)

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MONTH = 30 * DAY
YEAR = 365 * DAY


class Clock(Protocol):
    """Where a part that needs the time gets it."""

    def now(self) -> Millis:
        """Milliseconds since the epoch, never smaller than any earlier answer of the same clock.

        Raises Unavailable when the machine's clock went back further than the tolerance, or ahead of the time that
        passed: a budget that forgets its charges because the clock was set would be no budget, and an entry from the
        future would keep the door shut until then.
        """


LEAP = 5 * MINUTE
"""Milliseconds by which the clock may be set forward while a program runs. NTP corrects seconds; minutes are a mistake."""
_PASSING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The clock that nobody sets. On Linux the one that goes on while the machine sleeps."""


class Machine(Protocol):
    """What a machine knows of time: as the module `time` of the standard library."""

    def time_ns(self) -> int:
        """Nanoseconds since the epoch, by the clock that can be set."""

    def clock_gettime_ns(self, clk_id: int, /) -> int:
        """Nanoseconds of another clock."""


class SystemClock:
    """The machine's clock. Small steps (NTP) are smoothed; a large one stops the door until it is mended."""

    def __init__(self, floor: Millis = Millis(0), tolerance: int = 5 * SECOND, machine: Machine | None = None) -> None:
        """`floor` is the latest time already on record (the log's last entry)."""
        self._machine: Machine = time if machine is None else machine
        self._last = int(floor)
        self._tolerance = tolerance
        self._ahead: int | None = None  # of the clock that nobody sets, as of the last answer

    def now(self) -> Millis:
        """See `Clock.now`."""
        current = self._machine.time_ns() // 1_000_000
        if current < self._last - self._tolerance:
            msg = f"The clock went back {(self._last - current) // SECOND} s behind the last recorded event."
            raise Unavailable(msg, advice="Set the machine's clock right; the door opens again by itself.")
        ahead = current - self._machine.clock_gettime_ns(_PASSING) // 1_000_000
        if self._ahead is not None and ahead > self._ahead + LEAP:
            msg = f"The clock leapt {(ahead - self._ahead) // SECOND} s ahead of the time that passed."
            advice = (
                "Set the machine's clock right; the door opens again by itself. If it is right, start the store again."
            )
            raise Unavailable(msg, advice=advice)
        self._ahead = ahead
        self._last = max(self._last, current)
        return Millis(self._last)


class ManualClock:
    """A clock that moves when told to. For tests and for simulated days in rehearsals."""

    def __init__(self, start: Millis = Millis(1_767_225_600_000)) -> None:
        self._now = int(start)

    def now(self) -> Millis:
        """See `Clock.now`."""
        return Millis(self._now)

    def advance(self, by: int) -> None:
        """Move on by `by` milliseconds."""
        if by < 0:
            msg = "A manual clock only moves forward."
            raise ValueError(msg)
        self._now += by


def iso(t: int) -> str:
    """`t` as FHIR instant, UTC, with milliseconds: 2026-01-01T00:00:00.000Z."""
    return datetime.fromtimestamp(t / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def month_of(t: int) -> str:
    """The UTC month `t` falls into, as 2026-01. Pseudonyms change with it."""
    return datetime.fromtimestamp(t / 1000, UTC).strftime("%Y-%m")
