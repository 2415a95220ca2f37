"""Far more documents than usual for that hour of the week, by everybody or by all of one role together.

What is usual is the median of the same hour in the weeks before, from the third week on; until then, and from the second week
on, of the same hour of the days before. More than TIMES of it, and far beyond how much such hours differed (the median of their
distances from it), is a finding, one a day. Who takes part is not told by this: it is the net below the others, for thefts that no
account and no address shows. Volume alone is a poor alarm: a migration, a day of news and the end of holidays are honest.
"""

import math
from collections.abc import Sequence
from statistics import median
from typing import Any, Final

from strongroom.clock import HOUR, iso
from strongroom.detect.detection import SERVED, Base, Detection, Fire, digest, simple
from strongroom.detect.packed import Many
from strongroom.detect.parts import By, Here, Known, Parts
from strongroom.sigma.rule import Head

FLOOR: Final = 100
"""Different documents in an hour."""
TIMES, DEVIATIONS = 3, 6
WEEK: Final = 7 * 24
WEEKS, ENOUGH = 8, 3
"""As far as is looked back, and how many weeks suffice without days."""
_DEVIATION: Final = (
    1.4826  # of a normal distribution: its deviation against the median of the distances from the median
)

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b10",
    title="Far more documents than usual for that hour of the week",
    level="low",
    description="Everybody together, or all of one role, read many times what was usual at that hour of the week.",
    honest=("news, a letter to everybody, the end of holidays", "a migration, a catching up after an outage"),
    tags=("attack.t1119", "attack.t1213", "d3fend.d3-udta"),
    by=(),
)


def detection() -> Detection:
    """One finding a day and group."""
    reading = f"""
        SELECT event, time, time // {HOUR} AS h, document, 'everybody' AS g FROM ({_BASE.sql})
        UNION ALL SELECT event, time, time // {HOUR}, document, 'role ' || role FROM ({_BASE.sql}) WHERE role IS NOT NULL
    """
    large = f"""
    WITH hour AS (SELECT g, h, sum(c)::BIGINT AS c FROM large_share GROUP BY g, h),
    bound AS (SELECT g, min(h) AS first FROM hour GROUP BY g),
    candidate AS (SELECT * FROM hour JOIN bound USING (g) WHERE c >= {FLOOR} AND h - {WEEK} > first),
    weekly AS (
        SELECT candidate.g, candidate.h, coalesce(past.c, 0) AS c
        FROM candidate JOIN range(1, {WEEKS + 1}) AS week(n) ON candidate.h - {WEEK} * n > first
        LEFT JOIN hour AS past ON past.g = candidate.g AND past.h = candidate.h - {WEEK} * n
    ),
    daily AS (
        SELECT candidate.g, candidate.h, coalesce(past.c, 0) AS c FROM candidate, range(1, 8) AS day(n)
        LEFT JOIN hour AS past ON past.g = candidate.g AND past.h = candidate.h - 24 * n
    ),
    by_week AS (SELECT g, h, median(c) AS usual, mad(c) AS spread FROM weekly GROUP BY g, h HAVING count(*) >= {ENOUGH}),
    by_day AS (SELECT g, h, median(c) AS usual, mad(c) AS spread FROM daily GROUP BY g, h),
    expected AS (
        SELECT g, h, coalesce(by_week.usual, by_day.usual) AS usual, coalesce(by_week.spread, by_day.spread) AS spread
        FROM by_day LEFT JOIN by_week USING (g, h)
    ),
    enough AS (
        SELECT g, h,
            greatest({FLOOR}, {TIMES} * usual, usual + {DEVIATIONS} * greatest(sqrt(usual), {_DEVIATION} * spread)) AS enough
        FROM expected
    )
    SELECT g, h, enough FROM enough JOIN hour USING (g, h) WHERE hour.c >= enough
    """
    fire = """
    WITH counted AS (
        SELECT g, h, time, row_number() OVER (PARTITION BY g, h ORDER BY time, document) AS n FROM fire_share
    )
    SELECT g, h, min(time) AS fired FROM counted JOIN large USING (g, h) WHERE n >= enough GROUP BY g, h
    """
    hits = """
    WITH named AS (
        SELECT g || ', ' || strftime(make_timestamp(reading.time * 1000), '%Y-%m-%d') AS about, fired, event
        FROM reading JOIN fire USING (g, h)
    )
    SELECT about, min(fired) OVER (PARTITION BY about) AS fired, event FROM named
    """
    steps = (
        By("reading", reading, "document", kept=False),
        Here("once", "SELECT g, h, document, min(time) AS time FROM reading GROUP BY g, h, document"),
        Known("large", "SELECT g, h, count(*) AS c FROM once GROUP BY g, h", large),
        Known("fire", "SELECT g, h, time, document FROM once SEMI JOIN large USING (g, h)", fire),
    )
    parts = Parts(steps, hits)
    note = (
        f"at least {FLOOR} in an hour, {TIMES} times the median of that hour in earlier weeks, {DEVIATIONS} deviations"
    )
    return Detection(HEAD, parts.sql, shape="wide", note=note, bases=(_LIVE,), fold=Surge, parts=parts)


