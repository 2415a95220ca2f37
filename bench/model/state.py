"""What the reference model knows of a store: plain lists and dicts, copied whole where two orders are tried."""

import sqlite3
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from bench.model.counts import Charged


@dataclass(frozen=True, slots=True)
class Login:
    """Who can sign in. `patient`: whose own login it is, empty for nobody's."""

    subject: str
    account: str
    kind: str
    patient: str


@dataclass(frozen=True, slots=True)
class Paper:
    """A document. `state`: pending, available or deleted; `absent` for what there is not. Version 1 is the only one."""

    patient: str
    category: str
    state: str
    size: int
    decoy: bool = False

    @property
    def written(self) -> bool:
        """Whether there is a version that can be read."""
        return self.state in {"available", "deleted"}


NOBODY = "nobody"
ABSENT = Paper(NOBODY, "normal", "absent", 0)


@dataclass(frozen=True, slots=True)
class Town:
    """What does not change while a model runs. Periods are (since, until) in milliseconds."""

    logins: dict[str, Login]
    members: dict[str, tuple[tuple[str, int, int], ...]]
    """Account -> organisations it works for."""
    enrolled: dict[str, tuple[tuple[str, int, int], ...]]
    """Patient -> organisations they are with."""
    born: dict[str, date]

    @property
    def patients(self) -> list[str]:
        """Everybody with a record."""
        return sorted(self.born)


Delegation = tuple[str, str, int, int]
"""read or full; parent, carer or grant; since; until."""
Glass = tuple[str, str, str | None, int, int]
"""Account, patient, organisation, opened, until."""
FreezeKey = tuple[str, str, bool]
"""Upon what; its name; whether a budget did it (and no officer)."""


@dataclass(frozen=True, slots=True)
class Memo:
    """Where an operation that is under way stands."""

    stage: str
    at: int
    charge: Charged | None = None
    told: tuple[Any, ...] = ()
    """What the next stage needs."""


@dataclass(slots=True)
class State:
    """Everything that changes."""

    now: int
    papers: dict[str, Paper]
    delegations: dict[tuple[str, str], Delegation]
    shares: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    withheld: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    """(patient, party, category) -> whether break-glass is ruled out."""
    glass: list[Glass] = field(default_factory=list)
    tickets: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Ticket -> document, and when it was opened."""
    revoked: set[str] = field(default_factory=set)
    ending: set[str] = field(default_factory=set)
    """Sessions whose end is in the log although it was reported as failed."""
    open: bool = True
    """Whether the log takes entries."""
    charges: list[Charged] = field(default_factory=list)
    adrift: list[Charged] = field(default_factory=list)
    """Undone, because their commit failed; but it was durable, and they are charged again when the log is open again."""
    snapshots: int = 0
    snapshot: list[Charged] = field(default_factory=list)
    """The charges that the latest snapshot of the budgets holds."""
    freezes: dict[FreezeKey, int] = field(default_factory=dict)
    offered: dict[int, dict[FreezeKey, int]] = field(default_factory=lambda: {0: {}})
    """Every freeze list that was given to the log to keep, by number."""
    kept: int = 0
    """The highest number that is known to be kept."""
    denied: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Account -> end of its hour, denials within it."""
    probes: list[tuple[str, str, int]] = field(default_factory=list)
    opening: int | None = None
    """The operation that holds the lock of break-glass."""
    pending: dict[int, Memo] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)

    def copy(self) -> "State":
        """Another state with the same content; the values themselves are never changed."""
        return State(
            self.now, dict(self.papers), dict(self.delegations), dict(self.shares), dict(self.withheld),
            list(self.glass), dict(self.tickets), set(self.revoked),
            set(self.ending), self.open, list(self.charges), list(self.adrift),
            self.snapshots,
            self.snapshot, dict(self.freezes), dict(self.offered), self.kept, dict(self.denied), list(self.probes),
            self.opening, dict(self.pending), set(self.done),
        )  # fmt: skip


def read_town(database: Path, subjects: dict[str, str], now: int) -> tuple[Town, State]:
    """What stands in a keeper's database when a model begins. `subjects`: account -> the name it signs in under."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        logins = {
            subjects[account]: Login(subjects[account], account, kind, patient or "")
            for account, kind, patient in db.execute("select id, kind, patient from account")
            if account in subjects
        }
        born = {
            patient: date.fromisoformat(day)
            for patient, day in db.execute("select id, born from patient where id <> 'nobody'")
        }
        papers = {
            ident: Paper(patient, category, state, size or 0, bool(decoy))
            for ident, patient, category, state, decoy, size in db.execute(
                "select d.id, d.patient, d.category, d.state, d.decoy, v.size from document d"
                " left join version v on v.document = d.id and v.version = 1 where d.id <> 'nothing'"
            )
        }
        delegations = {
            (account, patient): (level, basis, since, until)
            for account, patient, level, basis, since, until in db.execute(
                "select account, patient, level, basis, since, until from delegation"
            )
        }
        members = _periods(db, "select account, organisation, since, until from member")
        enrolled = _periods(db, "select patient, organisation, since, until from enrolment")
    return Town(logins, members, enrolled, born), State(now, papers, delegations)


def _periods(db: sqlite3.Connection, sql: str) -> dict[str, tuple[tuple[str, int, int], ...]]:
    found: dict[str, tuple[tuple[str, int, int], ...]] = {}
    for who, what, since, until in db.execute(sql):
        found[who] = (*found.get(who, ()), (what, since, until))
    return found
