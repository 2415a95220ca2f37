"""People read in the order of their names or numbers: somebody goes through a list of everybody.

Work comes in the order of appointments. RUN people in a row, each after the one before by the order of text, forwards or back,
have a chance of 2 to RUN! of being chance. Who comes back to a person within a day has not gone on. Programs go through lists by
nature: who did so in the log's first week is left alone.
"""

from typing import Final

from strongroom.clock import DAY
from strongroom.detect.detection import ABOUT, SERVED, Detection
from strongroom.sigma.rule import Head

RUN: Final = 12
LEARN: Final = 7 * DAY

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b11",
    title="People were read in the order of a list",
    level="medium",
    description="One principal read documents of many people in the order of their names or numbers.",
    honest=("a recall, an invoice run or another task that goes through everybody", "a program that was set up"),
    tags=("attack.t1119", "attack.t1213", "d3fend.d3-rapa", "d3fend.d3-udta"),
    by=(),
)


def detection() -> Detection:
    """Needs people: logs or a mapping that tell whose documents are."""
    sql = f"""
    WITH read AS (
        SELECT rowid AS event, time, {ABOUT} AS about, patient FROM event
        WHERE {SERVED} AND patient IS NOT NULL AND "principal.kind" <> 'service'
    ),
    met AS (SELECT about, patient, time // {DAY} AS d, min(time) AS time FROM read GROUP BY about, patient, d),
    step AS (
        SELECT *, sign((patient > lag(patient) OVER w)::INT - (patient < lag(patient) OVER w)::INT) AS way FROM met
        WINDOW w AS (PARTITION BY about ORDER BY time, patient)
    ),
    turn AS (
        SELECT *, coalesce(way <> lag(way) OVER w OR way = 0, true) AS turns FROM step
        WINDOW w AS (PARTITION BY about ORDER BY time, patient)
    ),
    run AS (SELECT *, sum(turns::INT) OVER (PARTITION BY about ORDER BY time, patient) AS run FROM turn WHERE way IS NOT NULL),
    long AS (
        SELECT about, run, nth_value(time, {RUN - 1}) OVER (
            PARTITION BY about, run ORDER BY time, patient ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS fired, patient, d
        FROM run
    ),
    usual AS (SELECT DISTINCT about FROM long WHERE fired < (SELECT min(time) FROM event) + {LEARN}),
    odd AS (
        SELECT about, patient, d, min(fired) AS fired FROM long ANTI JOIN usual USING (about)
        WHERE fired IS NOT NULL GROUP BY ALL
    )
    SELECT read.about, min(fired) OVER (PARTITION BY read.about) AS fired, event
    FROM read JOIN odd ON odd.about = read.about AND odd.patient = read.patient AND odd.d = read.time // {DAY}
    """
    return Detection(HEAD, sql, shape="wide", note=f"at least {RUN} people in a row")
