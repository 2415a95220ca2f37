"""A finding's bytes, opened again: where they stand, what they are, and whether they still are what was read."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from strongroom.detect.finding import Evidence
from strongroom.detect.hunt import File
from strongroom.errors import StrongroomError
from strongroom.logs.files import Source, reopen


@dataclass(frozen=True, slots=True)
class Opened:
    """The bytes at a place. `same` tells whether they are those that the hunt read."""

    file: str
    offset: int
    length: int
    sha256: str
    same: bool
    unit: bytes


def opened(evidence: Sequence[Evidence], files: Sequence[File]) -> list[Opened]:
    """Open events' bytes again, each file once. A file that is gone or changed is said to be, and is no error."""
    units: dict[int, tuple[bytes, bool]] = {}
    for number in {one.source for one in evidence}:
        places = [at for at, one in enumerate(evidence) if one.source == number]
        file = files[number]
        try:
            wanted = [(evidence[at].offset, evidence[at].length) for at in places]
            found = reopen(file.source, wanted, file.account.seal)
        except StrongroomError:
            found = [(b"", False)] * len(places)
        units |= dict(zip(places, found, strict=True))
    return [_opened(one, *units[at], files[one.source].source) for at, one in enumerate(evidence)]


def _opened(one: Evidence, unit: bytes, same: bool, source: Source) -> Opened:  # noqa: FBT001  # what `reopen` gives
    return Opened(source.name, one.offset, one.length, hashlib.sha256(unit).hexdigest(), same, unit)
