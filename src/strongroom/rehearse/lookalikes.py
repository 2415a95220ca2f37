"""Honest people who look like attackers: B1 to B9 of the reference, as scripts that run beside an attack.

Each script yields honest acts; none of them may be refused. Numbers are scaled down so that a run of seconds holds them.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from strongroom.rehearse.stage import Stage


@dataclass(frozen=True, slots=True)
class Act:
    """One honest request: who, from where, to what path. `program`: a service account, which proves its key."""

    script: str
    subject: str
    source: str
    path: str
    program: bool = False


@dataclass(frozen=True, slots=True)
class Town:
    """The honest part of the population: everybody whose login was not stolen."""

    stage: Stage
    patients: Sequence[str]
    by_patient: dict[str, list[str]]
    """Patient to documents that their own login may read."""


def honest(stage: Stage, stolen: frozenset[str]) -> Town:
    """The town without the stolen logins."""
    by_patient: dict[str, list[str]] = {}
    for document, patient in stage.documents:
        if document not in stage.hidden:
            by_patient.setdefault(patient, []).append(document)
    return Town(stage, [subject for subject in sorted(stage.own) if subject not in stolen], by_patient)


def everybody(town: Town, rng: random.Random) -> Iterator[Act]:
    """All scripts, mixed, until they end."""
    running = [script(town, rng) for script in SCRIPTS]
    while running:
        script = rng.choice(running)
        act = next(script, None)
        if act is None:
            running.remove(script)
        else:
            yield act


def b1_migration(town: Town, rng: random.Random) -> Iterator[Act]:
    """B1: a practice moves; its program reads the documents of its patients, one after the other."""
    yield from _program(town, rng, "B1", "sync-practice-1", "staff-1", 60)


def b2_catching_up(town: Town, rng: random.Random) -> Iterator[Act]:
    """B2: another practice's program catches up after an outage."""
    yield from _program(town, rng, "B2", "sync-practice-2", "staff-2", 40)


def b3_lawyer(town: Town, rng: random.Random) -> Iterator[Act]:
    """B3: a patient downloads all their own documents."""
    del rng
    richest = max(town.patients, key=lambda subject: len(town.by_patient.get(town.stage.own[subject], ())))
    for document in town.by_patient.get(town.stage.own[richest], ())[:300]:
        yield Act("B3", richest, "127.9.3.1", f"Binary/{document}")


def b4_clinic(town: Town, rng: random.Random) -> Iterator[Act]:
    """B4: all clinicians work behind one address."""
    for _ in range(120):
        clinician = rng.choice(town.stage.clinicians)
        patient = rng.choice(sorted(town.stage.readable[clinician]))
        documents = town.by_patient.get(patient)
        if documents:
            yield Act("B4", clinician, "127.9.4.1", f"Binary/{rng.choice(documents)}")


def b5_carrier(town: Town, rng: random.Random) -> Iterator[Act]:
    """B5: many patients behind one mobile carrier's address."""
    for subject in rng.sample(list(town.patients), min(60, len(town.patients))):
        yield from _one(town, rng, "B5", subject, "127.9.5.1")


def b6_mother(town: Town, rng: random.Random) -> Iterator[Act]:
    """B6: a mother reads her own and her five children's documents."""
    if "person-1" not in town.patients:
        return
    for patient in sorted(town.stage.readable["person-1"]):
        for document in town.by_patient.get(patient, ())[:4]:
            yield Act("B6", "person-1", "127.9.6.1", f"Binary/{document}")
        yield Act("B6", "person-1", "127.9.6.1", f"DocumentReference?patient={patient}")
    del rng


def b7_waiting(town: Town, rng: random.Random) -> Iterator[Act]:
    """B7: people wait for a result and reload their list."""
    for subject in rng.sample(list(town.patients), min(3, len(town.patients))):
        for _ in range(25):
            yield Act("B7", subject, "127.9.7.1", f"DocumentReference?patient={town.stage.own[subject]}")


def b8_evening(town: Town, rng: random.Random) -> Iterator[Act]:
    """B8: summaries are released at 17:00, and everybody looks."""
    for subject in rng.sample(list(town.patients), min(50, len(town.patients))):
        yield from _one(town, rng, "B8", subject, f"127.9.8.{rng.randint(1, 50)}")


def b9_news(town: Town, rng: random.Random) -> Iterator[Act]:
    """B9: the news tells of a breach; ten times as many people as ever sign in to see what was taken."""
    for _ in range(2):
        for subject in rng.sample(list(town.patients), min(60, len(town.patients))):
            yield Act("B9", subject, f"127.9.9.{rng.randint(1, 99)}", "AuditEvent?_count=10")
            yield from _one(town, rng, "B9", subject, f"127.9.9.{rng.randint(1, 99)}")


Script = Callable[[Town, random.Random], Iterator[Act]]
SCRIPTS: tuple[Script, ...] = (
    b1_migration, b2_catching_up, b3_lawyer, b4_clinic, b5_carrier, b6_mother, b7_waiting, b8_evening, b9_news,
)  # fmt: skip


def _one(town: Town, rng: random.Random, script: str, subject: str, source: str) -> Iterator[Act]:
    patient = town.stage.own[subject]
    yield Act(script, subject, source, f"DocumentReference?patient={patient}")
    if documents := town.by_patient.get(patient):
        yield Act(script, subject, source, f"Binary/{rng.choice(documents)}")


def _program(town: Town, rng: random.Random, script: str, program: str, staff: str, count: int) -> Iterator[Act]:
    mine = town.stage.readable.get(staff, frozenset())
    documents = [document for patient in sorted(mine) for document in town.by_patient.get(patient, ())]
    for document in rng.sample(documents, min(count, len(documents))):
        yield Act(script, program, "127.9.1.1", f"Binary/{document}", program=True)
