"""Whom somebody has met, ever: eight bytes each, so that millions can be remembered.

Names are known by digests of eight bytes: two of ten million names share one with a chance of some millionths.
"""

import heapq
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from hashlib import blake2b


def digest(name: str) -> int:
    """Eight bytes of it, as a number."""
    return int.from_bytes(blake2b(name.encode("utf-8", "backslashreplace"), digest_size=8).digest(), "big")


class Met:
    """A set of digests. Adding goes through all of them: add many at once."""

    __slots__ = ("_known",)

    def __init__(self, kept: bytes = b"") -> None:
        """`kept`: what `dump` gave."""
        self._known = array("Q", kept)

    def __contains__(self, one: int) -> bool:
        place = bisect_left(self._known, one)
        return place < len(self._known) and self._known[place] == one

    def __len__(self) -> int:
        return len(self._known)

    def add(self, new: Iterable[int]) -> None:
        """These, none of which is there yet."""
        self._known = array("Q", heapq.merge(self._known, sorted(new)))

    def dump(self) -> bytes:
        """As bytes, in the order of this machine."""
        return self._known.tobytes()
