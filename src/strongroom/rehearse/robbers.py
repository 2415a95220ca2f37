"""Playbooks against a portal that asks nobody whose document it is: P1, P2, P3, P4 and P9 of docs/rehearse.md, on paper.

Times are simulated; a walk of days is made of some hundreds or thousands of requests, spread over those days. That helps the thief:
what is counted by the day is given again every day.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Final

from strongroom.clock import DAY, HOUR, MINUTE, SECOND
from strongroom.rehearse.attack import address
from strongroom.rehearse.callers import TOWN
from strongroom.rehearse.portal import EACH, PAGE, Records, opaque
from strongroom.rehearse.visits import BROWSERS, Visit

THIEF: Final = 7
"""Whose login is stolen. With more logins: the patients after."""
SESSION: Final = 40
"""Requests of one session; then the thief signs in again."""
SHOWN: Final = "shown before fetched"
COUNTED: Final = "only counted"
"""Whether listings are described."""
MULES: Final = 2_000
"""Stolen logins in a night of eight hours."""
P4: Final = (
    ("one tool", "tool", 3, 500), ("one tool that says it is many browsers", "tool{}", 3, 500),
    ("as browsers do", "{}", 3, 0), ("one tool, on the first day", "tool", 0, 0),
)  # fmt: skip
"""Condition, program, weeks before, and documents it may gain; 0: all of it."""


@dataclass(frozen=True, slots=True)
class Robbery:
    """One attack. `bound`: documents that it may gain, in `hours`. `own`: whether what is the logins' own counts as lost."""

    playbook: str
    condition: str
    logins: int
    patients: int
    hours: int
    bound: int
    visits: Callable[[random.Random], Iterator[Visit]]
    listed: bool = True
    own: bool = False
    weeks: int = 0
    """For so long the gateway was there before, and people came as usual."""


def robberies(playbook: str, *, quick: bool) -> Iterator[Robbery]:
    """The conditions of one playbook. `quick`: fewer logins, fewer requests, the same days."""
    most = 300 if quick else 3_000
    yield from {"P1": _p1, "P2": _p2, "P3": _p3, "P4": _p4, "P9": _p9}[playbook](most, quick)


def _p1(most: int, quick: bool) -> Iterator[Robbery]:  # noqa: FBT001  # one of a row of alike
    for condition, bound in ((SHOWN, 10), (COUNTED, 25)):
        for logins in (1,) if quick else (1, 5, 20):
            walk = partial(_walk, logins=logins, lasts=48 * HOUR, most=most)
            yield Robbery("P1", condition, logins, TOWN, 48, bound * logins, walk, listed=condition == SHOWN)
    if not quick:
        burst = partial(_walk, logins=1, lasts=most * 100, most=most)
        yield Robbery("P1", f"{SHOWN}, ten a second", 1, TOWN, 1, 5, burst)


