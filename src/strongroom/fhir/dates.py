"""FHIR dates as spans of time: 2026 is a year long, 2026-01-31T10:00:00Z a second. Pure; times are milliseconds.

Source: https://hl7.org/fhir/R4/search.html#date. A date without a zone is taken as UTC: there is one store and no room
for a server's local time in a search.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from strongroom.clock import DAY, MINUTE, SECOND
from strongroom.errors import Malformed

FOREVER = 253_402_300_800_000
"""The first millisecond of the year 10000: what an open end is taken for."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLI = timedelta(milliseconds=1)

_DATE = re.compile(
    r"(?P<year>[0-9]{4})(-(?P<month>[0-9]{2})(-(?P<day>[0-9]{2})(T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(:(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]{1,9}))?)?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start`, included, to `end`, not included. Milliseconds."""

    start: int
    end: int


def span(text: str) -> Span:
    """The time that `text` covers, by its precision. Raises Malformed for what is no date, the 31st of February too."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise _no_date()
    try:
        start = _start(found)
        return Span(start, _end(found, start))
    except (ValueError, OverflowError):
        raise _no_date() from None


def instant(text: str) -> int:
    """The moment `text` begins, in milliseconds."""
    return span(text).start


def between(start: str | None, end: str | None) -> Span:
    """A FHIR Period, open where it has no bound; its end is included to its precision."""
    return Span(span(start).start if start else 0, span(end).end if end else FOREVER)


def _start(found: re.Match[str]) -> int:
    year, month, day, hour, minute, second = (
        int(found[part] or default)
        for part, default in (("year", 0), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))
    )
    leap = second == 60  # noqa: PLR2004  # FHIR allows a leap second, datetime does not
    moment = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC)
    millis = (moment - _EPOCH) // _MILLI + (SECOND if leap else 0)
    return millis + int((found["fraction"] or "").ljust(3, "0")[:3]) - _offset(found["zone"])


def _offset(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 14 or minutes > 59:  # noqa: PLR2004  # FHIR's own limits
        raise ValueError
    return (1 if zone[0] == "+" else -1) * (hours * 60 + minutes) * MINUTE


def _end(found: re.Match[str], start: int) -> int:
    if found["fraction"]:
        return start + 1
    if found["second"]:
        return start + SECOND
    if found["hour"]:
        return start + MINUTE
    if found["day"]:
        return start + DAY
    year, month = int(found["year"]), int(found["month"] or 12)
    if (year, month) == (9999, 12):
        return FOREVER
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return (following - _EPOCH) // _MILLI


def _no_date() -> Malformed:
    msg = "This is no date."
    return Malformed(msg, advice="Write 2026, 2026-01, 2026-01-31 or 2026-01-31T10:00:00Z.")
