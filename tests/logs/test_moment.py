"""Times as logs write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import moment

ANY = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001  # a zone is added below
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(ANY, ZONES)
def test_an_access_logs_time_is_the_instant_that_was_meant(at: datetime, zone: timezone) -> None:
    """Every second from 1970 to 9999 in every zone is read as the instant it is."""
    meant = at.replace(tzinfo=zone, microsecond=0)
    expected = (meant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert moment.clf(meant.strftime("%d/%b/%Y:%H:%M:%S %z")) == expected


@given(ANY, ZONES)
def test_an_iso_time_is_the_instant_that_was_meant(at: datetime, zone: timezone) -> None:
    """To the millisecond."""
    meant = at.replace(tzinfo=zone)
    expected = (meant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert moment.iso(meant.isoformat()) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("29/Dec/2025:22:00:00 +1300", 1_766_998_800_000),
        ("01/Jan/1970:00:00:00 +0000", 0),
        ("31/Dec/9999:23:59:59 -1200", 253_402_343_999_000),
        ("30/Jun/2015:23:59:60 +0000", 1_435_708_800_000),
        ("31/Feb/2025:22:00:00 +1300", None),
        ("29/Xyz/2025:22:00:00 +1300", None),
        ("29/Dec/0000:22:00:00 +1300", None),
        ("29/Dec/2025:24:00:00 +1300", None),
        ("29/Dec/2025:22:00:00 +2500", None),
        ("29/Dec/2025:22:00:00 +1300\n", None),
        ("", None),
    ],
)
def test_calendars_are_kept(written: str, expected: int | None) -> None:
    """A day that no month has, an hour that no day has and a tail make no time; 1970 and 9999 are years."""
    assert moment.clf(written) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2025-12-29T09:00:00Z", 1_766_998_800_000),
        ("29/Dec/2025:22:00:00 +1300", 1_766_998_800_000),
        (1_766_998_800, 1_766_998_800_000),
        (1_766_998_800.25, 1_766_998_800_250),
        (1_766_998_800_000, 1_766_998_800_000),
        (-1, None),
        (10**30, None),
        (True, None),
        (None, None),
        ("yesterday", None),
    ],
)
def test_json_values_of_all_forms(value: object, expected: int | None) -> None:
    """Text, seconds and milliseconds are told apart; what is none of them is no time."""
    assert moment.any_of(value) == expected
