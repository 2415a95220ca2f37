"""Findings that are one campaign: they saw the same requests, or came from addresses that are nobody else's.

Two findings belong together when half of the events of one are the other's too, or when they share an address most of whose
requests are in findings. A clinic's or a mobile network's address joins nobody: most of what comes from it is honest.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from strongroom.detect.detection import SERVED
from strongroom.detect.duckdb import Engine
from strongroom.detect.finding import Finding
from strongroom.sigma.sql import literal


@dataclass(frozen=True, slots=True)
class Campaign:
    """Several findings as one: what left by them together, each document and person once."""

    id: str
    findings: tuple[str, ...]  # ids, the worst first
    documents: int
    people: int | None
    addresses: int
    principals: int
    first: int
    last: int
    fired: int
    lost: int  # documents that had left when the first of the findings would have fired


def campaigns(engine: Engine, findings: Sequence[Finding], addresses: str = "") -> list[Campaign]:
    """The campaigns of two findings and more among these, in the order of their worst finding.

    `addresses` selects (address, n): how many events came from those that hits came from, where the engine does not have all.
    """
    known = {one.about: one for one in findings}
    over = {about: about for about in known}

    def top(about: str) -> str:
        while over[about] != about:
            over[about] = over[over[about]]
            about = over[about]
        return about

    for one, other in engine.rows(_PAIRS.format(addresses=addresses or _ADDRESSES)):
        if one in known and other in known:
            over[top(other)] = top(one)
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(top(finding.about), []).append(finding)
    return [_campaign(engine, group) for group in groups.values() if len(group) > 1]


def _campaign(engine: Engine, group: list[Finding]) -> Campaign:
    abouts = ", ".join(literal(one.about) for one in group)
    fired = min(one.fired for one in group)
    row = engine.rows(f"""
    SELECT count(DISTINCT document) FILTER ({SERVED}), count(DISTINCT patient) FILTER ({SERVED}), count(DISTINCT "src_endpoint.ip"),
        count(DISTINCT principal), min(time), max(time), count(DISTINCT document) FILTER ({SERVED} AND time <= {fired})
    FROM (SELECT DISTINCT event FROM hit WHERE about IN ({abouts})) AS of JOIN event ON event.rowid = of.event
    """)[0]
    documents, people, addresses, principals, first, last, lost = row
    ids = tuple(one.id for one in group)
    name = hashlib.blake2b("\n".join(sorted(ids)).encode(), digest_size=6).hexdigest()
    return Campaign(name, ids, documents, people or None, addresses, principals, first, last, fired, lost)


_ADDRESSES: Final = """
    SELECT "src_endpoint.ip" AS address, count(*) AS n FROM event SEMI JOIN came ON came.address = "src_endpoint.ip" GROUP BY ALL
"""
_PAIRS: Final = """
WITH of AS (SELECT DISTINCT about, event FROM hit),
size AS (SELECT about, count(*) AS n FROM of GROUP BY about),
shared AS (
    SELECT one.about AS one, other.about AS other, count(*) AS n FROM of AS one JOIN of AS other USING (event)
    WHERE one.about < other.about GROUP BY ALL
),
alike AS (
    SELECT one, other FROM shared JOIN size AS a ON a.about = one JOIN size AS b ON b.about = other
    WHERE 2 * shared.n >= least(a.n, b.n)
),
came AS (
    SELECT of.about, "src_endpoint.ip" AS address, count(*) AS n FROM of JOIN event ON event.rowid = of.event
    WHERE "src_endpoint.ip" IS NOT NULL GROUP BY ALL
),
address AS ({addresses}),
found AS (
    SELECT "src_endpoint.ip" AS address, count(*) AS n FROM event SEMI JOIN of ON of.event = event.rowid
    WHERE "src_endpoint.ip" IS NOT NULL GROUP BY ALL
),
theirs AS (SELECT address FROM found JOIN address USING (address) WHERE 2 * found.n >= address.n)
SELECT one, other FROM alike
UNION SELECT min(about) OVER (PARTITION BY address), about FROM came SEMI JOIN theirs USING (address)
ORDER BY ALL
"""
