"""Ids asked for in a row by several who take turns: one walk behind many addresses or logins.

As `walk`, but the order is that of all requests to one kind of address, and a step is an id that nobody had asked for in this week
or the week before. Honest requests come in between: an id is close when it is near any of the last TURNS, and a walk ends when
none was for as many, or for a week. Near means what chance would hardly bring so near: where all ids that were asked for so far
are within few hundred numbers, as of news and questions, it is less than STRIDE; but whoever goes on where the highest or the
lowest of all ended is near to that. Those who take part must be several; one alone is what `walk` sees. An id that more than FEW
ask for within an hour is what everybody looks at, and is no step from then on.
"""

from collections.abc import Sequence
from typing import Any, Final

from strongroom.clock import HOUR
from strongroom.detect.detection import Detection, Fire
from strongroom.detect.parts import By, Known, Parts
from strongroom.detect.walk import BASE, FEW, RUN, STRIDE, WEEK
from strongroom.sigma.rule import Head

TURNS: Final = 3
"""Requests back. With a thousand ids, each drawn by chance, a run has a chance of 0.17 to the power of 9."""
SEVERAL: Final = 3
NARROW: Final = 50
"""Near is a fiftieth of all that ids are within: an id by chance is near to one of the last TURNS with a chance of 0.12."""

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b08",
    title="Ids were asked for in a row, by several who took turns",
    level="high",
    description="Requests of several addresses or logins, taken together, go through ids one after the other. People who know "
    "nothing of each other do not.",
    honest=("everybody looks at once at what was put in at once", "a search engine that comes from many addresses"),
    tags=("attack.t1119", "attack.t1213", "attack.t1090", "d3fend.d3-rapa"),
    by=(),
)


def detection() -> Detection:
    """The walk of many."""
    near = " OR ".join(
        f"abs(number - lag(number, {n}) OVER w) <= reach AND time - lag(time, {n}) OVER w <= {WEEK}"
        for n in range(1, TURNS + 1)
    )
    goes_on = f"(number BETWEEN high AND high + {STRIDE} OR number BETWEEN low - {STRIDE} AND low)"
    near = f"{near} OR {goes_on} AND time - lag(time) OVER w <= {WEEK}"
    new = f"""
    WITH early AS (SELECT route, number, min(time) AS time FROM asked GROUP BY route, number, time // {WEEK}),
    weekly AS (
        SELECT route, number, time // {WEEK} AS week, time, source, place, about AS who FROM asked
        SEMI JOIN early USING (route, number, time)
        QUALIFY row_number() OVER (PARTITION BY route, number, time ORDER BY source, place) = 1
    )
    SELECT route, number, time, source, place, who FROM weekly
    QUALIFY coalesce(lag(week) OVER (PARTITION BY route, number ORDER BY week) < week - 1, true)
    """
    likely = f"""
    WITH ranged AS (
        SELECT *, max(number) OVER earlier AS high, min(number) OVER earlier AS low FROM likely_share
        WINDOW earlier AS (PARTITION BY route ORDER BY time, source, place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    reached AS (SELECT *, greatest(1, least({STRIDE}, (high - low) // {NARROW})) AS reach FROM ranged),
    near AS (
        SELECT *, coalesce({near}, false) AS near, row_number() OVER w AS nth FROM reached
        WINDOW w AS (PARTITION BY route ORDER BY time, source, place)
    ),
    step AS (
        SELECT *, coalesce(nth - lag(nth) OVER w > {TURNS} OR time - lag(time) OVER w > {WEEK}, true) AS breaks
        FROM near WHERE near WINDOW w AS (PARTITION BY route ORDER BY nth)
    ),
    run AS (SELECT *, sum(breaks::INT) OVER (PARTITION BY route ORDER BY nth) AS run FROM step),
    likely AS (SELECT * FROM run QUALIFY count(*) OVER (PARTITION BY route, run) >= {RUN - 1})
    SELECT route, number, time, source, place, who, run, nth FROM likely
    """
    askers = f"""
    WITH wanted AS (
        SELECT likely.route, run, nth, about, min((asked.time, asked.source, asked.place)) AS moment
        FROM likely JOIN asked ON asked.route = likely.route AND asked.number = likely.number
            AND asked.time BETWEEN likely.time AND likely.time + {HOUR}
        GROUP BY ALL
    )
    SELECT route, run, nth, about, moment[1] AS time, moment[2] AS source, moment[3] AS place FROM wanted
    """
    walked = f"""
    WITH wanted AS (SELECT *, (time, source, place) AS moment FROM walked_share),
    step AS (SELECT *, (time, source, place) AS moment FROM likely),
    common AS (
        SELECT route, run, moment FROM wanted
        QUALIFY row_number() OVER (PARTITION BY route, nth ORDER BY moment) = {FEW + 1}
    ),
    change AS (
        SELECT route, run, moment, 1 AS x, (row_number() OVER (PARTITION BY route, run, who ORDER BY moment) = 1)::INT AS joins
        FROM step UNION ALL SELECT route, run, moment, -1, 0 FROM common
    ),
    level AS (
        SELECT route, run, moment, x, sum(x) OVER w AS level, sum(joins) OVER w AS several FROM change
        WINDOW w AS (PARTITION BY route, run ORDER BY moment)
    ),
    walk AS (
        SELECT route, run, min(moment[1]) AS fired FROM level
        WHERE x = 1 AND level >= {RUN - 1} AND several >= {SEVERAL} GROUP BY ALL
    )
    SELECT route, number, fired FROM step JOIN walk USING (route, run)
    """
    hits = """
    SELECT 'walk on ' || route AS about, min(fired) OVER (PARTITION BY route) AS fired, event
    FROM asked JOIN walked USING (route, number)
    """
    asked = By("asked", BASE.sql, "(route, number)", kept=False)
    parts = Parts((asked, Known("likely", new, likely), Known("walked", askers, walked)), hits)
    note = f"at least {RUN} ids in a row, steps of at most {STRIDE}, by at least {SEVERAL}"
    bases = (BASE,)
    return Detection(HEAD, parts.sql, shape="walk", quiet=True, note=note, bases=bases, fold=Relay, parts=parts)


