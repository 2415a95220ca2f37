"""Many who have one thing in common, in an hour in which there are few of them: stuffed accounts, rented addresses, a new leak.

What they have in common is the program they read with (without the numbers of its version), or the kind of address they ask
for. Forecast is what was usual for it at that hour of day in the two weeks before (their median), times how much more the
others are by then than usual: on a day of news everybody comes, whatever they read with. Only those count who are new: who were not
served with the same in common on an earlier day. It needs a week of log; no account and no address of it has to do anything
unusual by itself.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import median
from sys import intern
from typing import Any, Final

from strongroom.clock import DAY, HOUR
from strongroom.detect import packed, slow
from strongroom.detect.detection import ABOUT, AGENT, PLACE, SERVED, SOURCE, Detection, Fire, simple
from strongroom.detect.met import digest
from strongroom.detect.packed import Packed
from strongroom.detect.parts import By, Here, Known, Parts
from strongroom.detect.shelf import Column
from strongroom.sigma.rule import Head

FLOOR: Final = 20
"""New ones in an hour."""
TIMES, DEVIATIONS = 3, 6
"""Over the forecast: so many times, and so many standard deviations of a count (its root)."""
BACK, AGE = 14, 7
"""Days of which a forecast is made, and which it needs."""

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b09",
    title="Far more accounts or addresses than usual, with one thing in common",
    level="high",
    description="In an hour many more accounts or addresses than forecast were given documents for the first time, all with one "
    "kind of program or at one kind of address, while the others were as many as ever.",
    honest=(
        "a new program of your own, or a new page, that everybody was led to",
        "a message that many got at once",
    ),
    tags=("attack.t1110.004", "attack.t1078", "attack.t1119", "d3fend.d3-udta", "d3fend.d3-anet"),
    by=(),
)


def detection() -> Detection:
    """One finding a thing in common."""
    reading = f"""
    WITH program AS (
        SELECT "http_request.user_agent", {AGENT} AS agent FROM (SELECT DISTINCT "http_request.user_agent" FROM event)
    )
    SELECT event.rowid AS event, time, {SOURCE} AS source, {PLACE} AS place, {ABOUT} AS who, agent, route
    FROM event LEFT JOIN program USING ("http_request.user_agent") WHERE {_WHERE}
    """
    new = f"{_new('program', 'agent')} UNION ALL {_new('address', 'route')}"
    forecast = f"""
    WITH bound AS (SELECT first // {DAY} AS first FROM span),
    hour AS (SELECT about, h, sum(c)::BIGINT AS c FROM forecast_share GROUP BY ALL),
    everybody AS (SELECT about[:7] AS kind, h, sum(c)::BIGINT AS c FROM hour GROUP BY ALL),
    candidate AS (SELECT about, h, c FROM hour, bound WHERE c >= {FLOOR} AND h // 24 >= first + {AGE}),
    looked AS (
        SELECT candidate.about, candidate.h, coalesce(past.c, 0) AS own, coalesce(others.c, 0) - coalesce(past.c, 0) AS others
        FROM candidate, bound, range(1, {BACK} + 1) AS back(days)
        LEFT JOIN hour AS past ON past.about = candidate.about AND past.h = candidate.h - 24 * days
        LEFT JOIN everybody AS others ON others.kind = candidate.about[:7] AND others.h = candidate.h - 24 * days
        WHERE (candidate.h - 24 * days) // 24 >= first
    )
    SELECT about, h, median(own) AS own, median(others) AS others FROM looked GROUP BY ALL
    """
    fired = f"""
    WITH counted AS (
        SELECT about, h, time, row_number() OVER (PARTITION BY about, h ORDER BY time, source, place) AS n,
            row_number() OVER (PARTITION BY about[:7], h ORDER BY time, source, place) AS everybody
        FROM fired_share
    ),
    expected AS (
        SELECT about, h, n, time,
            greatest(1.0::DOUBLE, (everybody - n) / greatest(others, 1.0::DOUBLE)) * greatest(own, 1.0::DOUBLE) AS expected
        FROM counted JOIN forecast USING (about, h)
    )
    SELECT about, h, min(time) AS fired FROM expected
    WHERE n >= greatest({FLOOR}, {TIMES} * expected, expected + {DEVIATIONS} * sqrt(expected)) GROUP BY ALL
    """
    first = f"""
    WITH likely AS (
        SELECT about, h, time, min((source, place)) AS place FROM new SEMI JOIN forecast USING (h) JOIN reading USING (who, time)
        WHERE {_HAS} GROUP BY about, who, h, time
    )
    SELECT about, h, time, place[1] AS source, place[2] AS place FROM likely
    """
    hits = f"""
    WITH taking AS (SELECT about, who, min(fired) AS fired, min(h) AS h FROM new JOIN fired USING (about, h) GROUP BY ALL)
    SELECT about, taking.fired, event FROM reading JOIN taking USING (who)  -- a later night has a moment of its own
    WHERE {_HAS} AND time // {HOUR} BETWEEN taking.h AND taking.h + 1
    """
    steps = (
        By("reading", reading, "who", kept=False),
        Here("new", new),
        Known("forecast", "SELECT about, h, count(*) AS c FROM new GROUP BY ALL", forecast),
        Known("fired", first, fired),
    )
    parts = Parts(steps, hits)
    note = f"at least {FLOOR} new ones in an hour, {TIMES} times the forecast for it"
    return Detection(HEAD, parts.sql, shape="wide", note=note, bases=(_BASE, slow.FIRST), fold=Campaign, parts=parts)


def _new(kind: str, column: str) -> str:
    """Who has what in common for the first time, and when in each hour of that day: (about, who, h, time)."""
    return f"""
    SELECT '{kind} ' || {column} AS about, who, time // {HOUR} AS h, min(time) AS time
    FROM reading JOIN (SELECT {column}, who, min(time) // {DAY} AS day FROM reading GROUP BY ALL) USING ({column}, who)
    WHERE time // {DAY} = day GROUP BY {column}, who, h
    """


_HAS: Final = "about IN ('program ' || agent, 'address ' || route)"
_LOGS: Final = ("web", "s3-access")
_WHERE: Final = (
    f"""{SERVED} AND "principal.kind" IN ('login', 'address', 'anonymous') AND "metadata.log_name" IN {_LOGS}"""
)
_BASE: Final = simple(_WHERE, _LOGS, g=ABOUT, about=ABOUT, agent=AGENT, route="route")

MOST: Final = 20_000
"""Things in common of which a watch counts how many have each: programs' names are anybody's to choose."""


@lru_cache(MOST)
def _things(agent: str | None, route: str | None) -> tuple[tuple[str, bytes], ...]:
    """What somebody has in common with others, each with the digest by which it is known."""
    told = (("program", agent), ("address", route))
    names = (f"{kind} {one}" for kind, one in told if one is not None)
    return tuple((intern(what), digest(what).to_bytes(8, "big")) for what in names)


class Campaign:
    """The fold."""

    def __init__(self) -> None:
        self.began: int | None = None  # the day
        self.hour, self.now, self.today = -1, b"", b""  # and the first of the day
        self.had = Column[Packed](
            packed.dump, packed.load
        )  # of each what they had in common, and in which hour it was counted last
        self.counts: dict[str, dict[int, int]] = {}  # what, or what kind of things -> hour -> new ones
        self.usual: dict[
            str, tuple[int, float, float]
        ] = {}  # what -> an hour, and its forecast before others are looked at

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        time, who = row[1], row[2]
        if self.began is None:
            self.began = time // DAY
        if who is None:
            return ()
        if time // HOUR != self.hour:
            self.hour = time // HOUR
            self.now, self.today = self.hour.to_bytes(8, "big"), (self.hour // 24 * 24).to_bytes(8, "big")
        known, at = self.had.row(who), self.had.at
        fires: Sequence[Fire] = ()
        for what, key in _things(row[4], row[5]):  # each counts in each hour of the day on which they had it first
            had = packed.marked(known[at] or b"", key, self.now, self.today)
            if had is not None:
                known[at] = had
                fire = self._new(what, time)
                fires = fires if fire is None else [*fires, fire]
        return fires

    def _new(self, what: str, time: int) -> Fire | None:
        """One more has this in common."""
        hour = time // HOUR
        everybody = self._count(what[:7], hour)
        n = self._count(what, hour)
        if n < FLOOR or self.began is None or hour // 24 < self.began + AGE:
            return None
        usual = self.usual.get(what)
        if usual is None or usual[0] != hour:
            usual = self.usual[what] = (hour, *self._forecast(what, hour, self.began))
        _, own, others = usual
        expected = max(1.0, (everybody - n) / max(others, 1.0)) * max(own, 1.0)
        enough = max(FLOOR, TIMES * expected, expected + DEVIATIONS * math.sqrt(expected))
        return Fire(what, time, n) if n >= enough else None

    def _count(self, what: str, hour: int) -> int:
        counts = self.counts.get(what)
        if counts is None:
            if len(self.counts) >= MOST:
                return 0
            counts = self.counts[what] = {}
        count = counts[hour] = counts.get(hour, 0) + 1
        return count

    def _forecast(self, what: str, hour: int, began: int) -> tuple[float, float]:
        """What is usual of it, and of the others."""
        counts, all_ = self.counts[what], self.counts[what[:7]]
        hours = [hour - 24 * back for back in range(1, BACK + 1) if (hour - 24 * back) // 24 >= began]
        own = [counts.get(one, 0) for one in hours]
        return median(own), median(all_.get(one, 0) - mine for one, mine in zip(hours, own, strict=True))

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return ()

    def tidy(self, time: int) -> None:
        """See `Fold`."""
        oldest = time // HOUR - 24 * BACK
        kept = {what: {h: n for h, n in counts.items() if h >= oldest} for what, counts in self.counts.items()}
        self.counts = {what: counts for what, counts in kept.items() if counts}
        self.usual = {what: usual for what, usual in self.usual.items() if usual[0] >= time // HOUR}

    def dump(self) -> Any:
        """See `Fold`. Numbers are no keys of every form in which a state may be written."""
        counts = [[what, [*counts.items()]] for what, counts in self.counts.items()]
        return [self.began, counts]

    def shelves(self) -> Sequence[Column[Any]]:
        """See `Shelved`."""
        return (self.had,)

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.began, counts = kept
        self.counts = {what: dict(hours) for what, hours in counts}
        self.usual = {}