def _base(document: str) -> Base:
    return simple(
        f"""{SERVED} AND "principal.kind" <> 'service' AND store IS NULL""",
        document=document, role="""CASE WHEN "principal.kind" = 'login' THEN "actor.user.type" END""",
    )  # fmt: skip


_BASE, _LIVE = _base("document"), _base(digest('"document"'))


class Group:
    """Everybody, or a role: what it reads in this hour, and how much it read in those of eight weeks."""

    __slots__ = ("counts", "documents", "enough", "first", "hour")

    def __init__(self, hour: int) -> None:
        self.first = self.hour = hour
        self.documents = Many()
        self.counts: dict[int, int] = {}
        self.enough: float | None = None

    def turn(self, hour: int) -> None:
        """An hour has begun: the one before is known."""
        self.counts[self.hour] = len(self.documents)
        self.hour, self.documents = hour, Many()
        weekly = [self.counts.get(hour - WEEK * n, 0) for n in range(1, WEEKS + 1) if hour - WEEK * n > self.first]
        if not weekly:
            self.enough = None
            return
        daily = [self.counts.get(hour - 24 * n, 0) for n in range(1, 8)]
        past = weekly if len(weekly) >= ENOUGH else daily
        usual = median(past)
        spread = max(math.sqrt(usual), _DEVIATION * median(abs(one - usual) for one in past))
        self.enough = max(FLOOR, TIMES * usual, usual + DEVIATIONS * spread)


class Surge:
    """The fold."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        _, time, document, role = row
        fires = self._reads("everybody", document, time)
        return fires if role is None else [*fires, *self._reads(f"role {role}", document, time)]

    def _reads(self, g: str, document: int, time: int) -> Sequence[Fire]:
        hour = time // HOUR
        group = self.groups.get(g)
        if group is None:
            group = self.groups[g] = Group(hour)
        if hour != group.hour:
            group.turn(hour)
        documents = group.documents
        if not documents.add(document):
            return ()
        if group.enough is None or len(documents) < group.enough:
            return ()
        return (Fire(f"{g}, {iso(time)[:10]}", time, len(documents)),)

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return ()

    def tidy(self, time: int) -> None:
        """See `Fold`."""
        oldest = time // HOUR - WEEK * WEEKS
        for group in self.groups.values():
            group.counts = {hour: count for hour, count in group.counts.items() if hour >= oldest}

    def dump(self) -> Any:
        """See `Fold`. Numbers are no keys of every form in which a state may be written."""
        return [
            [g, one.first, one.hour, one.documents.dump(), [*one.counts.items()], one.enough]
            for g, one in self.groups.items()
        ]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.groups = {}
        for g, first, hour, documents, counts, enough in kept:
            one = self.groups[g] = Group(first)
            one.hour, one.documents, one.counts, one.enough = hour, Many(documents), dict(counts), enough
