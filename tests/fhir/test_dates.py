"""A FHIR date is the time it covers, no more and no less."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.clock import DAY, HOUR, iso
from strongroom.errors import Malformed
from strongroom.fhir.dates import FOREVER, Span, between, instant, span

_MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001  # zones are given beside
_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(_MOMENTS, _ZONES)
def test_an_instant_is_where_datetime_puts_it(moment: datetime, zone: timezone) -> None:
    """Zones are counted the right way round; a thousandth of a second long with a fraction."""
    aware = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=zone)
    expected = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert span(aware.isoformat(timespec="milliseconds")) == Span(expected, expected + 1)


@given(st.integers(0, 4_000_000_000_000))
def test_our_own_instants_are_read_back(at: int) -> None:
    """`iso` and `instant` are inverses."""
    assert instant(iso(at)) == at


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-02", "2026-02-01", "2026-03-01"),
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-12-31", "2026-12-31", "2027-01-01"),
    ],
)
def test_precision_is_length(text: str, start: str, end: str) -> None:
    """A year is a year long, February as long as it is."""
    assert span(text) == Span(span(start).start, span(end).start)


def test_short_times_have_their_length() -> None:
    """Minutes, seconds and fractions."""
    day = span("2026-01-31")
    assert day.end - day.start == DAY
    assert span("2026-01-31T10:00").end - span("2026-01-31T10:00").start == 60_000
    assert span("2026-01-31T10:00:00Z") == Span(day.start + 10 * HOUR, day.start + 10 * HOUR + 1_000)
    assert span("2026-06-30T23:59:60Z").start == span("2026-07-01").start
    assert span("9999-12").end == FOREVER


@pytest.mark.parametrize(
    "text",
    ["", "26", "2026-13", "2026-00", "2026-02-30", "2026-01-01T24:00:00Z", "2026-01-01T10:00:00+15:00",
     "2026-01-01T10:00:00+10:60", "2026-01-01T", "2026-01-01 10:00", "2026-01-01\n", "0000", "٢٠٢٦"],
)  # fmt: skip
def test_what_is_no_date_is_refused(text: str) -> None:
    """Days that never were, and texts that are something else."""
    with pytest.raises(Malformed):
        span(text)


def test_a_period_is_open_where_it_has_no_bound() -> None:
    """Its end is included to its precision."""
    assert between(None, None) == Span(0, FOREVER)
    assert between("2026", "2026-01") == Span(span("2026").start, span("2026-02").start)
