"""Documents fetched though never listed: nobody knows an id without having been shown it, except who has it from elsewhere.

The way to a kind of document is learned: the page that nearly everybody had open before. Who then reads several documents in
a day, and had not opened that page in the half day before any of them, has the ids from elsewhere. Programs do so by nature:
who did, or with whose kind of program most did, when the log began is left alone (the first week, or the first quarter of a
shorter log; a theft in that time is not seen by this).
"""

from typing import Final

from strongroom.clock import DAY, HOUR
from strongroom.detect.correlation import windowed
from strongroom.detect.detection import ABOUT, AGENT, SERVED, Detection
from strongroom.sigma.rule import Head

MANY: Final = 5
"""Documents in a day. Links in messages lead to one or two."""
BEFORE: Final = 12 * HOUR
"""How long a list may have stood open: a working day."""
MOST: Final = 0.95
"""Part of the principals that came by a page for it to be the way."""
CROWD: Final = 20
SAMPLE: Final = 20_000
"""Readings by which ways are learned."""
LEARN: Final = 7 * DAY

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b07",
    title="Documents were fetched that had not been listed",
    level="medium",
    description="Nearly everybody opens a list before a document; this principal fetched documents without having opened one.",
    honest=(
        "a new program, or a new way to documents (links in messages, a new page)",
        "a list that was open for longer than half a day",
    ),
    tags=("attack.t1119", "attack.t1213", "d3fend.d3-rapa", "d3fend.d3-udta"),
    by=(),
)


def detection() -> Detection:
    """What was fetched without a way to it."""
    base = f"""
    WITH bound AS (SELECT min(time) AS first, least({LEARN}, (max(time) - min(time)) / 4) AS learn FROM event),
    request AS (
        SELECT rowid AS event, time, {ABOUT} AS g, "http_request.user_agent", route, document, {SERVED} AS served
        FROM event WHERE "metadata.log_name" = 'web' AND act = 'read' AND status_id = 1 AND "principal.kind" IN ('login', 'address')
    ),
    page AS (
        SELECT route, count(DISTINCT g) AS principals FROM request GROUP BY route
        HAVING principals >= {CROWD} ORDER BY principals DESC LIMIT 8
    ),
    opened AS (SELECT g, route, time FROM request SEMI JOIN page USING (route)),
    reading AS (SELECT g, route, event, time, hash(event) AS draw FROM request WHERE served),
    sample AS (
        SELECT g, route, time FROM reading SEMI JOIN page USING (route)
        QUALIFY row_number() OVER (PARTITION BY route ORDER BY draw) <= {SAMPLE}
    ),
    tried AS (SELECT sample.g, sample.route, sample.time, page.route AS way FROM sample, page WHERE page.route <> sample.route),
    came AS (
        SELECT tried.route, way, tried.g, coalesce(tried.time - opened.time <= {BEFORE}, false) AS came
        FROM tried ASOF LEFT JOIN opened ON tried.g = opened.g AND tried.way = opened.route AND tried.time >= opened.time
    ),
    habit AS (SELECT route, way, g, avg(came::INT) AS share FROM came GROUP BY ALL),
    known AS (
        SELECT route, arg_max(way, share) AS way FROM (
            SELECT route, way, avg(share) AS share FROM habit GROUP BY route, way
            HAVING count(*) >= {CROWD} AND avg((share >= 0.5)::INT) >= {MOST}
        ) GROUP BY route
    ),
    led AS (
        SELECT request.*, {AGENT} AS agent, known.way FROM request JOIN known USING (route) WHERE served
    ),
    fetched AS (
        SELECT led.*, coalesce(led.time - opened.time > {BEFORE}, true) AS unlisted
        FROM led ASOF LEFT JOIN opened ON led.g = opened.g AND led.way = opened.route AND led.time >= opened.time
    ),
    early AS (
        SELECT g, agent, unlisted FROM fetched, bound WHERE time < first + learn
    ),
    usual AS (
        SELECT DISTINCT g FROM early WHERE unlisted
        UNION SELECT DISTINCT g FROM fetched JOIN
            (SELECT agent FROM early GROUP BY agent HAVING avg(unlisted::INT) > 0.5) USING (agent)
    )
    SELECT event, time, g, g AS about, document AS v FROM fetched ANTI JOIN usual USING (g)
    SEMI JOIN bound ON time >= first + learn
    WHERE unlisted
    """
    fire = f"""
    WITH first_ AS (
        SELECT g, time, lag(time) OVER (PARTITION BY g, v ORDER BY time) AS before FROM base
    ),
    fresh AS (SELECT g, time FROM first_ WHERE before IS NULL OR before < time - {DAY}),
    level AS (
        SELECT g, time AS t, count(*) OVER (PARTITION BY g ORDER BY time RANGE BETWEEN {DAY} PRECEDING AND CURRENT ROW) AS n
        FROM fresh
    )
    SELECT DISTINCT g, t FROM level WHERE n >= {MANY}
    """
    note = f"at least {MANY} in a day, where {MOST:.0%} of all come by a list"
    return Detection(HEAD, windowed(base, fire, DAY), shape="wide", quiet=True, note=note)
