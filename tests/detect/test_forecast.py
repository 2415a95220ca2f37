"""What the past lets expect."""

from hypothesis import given
from hypothesis import strategies as st

from strongroom.clock import DAY, HOUR
from strongroom.detect.forecast import LEAST, bands

MONTH = 30 * DAY


@given(st.lists(st.integers(0, 10**9), max_size=400), st.sampled_from([HOUR, DAY, MONTH]), st.data())
def test_only_the_past_counts(amounts: list[int], width: int, data: st.DataObject) -> None:
    """What comes later changes no band; a band has its middle between its edges and none of them is below nothing."""
    found = bands(amounts, width)
    assert len(found) == len(amounts)
    cut = data.draw(st.integers(0, len(amounts)))
    assert bands(amounts[:cut], width) == found[:cut]
    assert all(0 <= one.low <= one.middle <= one.high for one in found if one)


def test_hours_are_compared_with_the_same_hour() -> None:
    """Three days of a busy noon and quiet nights: the fourth noon is expected to be busy, the fourth night quiet."""
    day = [10] * 12 + [1_000] + [10] * 11
    found = bands(day * 4, HOUR)
    assert [one.middle if one else None for one in found[-24:]] == day
    assert found[: 24 * LEAST] == [None] * 24 * LEAST


def test_weeks_are_preferred_to_days() -> None:
    """A Sunday is compared with Sundays, once there are enough of them."""
    week = [[100] * 24] * 6 + [[5] * 24]
    found = bands([amount for day in week * 4 for amount in day], HOUR)
    assert {one.middle for one in found[-24:] if one} == {5}


def test_one_theft_does_not_move_the_band_much() -> None:
    """The median and the median deviation forget an outlier."""
    last = bands([100, 110, 90, 100, 105, 95, 10**9, 100], MONTH)[-1]
    assert last is not None
    assert last.middle == 100
    assert last.high < 150
