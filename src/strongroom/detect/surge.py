"""Far more documents than usual for that hour of the week, by everybody or by all of one role together.

What is usual is the median of the same hour in the weeks before, from the third week on; until then, and from the second week
on, of the same hour of the days before. More than TIMES of it, and far beyond how much such hours differed (the median of their
distances from it), is a finding, one a day. Who takes part is not told by this: it is the net below the others, for thefts that no
account and no address shows. Volume alone is a poor alarm: a migration, a day of news and the end of holidays are honest.
"""

from typing import Final

from strongroom.clock import HOUR
from strongroom.detect.detection import SERVED, Detection
from strongroom.sigma.rule import Head

FLOOR: Final = 100
"""Different documents in an hour."""
TIMES, DEVIATIONS = 3, 6
WEEK: Final = 7 * 24
_DEVIATION: Final = (
    1.4826  # of a normal distribution: its deviation against the median of the distances from the median
)

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b10",
    title="Far more documents than usual for that hour of the week",
    level="low",
    description="Everybody together, or all of one role, read many times what was usual at that hour of the week.",
    honest=("news, a letter to everybody, the end of holidays", "a migration, a catching up after an outage"),
    tags=("attack.t1119", "attack.t1213", "d3fend.d3-udta"),
    by=(),
)


def detection() -> Detection:
    """One finding a day and group."""
    sql = f"""
    WITH base AS (
        SELECT rowid AS event, time, time // {HOUR} AS h, document, 'everybody' AS g FROM event
        WHERE {SERVED} AND "principal.kind" <> 'service' AND store IS NULL
        UNION ALL SELECT rowid, time, time // {HOUR}, document, 'role ' || "actor.user.type" FROM event
        WHERE {SERVED} AND "principal.kind" = 'login' AND "actor.user.type" IS NOT NULL AND store IS NULL
    ),
    once AS (SELECT g, h, document, min(time) AS time FROM base GROUP BY g, h, document),
    hour AS (SELECT g, h, count(*) AS c FROM once GROUP BY g, h),
    bound AS (SELECT g, min(h) AS first FROM hour GROUP BY g),
    candidate AS (SELECT * FROM hour JOIN bound USING (g) WHERE c >= {FLOOR} AND h - {WEEK} > first),
    weekly AS (
        SELECT candidate.g, candidate.h, coalesce(past.c, 0) AS c
        FROM candidate JOIN range(1, 9) AS week(n) ON candidate.h - {WEEK} * n > first
        LEFT JOIN hour AS past ON past.g = candidate.g AND past.h = candidate.h - {WEEK} * n
    ),
    daily AS (
        SELECT candidate.g, candidate.h, coalesce(past.c, 0) AS c FROM candidate, range(1, 8) AS day(n)
        LEFT JOIN hour AS past ON past.g = candidate.g AND past.h = candidate.h - 24 * n
    ),
    by_week AS (SELECT g, h, median(c) AS usual, mad(c) AS spread FROM weekly GROUP BY g, h HAVING count(*) >= 3),
    by_day AS (SELECT g, h, median(c) AS usual, mad(c) AS spread FROM daily GROUP BY g, h),
    expected AS (
        SELECT g, h, coalesce(by_week.usual, by_day.usual) AS usual, coalesce(by_week.spread, by_day.spread) AS spread
        FROM by_day LEFT JOIN by_week USING (g, h)
    ),
    enough AS (
        SELECT g, h,
            greatest({FLOOR}, {TIMES} * usual, usual + {DEVIATIONS} * greatest(sqrt(usual), {_DEVIATION} * spread)) AS enough
        FROM expected
    ),
    large AS (SELECT g, h, enough FROM enough JOIN hour USING (g, h) WHERE hour.c >= enough),
    counted AS (
        SELECT g, h, time, enough, row_number() OVER (PARTITION BY g, h ORDER BY time, document) AS n
        FROM once JOIN large USING (g, h)
    ),
    fire AS (SELECT g, h, min(time) AS fired FROM counted WHERE n >= enough GROUP BY g, h),
    named AS (
        SELECT g || ', ' || strftime(make_timestamp(base.time * 1000), '%Y-%m-%d') AS about, fired, event
        FROM base JOIN fire USING (g, h)
    )
    SELECT about, min(fired) OVER (PARTITION BY about) AS fired, event FROM named
    """
    note = (
        f"at least {FLOOR} in an hour, {TIMES} times the median of that hour in earlier weeks, {DEVIATIONS} deviations"
    )
    return Detection(HEAD, sql, shape="wide", note=note)
