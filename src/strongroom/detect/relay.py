"""Ids asked for in a row by several who take turns: one walk behind many addresses or logins.

As `walk`, but the order is that of all requests to one kind of address. Honest requests come in between: an id is close when it
is near any of the last TURNS, and a walk ends when none was for as many. Those who take part must be several; one alone is what
`walk` sees.
"""

from typing import Final

from strongroom.detect.detection import ABOUT, Detection
from strongroom.detect.walk import FEW, RUN, STRIDE
from strongroom.sigma.rule import Head

TURNS: Final = 3
"""Requests back. With a thousand ids, each drawn by chance, a run has a chance of 0.17 to the power of 9."""
SEVERAL: Final = 3

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
    near = " OR ".join(f"abs(number - lag(number, {n}) OVER w) <= {STRIDE}" for n in range(1, TURNS + 1))
    sql = f"""
    WITH asked AS (
        SELECT rowid AS event, time, {ABOUT} AS who, 'walk on ' || route AS about, route, number
        FROM event WHERE number IS NOT NULL AND principal IS NOT NULL AND act IN ('read', 'other')
    ),
    once AS (
        SELECT route, number, min(time) AS time, arg_min(event, (time, event)) AS event, arg_min(who, (time, event)) AS who
        FROM asked GROUP BY route, number HAVING count(DISTINCT who) <= {FEW}
    ),
    near AS (
        SELECT *, coalesce({near}, false) AS near, row_number() OVER w AS nth FROM once
        WINDOW w AS (PARTITION BY route ORDER BY time, event)
    ),
    step AS (
        SELECT *, coalesce(nth - lag(nth) OVER (PARTITION BY route ORDER BY nth) > {TURNS}, true) AS breaks FROM near WHERE near
    ),
    run AS (SELECT *, sum(breaks::INT) OVER (PARTITION BY route ORDER BY nth) AS run FROM step),
    placed AS (SELECT *, row_number() OVER (PARTITION BY route, run ORDER BY time, event) AS place FROM run),
    walk AS (
        SELECT route, run, min(CASE WHEN place = {RUN - 1} THEN time END) AS fired FROM placed
        GROUP BY ALL HAVING count(*) >= {RUN - 1} AND count(DISTINCT who) >= {SEVERAL}
    ),
    walked AS (SELECT route, number, fired FROM placed JOIN walk USING (route, run))
    SELECT about, min(fired) OVER (PARTITION BY about) AS fired, event FROM asked JOIN walked USING (route, number)
    """
    note = f"at least {RUN} ids in a row, steps of at most {STRIDE}, by at least {SEVERAL}"
    return Detection(HEAD, sql, shape="walk", quiet=True, note=note)
