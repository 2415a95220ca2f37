"""Documents that have numbers, and whoever walks along them. Pure."""

from collections.abc import Iterable
from typing import Final

NEAR: Final = 3
"""Numbers that lie so close are neighbours: walks leave out some."""
LATELY: Final = 8
"""Numbers of one person that are remembered: whoever walks two ways by turns walks."""
MAX_NUMBER: Final = 18
"""Digits of a number that has neighbours."""


def decimal(document: str) -> int:
    """The number that it is, or -1."""
    return int(document) if len(document) <= MAX_NUMBER and document.isascii() and document.isdecimal() else -1


def near(document: str, walk: Iterable[int]) -> bool:
    """Whether it has a neighbour among these."""
    number = decimal(document)
    return number >= 0 and any(0 < abs(number - other) <= NEAR for other in walk)


def onward(walk: tuple[int, ...], document: str) -> tuple[int, ...]:
    """The walk with this one behind it; as it was, where that is no number."""
    number = decimal(document)
    return (*walk[1 - LATELY :], number) if number >= 0 else walk
