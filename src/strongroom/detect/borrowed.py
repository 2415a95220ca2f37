"""A login that always came from the same place comes from another, and reads many documents there: a stolen login of staff.

A place is a network (/24, or /64 of IPv6). Only who has a past can be seen: TEN days, in at most FEW places. People at home and on
the road have too many places; then nothing is said. One document from a new place is a day at home; TEN in an hour are work.
"""

from typing import Final

from strongroom.clock import DAY, HOUR
from strongroom.detect.correlation import windowed
from strongroom.detect.detection import ABOUT, SERVED, Detection
from strongroom.sigma.rule import Head

FEW, TEN = 2, 10

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b0a",
    title="A login read from a place where it never was",
    level="medium",
    description="A login that for days had come from one or two networks came from another, and read many documents there.",
    honest=("the first day of work at home, or at another site", "the network of the site has new addresses"),
    tags=("attack.t1078", "attack.t1213", "d3fend.d3-uglpa", "d3fend.d3-rapa"),
    by=(),
)

NETWORK: Final = """CASE WHEN contains("src_endpoint.ip", ':')
    THEN array_to_string(string_split("src_endpoint.ip", ':')[1:4], ':')
    ELSE regexp_replace("src_endpoint.ip", '[.][0-9]+$', '') END"""


def detection() -> Detection:
    """New place, many documents."""
    base = f"""
    WITH request AS (
        SELECT rowid AS event, time, {ABOUT} AS g, {NETWORK} AS place, document, {SERVED} AS served
        FROM event WHERE "principal.kind" = 'login' AND "src_endpoint.ip" IS NOT NULL
    ),
    debut AS (SELECT g, place, min(time) AS first FROM request GROUP BY g, place),
    ranked AS (SELECT *, row_number() OVER (PARTITION BY g ORDER BY first, place) - 1 AS places FROM debut),
    days AS (SELECT g, time // {DAY} AS day FROM request GROUP BY ALL),
    dated AS (SELECT g, day, row_number() OVER (PARTITION BY g ORDER BY day) AS days FROM days),
    new AS (
        SELECT ranked.g, place, first FROM ranked JOIN dated ON dated.g = ranked.g AND dated.day = first // {DAY}
        WHERE places BETWEEN 1 AND {FEW} AND days > {TEN}
    )
    SELECT event, time, g, g AS about, document AS v
    FROM request JOIN new USING (g, place) WHERE served AND time <= first + {DAY}
    """
    fire = f"""
    WITH fresh AS (SELECT g, v, min(time) AS time FROM base GROUP BY g, v),
    level AS (
        SELECT g, time AS t, count(*) OVER (PARTITION BY g ORDER BY time RANGE BETWEEN {HOUR} PRECEDING AND CURRENT ROW) AS n
        FROM fresh
    )
    SELECT DISTINCT g, t FROM level WHERE n >= {TEN}
    """
    note = f"at least {TEN} documents in an hour, after {TEN} days in at most {FEW} networks"
    return Detection(HEAD, windowed(base, fire, DAY), shape="wide", note=note)
