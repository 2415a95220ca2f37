"""A role, key or account reads from a store for the first time, where for a week few others did: the first document fires.

A store behind an application has a few readers, always the same. A role is meant without its session: machines come and go.
"""

from typing import Final

from strongroom.clock import DAY
from strongroom.detect.detection import ABOUT, SERVED, Detection
from strongroom.sigma.rule import Head

AGE: Final = 7 * DAY
FEW: Final = 10
"""Readers that a store has had: where many read, one more is nothing."""

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b0b",
    title="Somebody read from a store for the first time",
    level="medium",
    description="A principal that had never read from this store did, after a week in which the same few had.",
    honest=(
        "a new service or a new version of one",
        "an administrator who looks after something",
        "a backup that was set up",
    ),
    tags=("attack.t1530", "attack.t1078.004", "d3fend.d3-rapa", "d3fend.d3-udta"),
    by=(),
)


def detection() -> Detection:
    """First seen: principal and store."""
    sql = f"""
    WITH read AS (
        SELECT rowid AS event, time, {ABOUT} AS about, store,
            regexp_replace(principal, '(assumed-role/[^/]+)/.*', '\\1') AS who
        FROM event WHERE {SERVED} AND store IS NOT NULL AND "principal.kind" NOT IN ('service', 'anonymous', 'foreign')
    ),
    debut AS (SELECT store, who, min(time) AS first FROM read GROUP BY store, who),
    ranked AS (
        SELECT *, row_number() OVER (PARTITION BY store ORDER BY first, who) AS nth, min(first) OVER (PARTITION BY store) AS opened
        FROM debut
    ),
    new AS (SELECT store, who, first FROM ranked WHERE nth BETWEEN 2 AND {FEW} AND first >= opened + {AGE})
    SELECT about, min(first) OVER (PARTITION BY about) AS fired, event
    FROM read JOIN new USING (store, who) WHERE time <= first + {DAY}
    """
    note = f"after {AGE // DAY} days of at most {FEW} readers"
    return Detection(HEAD, sql, note=note)
