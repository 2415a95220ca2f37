"""Whether an answer holds a document, told by its content and not by its status. Pure; what it says repeats nothing of it.

An answer is cut into lines and the like. What stands in the owner's answer, and neither in the answer for an id that does not exist
nor in that of another document, is the document itself; who is given more than half of it has been given it.
"""

import re
from dataclasses import dataclass
from typing import Final

LEAST: Final = 6
"""Bytes of a piece that says anything."""
SAME: Final = "the same bytes"
MOST: Final = "most of what stands in it"
SIZE: Final = "that it exists, and its size"
_CUTS: Final = re.compile(rb"[\r\n>,{}]+")


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer. `status` 0: none came. `length` is what its head says."""

    status: int
    kind: str = ""
    body: bytes = b""
    length: int | None = None
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Print:
    """What tells a document from everything else."""

    heard: Heard
    own: frozenset[bytes]
    absent: int
    """The status of the answer for an id that does not exist."""

    def told(self, other: Heard, *, bodiless: bool = False) -> str:
        """What of it is in another answer, in words; empty: nothing. `bodiless`: the answer is to HEAD."""
        if bodiless:
            there = other.status == self.heard.status != self.absent
            return SIZE if there and other.length == len(self.heard.body) and other.kind == self.heard.kind else ""
        if other.body == self.heard.body:
            return SAME
        found = self.own & pieces(other.body)
        return MOST if 2 * len(found) > len(self.own) else ""


def pieces(body: bytes) -> frozenset[bytes]:
    """What a body consists of."""
    return frozenset(piece for part in _CUTS.split(body) if len(piece := part.strip()) >= LEAST)


def print_of(heard: Heard, absent: Heard, others: frozenset[bytes]) -> Print | None:
    """None where nothing tells it from other answers: then nothing can be said of it. `others`: pieces of other documents."""
    own = pieces(heard.body) - pieces(absent.body) - others
    return Print(heard, own, absent.status) if own else None
