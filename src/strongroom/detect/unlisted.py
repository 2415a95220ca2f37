"""Documents fetched though never listed: nobody knows an id without having been shown it, except who has it from elsewhere.

The way to a kind of document is learned from the week before, for each day (of UTC): the page that nearly everybody had open
before. Who then reads several documents in a day, and had not opened that page in the half day before any of them, has the ids from
elsewhere. Programs do so by nature: who did in the log's first days is left alone, and so is what is read with a kind of program
that mostly did (a theft in that time is not seen by this).
"""

from collections.abc import Sequence
from functools import lru_cache
from sys import intern
from typing import Any, Final

from strongroom.clock import DAY, HOUR
from strongroom.detect import packed, slow
from strongroom.detect.correlation import distinct, windowed
from strongroom.detect.detection import ABOUT, AGENT, PLACE, SERVED, SOURCE, Base, Detection, Fire, digest, simple
from strongroom.detect.met import digest as digested
from strongroom.detect.packed import Packed
from strongroom.detect.parts import By, Here, Known, Parts
from strongroom.detect.shelf import Column, Shelf
from strongroom.detect.sliding import Values
from strongroom.sigma.rule import Head

MANY: Final = 5
"""Documents in a day. Links in messages lead to one or two."""
BEFORE: Final = 12 * HOUR
"""How long a list may have stood open: a working day."""
MOST: Final = 75
"""Per cent of visits that came by a page for it to be the way. Links in messages lead past it now and then."""
CROWD: Final = 20
SAMPLE: Final = 30
"""Principals of an hour by whom the way to a kind of document is learned: the first of those whose first request for such a
document on that day was a reading. Each counts once a day, so that programs do not count for much."""
BACK: Final = 7
"""Days by which it is learned."""
LEARN: Final = 3 * DAY
"""After the log's first event: who are programs."""
ROUTES: Final = 1_000
"""Kinds of addresses of which a watch keeps who opened them."""
_known = lru_cache(ROUTES)(digested)

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b07",
    title="Documents were fetched that had not been listed",
    level="medium",
    description="Nearly everybody opens a list before a document; this principal fetched documents without having opened one.",
    honest=(
        "a new program, or a new way to documents (links in messages, a new page)",
        "a list that was open for longer than half a day",
    ),
    tags=("attack.t1119", "attack.t1213", "d3fend.d3-rapa", "d3fend.d3-udta"),
    by=(),
)


def detection() -> Detection:
    """What was fetched without a way to it."""
    first = f"""
    WITH daily AS (
        SELECT route, g, min((time, source, place, served)) AS moment FROM request WHERE route IS NOT NULL
        GROUP BY route, g, time // {DAY}
    )
    SELECT route, g, moment[1] // {HOUR} AS h, moment[1] AS time, moment[2] AS source, moment[3] AS place FROM daily
    WHERE moment[4] QUALIFY row_number() OVER (PARTITION BY route, h ORDER BY moment) <= {SAMPLE}
    """
    sample = f"""
    SELECT route, g, time, h FROM sample_share
    QUALIFY row_number() OVER (PARTITION BY route, h ORDER BY time, source, place) <= {SAMPLE}
    """
    came = f"""
    WITH hourly AS (
        SELECT g, route, time // {HOUR} AS h, min(time) AS low, max(time) AS high
        FROM request SEMI JOIN sample USING (g) WHERE route IS NOT NULL GROUP BY ALL
    ),
    came AS (
        SELECT DISTINCT tried.route, tried.g, tried.time, hourly.route AS way
        FROM (SELECT *, unnest(range(h - {BEFORE // HOUR}, h + 1)) AS back FROM sample) AS tried
        JOIN hourly ON hourly.g = tried.g AND hourly.h = back
        WHERE hourly.route <> tried.route AND low <= tried.time AND high >= tried.time - {BEFORE}
    )
    SELECT route, way, time // {DAY} AS d, count(*) AS n FROM came GROUP BY ALL
    UNION ALL SELECT route, NULL, d, NULL FROM asked  -- days that are asked for
    """
    known = f"""
    WITH tried AS (SELECT route, time // {DAY} AS d, count(*) AS n FROM sample GROUP BY ALL),
    led AS (SELECT route, way, d, sum(n)::BIGINT AS n FROM known_share WHERE way IS NOT NULL GROUP BY ALL),
    asked AS (SELECT DISTINCT route, d FROM known_share WHERE way IS NULL),
    tries AS (
        SELECT asked.route, asked.d, sum(n) AS n FROM asked
        JOIN tried ON tried.route = asked.route AND tried.d BETWEEN asked.d - {BACK} AND asked.d - 1 GROUP BY asked.route, asked.d
    ),
    ways AS (
        SELECT asked.route, asked.d, way, sum(n) AS m FROM asked
        JOIN led ON led.route = asked.route AND led.d BETWEEN asked.d - {BACK} AND asked.d - 1 GROUP BY asked.route, asked.d, way
    )
    SELECT route, d, way FROM ways JOIN tries USING (route, d) WHERE n >= {CROWD} AND 100 * m >= {MOST} * n
    QUALIFY row_number() OVER (PARTITION BY route, d ORDER BY m DESC, way) = 1
    """
    reading = f"""
    SELECT event, time, g, agent, document, way
    FROM (SELECT *, time // {DAY} AS d FROM request WHERE {_READING}) JOIN known USING (route, d)
    """
    fetched = f"""
    SELECT event, reading.time, reading.g, agent, document, coalesce(reading.time - opened.time > {BEFORE}, true) AS unlisted
    FROM reading ASOF LEFT JOIN opened ON reading.g = opened.g AND reading.way = opened.route AND reading.time >= opened.time
    """
    early = f"SELECT g, agent, unlisted FROM fetched WHERE time < {_LEARNED}"
    base = f"""
    SELECT event, time, g, g AS about, document AS v FROM fetched
    ANTI JOIN (SELECT g FROM early WHERE unlisted) AS usual USING (g) ANTI JOIN program USING (agent)
    WHERE unlisted AND time >= {_LEARNED}
    """
    steps = (
        By("request", _BASE.sql, "g", kept=False),
        Here("asked", f"SELECT DISTINCT route, time // {DAY} AS d FROM request WHERE {_READING}"),
        Known("sample", first, sample),
        Known("known", came, known),
        Here("reading", reading),
        Here("opened", "SELECT g, route, time FROM request WHERE route IN (SELECT way FROM known)"),
        Here("fetched", fetched),  # an engine that guesses how many rows there are may do this row by row
        Here("early", early),
        Known(
            "program",
            "SELECT agent, count(*) AS n, count(*) FILTER (unlisted) AS m FROM early WHERE agent IS NOT NULL GROUP BY agent",
            "SELECT agent FROM program_share GROUP BY agent HAVING 2 * sum(m) > sum(n)",
        ),
    )
    parts = Parts(steps, windowed(base, distinct(DAY, MANY), DAY))
    note = f"at least {MANY} in a day, where {MOST} % of all come by a list"
    bases = (_LIVE, slow.FIRST)
    return Detection(HEAD, parts.sql, shape="wide", quiet=True, note=note, bases=bases, fold=Unlisted, parts=parts)


