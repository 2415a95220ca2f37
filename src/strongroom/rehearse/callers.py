"""Honest people before a portal who look like thieves: B1 to B9 of docs/rehearse.md, a day of them. None may be refused.

`crowd` scales the numbers: 1 is a day of a small portal. What does not scale is what a rule must let pass: more documents for a
lawyer than are told of, six people of one mother.
"""

import heapq
import random
from collections.abc import Iterator
from typing import Final

from strongroom.clock import DAY, HOUR, MINUTE, SECOND
from strongroom.rehearse.portal import EACH, LAWYERS
from strongroom.rehearse.visits import BROWSERS, Visit, browser_of

Hours = Iterator[Visit]
TOWN: Final = 310
"""Patients of the portal; with the mules of P4, more."""
COME: Final = 0.6
"""Of those with a login, who came in the weeks before."""
NEW: Final = "new"
"""The script of those who are new where they are."""
FIRST: Final = 51
"""The first honest patient: those before are for thieves and the practices' programs."""


def everybody(patients: int, rng: random.Random, crowd: float) -> Hours:
    """All of them, in order of time. `patients` at least 310."""
    people = list(range(FIRST, patients - 10))
    scripts = (
        _program("B1", 1, 9 * HOUR, int(400 * crowd), "127.9.1.1"),
        _program("B2", 2, 13 * HOUR, int(160 * crowd), "127.9.2.1"),
        _lawyer(patients, max(160, int(300 * crowd))),
        _clinic(rng, max(8, int(40 * crowd))),
        _crowd("B5", rng, rng.sample(people, int(80 * crowd)), 19 * HOUR, "127.9.5.1", mailed=0.1),
        _mother(patients - 10),
        _waiting(rng, rng.sample(people, 3), max(8, int(25 * crowd))),
        _crowd("B8", rng, rng.sample(people, int(80 * crowd)), 17 * HOUR, "", mailed=0.3),
        _crowd("B9", rng, rng.sample(people, int(240 * crowd)), 7 * HOUR, "", mailed=0.0),
    )
    return heapq.merge(*scripts, key=lambda visit: visit.at)


def _known(crowd: float) -> range:
    """Who of the town came before."""
    return range(FIRST, FIRST + int((TOWN - 10 - FIRST) * crowd))


def usual(patients: int, rng: random.Random, days: int, crowd: float) -> Hours:
    """Weeks before: people of the town, and three in five of the mules', read a letter of theirs three times, from home."""
    visits = []
    for patient in (*_known(crowd), *(one for one in range(TOWN - 10, patients + 1) if rng.random() < COME)):
        source, document = f"127.8.{patient // 250}.{patient % 250 + 1}", 10 * patient + rng.randrange(EACH)
        times = sorted(day * DAY + rng.randrange(7 * HOUR, 22 * HOUR) for day in rng.sample(range(days), 3))
        visits.append(Visit(times[0] - MINUTE, str(patient), source, "/inbox", script="usual"))
        for at in times:
            path = f"/letters/{document}"
            visits.append(Visit(at, str(patient), source, path, document=str(document), script="usual"))
    yield from sorted(visits, key=lambda visit: visit.at)


def newcomers(rng: random.Random, hours: int, crowd: float) -> Hours:
    """People of the town on a new device, from an address that is new: each lists what they have, and reads one of it."""
    visits = []
    for place, patient in enumerate(rng.sample(_known(crowd), int(40 * crowd))):
        at, source = rng.randrange(hours * HOUR), f"127.10.{place}.1"
        kind = str((browser_of(str(patient)) + rng.randrange(1, len(BROWSERS))) % len(BROWSERS))
        path = f"/letters/{10 * patient}"
        visits += [
            Visit(at, str(patient), source, "/inbox", session=1, script=NEW, kind=kind),
            Visit(at + MINUTE, str(patient), source, path, 1, str(10 * patient), script=NEW, kind=kind),
        ]
    yield from sorted(visits, key=lambda visit: visit.at)


