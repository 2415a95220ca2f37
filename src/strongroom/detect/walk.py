"""Ids asked for in a row: how a hole in authorization is emptied when ids have an order.

A step is close when the next id is at most STRIDE away, or exactly as far as the step before: ascending, descending, with gaps,
a little out of order as parallel downloads are. RUN close steps in a row are a walk. What many principals ask for is a page's
own picture or script and not somebody's document: an id that more than FEW have asked for, in this week up to now or in the week
before, is no step, and neither is one that the same principal asks for again in this week or the next: whoever comes back to their
own few documents every week goes nowhere. After a week's silence a walk begins anew.
"""

from typing import Final

from strongroom.detect.detection import ABOUT, GIVEN, PLACE, SOURCE, Detection, simple
from strongroom.detect.ids import FEW, RUN, STRIDE, WEEK, Ids
from strongroom.detect.parts import By, Here, Parts
from strongroom.sigma.rule import Head

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b01",
    title="Ids were asked for in a row",
    level="high",
    description="One principal asked for documents by ids that follow each other. People ask for their own documents, and "
    "those of one person do not have neighbouring ids, but for a few that were put in together.",
    honest=(
        "a person or clinician opens documents that were put in together",
        "an import, a migration or a search engine goes through everything it may",
        "one's own files, which a camera or a program numbers",
    ),
    tags=("attack.t1119", "attack.t1213", "d3fend.d3-rapa"),
    by=(),
)


def detection() -> Detection:
    """The walk."""
    note = f"at least {RUN} ids in a row, steps of at most {STRIDE}"
    parts = Parts(_STEPS, _HITS)
    return Detection(
        HEAD, parts.sql, shape="walk", quiet=True, note=note, bases=(BASE,), fold=Ids, joint="alone", parts=parts
    )


BASE: Final = simple(
    f"number IS NOT NULL AND route IS NOT NULL AND {ABOUT} IS NOT NULL AND act IN ('read', 'other')",
    g=ABOUT, about=ABOUT, route="route", number="number", served=GIVEN, source=SOURCE, place=PLACE,
)  # fmt: skip
NUMBERED: Final = f"SELECT *, hash(about) AS who, hash(route) AS road FROM ({BASE.sql})"
"""With numbers that stand for names: all that everybody asked for is sorted several times, with them in a third of the time. Among
ten million names two have one number of 64 bits with a chance of 0.000003.
"""
_COUNTED: Final = f"""
WITH once AS (
    SELECT * FROM near
    QUALIFY row_number() OVER (PARTITION BY who, road, number, week ORDER BY time, source, place, event) = 1
),
met AS (
    SELECT *, coalesce(lag(week) OVER (PARTITION BY who, road, number ORDER BY week) < week - 1, true) AS new FROM once
),
weekly AS (SELECT road, number, week + 1 AS week, count(*) AS before FROM once GROUP BY ALL),
known AS (
    SELECT *, coalesce(before, 0) + count(CASE WHEN new THEN 1 END) OVER (
        PARTITION BY road, number, week ORDER BY time, source, place, event ROWS UNBOUNDED PRECEDING
    ) AS principals
    FROM met LEFT JOIN weekly USING (road, number, week)
)
SELECT event, time, NULL AS about, who, road, number, source, place, true AS steps
FROM known WHERE likely AND principals <= {FEW} AND new
UNION ALL SELECT event, time, about, who, road, number, source, place, false FROM near WHERE likely
"""
"""What a principal asks for that may walk there, and again what of it are steps."""
_STEPS: Final = (
    By("asked", f"SELECT *, time // {WEEK} AS week FROM ({NUMBERED})", "who", kept=False),
    Here(  # in two steps, as wherever different ones are counted among all: these spill, a count of different ones does not
        "walker",
        f"SELECT who, road FROM (SELECT DISTINCT who, road, number FROM asked) GROUP BY ALL HAVING count(*) >= {RUN}",
    ),
    By(
        "posed",
        "SELECT asked.*, walker.road IS NOT NULL AS likely FROM asked LEFT JOIN walker USING (who, road)",
        "(road, number)",
        kept=False,
    ),
    Here("wanted", "SELECT DISTINCT road, number FROM posed WHERE likely"),
    Here("near", "SELECT * FROM posed SEMI JOIN wanted USING (road, number)"),
    By("counted", _COUNTED, "who"),
)
_HITS: Final = f"""
WITH step AS (
    SELECT *, CASE WHEN time - lag(time) OVER w <= {WEEK} THEN number - lag(number) OVER w END AS step
    FROM counted WHERE steps
    WINDOW w AS (PARTITION BY who, road ORDER BY time, source, place, event)
),
close AS (
    SELECT *, coalesce(abs(step) <= {STRIDE} OR step = lag(step) OVER w, false) AS close FROM step
    WINDOW w AS (PARTITION BY who, road ORDER BY time, source, place, event)
),
run AS (
    SELECT *, sum(CASE WHEN close THEN 0 ELSE 1 END) OVER w AS run FROM close
    WINDOW w AS (PARTITION BY who, road ORDER BY time, source, place, event ROWS UNBOUNDED PRECEDING)
),
walk AS (
    SELECT *, nth_value(time, {RUN}) OVER (
        PARTITION BY who, road, run ORDER BY time, source, place, event
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS fired
    FROM run
),
walked AS (SELECT who, road, number, min(fired) AS fired FROM walk WHERE fired IS NOT NULL GROUP BY ALL)
SELECT about, fired, event
FROM (SELECT * FROM counted WHERE NOT steps) JOIN walked USING (who, road, number)
"""
