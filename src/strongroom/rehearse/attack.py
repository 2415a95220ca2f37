"""The attacker of P1, on paper: which ids in which order, how fast, when to give up, and what was got. Pure.

The attacker knows every true document id (worse than at ManageMyHealth, where ids had to be guessed) and walks them in
ascending order with invented ones of the same form between them.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from strongroom.ids import encode

MISSES = (0.15, 0.40)
MAX_REQUESTS = 2_000
DRY_SECONDS = 30.0
"""A run ends after so many requests, or so long without a new document."""
ADDRESSES = 200


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast: the name in reports, and seconds between requests of one login (0: as fast as possible)."""

    name: str
    pause: float


TEN_A_SECOND = Pace("10/s", 0.1)
AS_FAST_AS_POSSIBLE = Pace("max", 0.0)


def walk(documents: Sequence[str], rng: random.Random, *, misses: bool = True, begin: int = 0) -> Iterator[str]:
    """Every true id in ascending order from the `begin`th on and around, with 15 to 40 % invented ones among them."""
    share = rng.uniform(*MISSES) if misses else 0.0
    ordered = sorted(documents)
    for document in ordered[begin:] + ordered[:begin]:
        while rng.random() < share:
            yield encode(rng.randbytes(16))
        yield document


def address(number: int) -> str:
    """The attacker's `number`th address: all on loopback, rotating through 200."""
    turn = number % ADDRESSES
    return f"127.7.{turn // 100}.{turn % 100 + 1}"


@dataclass(slots=True)
class Haul:
    """What really reached the attacker, as the attacker sees it."""

    released: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    """Document ids whose bytes, or whose metadata, were got."""
    requests: int = 0
    first_foreign: float | None = None
    last_release: float | None = None
    """Seconds since the run began: the first request for something foreign, the last foreign document got."""
    last_new: float = 0.0
    stops: list[str] = field(default_factory=list)
    """What the store answered when it refused: status and words."""

    def got(self, document: str, at: float, *, foreign: bool, listing: bool) -> None:
        """A document's bytes or metadata came."""
        place = self.listed if listing else self.released
        if document not in place:
            self.last_new = at
        place.add(document)
        if foreign:
            self.last_release = at

    @property
    def documents(self) -> set[str]:
        """Everything got."""
        return self.released | self.listed


@dataclass(frozen=True, slots=True)
class Moment:
    """One answer, for the timeline: seconds since the run began, who asked, what came of it."""

    at: float
    honest: bool
    outcome: str
    """own, foreign, refused or absent."""
