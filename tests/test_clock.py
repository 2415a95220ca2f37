"""The machine's clock: small steps are smoothed; a clock that is set back or leaps ahead closes the door until it is right."""

import time
from types import SimpleNamespace

import pytest

from strongroom import clock
from strongroom.clock import HOUR, MINUTE, SECOND, YEAR, Millis, SystemClock
from strongroom.errors import Unavailable


class Machine:
    """What the operating system would say: the time of day, and the time since it was started."""

    def __init__(self) -> None:
        self.day, self.up = 1_767_225_600_000, 5_000

    def pass_(self, milliseconds: int) -> None:
        """Time passes."""
        self.day += milliseconds
        self.up += milliseconds


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine whose clock the test sets."""
    made = Machine()
    asked = SimpleNamespace(
        time_ns=lambda: made.day * 1_000_000,
        clock_gettime_ns=lambda _: made.up * 1_000_000,
        CLOCK_MONOTONIC=time.CLOCK_MONOTONIC,
    )
    monkeypatch.setattr(clock, "time", asked)
    return made


def test_small_steps_back_are_smoothed(machine: Machine) -> None:
    """Time stands still meanwhile; it never goes back."""
    one = SystemClock()
    began = one.now()
    machine.day -= 4 * SECOND
    assert one.now() == began
    machine.pass_(6 * SECOND)
    assert one.now() == began + 2 * SECOND


def test_a_clock_that_was_set_back_closes_the_door_until_it_is_right(machine: Machine) -> None:
    """Behind what is on record, now or from an earlier run; and nothing but the clock needs mending."""
    one = SystemClock()
    one.now()
    machine.day -= HOUR
    with pytest.raises(Unavailable, match="went back"):
        one.now()
    machine.day += HOUR
    assert one.now() == machine.day
    with pytest.raises(Unavailable, match="went back"):
        SystemClock(Millis(machine.day + HOUR)).now()


def test_a_clock_that_leaps_ahead_closes_the_door_until_it_is_right(machine: Machine) -> None:
    """Or budgets would be new, and an entry from the future would keep the door shut until then."""
    one = SystemClock()
    began = one.now()
    machine.day += YEAR
    for _ in range(3):
        with pytest.raises(Unavailable, match="leapt"):
            one.now()
    machine.day -= YEAR
    assert one.now() == began
    machine.pass_(MINUTE)
    machine.day += MINUTE
    assert one.now() == began + 2 * MINUTE


def test_time_that_passed_is_no_leap(machine: Machine) -> None:
    """Nobody asked for a month, or the machine slept; many small corrections are none either."""
    one = SystemClock()
    one.now()
    machine.pass_(YEAR)
    assert one.now() == machine.day
    for _ in range(60):
        machine.pass_(HOUR)
        machine.day += SECOND
        assert one.now() == machine.day
