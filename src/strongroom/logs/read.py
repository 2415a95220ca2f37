"""A source, read in a format: batches of rows, and a count of everything that could not be read, by reason and with places."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from strongroom.logs.files import CutOff
from strongroom.logs.formats import Format
from strongroom.logs.record import CUT_OFF, TOO_LONG, Row, Unreadable
from strongroom.logs.units import elements, lines, records

BATCH: Final = 20_000
"""Rows that are handed on at once."""
SHOWN: Final = 5
"""Places of unreadable units that are kept for each reason; all are counted."""

_CUT: Final = {"lines": lines, "document": elements, "json": records}
RECORD: Final = ("record.source", "record.offset", "record.length", "record.digest")


@dataclass(slots=True)
class Account:
    """What became of a source's units: every one is an event or is counted here."""

    events: int = 0
    bytes: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)
    places: dict[str, list[int]] = field(default_factory=dict)

    def count(self, why: Unreadable, offset: int) -> None:
        """One more that could not be read."""
        self.unreadable[why.reason] = self.unreadable.get(why.reason, 0) + 1
        places = self.places.setdefault(why.reason, [])
        if len(places) < SHOWN:
            places.append(offset)


def rows(blocks: Iterable[bytes], format_: Format, number: int, account: Account) -> Iterator[list[Row]]:
    """Batches of rows in the order RECORD + `format_.fields`. `account` is complete when the last batch was taken."""
    batch: list[Row] = []
    parse = format_.parse
    heading = format_.heading
    for offset, length, unit in _CUT[format_.unit](_counted(blocks, account)):
        if unit is None:
            account.count(TOO_LONG, offset)
            continue
        if heading is not None:
            headed, heading = heading(unit), None
            if headed is not None:
                parse = headed
                continue
        row = parse(unit)
        if isinstance(row, Unreadable):
            account.count(row, offset)
            continue
        if isinstance(row, list):
            batch += [(number, offset, length, digest(unit), *one) for one in row]
        else:
            batch.append((number, offset, length, digest(unit), *row))
        if len(batch) >= BATCH:
            account.events += len(batch)
            yield batch
            batch = []
    account.events += len(batch)
    if batch:
        yield batch


def _counted(blocks: Iterable[bytes], account: Account) -> Iterator[bytes]:
    """The blocks; a stream that breaks off ends here, is counted, and what came before it counts."""
    try:
        for block in blocks:
            account.bytes += len(block)
            yield block
    except CutOff:
        account.count(CUT_OFF, account.bytes)


def digest(unit: bytes) -> int:
    """By which a unit that is opened again is known to be the one that was read."""
    return int.from_bytes(hashlib.blake2b(unit, digest_size=8).digest())
