"""The books of one portal do not agree: the application's, the web server's and the stores' tell of the same readings.

Readings are set against each other by the number of the document, within an hour. Those without a counterpart are few and always
about as many; when they are far more, something went past a book: an address that asks nobody's leave, a key used beside the
application, an export, a log that was thinned out. Only kinds of addresses and stores count of which most readings have one, and
only hours in which both books were kept.
"""

from typing import Final

from strongroom.clock import HOUR
from strongroom.detect.detection import SERVED, Detection
from strongroom.sigma.rule import Head

FLOOR: Final = 10
"""Readings without a counterpart in an hour."""
PART: Final = 0.01
"""Of all in the hour."""
DEVIATIONS: Final = 6
AGE: Final = 24
"""Hours by which it is learned what is usual."""
LATE: Final = HOUR // 4
"""How much later a counterpart may be delivered before it is missed."""
_DEVIATION: Final = (
    1.4826  # of a normal distribution: its deviation against the median of the distances from the median
)

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b0f",
    title="One book tells of readings that another does not",
    level="high",
    description="Of the logs of application, web server and stores, one has many more readings in an hour than ever that another "
    "lacks.",
    honest=(
        "a job that reads from a store by itself: a backup, a scan, an export that was agreed upon",
        "a part of a log that was not given to the hunt, or that its source delivered late",
    ),
    tags=("attack.t1213", "attack.t1530", "attack.t1562.008", "d3fend.d3-dam"),
    by=(),
)


def detection() -> Detection:
    """One finding a pair of books."""
    sql = f"""
    WITH reading AS (
        SELECT rowid AS event, time, time // {HOUR} AS h, number, coalesce(store, route) AS kind,
            CASE WHEN "metadata.log_name" = 'web' THEN 'web server'
                WHEN "metadata.log_name" IN ('table', 'strongroom', 'fhir') THEN 'application'
                WHEN "metadata.log_name" IN ('cloudtrail', 's3-access', 'azure-storage', 'gcp') THEN 'stores' END AS book
        FROM event WHERE {SERVED} AND number IS NOT NULL AND "principal.kind" <> 'service'
    ),
    kept AS (SELECT book, min(time) AS since, max(time) AS until FROM reading WHERE book IS NOT NULL GROUP BY book),
    pair AS (
        SELECT one.book AS book, other.book AS other, greatest(one.since, other.since) AS since,
            least(one.until, other.until) AS until
        FROM kept AS one, kept AS other WHERE one.book <> other.book
    ),
    there AS (
        SELECT DISTINCT book, number, h + back.n AS h FROM reading, range(-1, 2) AS back(n)
        WHERE book IN (SELECT other FROM pair)
    ),
    held AS (
        SELECT reading.*, pair.other, there.h IS NOT NULL AS matched FROM reading
        JOIN pair ON pair.book = reading.book AND time BETWEEN since + {HOUR} AND until - {HOUR}
        LEFT JOIN there ON there.book = other AND there.number = reading.number AND there.h = reading.h
    ),
    comparable AS (SELECT book, other, kind FROM held GROUP BY ALL HAVING avg(matched::INT) >= 0.5),
    missed AS (
        SELECT held.*, row_number() OVER (PARTITION BY book, other, h ORDER BY time, event) AS n
        FROM held SEMI JOIN comparable USING (book, other, kind) WHERE NOT matched
    ),
    hour AS (
        SELECT book, other, h, count(*) AS c, count(*) FILTER (NOT matched) AS u FROM held
        SEMI JOIN comparable USING (book, other, kind) GROUP BY ALL
    ),
    usual AS (
        SELECT *, count(*) OVER earlier AS known, median(u) OVER earlier AS usual FROM hour
        WINDOW earlier AS (PARTITION BY book, other ORDER BY h ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    spread AS (
        SELECT *, coalesce(median(abs(u - usual)) OVER (
            PARTITION BY book, other ORDER BY h ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS spread FROM usual
    ),
    odd AS (
        SELECT book, other, h, greatest({FLOOR}, {PART} * c, usual + {DEVIATIONS * _DEVIATION} * spread) AS enough FROM spread
        WHERE known >= {AGE} AND u >= enough
    ),
    late AS (
        SELECT book, other, h, min(time) + {LATE} AS fired FROM missed JOIN odd USING (book, other, h)
        WHERE n >= enough GROUP BY ALL
    )
    SELECT 'books: ' || book || ' without ' || other AS about, min(fired) OVER (PARTITION BY book, other) AS fired, event
    FROM missed JOIN late USING (book, other, h)
    """
    note = f"at least {FLOOR} readings in an hour, {PART:.0%} of all, and {DEVIATIONS} deviations"
    return Detection(HEAD, sql, note=note)
