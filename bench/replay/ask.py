"""One request, as the portal saw it, and the hours at which people are awake."""

import math
import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, Literal, NamedTuple

ZONE: Final = timezone(timedelta(hours=13))
START: Final = int(datetime(2025, 11, 15, tzinfo=ZONE).timestamp() * 1000)
"""Midnight, local time, of the first of DAYS days: a Saturday."""
DAYS: Final = 60
DAY, HOUR, MINUTE, SECOND = 86_400_000, 3_600_000, 60_000, 1_000
assert datetime.fromtimestamp(START / 1000, UTC).hour == 11

Kind = Literal["list", "read", "page", "forgotten", "export"]


class Ask(NamedTuple):
    """One request. `who` is empty without a login; `play` names the playbook, and is empty for honest ones."""

    time: int
    who: str
    role: str
    address: str
    agent: str
    kind: Kind
    document: int
    person: int | None  # whose document or list it is; None: nobody's
    status: int
    size: int
    play: str = ""


def at(day: float, hour: float = 0) -> int:
    """A time of the replay, in local days and hours."""
    return START + int(day * DAY + hour * HOUR)


_AWAKE: Final = (1, 1, 1, 1, 1, 1, 2, 5, 7, 10, 10, 8, 6, 6, 6, 6, 6, 7, 8, 10, 10, 7, 4, 2)
"""Patients by local hour: from seven to eleven, peaks in the morning and the evening."""
_WORK: Final = (0, 0, 0, 0, 0, 0, 0, 3, 8, 12, 12, 11, 7, 10, 12, 11, 8, 3, 1, 1, 1, 1, 0, 0)
"""Clinicians: the day, and one in twenty in the evening."""


def holiday(day: int) -> bool:
    """From 24 December to 5 January, when MMH was emptied."""
    return 39 <= day <= 51  # days of the replay


def weekend(day: int) -> bool:
    """The replay begins on a Saturday."""
    return day % 7 < 2  # its first two days


def awake(day: int) -> float:
    """How many patients come on a day, against a working day."""
    return (0.55 if weekend(day) else 1.0) * (0.3 if holiday(day) else 1.0)


def moment(rng: random.Random, day: int, *, working: bool = False) -> int:
    """A time on a day when somebody begins."""
    hour = rng.choices(range(24), _WORK if working else _AWAKE)[0]
    return START + day * DAY + hour * HOUR + rng.randrange(HOUR)


def size(document: int) -> int:
    """Bytes of a document, always the same: most are texts (median 90 kB), 18 of 100 scans (median 560 kB)."""
    rng = document * 2_654_435_761 % 2**32
    normal = _NORMAL[rng >> 20]
    return int(math.exp(13.24 + 0.9 * normal) if rng % 100 < 18 else math.exp(11.41 + 0.8 * normal))


_NORMAL: Final = [random.Random(0).gauss(0, 1) for _ in range(1)] + [
    random.Random(n).gauss(0, 1) for n in range(1, 4096)
]
"""Draws of a normal distribution."""


def poisson(rng: random.Random, mean: float) -> int:
    """How often, when it is `mean` times on average."""
    if mean > 50:  # then it is as good as normal
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    count, passed = 0, rng.expovariate(1.0)
    while passed < mean:
        count, passed = count + 1, passed + rng.expovariate(1.0)
    return count
