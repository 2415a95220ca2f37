"""Who there is in a store of the scale benches, and what is whose: numbers in, ids out. Pure; the seed decides.

People, logins and documents are numbered; everything else about them is arithmetic upon the number, so that a bench finds
a patient's documents without asking the database that it measures. Ids look like the store's own, and their order is that
of the numbers: what is written in the order of numbers is sorted.
"""

import random
from dataclasses import dataclass, field
from math import gcd
from typing import Literal

from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId

LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
"""Of an id, in the order in which SQLite sorts them."""
PAIRS = tuple(first + second for first in LETTERS for second in LETTERS)
TAILS = 1_021
"""Different ends of ids. A prime, so that neighbours in any step have different ones."""
TAIL = 20
FAVOURED = 8
"""One patient in so many has the documents that are not dealt out to everybody alike: 105 instead of 17."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many there are of each. `stolen` releases of `victims` people are one login's, inside `entries` of the log."""

    patients: int
    clinicians: int
    documents: int
    entries: int
    stolen: int
    victims: int
    bytes: int
    """Room that the store takes on the disk, while it is made."""


Size = Literal["least", "small", "full"]
SIZES: dict[Size, Sizes] = {
    "least": Sizes(1_000, 20, 20_000, 5_000, 428, 99, 100_000_000),
    "small": Sizes(36_000, 240, 1_000_000, 200_000, 8_567, 1_988, 1_500_000_000),
    "full": Sizes(1_800_000, 12_000, 50_000_000, 10_000_000, 428_337, 99_416, 40_000_000_000),
}
"""least: what the others are held against. full: New Zealand's portal of 2025, and the theft of that year as it was counted
(docs/budgets.md).
"""


@dataclass(frozen=True, slots=True)
class Numbered:
    """Ids of one kind of thing, by number."""

    count: int
    tails: tuple[str, ...] = field(repr=False)
    run: int = field(init=False)
    """How many numbers in a row share the first four characters of their ids."""
    step: int = field(init=False)
    """Between the third pairs of two neighbours."""

    def __post_init__(self) -> None:
        """Both once: there are hundreds of millions of ids."""
        object.__setattr__(self, "run", -(-self.count // len(PAIRS) ** 2))
        object.__setattr__(self, "step", len(PAIRS) // self.run)

    def id(self, number: int) -> str:
        """The id of one. Greater for a greater number."""
        outer, third = divmod(number, self.run)
        first, second = divmod(outer, len(PAIRS))
        return PAIRS[first] + PAIRS[second] + PAIRS[third * self.step] + self.tails[number % TAILS]


class World:
    """Everybody, and everything they have."""

    def __init__(self, sizes: Sizes, seed: int) -> None:
        """The same for the same seed."""
        self.sizes, self.seed = sizes, seed
        rng = random.Random(seed)
        self._patients, self._logins, self._clinicians, self._documents = (
            Numbered(count, tuple("".join(rng.choices(LETTERS, k=TAIL)) for _ in range(TAILS)))
            for count in (sizes.patients, sizes.patients, sizes.clinicians, sizes.documents)
        )
        self.practices = max(1, sizes.clinicians // 20)
        self.evenly = sizes.documents * 3 // 5
        self.favoured = max(1, sizes.patients // FAVOURED)
        # By the golden section, so that any number of victims lies spread over everybody.
        middle = round(sizes.patients * 0.618)
        self._stride = next(n for n in range(middle, 2 * sizes.patients) if gcd(n, sizes.patients) == 1)

    @property
    def documents(self) -> Numbered:
        """For those who write all of them."""
        return self._documents

    def patient(self, number: int) -> PatientId:
        """The id of a patient."""
        return PatientId(self._patients.id(number))

    def login(self, number: int) -> AccountId:
        """The account of a patient."""
        return AccountId(self._logins.id(number))

    def clinician(self, number: int) -> AccountId:
        """The account of a clinician. The first letter tells it from a patient's: `z` begins no id of a smaller kind."""
        return AccountId("z" + self._clinicians.id(number)[1:])

    def practice(self, number: int) -> OrganisationId:
        """Of a patient or of a clinician: numbers that leave the same rest are with the same one."""
        return OrganisationId(f"practice-{number % self.practices}")

    def document(self, number: int) -> DocumentId:
        """The id of a document."""
        return DocumentId(self._documents.id(number))

    def owner(self, document: int) -> int:
        """The number of the patient whose document it is."""
        return document % self.sizes.patients if document < self.evenly else (document - self.evenly) % self.favoured

    def documents_of(self, patient: int) -> list[int]:
        """The numbers of a patient's documents."""
        mine = list(range(patient, self.evenly, self.sizes.patients))
        if patient < self.favoured:
            mine += range(self.evenly + patient, self.sizes.documents, self.favoured)
        return mine

    def parent(self, patient: int) -> int | None:
        """The number of the patient whose login acts for this one, for one child in twenty."""
        return patient - 1 if patient % 20 == 7 else None

    @property
    def thief(self) -> int:
        """The number of the patient whose login the theft was done with."""
        return self.sizes.patients - 1

    def victim(self, number: int) -> int:
        """The number of the patient who is the so-many-th of the theft."""
        return number * self._stride % self.sizes.patients

    def loot(self, number: int) -> list[int]:
        """The numbers of the documents that were taken of that victim."""
        each, more = divmod(self.sizes.stolen, self.sizes.victims)
        return self.documents_of(self.victim(number))[: each + (number < more)]
