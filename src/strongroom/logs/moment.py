"""Times as logs write them, to milliseconds since 1970 UTC. All functions give None for a time that is none.

Arithmetic is on whole numbers and knows no "now": 1970 and 9999 are years like any other.
"""

import calendar
import functools
import re
from datetime import datetime

_CLF = re.compile(r"(\d{2})/([A-Z][a-z]{2})/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})")
_FINE = re.compile(r"([^.,]{20})[.,](\d{1,9})( [+-]\d{4})")
_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
_1970 = datetime(1970, 1, 1).toordinal()  # noqa: DTZ001  # a day
_SECONDS_UNTIL = 253_402_300_800  # 10000-01-01: a number of seconds below, of milliseconds from here on


@functools.lru_cache(maxsize=65_536)
def clf(written: str) -> int | None:
    """Apache's and nginx' `29/Dec/2025:22:00:00 +1300`. A leap second counts as the second after."""
    found = _CLF.fullmatch(written)
    if found is None or found[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(found[group]) for group in (1, 3, 4, 5, 6))
    month = _MONTHS[found[2]]
    zone_hour, zone_minute = int(found[8]), int(found[9])
    if not year or not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    if hour > 23 or minute > 59 or second > 60 or zone_hour > 23 or zone_minute > 59:  # noqa: PLR2004  # a clock's own
        return None
    zone = (zone_hour * 60 + zone_minute) * 60 * (-1 if found[7] == "-" else 1)
    return (calendar.timegm((year, month, day, hour, minute, second, 0, 0, 0)) - zone) * 1000


def fine(written: str) -> int | None:
    """The same with parts of a second (Apache's %{usec_frac}t), or ISO 8601 in its place."""
    found = _FINE.fullmatch(written)
    if found is None:
        return iso(written.replace(",", "."))
    whole = clf(found[1] + found[3])
    return None if whole is None else whole + int(found[2][:3].ljust(3, "0"))


@functools.lru_cache(maxsize=65_536)
def iso(written: str) -> int | None:
    """ISO 8601 as Python's datetime reads it, nanoseconds cut; without a zone UTC is meant."""
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    offset = at.utcoffset()
    minutes = ((at.toordinal() - _1970) * 24 + at.hour) * 60 + at.minute
    seconds = minutes * 60 + at.second - (int(offset.total_seconds()) if offset else 0)
    return seconds * 1000 + at.microsecond // 1000


def epoch(number: float) -> int | None:
    """Seconds or milliseconds since 1970, told apart by their size. Negative and absurd numbers are no times."""
    if not 0 <= number < _SECONDS_UNTIL * 1000:
        return None
    return int(number * 1000) if number < _SECONDS_UNTIL / 1000 * 100 else int(number)


def any_of(value: object) -> int | None:
    """A JSON value in any of these forms."""
    if isinstance(value, str):
        return iso(value) if value[4:5] == "-" or "T" in value else clf(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return epoch(value)
    return None
