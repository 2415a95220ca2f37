"""Where a person was met before: on which devices, at which addresses, since when. Pure; kept as a line of text.

Somewhere where they were met for a day is theirs for long: whoever stole a login yesterday has nothing like it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

LONG: Final = 24
"""Hours."""
ADDRESS: Final = "n"
"""With it marks of addresses begin."""
MOST: Final = 24
"""Devices and addresses of one person that are kept, those they were met at last."""
OLD: Final = 8
"""Of these as many are theirs for long, if there are so many: new ones do not wash them out."""


@dataclass(frozen=True, slots=True)
class Met:
    """`places`: mark of a device or an address, since which hour, in which hour last."""

    places: tuple[tuple[str, int, int], ...] = ()

    def knows(self, hour: int) -> bool:
        """Whether this is somebody who was met for long, wherever."""
        return any(since <= hour - LONG for _, since, _ in self.places)

    def since(self) -> int:
        """The hour from which on they are known; a late one, where they are not."""
        return min((since for _, since, _ in self.places), default=2**31)

    def long(self, marks: Collection[str], hour: int) -> bool:
        """Whether one of these is theirs for long."""
        return any(mark in marks and since <= hour - LONG for mark, since, _ in self.places)

    def last(self, marks: Collection[str]) -> int:
        """The hour in which they were met last with all of these; 0: never."""
        found = [last for mark, _, last in self.places if mark in marks]
        return min(found) if len(found) == len(marks) else 0

    def latest(self) -> int:
        """The hour in which they were met last, wherever; 0: never."""
        return max((last for _, _, last in self.places), default=0)

    def addresses(self, hour: int) -> int:
        """At how many addresses they were met in the last day; as far as they are kept."""
        return sum(mark.startswith(ADDRESS) and last > hour - LONG for mark, _, last in self.places)

    def now(self, marks: Collection[str], hour: int, since: int) -> "Met":
        """As it is after they were met with these; `since` is for those that are new."""
        there = {mark: first for mark, first, _ in self.places if mark in marks}
        new = [(mark, min(since, there.get(mark, since)), hour) for mark in marks]
        old = [place for place in self.places if place[0] not in marks]
        old.sort(key=lambda place: place[2], reverse=True)
        first = [place for place in old if place[1] <= hour - LONG][:OLD]
        rest = [place for place in old if place not in first]
        return Met((*new, *first, *rest)[:MOST])


NOWHERE: Final = Met()


def read(line: str) -> Met:
    """What `write` wrote."""
    words = [word.split(".") for word in line.split()]
    return Met(tuple((mark, int(since), int(last)) for mark, since, last in words))


def write(met: Met) -> str:
    """As a line."""
    return " ".join(f"{mark}.{since}.{last}" for mark, since, last in met.places)
