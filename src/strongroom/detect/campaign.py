"""Many who have one thing in common, in an hour in which there are few of them: stuffed accounts, rented addresses, a new leak.

What they have in common is the program they read with (without the numbers of its version), or the kind of address they ask
for. Forecast is what was usual for it at that hour of day in the two weeks before (their median), times how much more the
others are by then than usual: others that come new, or those who come as ever; on a day of news everybody comes, whatever they
read with. Only those count who are new: who were not served with the same in common on an earlier day. It needs a week of log;
no account and no address of it has to do anything unusual by itself.

A release moves everybody to a new program or address, and brings nobody. So there must be strangers among those who have it in
common, who were never served on an earlier day, far more than usually come with as many who were; or all together must be
several times as many as usual, and the others still there: accounts that were stuffed may have been seen before.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import median
from sys import intern
from typing import Any, Final, NamedTuple

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
STRANGE: Final = 10
"""Strangers among them."""
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
    had = f"{_had('program', 'agent')} UNION ALL {_had('address', 'route')}"
    new = "SELECT *, new AND day = min(day) OVER (PARTITION BY who) AS strange FROM had"
    forecast = f"""
    WITH bound AS (SELECT first // {DAY} AS first FROM span),
    hour AS (SELECT about, h, {_SUMS} FROM forecast_share GROUP BY ALL),
    everybody AS (SELECT about[:7] AS kind, h, {_SUMS} FROM hour GROUP BY ALL),
    candidate AS (SELECT about, h, new FROM hour, bound WHERE new >= {FLOOR} AND h // 24 >= first + {AGE}),
    looked AS (
        SELECT candidate.about, candidate.h, candidate.new, coalesce(past.new, 0) AS own,
            coalesce(everybody.new, 0) - own AS others, coalesce(everybody.had, 0) AS had,
            coalesce(everybody.strange, 0) AS strange
        FROM candidate, bound, range(1, {BACK} + 1) AS back(days)
        LEFT JOIN hour AS past ON past.about = candidate.about AND past.h = candidate.h - 24 * days
        LEFT JOIN everybody ON everybody.kind = candidate.about[:7] AND everybody.h = candidate.h - 24 * days
        WHERE (candidate.h - 24 * days) // 24 >= first
    )
    SELECT about, h, median(own) AS own, median(others) AS others, median(had) AS usual, median(had - own) AS rest,
        median(strange) AS strangers, median(had - strange) AS regulars
    FROM looked GROUP BY about, h, new HAVING new >= {_enough("greatest(median(own), 1.0::DOUBLE)")}  -- no less is expected
    """
    fired = f"""
    WITH counted AS (
        SELECT about, h, time, new, count(CASE WHEN new THEN 1 END) OVER one AS n, count(*) OVER one AS had,
            count(CASE WHEN strange THEN 1 END) OVER one AS strange,
            count(CASE WHEN new THEN 1 END) OVER every AS everybody, count(*) OVER every AS all_
        FROM fired_share
        WINDOW one AS (PARTITION BY about, h ORDER BY time, source, place ROWS UNBOUNDED PRECEDING),
            every AS (PARTITION BY about[:7], h ORDER BY time, source, place ROWS UNBOUNDED PRECEDING)
    ),
    expected AS (
        SELECT about, h, n, strange, time, greatest(1.0::DOUBLE, (everybody - n) / greatest(others, 1.0::DOUBLE),
                (all_ - n) / greatest(rest, 1.0::DOUBLE)) * greatest(own, 1.0::DOUBLE) AS expected,
            greatest(1.0::DOUBLE, (had - strange) * strangers / greatest(regulars, 1.0::DOUBLE)) AS explained,
            all_ >= {TIMES} * usual AND all_ - n + 1 >= rest * (time % {HOUR}) / {HOUR} / 2 AS risen
        FROM counted JOIN forecast USING (about, h) WHERE new
    )
    SELECT about, h, min(time) AS fired FROM expected
    WHERE n >= {_enough("expected")} AND (strange >= {_enough("explained", STRANGE)} OR risen) GROUP BY ALL
    """
    first = f"""
    WITH likely AS (
        SELECT about, h, time, new.new, strange, min((source, place)) AS place
        FROM new SEMI JOIN forecast USING (h) JOIN reading USING (who, time)
        WHERE {_HAS} GROUP BY about, who, h, time, new.new, strange
    )
    SELECT about, h, time, new, strange, place[1] AS source, place[2] AS place FROM likely
    """
    hits = f"""
    WITH taking AS (SELECT about, who, min(fired) AS fired, min(h) AS h FROM new JOIN fired USING (about, h) WHERE new GROUP BY ALL)
    SELECT about, taking.fired, event FROM reading JOIN taking USING (who)  -- a later night has a moment of its own
    WHERE {_HAS} AND time // {HOUR} BETWEEN taking.h AND taking.h + 1
    """
    steps = (
        By("reading", reading, "who", kept=False),
        Here("had", had),
        Here("new", new),
        Known("forecast", _SHARE, forecast),
        Known("fired", first, fired),
    )
    parts = Parts(steps, hits)
    note = f"at least {FLOOR} new ones in an hour, {TIMES} times the forecast for it"
    return Detection(HEAD, parts.sql, shape="wide", note=note, bases=(_BASE, slow.FIRST), fold=Campaign, parts=parts)


def _enough(expected: str, floor: int = FLOOR) -> str:
    return f"greatest({floor}, {TIMES} * {expected}, {expected} + {DEVIATIONS} * sqrt({expected}))"


def _had(kind: str, column: str) -> str:
    """Who has what in common, and when first in each hour; whether since that day: (about, who, h, time, new, day)."""
    return f"""
    SELECT '{kind} ' || {column} AS about, who, h, time, h // 24 = day AS new, day
    FROM (
        SELECT {column}, who, time // {HOUR} AS h, min(time) AS time, min(h) OVER (PARTITION BY {column}, who) // 24 AS day
        FROM reading WHERE {column} IS NOT NULL AND who IS NOT NULL GROUP BY {column}, who, h
    )
    """


_SUMS: Final = "sum(had)::BIGINT AS had, sum(new)::BIGINT AS new, sum(strange)::BIGINT AS strange"
_SHARE: Final = """
    SELECT about, h, count(*) AS had, count(*) FILTER (new) AS new, count(*) FILTER (strange) AS strange FROM new GROUP BY ALL
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


class Counts:
    """What an hour has seen of those who have something in common: how many, how many of them for the first time, and strangers."""

    __slots__ = ("had", "new", "strange")

    def __init__(self, had: int = 0, new: int = 0, strange: int = 0) -> None:
        self.had, self.new, self.strange = had, new, strange


_NONE: Final = Counts()


class Usual(NamedTuple):
    """Medians of an hour of day: of those who have a thing in common those who are new, and the others who are; of all that have
    anything of its kind how many, how many that are not new to this one, strangers, and who are none.
    """

    hour: int
    own: float
    others: float
    all_: float
    rest: float
    strangers: float
    regulars: float


def _limit(expected: float, floor: int = FLOOR) -> float:
    return max(floor, TIMES * expected, expected + DEVIATIONS * math.sqrt(expected))


class Campaign:
    """The fold."""

    def __init__(self) -> None:
        self.began: int | None = None  # the day
        self.hour, self.now, self.today = -1, b"", b""  # twice the hour, and twice the first of the day
        # Of each what they had in common, what they had first in front: in which hour last, twice, and 1 if that day was the first.
        self.had = Column[Packed](packed.dump, packed.load)
        self.counts: dict[str, dict[int, Counts]] = {}  # what, or what kind of things -> hour
        self.usual: dict[str, Usual] = {}

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        time, who = row[1], row[2]
        if self.began is None:
            self.began = time // DAY
        if who is None:
            return ()
        if time // HOUR != self.hour:
            self.hour = time // HOUR
            self.now, self.today = ((2 * one).to_bytes(8, "big") for one in (self.hour, self.hour // 24 * 24))
        known, at = self.had.row(who), self.had.at
        fires: Sequence[Fire] = ()
        for what, key in _things(row[4], row[5]):
            marked = packed.marked(known[at] or b"", key, self.now, self.today)
            if marked is None:
                continue
            known[at], new = marked
            one, every = self._counts(what), self._counts(what[:7])
            one.had += 1
            every.had += 1
            if new:
                fire = self._new(what, time, one, every, strange=self._strange(marked[0]))
                fires = fires if fire is None else [*fires, fire]
        return fires

    def _strange(self, had: Packed) -> bool:
        """Whether this day is the first on which they had anything."""
        first = packed.oldest(had)
        return bool(first & 1) and first >= int.from_bytes(self.today, "big")

    def _new(self, what: str, time: int, one: Counts, every: Counts, *, strange: bool) -> Fire | None:
        """One more has this in common, and is counted here; the others of this hour are counts."""
        one.new += 1
        every.new += 1
        one.strange += strange
        every.strange += strange
        hour = time // HOUR
        if one.new < FLOOR or self.began is None or hour // 24 < self.began + AGE:
            return None
        usual = self.usual.get(what)
        if usual is None or usual.hour != hour:
            usual = self.usual[what] = self._forecast(what, hour, self.began)
        others, rest = every.new - one.new, every.had - one.new
        risen = max(1.0, others / max(usual.others, 1.0), rest / max(usual.rest, 1.0))
        if one.new < _limit(risen * max(usual.own, 1.0)):
            return None
        explained = max(1.0, (one.had - one.strange) * usual.strangers / max(usual.regulars, 1.0))
        there = rest + 1 >= usual.rest * (time % HOUR) / HOUR / 2
        if one.strange >= _limit(explained, STRANGE) or (every.had >= TIMES * usual.all_ and there):
            return Fire(what, time, one.new)
        return None

    def _counts(self, what: str) -> Counts:
        """Of this hour."""
        hours = self.counts.get(what)
        if hours is None:
            if len(self.counts) >= MOST:
                return Counts()  # of what is not counted
            hours = self.counts[what] = {}
        counts = hours.get(self.hour)
        if counts is None:
            counts = hours[self.hour] = Counts()
        return counts

    def _forecast(self, what: str, hour: int, began: int) -> Usual:
        """What is usual of it, and of the others."""
        counts, all_ = self.counts[what], self.counts[what[:7]]
        hours = [hour - 24 * back for back in range(1, BACK + 1) if (hour - 24 * back) // 24 >= began]
        own = [counts.get(one, _NONE).new for one in hours]
        every = [all_.get(one, _NONE) for one in hours]
        return Usual(
            hour,
            median(own),
            median(one.new - mine for one, mine in zip(every, own, strict=True)),
            median(one.had for one in every),
            median(one.had - mine for one, mine in zip(every, own, strict=True)),
            median(one.strange for one in every),
            median(one.had - one.strange for one in every),
        )

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return ()

    def tidy(self, time: int) -> None:
        """See `Fold`."""
        oldest = time // HOUR - 24 * BACK
        kept = {what: {h: n for h, n in counts.items() if h >= oldest} for what, counts in self.counts.items()}
        self.counts = {what: counts for what, counts in kept.items() if counts}
        self.usual = {what: usual for what, usual in self.usual.items() if usual.hour >= time // HOUR}

    def dump(self) -> Any:
        """See `Fold`. Numbers are no keys of every form in which a state may be written."""
        counts = [
            [what, [[hour, one.had, one.new, one.strange] for hour, one in hours.items()]]
            for what, hours in self.counts.items()
        ]
        return [self.began, counts]

    def shelves(self) -> Sequence[Column[Any]]:
        """See `Shelved`."""
        return (self.had,)

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.began, counts = kept
        self.counts = {what: {hour: Counts(*one) for hour, *one in hours} for what, hours in counts}
        self.usual = {}
