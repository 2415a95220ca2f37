"""A finding's bytes, opened again: where they stand, what they are, and whether they still are what was read."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from strongroom.detect.finding import Evidence
from strongroom.errors import StrongroomError
from strongroom.logs.files import CutOff, Source, reopen
from strongroom.logs.read import digest


@dataclass(frozen=True, slots=True)
class Opened:
    """The bytes at a place. `same` tells whether they are those that the hunt read."""

    file: str
    offset: int
    length: int
    sha256: str
    same: bool
    unit: bytes


def opened(evidence: Sequence[Evidence], sources: Sequence[Source]) -> list[Opened]:
    """Open events' bytes again, each file once. A file that is gone or changed is said to be, and is no error."""
    units: dict[int, bytes] = {}
    for number in {one.source for one in evidence}:
        places = [at for at, one in enumerate(evidence) if one.source == number]
        try:
            found = reopen(sources[number], [(evidence[at].offset, evidence[at].length) for at in places])
        except (CutOff, StrongroomError):
            found = [b""] * len(places)
        units |= dict(zip(places, found, strict=True))
    return [_opened(one, units[at], sources[one.source]) for at, one in enumerate(evidence)]


def _opened(one: Evidence, unit: bytes, source: Source) -> Opened:
    same = len(unit) == one.length and digest(unit) == one.digest
    return Opened(source.name, one.offset, one.length, hashlib.sha256(unit).hexdigest(), same, unit)
