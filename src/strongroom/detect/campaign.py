"""Many who have one thing in common, in an hour in which there are few of them: stuffed accounts, rented addresses, a new leak.

What they have in common is the program they read with (without the numbers of its version), or the kind of address they ask
for. Forecast is what was usual for it at that hour of day in the two weeks before (their median), times how much more the
others are than usual: on a day of news everybody comes, whatever they read with. Only those count who are new: who were not
served with the same in common on an earlier day. It needs a week of log; no account and no address of it has to do anything
unusual by itself.
"""

from typing import Final

from strongroom.clock import DAY, HOUR
from strongroom.detect.detection import ABOUT, AGENT, SERVED, Detection
from strongroom.sigma.rule import Head

FLOOR: Final = 20
"""New ones in an hour."""
TIMES, DEVIATIONS = 3, 6
"""Over the forecast: so many times, and so many standard deviations of a count (its root)."""
BACK, AGE = 14, 7
"""Days of which a forecast is made, and which it needs."""

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b09",
    title="Far more accounts or addresses than usual, with one thing in common",
    level="high",
    description="In an hour many more accounts or addresses than forecast were given documents for the first time, all with one "
    "kind of program or at one kind of address, while the others were as many as ever.",
    honest=(
        "a new program of your own, or a new page, that everybody was led to",
        "a message that many got at once",
    ),
    tags=("attack.t1110.004", "attack.t1078", "attack.t1119", "d3fend.d3-udta", "d3fend.d3-anet"),
    by=(),
)


def detection() -> Detection:
    """One finding a thing in common."""
    sql = f"""
    WITH bound AS (SELECT min(time) // {DAY} AS first FROM event),
    program AS (
        SELECT "http_request.user_agent", {AGENT} AS agent FROM (SELECT DISTINCT "http_request.user_agent" FROM event)
    ),
    base AS (
        SELECT event.rowid AS event, time, {ABOUT} AS who, agent, route
        FROM event LEFT JOIN program USING ("http_request.user_agent")
        WHERE {SERVED} AND "principal.kind" IN ('login', 'address', 'anonymous') AND "metadata.log_name" IN ('web', 's3-access')
    ),
    common AS (
        SELECT event, time, who, 'program ' || agent AS about FROM base WHERE agent IS NOT NULL
        UNION ALL SELECT event, time, who, 'address ' || route FROM base WHERE route IS NOT NULL
    ),
    debut AS (SELECT about, who, min(time) // {DAY} AS day FROM common GROUP BY ALL),
    new AS (
        SELECT about, who, time // {HOUR} AS h, min(time) AS time
        FROM common JOIN debut USING (about, who) WHERE time // {DAY} = debut.day GROUP BY ALL
    ),
    hour AS (SELECT about, h, count(*) AS c FROM new GROUP BY ALL),
    everybody AS (SELECT about[:7] AS kind, h, sum(c) AS c FROM hour GROUP BY ALL),
    candidate AS (SELECT about, h, c FROM hour, bound WHERE c >= {FLOOR} AND h // 24 >= first + {AGE}),
    looked AS (
        SELECT candidate.about, candidate.h, coalesce(past.c, 0) AS own, coalesce(others.c, 0) - coalesce(past.c, 0) AS others
        FROM candidate, bound, range(1, {BACK} + 1) AS back(days)
        LEFT JOIN hour AS past ON past.about = candidate.about AND past.h = candidate.h - 24 * days
        LEFT JOIN everybody AS others ON others.kind = candidate.about[:7] AND others.h = candidate.h - 24 * days
        WHERE (candidate.h - 24 * days) // 24 >= first
    ),
    forecast AS (SELECT about, h, median(own) AS own, median(others) AS others FROM looked GROUP BY ALL),
    enough AS (
        SELECT candidate.about, candidate.h,
            greatest(1.0, (now.c - candidate.c) / greatest(others, 1.0)) * greatest(own, 1.0) AS expected,
            greatest({FLOOR}, {TIMES} * expected, expected + {DEVIATIONS} * sqrt(expected)) AS enough
        FROM candidate JOIN forecast USING (about, h)
        JOIN everybody AS now ON now.kind = candidate.about[:7] AND now.h = candidate.h
    ),
    counted AS (
        SELECT about, h, who, time, row_number() OVER (PARTITION BY about, h ORDER BY time, who) AS n FROM new
        SEMI JOIN enough USING (about, h)
    ),
    fired AS (
        SELECT about, h, min(time) AS fired FROM counted JOIN enough USING (about, h) WHERE n >= enough.enough GROUP BY ALL
    ),
    taking AS (SELECT about, who, min(fired) AS fired, min(h) AS h FROM counted JOIN fired USING (about, h) GROUP BY ALL)
    SELECT about, min(taking.fired) OVER (PARTITION BY about) AS fired, event
    FROM common JOIN taking USING (about, who) WHERE common.time // {HOUR} BETWEEN taking.h AND taking.h + 1
    """
    note = f"at least {FLOOR} new ones in an hour, {TIMES} times the forecast for it"
    return Detection(HEAD, sql, shape="wide", note=note)