def _p2(most: int, _quick: bool) -> Iterator[Robbery]:  # noqa: FBT001  # as above
    yield Robbery("P2", "opaque ids, all lists first", 1, TOWN, 24, 0, lambda _: _harvest())
    yield Robbery("P2", "opaque ids, page by page", 1, TOWN, 24, 150 * EACH, lambda _: _by_page())
    yield Robbery(
        "P2", "addresses that name the patient", 1, TOWN, 24, 12 * EACH, lambda _: _swap(min(most, TOWN) // 5)
    )


def _p3(_most: int, quick: bool) -> Iterator[Robbery]:  # noqa: FBT001  # as above
    for days in (30,) if quick else (30, 90):
        slow = partial(_slow, lasts=days * DAY, each=4 * HOUR if quick else 30 * MINUTE)
        yield Robbery("P3", f"{days} days", 1, TOWN, 24 * days, 15 * (days // 30), slow)


def _p4(_most: int, quick: bool) -> Iterator[Robbery]:  # noqa: FBT001  # as above
    mules = 60 if quick else MULES
    town, all_of_it = TOWN + mules, EACH * mules
    for condition, kind, weeks, bound in P4:
        if weeks or not quick:
            visits = partial(_mules, count=mules, kind=kind)
            yield Robbery("P4", condition, mules, town, 8, bound or all_of_it, visits, own=True, weeks=weeks)
        if quick and weeks:
            return


def _p9(most: int, _quick: bool) -> Iterator[Robbery]:  # noqa: FBT001  # as above
    yield Robbery("P9", "a forgotten route", 0, TOWN, 72, 0, lambda _: _forgotten(most))


def _walk(rng: random.Random, logins: int, lasts: int, most: int) -> Iterator[Visit]:
    """P1: numbers in ascending order, three in ten of no document, from two hundred addresses; each login a part of them."""
    records = Records(TOWN).numbers
    begin = 10 * (THIEF + 25 + rng.randrange(TOWN // 8))
    numbers = range(begin, 10 * TOWN)[:most]
    for place, number in enumerate(numbers):
        login, at = place * logins // len(numbers), place * lasts // len(numbers)
        path, owner = f"/letters/{number}", records.get(number, 0)
        yield Visit(at, str(THIEF + login), address(place), path, place // SESSION, str(number), owner)


def _harvest() -> Iterator[Visit]:
    """P2: a list shows everybody's notes, a hundred a page; then each is read."""
    notes = [(opaque(10 * patient + one), patient) for patient in range(1, TOWN + 1) for one in range(EACH)]
    pages = -(-len(notes) // PAGE)
    for page in range(pages):
        yield Visit(page * SECOND, str(THIEF), address(page % 50), f"/notes?page={page}")
    for place, (note, owner) in enumerate(notes):
        at = (pages + 1) * SECOND + place * 22 * HOUR // len(notes)
        yield Visit(at, str(THIEF), address(place % 50), f"/notes/{note}", 1 + place // SESSION, note, owner)


def _by_page() -> Iterator[Visit]:
    """The same by a thief who reads what a page shows before the next is opened."""
    pages = [[*group] for _, group in groupby(_harvest(), key=lambda visit: visit.path.startswith("/notes?"))]
    lists, notes = pages
    each = 23 * HOUR // len(lists)
    for page, listed in enumerate(lists):
        yield replace(listed, at=page * each)
        for place, note in enumerate(notes[page * PAGE : (page + 1) * PAGE]):
            yield replace(note, at=page * each + (1 + place) * each // (PAGE + 1))


def _swap(count: int) -> Iterator[Visit]:
    """P2 by another way: lists by a swapped parameter, and documents at addresses that name the patient."""
    for place in range(count):
        patient, at = THIEF + 1 + place, place * 20 * HOUR // count
        yield Visit(at, str(THIEF), address(patient % 50), f"/letters?patient={patient}")
        for one in range(EACH):
            number = 10 * patient + one
            path = f"/file?patient={patient}&document={number}"
            yield Visit(
                at + SECOND * (1 + one), str(THIEF), address(patient % 50), path, document=str(number), owner=patient
            )


def _slow(rng: random.Random, lasts: int, each: int) -> Iterator[Visit]:
    """P3: at random, from one address, patiently."""
    for place, at in enumerate(range(0, lasts, each)):
        patient = rng.randint(THIEF + 1, TOWN - 1)
        number = 10 * patient + rng.randrange(EACH)
        yield Visit(at, str(THIEF), "127.7.0.1", f"/letters/{number}", place // SESSION, str(number), patient)


def _mules(rng: random.Random, count: int, kind: str) -> Iterator[Visit]:
    """P4: many stolen logins in one night, each from its own address, each signs in, lists and reads what is its own.

    `kind`: the program; `{}` in it is another browser's number each time.
    """
    for place in range(count):
        patient, at = TOWN - 20 + place, place * 8 * HOUR // MULES
        source = f"127.{20 + place // 62_500}.{place // 250 % 250}.{place % 250 + 1}"
        program = kind.format(place % len(BROWSERS))
        yield Visit(at, str(patient), source, "/letters", kind=program)
        for one in sorted(rng.sample(range(EACH), rng.randint(1, EACH))):
            number = 10 * patient + one
            path = f"/letters/{number}"
            yield Visit(at + SECOND * (2 + one), str(patient), source, path, 0, str(number), patient, kind=program)


def _forgotten(most: int) -> Iterator[Visit]:
    """P9: nobody is signed in; numbers in ascending order, from thirty addresses."""
    numbers = [(10 * patient + one, patient) for patient in range(1, TOWN + 1) for one in range(EACH)][:most]
    for place, (number, owner) in enumerate(numbers):
        at = place * 72 * HOUR // len(numbers)
        yield Visit(at, "", address(place % 30), f"/export/{number}", document=str(number), owner=owner)
