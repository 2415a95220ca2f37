"""Documents that have numbers, and whoever walks along them. Pure.

Where numbers begin anew with each patient (`settings.Route.within`) a document is `patient/number`: then neighbours are
near in both, so that it is a walk whether somebody takes one patient's numbers, one number of many patients, or both by turns.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

NEAR: Final = 3
"""Numbers that lie so close are neighbours: walks leave out some."""
LATELY: Final = 8
"""Numbers of one person that are remembered: whoever walks two ways by turns walks."""
MAX_NUMBER: Final = 18
"""Digits of a number that has neighbours."""
_SPAN: Final = 10**MAX_NUMBER
"""Beyond the greatest of them."""


def decimal(document: str) -> int:
    """The number that it is, or -1. Of two numbers one for both: of the first, counted from 1, so many spans and the second.

    What is no number in the first place has no neighbours there, and is a number beyond all that are.
    """
    within, mark, last = document.rpartition("/")
    number = _decimal(last)
    if not mark or number < 0:
        return number
    whose = _decimal(within)
    if whose < 0:
        whose = _SPAN + int.from_bytes(hashlib.blake2b(within.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    return (whose + 1) * _SPAN + number


def near(document: str, walk: Iterable[int]) -> bool:
    """Whether it has a neighbour among these."""
    number = decimal(document)
    if number < _SPAN:
        return number >= 0 and any(0 < abs(number - other) <= NEAR for other in walk)
    return any(number != other and _beside(divmod(number, _SPAN), divmod(other, _SPAN)) for other in walk)


def onward(walk: tuple[int, ...], document: str) -> tuple[int, ...]:
    """The walk with this one behind it; as it was, where that is no number."""
    number = decimal(document)
    return (*walk[1 - LATELY :], number) if number >= 0 else walk


def _beside(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return other[0] > 0 and all(abs(mine - its) <= NEAR for mine, its in zip(one, other, strict=True))


def _decimal(text: str) -> int:
    return int(text) if len(text) <= MAX_NUMBER and text.isascii() and text.isdecimal() else -1