def _base(document: str) -> Base:
    return simple(
        """"metadata.log_name" = 'web' AND act = 'read' AND status_id = 1 AND "principal.kind" IN ('login', 'address')
            AND principal IS NOT NULL""",
        ("web",),
        g=ABOUT, about=ABOUT, agent=AGENT, route="route", document=document, served=SERVED, source=SOURCE, place=PLACE,
    )  # fmt: skip


_BASE, _LIVE = _base("document"), _base(digest('"document"'))
_READING: Final = "served AND route IS NOT NULL"
_LEARNED: Final = f"(SELECT first + {LEARN} FROM span)"


def _oldest(time: int) -> int:
    """What was opened before matters no more."""
    return min(time - BEFORE, time // DAY * DAY)


def _until(opened: Packed) -> int:
    """When that is so of all of it."""
    last = packed.newest(opened)
    return max(last + BEFORE, (last // DAY + 1) * DAY - 1)


class Ways:
    """Who opened what in the half day before, and what follows of it for ways to documents."""

    def __init__(self) -> None:
        self.opened = Column[Packed](packed.dump, packed.load, _until)  # of each when they last opened which routes
        self.routes: dict[str, int] = {}  # route -> when it was opened last by anybody
        self.hour, self.day = -1, -1
        self.sampled: dict[str, int] = {}  # route -> how many in this hour
        self.tried: dict[int, dict[str, int]] = {}  # day -> route -> how many were looked at
        self.led: dict[int, dict[str, dict[str, int]]] = {}  # day -> route -> way -> how many of them came by it
        self.known: dict[str, str] = {}  # route -> its way, on this day

    def open(self, route: str, g: str, time: int) -> bool:
        """A page, or a document, is opened; whether for the first time on this day."""
        if route not in self.routes:
            if len(self.routes) >= ROUTES:
                return False
            route = intern(route)
        self.routes[route] = time
        known, at = self.opened.row(g), self.opened.at
        known[at], last = packed.renew(known[at] or b"", _known(route), time, time - DAY)
        return last // DAY < time // DAY

    def late(self, way: str, g: str, time: int) -> bool:
        """Whether they opened this page too long ago, or never."""
        opened = self.opened.get(g)
        return opened is None or packed.get(opened, _known(way)) < max(time - BEFORE, 0)

    def samples(self, route: str, time: int) -> bool:
        """Whether it is to be looked by which way a reader came who has not been there on this day."""
        if time // HOUR != self.hour:
            self.hour, self.sampled = time // HOUR, {}
        n = self.sampled.get(route, 0)
        if n < SAMPLE:
            self.sampled[route] = n + 1
        return n < SAMPLE

    def learn(self, route: str, g: str, time: int) -> None:
        """A reader has come by all that it had open."""
        tried = self.tried.setdefault(time // DAY, {})
        tried[route] = tried.get(route, 0) + 1
        led = self.led.setdefault(time // DAY, {}).setdefault(route, {})
        for way in self.routes:
            if way != route and not self.late(way, g, time):
                led[way] = led.get(way, 0) + 1

    def turn(self, day: int) -> None:
        """A day has begun: ways are those of the week before."""
        self.day = day
        self.tried = {one: tried for one, tried in self.tried.items() if one >= day - BACK}
        self.led = {one: led for one, led in self.led.items() if one >= day - BACK}
        self.known = {}
        for route in {route for tried in self.tried.values() for route in tried}:
            n = sum(tried.get(route, 0) for tried in self.tried.values())
            ways: dict[str, int] = {}
            for led in self.led.values():
                for way, m in led.get(route, {}).items():
                    ways[way] = ways.get(way, 0) + m
            usual = min(((-m, way) for way, m in ways.items() if 100 * m >= MOST * n), default=None)
            if n >= CROWD and usual is not None:
                self.known[route] = usual[1]


class Unlisted:
    """The fold. What hangs on what else happens in the same instant waits for its end."""

    def __init__(self) -> None:
        self.began: int | None = None
        self.ways = Ways()
        self.usual = set[str]()
        self.agents: dict[str, list[int]] = {}  # readings, and those without a way, in the first days
        self.read = Values(DAY, MANY)
        self.fires: list[Fire] = []
        self.instant = -1
        self.open: list[
            tuple[str, str | None, str, int, bool]
        ] = []  # who, agent, route, document, whether it is a sample

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`. Fires are told by `passed`."""
        time, g = row[1], row[2]
        if self.began is None:
            self.began = time
        if g is None or row[5] is None:
            return ()
        agent, route, document, served = row[4:8]
        if time != self.instant:
            self._end(time)
        ways = self.ways
        first = ways.open(route, g, time)
        if not served:
            return ()
        sample = first and ways.samples(route, time)
        way = ways.known.get(route)
        early = time < self.began + LEARN
        if sample or (way is not None and early) or (way is not None and ways.late(way, g, time)):
            self.open.append((g, agent, route, document, sample))
        return ()

    def _end(self, time: int) -> None:
        """An instant is over, and perhaps a day."""
        waiting, self.open = self.open, []
        for one in waiting:
            self._judge(*one)
        self.instant = time
        if time // DAY > self.ways.day:
            self.ways.turn(time // DAY)

    def _judge(self, g: str, agent: str | None, route: str, document: int, sample: bool) -> None:  # noqa: FBT001  # as it waited
        time, ways = self.instant, self.ways
        if sample:
            ways.learn(route, g, time)
        way = ways.known.get(route)
        if way is None:
            return
        unlisted = ways.late(way, g, time)
        if self.began is not None and time < self.began + LEARN:
            counts = self.agents.setdefault(agent or "", [0, 0])
            counts[0] += 1
            counts[1] += unlisted
            if unlisted:
                self.usual.add(g)
        elif unlisted and g not in self.usual:
            n, m = self.agents.get(agent, (0, 0)) if agent is not None else (0, 0)
            if 2 * m <= n:
                self.fires += self.read.feed((0, time, g, g, 0, document))

    def passed(self, time: int) -> Sequence[Fire]:
        """See `Fold`."""
        if time > self.instant:
            self._end(time)
        fires, self.fires = self.fires, []
        return fires

    def tidy(self, time: int) -> None:
        """See `Fold`."""
        self.read.tidy(time)
        self.ways.opened.tidy(time)
        oldest = _oldest(time)
        self.ways.routes = {route: last for route, last in self.ways.routes.items() if last >= oldest}

    def dump(self) -> Any:
        """See `Fold`. Numbers are no keys of every form in which a state may be written."""
        ways = self.ways
        learned = [[*ways.tried.items()], [*ways.led.items()], ways.known]
        programs = [[*self.usual], self.agents]
        return [
            self.began,
            self.instant,
            ways.routes,
            ways.hour,
            ways.day,
            ways.sampled,
            learned,
            programs,
            self.open,
        ]

    def shelves(self) -> Sequence[Shelf[Any] | Column[Any]]:
        """See `Shelved`."""
        return (self.ways.opened, *self.read.shelves())

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.began, self.instant, routes, hour, day, sampled, learned, programs, waiting = kept
        ways = self.ways
        ways.routes, ways.hour, ways.day, ways.sampled = routes, hour, day, sampled
        ways.tried, ways.led, ways.known = dict(learned[0]), dict(learned[1]), learned[2]
        usual, self.agents = programs
        self.usual = set(usual)
        self.open = [(g, agent, route, document, sample) for g, agent, route, document, sample in waiting]
