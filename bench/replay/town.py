"""Who there is in a replay, and what is whose: numbers in, names and ids out. Pure; the seed decides.

Addresses are of networks that nobody has (240.0.0.0/4, and 198.18.0.0/15 for attackers).

Documents have ids that count up, as a portal's own table gives them: old ones lie scattered over everybody, two of a person now
and then side by side; 28 of a hundred ids are of nothing. Figures are those of a portal where they are known: 1 + negative
binomial (mean 3.3, shape 0.8) documents a person, 252 kB the mean document.
"""

import random
from array import array
from bisect import bisect_right
from typing import Final

PORTAL: Final = 1_800_000
"""People of the portal at full size."""
PRACTICE: Final = 4_000
"""People of a practice."""
CLINICIANS, DESKS = 4, 1
"""Of a practice, all behind one address (look-alike B4)."""
RICH: Final = 20_000
"""One person in so many has some hundred documents (look-alike B3)."""
FAMILY: Final = 17
"""One person in so many acts for some others (look-alike B6)."""
FIRST: Final = 1_000_000
"""The first id of a document."""
THERE: Final = 0.72
"""Part of all ids that are of a document: a walk misses the others."""
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_HEALTH: Final = 24 * 24 * 10_000
_LOGINS: Final = 9_000_000


class Town:
    """Everybody, and everything they have."""

    def __init__(self, people: int, seed: int) -> None:
        """The same for the same seed."""
        rng = random.Random(seed)
        self.people = people
        self.practices = max(3, people // PRACTICE)
        self.staff = self.practices * (CLINICIANS + DESKS)
        self._offsets = array("I", [0])
        self._count(rng)
        self.documents = self._offsets[-1]
        pairs = int(self.documents / THERE / 2) + 1
        self._place = array("I", range(pairs))
        rng.shuffle(self._place)
        self._at = array("I", bytes(4 * pairs))
        for ordinal, place in enumerate(self._place):
            self._at[place] = ordinal
        self.end = FIRST + 2 * pairs
        """The first id that was not given yet when the replay begins."""
        self.fresh: list[int] = []
        """Owners of the documents that were put in since, by id from `end` on."""

    def _count(self, rng: random.Random) -> None:
        weights, mean, shape = [], 3.3, 0.8
        chance = (shape / (shape + mean)) ** shape
        for k in range(60):
            weights.append(chance)
            chance *= (k + shape) / (k + 1) * mean / (shape + mean)
        for person, more in enumerate(rng.choices(range(60), weights, k=self.people)):
            count = rng.randrange(150, 400) if person % RICH == RICH // 2 else 1 + more
            self._offsets.append(self._offsets[-1] + count)

    def ids(self, person: int) -> list[int]:
        """The ids of a person's documents, as they are listed."""
        old = [self._id(ordinal) for ordinal in range(self._offsets[person], self._offsets[person + 1])]
        return sorted(old)

    def _id(self, ordinal: int) -> int:
        return FIRST + 2 * self._place[ordinal >> 1] + (ordinal & 1)

    def owner(self, document: int) -> int | None:
        """Whose document it is; None for an id of nothing."""
        if document >= self.end:
            at = document - self.end
            return self.fresh[at] if at < len(self.fresh) else None
        half, low = divmod(document - FIRST, 2)
        ordinal = 2 * self._at[half] + low
        return bisect_right(self._offsets, ordinal) - 1 if ordinal < self.documents else None

    def put(self, owner: int) -> int:
        """One more document is put in; its id."""
        self.fresh.append(owner)
        return self.end + len(self.fresh) - 1

    def practice(self, person: int) -> int:
        """The number of a person's practice."""
        return person % self.practices

    def panel(self, practice: int) -> range:
        """The people of a practice."""
        return range(practice, self.people, self.practices)

    def family(self, person: int) -> range:
        """The others for whom a person acts."""
        if person % FAMILY:
            return range(0)
        return range(person + 1, min(person + 2 + person // FAMILY % 5, self.people))


def health(person: int) -> str:
    """A person's health number. It begins with Z, which New Zealand keeps for tests."""
    letters, digits = divmod(person * 2_716_057 % _HEALTH, 10_000)
    return f"Z{_LETTERS[letters // 24]}{_LETTERS[letters % 24]}{digits:04d}"


def login(person: int) -> str:
    """A person's account."""
    return f"u{1_000_000 + person * 4_321_867 % _LOGINS}"


def staff(number: int) -> str:
    """The account of somebody of a practice: it looks like everybody's."""
    return login(5_000_000 + number)


def program(practice: int) -> str:
    """The account of a practice's own program."""
    return f"sync-practice-{practice + 1}"


def clinic(practice: int) -> str:
    """The address behind which a practice works."""
    return f"250.{practice >> 8}.{practice & 255}.1"


def home(person: int, carriers: int) -> str:
    """The address a person comes from: their own, or that of one of some carriers (look-alike B5)."""
    mixed = person * 2_654_435_761 % 2**32
    if mixed % 10 < 3:  # three of ten come from a mobile network
        return f"252.0.{mixed // 10 % carriers >> 8}.{mixed // 10 % carriers & 255}"
    return f"{240 + (mixed >> 28 & 7)}.{mixed >> 20 & 255}.{mixed >> 12 & 255}.{mixed >> 4 & 255}"
