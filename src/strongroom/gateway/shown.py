"""Which documents the portal has shown to whom: eight bytes an id, so many a person, so many in all.

An id is kept as a keyed hash of 64 bits. Two ids of one person may share one, with a chance of one in a hundred thousand million
million for each pair; then a document counts as shown that was not. Nobody can look for such a pair without the key.
"""

import hashlib
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

FRESH: Final = 256
"""Ids that are not yet sorted in; a set costs eight times as much."""


class _Known:
    __slots__ = ("fresh", "sorted")

    def __init__(self) -> None:
        self.sorted: array[int] = array("Q")
        self.fresh: set[int] = set()

    def __len__(self) -> int:
        return len(self.sorted) + len(self.fresh)

    def __contains__(self, number: int) -> bool:
        if number in self.fresh:
            return True
        place = bisect_left(self.sorted, number)
        return place < len(self.sorted) and self.sorted[place] == number

    def add(self, numbers: Iterable[int]) -> None:
        self.fresh.update(number for number in numbers if number not in self)
        if len(self.fresh) > FRESH:
            self.sorted = array("Q", sorted([*self.sorted, *self.fresh]))
            self.fresh = set()


class ShownTo:
    """At most `each` ids for a person and `most` in all; who was shown nothing for the longest time is forgotten first."""

    def __init__(self, key: bytes, *, each: int = 20_000, most: int = 20_000_000) -> None:
        """`key`: 32 random bytes."""
        self._key, self._each, self._most = key, each, most
        self._people: OrderedDict[str, _Known] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, person: str, ids: Iterable[tuple[str, str]]) -> None:
        """These (family and id) were shown to `person`. Whoever was shown too many begins anew with the latest."""
        known = self._people.setdefault(person, _Known())
        self._people.move_to_end(person)
        before, numbers = len(known), [self._number(*one) for one in ids][: self._each]
        if before + len(numbers) > self._each:
            known = self._people[person] = _Known()
        known.add(numbers)
        self._size += len(known) - before
        while self._size > self._most:
            self._size -= len(self._people.popitem(last=False)[1])

    def knows(self, person: str, family: str, document: str) -> bool:
        """Whether it was shown to them."""
        known = self._people.get(person)
        return known is not None and self._number(family, document) in known

    def _number(self, family: str, document: str) -> int:
        return int.from_bytes(hashlib.blake2b(f"{family}\0{document}".encode(), digest_size=8, key=self._key).digest())
