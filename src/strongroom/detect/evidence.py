"""A finding's bytes, opened again: where they stand, what they are, and whether they still are what was read."""

import hashlib
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


def opened(evidence: Evidence, sources: list[Source]) -> Opened:
    """Open one event's bytes again. A file that is gone or changed is said to be, and is no error."""
    source = sources[evidence.source]
    try:
        unit = reopen(source, evidence.offset, evidence.length)
    except (CutOff, StrongroomError):
        unit = b""
    same = len(unit) == evidence.length and digest(unit) == evidence.digest
    return Opened(source.name, evidence.offset, evidence.length, hashlib.sha256(unit).hexdigest(), same, unit)
