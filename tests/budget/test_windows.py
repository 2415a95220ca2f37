"""Windows come and go."""

import pytest

from strongroom.budget.scope import Kind
from strongroom.budget.table import DEFAULTS
from strongroom.budget.windows import SWEEP, Windows
from strongroom.clock import DAY
from strongroom.errors import Malformed
from tests.budget.scenes import START

GAUGE = DEFAULTS.of(Kind.OWN)[0]


def test_looking_opens_nothing() -> None:
    """Only counting opens a window: a refused login leaves none."""
    windows = Windows(DEFAULTS.gauges)
    assert windows.get(GAUGE, "A") is None
    assert len(windows) == 0


def test_a_window_in_use_is_kept() -> None:
    """One that is counted in every hour is the same window a year later."""
    windows = Windows(DEFAULTS.gauges)
    first = windows.open(GAUGE, "A", START)
    for hour in range(24 * 365):
        windows.open(GAUGE, "A", START + hour * DAY // 24).add(START + hour * DAY // 24, 0, 0, "p")
    assert windows.get(GAUGE, "A") is first
    assert len(first._events) <= 2 * 24 + 1  # a window that is only written is looked at once in its length


def test_no_charge_waits_for_a_great_cleaning() -> None:
    """However many windows are due, one opening drops no more than a few."""
    windows = Windows(DEFAULTS.gauges)
    for number in range(10 * SWEEP):
        windows.open(GAUGE, f"{number}", START).add(START, 0, 0, "p")
    windows.open(GAUGE, "one more", START + DAY).add(START + DAY, 0, 0, "p")
    assert len(windows) == 9 * SWEEP + 1
    windows.drop_empty(START + DAY)
    assert len(windows) == 1


def test_a_dump_is_read_back_in_the_same_order() -> None:
    """Equal contents give equal dumps, however they came about."""
    one, two = Windows(DEFAULTS.gauges), Windows(DEFAULTS.gauges)
    for windows, names in ((one, "AB"), (two, "BA")):
        for name in names:
            windows.open(GAUGE, name, START).add(START, 1, 5, "p")
    two.open(GAUGE, "C", START)
    assert one.dump(START) == two.dump(START)
    again = Windows.load(DEFAULTS.gauges, one.dump(START), START)
    assert again.dump(START) == one.dump(START)
    again.drop_empty(START + DAY)
    assert len(again) == 0


@pytest.mark.parametrize("place", [-1, len(DEFAULTS.gauges)])
def test_a_dump_of_no_gauge_is_refused(place: int) -> None:
    """A window that no rule looks at is not taken for one that is."""
    with pytest.raises(Malformed):
        Windows.load(DEFAULTS.gauges, [(place, "A", [], [("p", START)])], START)