class Route:
    """One kind of address: what was asked for in these two weeks, and the walk that is under way."""

    __slots__ = ("before", "high", "latest", "left", "level", "low", "near", "now", "nth", "open", "since", "who")

    def __init__(self) -> None:
        self.now, self.before = set[int](), set[int]()
        self.latest: list[tuple[int, int]] = []  # the last steps, with their times
        self.nth = 0  # how many there were
        self.low, self.high = 0, 0  # of all of them
        self.near, self.since = -TURNS - 1, 0  # which of them was close to others last, and when
        self.level, self.left = 0, False
        self.who: list[str] = []
        self.open: dict[int, tuple[int, list[str]]] = {}  # id -> when it was a step, and who asked for it since

    def asks(self, number: int, g: str, time: int) -> None:
        """Somebody asks again for what was a step."""
        step = self.open[number]
        if g in step[1]:
            return
        if time - step[0] <= HOUR:
            step[1].append(g)
            if len(step[1]) <= FEW:
                return
            self.level -= 1
        del self.open[number]

    def steps(self, number: int, g: str, time: int) -> bool:
        """Somebody asks for what nobody had asked for; whether that is a step of a walk."""
        self.nth += 1
        near = self._near(number, time)
        self.low, self.high = (min(self.low, number), max(self.high, number)) if self.latest else (number, number)
        self.latest = [*self.latest, (number, time)][-TURNS:]
        if not near:
            return False
        if self.nth - self.near > TURNS or time - self.since > WEEK:
            self.level, self.left, self.who, self.open = 0, False, [], {}
        self.near, self.since = self.nth, time
        self.level += 1
        if len(self.who) < SEVERAL and g not in self.who:
            self.who.append(g)
        while self.open and self.open[first := next(iter(self.open))][0] < time - HOUR:
            del self.open[first]
        self.open[number] = (time, [g])
        return True

    def _near(self, number: int, time: int) -> bool:
        """Whether this is so near to one of the last, or to the end of all, as chance would hardly bring it."""
        if not self.latest or time - self.latest[-1][1] > WEEK:
            return False
        if self.high <= number <= self.high + STRIDE or self.low - STRIDE <= number <= self.low:
            return True
        reach = max(1, min(STRIDE, (self.high - self.low) // NARROW))
        return any(abs(number - one) <= reach and time - then <= WEEK for one, then in self.latest)


class Relay:
    """The fold."""

    def __init__(self) -> None:
        self.week = 0
        self.routes: dict[str, Route] = {}

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        _, time, g, _, name, number, served = row[:7]
        if time // WEEK > self.week:
            self.passed(time)
        route = self.routes.get(name)
        if route is None:
            route = self.routes[name] = Route()
        if number in route.open:
            route.asks(number, g, time)
        if number in route.now:
            return ()
        route.now.add(number)
        if number in route.before or not route.steps(number, g, time):
            return ()
        route.left = route.left or served
        if route.level < RUN - 1 or len(route.who) < SEVERAL:
            return ()
        return (Fire(f"walk on {name}", time, route.level + 1, route.left),)

    def passed(self, time: int) -> Sequence[Fire]:
        """See `Fold`."""
        week = time // WEEK
        if week > self.week:
            for route in self.routes.values():
                route.before = route.now if week == self.week + 1 else set()
                route.now = set()
            self.week = week
        return ()

    def tidy(self, time: int) -> None:
        """See `Fold`."""
        self.passed(time)
        self.routes = {name: route for name, route in self.routes.items() if route.now or route.before}

    def dump(self) -> Any:
        """See `Fold`. Numbers are no keys of every form in which a state may be written."""
        routes = [
            [name, [*one.now], [*one.before], [*one.open.items()], *(getattr(one, slot) for slot in _PLAIN)]
            for name, one in self.routes.items()
        ]
        return [self.week, routes]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.week, routes = kept
        self.routes = {}
        for name, now, before, open_, *values in routes:
            one = self.routes[name] = Route()
            one.now, one.before = set(now), set(before)
            one.open = {number: (time, askers) for number, (time, askers) in open_}
            for slot, value in zip(_PLAIN, values, strict=True):
                setattr(one, slot, value)
            one.latest = [(number, time) for number, time in one.latest]


_PLAIN: Final = ("latest", "nth", "low", "high", "near", "since", "level", "left", "who")
"""What a route has besides numbers of ids."""
