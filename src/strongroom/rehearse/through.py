"""One robbery through the gateway, with honest people beside it; and the same without a gateway, to see that it is one.

What was lost is counted by the thief, from the answers. Time is simulated: before each request the gateway's clock is moved on to
when that request is made.
"""

import heapq
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from strongroom.clock import DAY, HOUR
from strongroom.rehearse.callers import NEW, everybody, newcomers, usual
from strongroom.rehearse.front import Front
from strongroom.rehearse.portal import Records
from strongroom.rehearse.robbers import THIEF, Robbery
from strongroom.rehearse.visits import OK, Outcome, Street, Visit, shown

COLUMNS: Final = (
    ("", "playbook"), ("condition", "condition"), ("logins", "logins"), ("hours", "hours"),
    ("documents lost", "documents_lost"), ("bound", "bound"), ("people lost", "people_lost"), ("listed", "people_listed"),
    ("without a gateway", "documents_without"), ("stopped by", "stopped_by"), ("honest", "honest_requests"),
    ("refused", "honest_refused"),
    ("new", "newcomers"), ("asked", "newcomers_asked"),
)  # fmt: skip
"""Heading and field of the table for people."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One run. Field names are the JSON's."""

    playbook: str
    condition: str
    logins: int
    hours: int
    """Simulated."""
    requests: int
    documents_lost: int
    people_lost: int
    people_listed: int
    """Of whom a list showed titles, and no document was given."""
    bound: int
    documents_without: int
    """The same requests straight to the portal."""
    stopped_by: str
    last_hour: float | None
    honest_requests: int
    honest_refused: int
    refused: Mapping[str, int]
    """Of which look-alikes."""
    listings: bool
    """Whether they are described in gateway.toml."""
    weeks: int = 0
    """For so long the gateway was there before."""
    newcomers: int = 0
    newcomers_asked: int = 0
    """Honest people on a new device and from a new address, and how many of them were asked to prove who they are."""
    clock: str = "simulated"

    @property
    def holds(self) -> bool:
        """Whether what is promised held, and the attack was one: without a gateway it gains something."""
        return self.documents_lost <= self.bound and self.documents_without > 0 and self.honest_refused == 0


@dataclass(slots=True)
class _Told:
    """What came of visits."""

    lost: dict[str, int] = field(default_factory=dict)
    """Document -> whose."""
    listed: set[int] = field(default_factory=set)
    last: int | None = None
    rules: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    honest: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    newcomers: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)


def rob(front: Front, robbery: Robbery, seed: int, crowd: float) -> Loss:
    """One run. `crowd`: how many honest people (`callers`)."""
    without = _run(front, robbery, seed, 0, direct=True)
    told = _run(front, robbery, seed, crowd, direct=False)
    people = set(told.lost.values())
    return Loss(
        playbook=robbery.playbook, condition=robbery.condition, logins=robbery.logins, hours=robbery.hours,
        requests=told.requests, documents_lost=len(told.lost), people_lost=len(people),
        people_listed=len(told.listed - people), bound=robbery.bound, documents_without=len(without.lost),
        stopped_by=told.rules.most_common(1)[0][0] if told.rules else "nothing",
        last_hour=None if told.last is None else round(told.last / HOUR, 2),
        honest_requests=told.honest, honest_refused=told.refused.total(), refused=dict(told.refused), listings=robbery.listed,
        weeks=robbery.weeks, newcomers=len(told.newcomers), newcomers_asked=len(told.asked),
    )  # fmt: skip


def as_json(playbook: str, losses: list[Loss]) -> dict[str, Any]:
    """The documented shape."""
    return {"schema": "strongroom/rehearse-gateway/v1", "playbook": playbook, "runs": [asdict(loss) for loss in losses]}


def _run(front: Front, robbery: Robbery, seed: int, crowd: float, *, direct: bool) -> _Told:
    told, street = _Told(), Street(front.portal if direct else front.gateway)
    visits, days = robbery.visits(random.Random(seed)), 7 * robbery.weeks
    begin = 0 if direct else days * DAY
    if begin:
        for visit in usual(robbery.patients, random.Random(seed + 2), days, crowd):
            front.at(visit.at)
            _judged(told, visit, street.make(visit))
    if crowd:
        beside = [everybody(robbery.patients, random.Random(seed + 1), crowd)]
        if robbery.weeks:
            beside.append(newcomers(random.Random(seed + 3), robbery.hours, crowd))
        visits = heapq.merge(visits, *beside, key=lambda visit: visit.at)
    records, stolen = Records(robbery.patients), range(THIEF, THIEF + robbery.logins)
    for visit in visits:
        if not direct:
            front.at(begin + visit.at)
        outcome = street.make(visit)
        if visit.honest:
            _judged(told, visit, outcome)
            continue
        told.requests += 1
        if outcome.rule:
            told.rules[outcome.rule] += 1
        if outcome.status == OK:
            _gained(told, visit, records, range(0) if robbery.own else stolen, outcome.body)
    street.close()
    return told


def _judged(told: _Told, visit: Visit, outcome: Outcome) -> None:
    """How somebody honest fared."""
    told.honest += 1
    if visit.script == NEW:
        told.newcomers.add(visit.user)
    if outcome.status != visit.expect:
        if visit.script == NEW:
            told.asked.add(visit.user)
        else:
            told.refused[visit.script] += 1


def _gained(told: _Told, visit: Visit, records: Records, stolen: range, body: bytes) -> None:
    if visit.document:
        if not visit.owner or visit.owner in stolen:
            return
        if visit.document not in told.lost:
            told.last = visit.at
        told.lost[visit.document] = visit.owner
        return
    for one in shown(body):
        owner = records.notes.get(one) or records.letters.get(int(one) if one.isdecimal() else 0)
        if owner and owner not in stolen:
            told.listed.add(owner)
