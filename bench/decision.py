"""One decision with its facts: the keeper's statement, the rows of it, the question and the policy; token and log are others.

Asked in a store of 1.8 million patients and 50 million documents and, in turns, in one of a thousand patients: what a decision
costs must not grow with what is kept. Documents are drawn from all there are, as their owners, their clinicians and strangers
ask for them. A round asks for the same again: what a portal's users of the hour need is in memory. What the very first look
costs, when it comes from the disk, is told by itself.
"""

import random
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass

from bench import Scale
from bench.report import Figure, Goal
from bench.scale import stand
from bench.scale.catalog import doctor, subject
from bench.scale.door import Door, opened
from bench.scale.world import World
from strongroom.authz.facts import Action
from strongroom.authz.policy import Permit
from strongroom.keeper.door import Asked
from strongroom.keeper.reading import case_of

ROUNDS = 5
ASKS = 1_000
STAFF, STRANGERS = 0.25, 0.10


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks for which document, and whether they may have it."""

    asked: Asked
    document: str
    permitted: bool


def run(scale: Scale) -> Iterable[Figure]:
    """Both stores, in turns."""
    here, there = stand(scale), stand("least")
    with opened(here) as ours_open, opened(there) as theirs_open:
        large, least = Asking(here.world, ours_open), Asking(there.world, theirs_open)
        first = large.round(), least.round()
        rounds = [(large.round(), least.round()) for _ in range(ROUNDS)]
    middle, ours, theirs = ([_at(one, 50) for one in side] for side in (first, *zip(*rounds, strict=True)))
    late = [statistics.median(_at(one, 99) for one in side) for side in zip(*rounds, strict=True)]
    p50, small = statistics.median(ours), statistics.median(theirs)
    yield Figure("a decision with its facts, p50", p50, "us", small, Goal("value", "<=", 30.0))
    yield Figure("the same, large against small", p50, "us", small, Goal("ratio", "<=", 1.5))
    yield Figure("a decision with its facts, p99", late[0], "us", late[1])
    yield Figure("a first look, from the disk, p50", middle[0], "us", middle[1])


class Asking:
    """One store, and a thousand questions to it."""

    def __init__(self, world: World, door: Door) -> None:
        self._catalog, self._decide = door.parts.catalog, door.parts.decide
        rng = random.Random(11)
        self._asks = [_drawn(rng, world, door) for _ in range(ASKS)]

    def round(self) -> list[float]:
        """Microseconds of each question, sorted."""
        taken = []
        for ask in self._asks:
            start = time.perf_counter_ns()
            account, patient, row, version = self._catalog.of_version(
                ask.asked.login, ask.document, None, ask.asked.now
            )
            decision = self._decide(case_of(Action.RELEASE, ask.asked, account, patient, row, version))
            taken.append((time.perf_counter_ns() - start) / 1e3)
            assert isinstance(decision, Permit) is ask.permitted, decision
        return sorted(taken)


def _drawn(rng: random.Random, world: World, door: Door) -> Ask:
    number = rng.randrange(world.sizes.documents)
    while number % 50 < 2:  # sensitive ones, and those for clinicians only: not everybody may have them
        number = rng.randrange(world.sizes.documents)
    patient, draw = world.owner(number), rng.random()
    if draw < STAFF:
        staff = rng.randrange(world.sizes.clinicians // world.practices)
        name = doctor(patient % world.practices + world.practices * staff)
    else:
        stranger = (patient + world.sizes.patients // 2) % world.sizes.patients
        name = subject(stranger if draw > 1 - STRANGERS else patient)
    asked = door.keeper.door.identify(door.asking(door.token(name)))
    assert isinstance(asked, Asked), asked
    return Ask(asked, world.document(number), draw <= 1 - STRANGERS)


def _at(taken: list[float], percent: int) -> float:
    return taken[len(taken) * percent // 100]
