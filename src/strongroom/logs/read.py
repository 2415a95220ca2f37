"""A source, read in a format: batches of rows, and a count of everything that could not be read, by reason and with places."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from strongroom.logs.batch import table
from strongroom.logs.datagrams import datagrams
from strongroom.logs.files import CutOff
from strongroom.logs.formats import Format, Many, Parse
from strongroom.logs.record import CUT_OFF, TOO_LONG, Row, Unreadable
from strongroom.logs.seal import Seal
from strongroom.logs.strongroom_log import entries
from strongroom.logs.units import MAX_LINE, Unit, elements, lines, pieces, records

BATCH: Final = 20_000
"""Rows that are handed on at once."""
BUNCH: Final = 32 * 1024 * 1024
"""Bytes of units that are read at once."""
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
    """The same rows in the same order as columns, named RECORD + `format_.fields`: many at once where the format can."""
    if format_.many:
        return _by_units(blocks, format_, format_.many, number, account)
    if format_.columns or format_.below:
        return _by_pieces(blocks, format_, number, account)
    return (table((*RECORD, *format_.fields), batch) for batch in rows(blocks, format_, number, account))


def _by_units(
    blocks: Iterable[bytes], format_: Format, many: Many, number: int, account: Account
) -> Iterator[pa.Table]:
    for bunch in _bunches(_CUT[format_.unit](_counted(blocks, account))):
        given = [unit for unit in bunch if unit[2] is not None]
        taken = many([raw for _, _, raw in given if raw is not None])
        usual = given if len(taken.places) == len(given) else [given[place] for place in taken.places]
        rest = _but(bunch, usual) if len(usual) < len(bunch) else []
        others = _others(rest, format_.parse, number, account)
        yield from _whole((*RECORD, *format_.fields), (*_places(usual), *taken.values), others, number, account)


def _by_pieces(blocks: Iterable[bytes], format_: Format, number: int, account: Account) -> Iterator[pa.Table]:
    fields = (*RECORD, *format_.fields)
    columns, parse = format_.columns, format_.parse
    for offset, piece in pieces(_counted(blocks, account)):
        if piece is None:
            account.count(TOO_LONG, offset)
            continue
        if columns is None:
            first = next((line for _, _, line in lines([piece]) if line), None)
            if first is None or format_.below is None:  # nothing but blank lines and such that are too long
                blank = ((at, length) for at, length, _ in lines([piece]))
                _others(_lines(piece, offset, blank), parse, number, account)
                continue
            columns, parse = format_.below(first), (format_.heading and format_.heading(first)) or parse
        found = columns(piece)
        starts = pc.add(found.starts, pa.scalar(offset, pa.int64()))
        others = _others(_lines(piece, offset, found.rest), parse, number, account)
        yield from _whole(fields, (starts, found.lengths, *found.values), others, number, account)


def _bunches(units: Iterable[Unit]) -> Iterator[list[Unit]]:
    """Units by as many as are read at once, bounded in their bytes."""
    bunch: list[Unit] = []
    size = 0
    for unit in units:
        bunch.append(unit)
        size += unit[1]
        if len(bunch) >= BATCH or size >= BUNCH:
            yield bunch
            bunch, size = [], 0
    if bunch:
        yield bunch


def _places(units: list[Unit]) -> tuple[pa.Array, pa.Array]:
    """Where they begin, and their lengths."""
    return pa.array([unit[0] for unit in units], pa.int64()), pa.array([unit[1] for unit in units], pa.int32())


def _but(bunch: list[Unit], these: list[Unit]) -> Iterator[tuple[int, bytes | None]]:
    """Where those of a bunch begin that are none of these, and their bytes."""
    known = {offset for offset, _, _ in these}
    return ((offset, raw) for offset, _, raw in bunch if offset not in known)


def _whole(
    fields: tuple[str, ...], usual: tuple[pa.Array, ...], others: list[Row], number: int, account: Account
) -> Iterator[pa.Table]:
    """What was read as columns and what was not, counted; no table where there is nothing."""
    sources = pa.repeat(pa.scalar(number, pa.int32()), len(usual[0]))
    found = pa.table([sources, *usual], names=list(fields))
    whole = _between(found, table(fields, others)) if others else found
    account.events += whole.num_rows
    if whole.num_rows:
        yield whole


def _lines(piece: bytes, offset: int, places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, bytes | None]]:
    """These lines of a piece that begins at `offset`; None in place of one that is too long."""
    for start, length in places:
        yield offset + start, piece[start : start + length].removesuffix(b"\r") if length <= MAX_LINE else None


def _others(units: Iterable[tuple[int, bytes | None]], parse: Parse, number: int, account: Account) -> list[Row]:
    """The rows of units, each read by itself."""
    found: list[Row] = []
    for offset, unit in units:
        if unit is None:
            account.count(TOO_LONG, offset)
            continue
        read = parse(unit) if unit else []
        for row in read if isinstance(read, list) else (read,):
            if isinstance(row, Unreadable):
                account.count(row, offset)
            else:
                found.append((number, offset, len(unit), *row))
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
