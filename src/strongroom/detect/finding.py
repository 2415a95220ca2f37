"""Hits to findings: one a person, role, address or store that they are about, with everything counted the same way."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from strongroom.detect.correlation import APART
from strongroom.detect.detection import GIVEN, SERVED, Detection
from strongroom.detect.duckdb import Engine
from strongroom.sigma.rule import LEVELS, Level
from strongroom.sigma.sql import literal


@dataclass(frozen=True, slots=True)
class Reason:
    """One detection that hit, and what it saw."""

    detection: Detection
    level: Level
    events: int
    documents: int  # that left
    fired: int  # milliseconds: when it would first have fired
    lost: int  # documents that had left by then
    asked: int  # different documents asked for, whatever the answer
    missed: int  # of them those that were denied or not there
    first_number: int | None
    last_number: int | None
    route: str
    given: int  # ids that were answered at addresses which no mapping calls documents
    first: int  # its own events: a finding may have others, of weeks
    last: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One event's place: the unit of `length` bytes at `offset` of a source. The source's seal knows it again."""

    source: int
    offset: int
    length: int
    time: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What somebody did, why we think so, and where it stands."""

    id: str
    about: str
    level: Level
    events: int
    documents: int
    people: int | None  # None: the logs do not tell whose the documents are
    bytes: int
    first: int
    last: int
    addresses: int
    countries: tuple[str, ...]  # where those addresses are, where an operator's files tell
    principals: int
    fired: int  # of the moment in which most left: when it would first have fired, and what had left of it by then
    lost: int
    lost_people: int | None
    moments: int  # more than a day without an event is between them
    reasons: tuple[Reason, ...]
    evidence: tuple[Evidence, ...]


_MEDIUM: Final = LEVELS.index("medium")

EVIDENCE: Final = 20
"""Events of a finding whose places are given: its first ones. `--explain` gives them all."""


def findings(engine: Engine, detections: tuple[Detection, ...], most: int = EVIDENCE) -> list[Finding]:
    """The findings, worst first: by level, then by documents that left by what is of a medium level and higher, then by events.

    What is low besides (first weeks, everybody's peaks) makes no finding worse than another.
    """
    known = {detection.head.id: detection for detection in detections}
    engine.run("DROP TABLE IF EXISTS temp.told")
    engine.write(_TOLD)
    reasons: dict[str, list[Reason]] = {}
    for row in engine.rows(_REASONS):
        reason = _reason(known[row[0]], row[2:])
        reasons.setdefault(row[1], []).append(reason)
    evidence = _evidence(engine, most)
    found = [
        _finding(row, tuple(sorted(reasons[row[0]], key=_weight)), tuple(evidence.get(row[0], ())))
        for row in engine.rows(_ABOUT)
    ]
    return sorted(
        found, key=lambda one: (-LEVELS.index(one.level), -_heavy(one), -one.documents, -one.events, one.about)
    )


def events_of(engine: Engine, about: str) -> list[Evidence]:
    """The places of all events of a finding, by time."""
    sql = f"""
    SELECT "record.source", "record.offset", "record.length", time
    FROM (SELECT DISTINCT event FROM hit WHERE about = {literal(about)}) JOIN event ON event.rowid = event
    ORDER BY time, "record.source", "record.offset"
    """
    return [Evidence(*row) for row in engine.rows(sql)]


def _heavy(one: Finding) -> int:
    """Documents by its worst reason that is not low; by any where all are."""
    sure = [reason.documents for reason in one.reasons if LEVELS.index(reason.level) >= _MEDIUM]
    return max(sure, default=one.documents)


def _weight(reason: Reason) -> tuple[int, int, int]:
    return -LEVELS.index(reason.level), -reason.documents, reason.fired


def _reason(detection: Detection, row: tuple[Any, ...]) -> Reason:
    events, documents, fired, lost, asked, missed, low, high, route, given, first, last = row
    level: Level = "low" if detection.quiet and not documents and not given else detection.head.level
    return Reason(
        detection, level, events, documents, fired, lost, asked, missed, low, high, route or "", given, first, last
    )


def _finding(row: tuple[Any, ...], reasons: tuple[Reason, ...], evidence: tuple[Evidence, ...]) -> Finding:
    about, events, documents, people, size, first, last, addresses, countries, principals, fired, *told = row
    lost, lost_people, moments = told
    level = max((reason.level for reason in reasons), key=LEVELS.index)
    return Finding(
        id=hashlib.blake2b(about.encode(), digest_size=6).hexdigest(),
        about=about,
        level=level,
        events=events,
        documents=documents,
        people=people or None,
        bytes=size or 0,
        first=first,
        last=last,
        addresses=addresses,
        countries=tuple(countries or ()),
        principals=principals,
        fired=fired,
        lost=lost,
        lost_people=lost_people if people else None,
        moments=moments,
        reasons=reasons,
        evidence=evidence,
    )


_ID: Final = "(route || chr(31) || number)"
_TOLD: Final = f"""
CREATE TEMP TABLE told AS  -- of each the moment in which most left, and how many there are; documents are counted of few
WITH once AS (SELECT DISTINCT about, event FROM hit),
gap AS (
    SELECT about, once.event AS place, time, time - lag(time) OVER (PARTITION BY about ORDER BY time) > {APART} AS apart
    FROM once JOIN event ON event.rowid = once.event
),
numbered AS (
    SELECT about, place, time, count(CASE WHEN apart THEN 1 END) OVER (PARTITION BY about ORDER BY time) AS nth FROM gap
),
moment AS (SELECT about, nth, min(time) AS since, max(time) AS until FROM numbered GROUP BY ALL),
many AS (SELECT about, count(*) AS moments FROM moment GROUP BY about),
of AS (
    SELECT about, nth, count(DISTINCT document) FILTER ({SERVED}) AS documents
    FROM numbered SEMI JOIN (SELECT about FROM many WHERE moments > 1) USING (about) JOIN event ON event.rowid = place
    GROUP BY ALL
)
SELECT about, since, until, moments FROM moment JOIN many USING (about) LEFT JOIN of USING (about, nth)
QUALIFY row_number() OVER (PARTITION BY about ORDER BY documents DESC, since) = 1
"""
_ONCE: Final = """
SELECT hit.detection, hit.about, event, fired FROM (SELECT DISTINCT detection, about, event FROM hit) AS hit JOIN (
    SELECT detection, about, coalesce(min(fired) FILTER (fired BETWEEN since AND until), min(fired)) AS fired
    FROM hit JOIN told USING (about) GROUP BY detection, about
) AS first ON first.detection = hit.detection AND first.about = hit.about
"""
"""An event may be in several windows of one. When a detection fired is said of the moment that is told, if it did then."""
_REASONS: Final = f"""
WITH once AS ({_ONCE}),
asked AS (  -- each document, or id, of each: to count those that differ costs far more by hit than by these
    SELECT detection, once.about, document, CASE WHEN document IS NULL THEN {_ID} END AS id, count(*) AS events,
        min(fired) AS fired, bool_or({SERVED}) AS left_,
        bool_or({SERVED} AND time <= fired AND (time >= since OR fired < since)) AS lost,
        bool_or(status_id = 2) AS missed, bool_or({GIVEN}) AS given, min(number) AS low, max(number) AS high, min(route) AS route,
        min(time) AS first, max(time) AS last
    FROM once JOIN told USING (about) JOIN event ON event.rowid = once.event GROUP BY detection, once.about, document, id
)
SELECT detection, about, sum(events)::BIGINT, count(*) FILTER (left_), min(fired), count(*) FILTER (lost),
    count(coalesce(document, id)), count(coalesce(document, id)) FILTER (missed), min(low), max(high), min(route),
    count(id) FILTER (given), min(first), max(last)
FROM asked GROUP BY detection, about ORDER BY detection, about
"""

_ABOUT: Final = f"""
WITH first AS (
    SELECT about, since, moments, coalesce(min(fired) FILTER (fired BETWEEN since AND until), min(fired)) AS fired
    FROM hit JOIN told USING (about) GROUP BY about, since, moments
),
of AS (SELECT about, event, fired, since, moments FROM (SELECT DISTINCT about, event FROM hit) JOIN first USING (about))
SELECT about, count(*), count(DISTINCT document) FILTER ({SERVED}), count(DISTINCT patient) FILTER ({SERVED}),
    sum("traffic.bytes_out") FILTER (status_id = 1)::BIGINT, min(time), max(time), count(DISTINCT "src_endpoint.ip"),
    list_sort(list(DISTINCT "src_endpoint.location.country") FILTER ("src_endpoint.location.country" IS NOT NULL)),
    count(DISTINCT principal), min(fired), count(DISTINCT document) FILTER ({SERVED} AND time BETWEEN since AND fired),
    count(DISTINCT patient) FILTER ({SERVED} AND time BETWEEN since AND fired), min(moments)
FROM of JOIN event ON event.rowid = of.event GROUP BY about ORDER BY about
"""


def _evidence(engine: Engine, most: int) -> dict[str, list[Evidence]]:
    sql = f"""
    WITH of AS (SELECT DISTINCT about, event FROM hit)
    SELECT about, "record.source", "record.offset", "record.length", time
    FROM of JOIN event ON event.rowid = of.event
    QUALIFY row_number() OVER (PARTITION BY about ORDER BY time, "record.source", "record.offset") <= {most}
    ORDER BY about, time, "record.source", "record.offset"
    """
    found: dict[str, list[Evidence]] = {}
    for about, *place in engine.rows(sql):
        found.setdefault(about, []).append(Evidence(*place))
    return found
