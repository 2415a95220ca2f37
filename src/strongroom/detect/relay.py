"""Ids asked for in a row by several who take turns: one walk behind many addresses or logins.

As `walk`, but the order is that of all requests to one kind of address, and a step is an id that nobody had asked for in this week
or the week before. Honest requests come in between: an id is close when it is near any of the last TURNS, and a walk ends when
none was for as many, or for a week. Near means what chance would hardly bring so near: where all ids that were asked for so far
are within few hundred numbers, as of news and questions, it is less than STRIDE; but whoever goes on where the highest or the
lowest of all ended is near to that. Those who take part must be several; one alone is what `walk` sees. An id that more than FEW
ask for within an hour is what everybody looks at, and is no step from then on.
"""

from typing import Final

from strongroom.clock import HOUR
from strongroom.detect.detection import Detection
from strongroom.detect.ids import FEW, NARROW, RUN, SEVERAL, STRIDE, TURNS, WEEK, Ids
from strongroom.detect.parts import By, Known, Parts
from strongroom.detect.walk import BASE, NUMBERED
from strongroom.sigma.rule import Head

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
    WITH early AS (SELECT road, number, min(time) AS time FROM asked GROUP BY road, number, time // {WEEK}),
    weekly AS (
        SELECT road, number, time // {WEEK} AS week, time, source, place, who FROM asked
        SEMI JOIN early USING (road, number, time)
        QUALIFY row_number() OVER (PARTITION BY road, number, time ORDER BY source, place) = 1
    )
    SELECT road, number, time, source, place, who FROM weekly
    QUALIFY coalesce(lag(week) OVER (PARTITION BY road, number ORDER BY week) < week - 1, true)
    """
    likely = f"""
    WITH ranged AS (
        SELECT *, max(number) OVER earlier AS high, min(number) OVER earlier AS low FROM likely_share
        WINDOW earlier AS (PARTITION BY road ORDER BY time, source, place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    reached AS (SELECT *, greatest(1, least({STRIDE}, (high - low) // {NARROW})) AS reach FROM ranged),
    near AS (
        SELECT *, coalesce({near}, false) AS near, row_number() OVER w AS nth FROM reached
        WINDOW w AS (PARTITION BY road ORDER BY time, source, place)
    ),
    step AS (
        SELECT *, coalesce(nth - lag(nth) OVER w > {TURNS} OR time - lag(time) OVER w > {WEEK}, true) AS breaks
        FROM near WHERE near WINDOW w AS (PARTITION BY road ORDER BY nth)
    ),
    run AS (SELECT *, sum(breaks::INT) OVER (PARTITION BY road ORDER BY nth) AS run FROM step),
    likely AS (SELECT * FROM run QUALIFY count(*) OVER (PARTITION BY road, run) >= {RUN - 1})
    SELECT road, number, time, source, place, who, run, nth FROM likely
    """
    askers = f"""
    WITH wanted AS (
        SELECT likely.road, run, nth, asked.who, min((asked.time, asked.source, asked.place)) AS moment
        FROM likely JOIN asked ON asked.road = likely.road AND asked.number = likely.number
            AND asked.time BETWEEN likely.time AND likely.time + {HOUR}
        GROUP BY ALL
    )
    SELECT road, run, nth, who, moment[1] AS time, moment[2] AS source, moment[3] AS place FROM wanted
    """
    walked = f"""
    WITH wanted AS (SELECT *, (time, source, place) AS moment FROM walked_share),
    step AS (SELECT *, (time, source, place) AS moment FROM likely),
    common AS (
        SELECT road, run, moment FROM wanted
        QUALIFY row_number() OVER (PARTITION BY road, nth ORDER BY moment) = {FEW + 1}
    ),
    change AS (
        SELECT road, run, moment, 1 AS x, (row_number() OVER (PARTITION BY road, run, who ORDER BY moment) = 1)::INT AS joins
        FROM step UNION ALL SELECT road, run, moment, -1, 0 FROM common
    ),
    level AS (
        SELECT road, run, moment, x, sum(x) OVER w AS level, sum(joins) OVER w AS several FROM change
        WINDOW w AS (PARTITION BY road, run ORDER BY moment)
    ),
    walk AS (
        SELECT road, run, min(moment[1]) AS fired FROM level
        WHERE x = 1 AND level >= {RUN - 1} AND several >= {SEVERAL} GROUP BY ALL
    )
    SELECT road, number, fired FROM step JOIN walk USING (road, run)
    """
    hits = """
    SELECT 'walk on ' || route AS about, min(fired) OVER (PARTITION BY route) AS fired, event
    FROM asked JOIN walked USING (road, number)
    """
    asked = By("asked", NUMBERED, "(road, number)", kept=False)
    parts = Parts((asked, Known("likely", new, likely), Known("walked", askers, walked)), hits)
    note = f"at least {RUN} ids in a row, steps of at most {STRIDE}, by at least {SEVERAL}"
    bases = (BASE,)
    return Detection(
        HEAD, parts.sql, shape="walk", quiet=True, note=note, bases=bases, fold=Ids, joint="turns", parts=parts
    )
