"""A source, read in a format: batches of rows, and a count of everything that could not be read, by reason and with places."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from strongroom.logs.batch import table
from strongroom.logs.datagrams import datagrams
from strongroom.logs.files import CutOff
from strongroom.logs.formats import Format, Parse
from strongroom.logs.record import CUT_OFF, TOO_LONG, Row, Unreadable
from strongroom.logs.seal import Seal
from strongroom.logs.strongroom_log import entries
from strongroom.logs.units import MAX_LINE, elements, lines, pieces, records

BATCH: Final = 20_000
"""Rows that are handed on at once."""
SHOWN: Final = 5
"""Places of unreadable units that are kept for each reason; all are counted."""

_CUT: Final = {"lines": lines, "document": elements, "json": records, "datagrams": datagrams, "entries": entries}
RECORD: Final = ("record.source", "record.offset", "record.length")


@dataclass(slots=True)
class Account:
    """What became of a source's units: every one is an event or is counted here."""

    events: int = 0
    bytes: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)
    places: dict[str, list[int]] = field(default_factory=dict)
    seal: Seal = field(default_factory=Seal)

    def count(self, why: Unreadable, offset: int) -> None:
        """One more that could not be read."""
        self.unreadable[why.reason] = self.unreadable.get(why.reason, 0) + 1
        places = self.places.setdefault(why.reason, [])
        if len(places) < SHOWN:
            places.append(offset)


def rows(blocks: Iterable[bytes], format_: Format, number: int, account: Account) -> Iterator[list[Row]]:
    """Batches of rows in the order RECORD + `format_.fields`, read unit by unit: right for every format, and slow.

    `account` is complete when the last batch was taken.
    """
    batch: list[Row] = []
    parse = format_.start() if format_.start else format_.parse
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
        found = parse(unit)
        for row in found if isinstance(found, list) else (found,):
            if isinstance(row, Unreadable):
                account.count(row, offset)
            else:
                batch.append((number, offset, length, *row))
        if len(batch) >= BATCH:
            account.events += len(batch)
            yield batch
            batch = []
    account.events += len(batch)
    if batch:
        yield batch


def tables(blocks: Iterable[bytes], format_: Format, number: int, account: Account) -> Iterator[pa.Table]:
    """The same rows in the same order as columns, named RECORD + `format_.fields`: by whole pieces where the format can."""
    fields = (*RECORD, *format_.fields)
    columns, parse = format_.columns, format_.parse
    if columns is None and format_.below is None:
        for batch in rows(blocks, format_, number, account):
            yield table(fields, batch)
        return
    for offset, piece in pieces(_counted(blocks, account)):
        if piece is None:
            account.count(TOO_LONG, offset)
            continue
        if columns is None:
            first = next((line for _, _, line in lines([piece]) if line), None)
            if first is None or format_.below is None:  # nothing but blank lines and such that are too long
                _others(piece, offset, ((at, length) for at, length, _ in lines([piece])), parse, number, account)
                continue
            columns, parse = format_.below(first), (format_.heading and format_.heading(first)) or parse
        found = columns(piece)
        starts = pc.add(found.starts, pa.scalar(offset, pa.int64()))
        sources = pa.repeat(pa.scalar(number, pa.int32()), len(starts))
        usual = pa.table([sources, starts, found.lengths, *found.values], names=list(fields))
        others = _others(piece, offset, found.rest, parse, number, account)
        whole = _between(usual, table(fields, others)) if others else usual
        account.events += whole.num_rows
        if whole.num_rows:
            yield whole


def _others(
    piece: bytes, offset: int, places: Iterable[tuple[int, int]], parse: Parse, number: int, account: Account
) -> list[Row]:
    """The rows of these lines of a piece, each by itself."""
    found: list[Row] = []
    for start, length in places:
        if length > MAX_LINE:
            account.count(TOO_LONG, offset + start)
            continue
        unit = piece[start : start + length].removesuffix(b"\r")
        read = parse(unit) if unit else []
        for row in read if isinstance(read, list) else (read,):
            if isinstance(row, Unreadable):
                account.count(row, offset + start)
            else:
                found.append((number, offset + start, len(unit), *row))
    return found


def _between(usual: pa.Table, others: pa.Table) -> pa.Table:
    """Both in the order of the file."""
    both = pa.concat_tables([usual, others])
    return both.take(pc.sort_indices(both["record.offset"]))


def _counted(blocks: Iterable[bytes], account: Account) -> Iterator[bytes]:
    """The blocks; a stream that breaks off ends here, is counted, and what came before it counts."""
    try:
        for block in blocks:
            account.bytes += len(block)
            account.seal.add(block)
            yield block
    except CutOff:
        account.count(CUT_OFF, account.bytes)