def _program(script: str, practice: int, at: int, count: int, source: str) -> Hours:
    """B1, B2: a practice's program lists what its patients have and reads it, four documents a second."""
    user = f"practice-{practice}"
    yield Visit(at, user, source, "/letters", script=script)
    patients = range(50 * practice + 1, 50 * practice + 51)
    numbers = [10 * patient + one for patient in patients for one in range(EACH)]
    for place in range(count):
        document = numbers[place % len(numbers)]
        # again from the first one on: as scans, which are other documents
        kind = f"/letters/{document}" if place < len(numbers) else f"/scans/{document}.png"
        if place == len(numbers):
            yield Visit(at + place * 250, user, source, "/scans", script=script)
        yield Visit(at + place * 250, user, source, kind, document=str(document), script=script)


def _lawyer(patient: int, count: int) -> Hours:
    """B3: up to three hundred documents of one's own in twenty minutes."""
    at, user = 10 * HOUR, str(patient)
    yield Visit(at, user, "127.9.3.1", "/letters", script="B3")
    for place, document in enumerate(LAWYERS[:count]):
        yield Visit(
            at + place * 4 * SECOND, user, "127.9.3.1", f"/letters/{document}", document=str(document), script="B3"
        )


def _clinic(rng: random.Random, staff: int) -> Hours:
    """B4: a clinic's staff behind one address, each with patients all day."""
    visits = []
    for one in range(staff):
        user = f"staff-{120 + one}"  # of the third practice
        visits.append(Visit(8 * HOUR + rng.randrange(30 * MINUTE), user, "127.9.4.1", "/letters", script="B4"))
        for _ in range(5):
            document = 10 * rng.randint(151, 200) + rng.randrange(EACH)
            at = 9 * HOUR + rng.randrange(8 * HOUR)
            visits.append(Visit(at, user, "127.9.4.1", f"/letters/{document}", document=str(document), script="B4"))
    yield from sorted(visits, key=lambda visit: visit.at)


def _crowd(script: str, rng: random.Random, people: list[int], at: int, source: str, *, mailed: float) -> Hours:
    """B5, B8, B9: many within an hour, from one address or each from their own; some open a link in a mail before any list."""
    visits = []
    for place, patient in enumerate(people):
        begins, here = at + rng.randrange(HOUR), source or f"127.9.{8 + place // 200}.{place % 200 + 1}"
        document = 10 * patient + rng.randrange(EACH)
        opened = Visit(begins, str(patient), here, f"/letters/{document}", document=str(document), script=script)
        listed = Visit(begins + 20 * SECOND, str(patient), here, "/inbox", script=script)
        read = Visit(begins + MINUTE, str(patient), here, opened.path, document=str(document), script=script)
        visits += [*([opened] if rng.random() < mailed else []), listed, read]
    yield from sorted(visits, key=lambda visit: visit.at)


def _mother(patient: int) -> Hours:
    """B6: a mother reads what her five children and she have, by addresses that name the patient."""
    at, user = 20 * HOUR, f"family-{patient}"
    yield Visit(at, user, "127.9.6.1", "/letters", script="B6")
    for child in range(patient, patient + 6):
        for one in range(EACH):
            at += 15 * SECOND
            path = f"/file?patient={child}&document={10 * child + one}"
            yield Visit(at, user, "127.9.6.1", path, document=str(10 * child + one), script="B6")


def _waiting(rng: random.Random, people: list[int], times: int) -> Hours:
    """B7: people reload their list, and a letter that was taken back, until it is there."""
    visits = []
    for patient in people:
        for _ in range(times):
            at = 15 * HOUR + rng.randrange(50 * MINUTE)
            visits.append(Visit(at, str(patient), "127.9.7.1", "/letters", script="B7"))
            gone = f"/letters/{10 * patient + 9}"
            visits.append(Visit(at + SECOND, str(patient), "127.9.7.1", gone, script="B7", expect=404))
    yield from sorted(visits, key=lambda visit: visit.at)
