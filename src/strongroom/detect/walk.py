"""Ids asked for in a row: how a hole in authorization is emptied when ids have an order.

A step is close when the next id is at most STRIDE away, or exactly as far as the step before: ascending, descending, with gaps,
a little out of order as parallel downloads are. RUN close steps in a row are a walk. What many principals ask for is a page's
own picture or script and not somebody's document: a walk must be over things that few have asked for.
"""

from typing import Final

from strongroom.detect.detection import ABOUT, Detection
from strongroom.sigma.rule import Head

STRIDE: Final = 10
RUN: Final = 10
"""Ids in a row. Ten draws at random from a thousand documents make a run with a chance of 0.02 to the power of 9."""
FEW: Final = 3
"""Principals that ask for one patient's document: the patient, somebody who cares for them, and a thief."""

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b01",
    title="Ids were asked for in a row",
    level="high",
    description="One principal asked for documents by ids that follow each other. People ask for their own documents, and "
    "those of one person do not have neighbouring ids, but for a few that were put in together.",
    honest=(
        "a person or clinician opens documents that were put in together",
        "an import, a migration or a search engine goes through everything it may",
    ),
    tags=("attack.t1119", "attack.t1213", "d3fend.d3-rapa"),
    by=(),
)


def detection() -> Detection:
    """The walk."""
    return Detection(
        HEAD, _SQL, shape="walk", quiet=True, note=f"at least {RUN} ids in a row, steps of at most {STRIDE}"
    )


_SQL: Final = f"""
WITH asked AS (
    SELECT rowid AS event, time, {ABOUT} AS about, route, document, number,
        row_number() OVER (PARTITION BY principal, "principal.kind", route, number ORDER BY time, "record.offset") AS nth
    FROM event WHERE number IS NOT NULL AND principal IS NOT NULL AND act IN ('read', 'other')
),
popular AS (SELECT route, number, count(DISTINCT about) AS principals FROM asked GROUP BY ALL),
step AS (
    SELECT *, number - lag(number) OVER w AS step FROM asked WHERE nth = 1
    WINDOW w AS (PARTITION BY about, route ORDER BY time, event)
),
close AS (
    SELECT *, coalesce(abs(step) <= {STRIDE} OR step = lag(step) OVER w, false) AS close FROM step
    WINDOW w AS (PARTITION BY about, route ORDER BY time, event)
),
run AS (
    SELECT *, sum(CASE WHEN close THEN 0 ELSE 1 END) OVER w AS run FROM close
    WINDOW w AS (PARTITION BY about, route ORDER BY time, event ROWS UNBOUNDED PRECEDING)
),
counted AS (
    SELECT about, route, run, number, row_number() OVER (PARTITION BY about, route, run ORDER BY time, event) AS place, time
    FROM run
),
walk AS (
    SELECT about, route, run, min(CASE WHEN place = {RUN} THEN time END) AS fired
    FROM counted JOIN popular USING (route, number)
    GROUP BY ALL HAVING count(*) >= {RUN} AND median(principals) <= {FEW}
),
walked AS (SELECT DISTINCT about, route, number, fired FROM counted JOIN walk USING (about, route, run))
SELECT about, min(fired) OVER (PARTITION BY about) AS fired, event FROM asked JOIN walked USING (about, route, number)
"""
