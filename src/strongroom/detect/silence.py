"""A log is silent for far longer than it ever was: switched off, filtered, or taken away for some hours.

The longest silence so far tells nights, weekends and how busy a service is. It needs a week of log. One that is TIMES as long,
and in which at least ENOUGH events would have come at the pace of the whole log so far, is a finding; an outage is one too.
"""

from typing import Final

from strongroom.clock import DAY, HOUR, MINUTE
from strongroom.detect.detection import Detection
from strongroom.sigma.rule import Head

TIMES: Final = 3
ENOUGH: Final = 100
LEAST: Final = HOUR // 4
AGE: Final = 7 * DAY

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b0e",
    title="A log was silent for far longer than ever before",
    level="medium",
    description="Between two events of a log lies a time in which, by its past, many were to be expected.",
    honest=("an outage of the service itself", "logs of that time are kept elsewhere, or were not given to the hunt"),
    tags=("attack.t1562.008", "attack.t1070", "d3fend.d3-pm"),
    by=(),
)


def detection() -> Detection:
    """One finding a kind of log; its events are those before and after."""
    sql = f"""
    WITH minute AS (
        SELECT "metadata.log_name" AS log, min(time) AS time, max(time) AS until, count(*) AS n, arg_min(rowid, time) AS event,
            arg_max(rowid, time) AS last
        FROM event GROUP BY log, time // {MINUTE}
    ),
    gap AS (
        SELECT log, time, event, sum(n) OVER w AS so_far, min(time) OVER w AS first,
            lag(until) OVER w AS since, lag(last) OVER w AS before, time - lag(until) OVER w AS long
        FROM minute WINDOW w AS (PARTITION BY log ORDER BY time)
    ),
    past AS (
        SELECT *, max(long) OVER (PARTITION BY log ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS longest
        FROM gap
    ),
    silent AS (
        SELECT log, before, event,
            since + greatest({TIMES} * longest, {LEAST}, {ENOUGH} * (since - first) / so_far)::BIGINT AS fired
        FROM past WHERE since >= first + {AGE} AND time >= fired
    )
    SELECT 'log ' || log AS about, min(fired) OVER (PARTITION BY log) AS fired, unnest([before, event]) AS event FROM silent
    """
    return Detection(HEAD, sql, note=f"{TIMES} times the longest before, and {ENOUGH} events were to be expected")
