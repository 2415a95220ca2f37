"""Events as columns: Arrow tables, whichever way they were read."""

import functools
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
from pyarrow import csv

from strongroom.logs.record import COLUMNS, Row

ARROW: Final[dict[str, pa.DataType]] = {
    "BIGINT": pa.int64(), "INTEGER": pa.int32(), "UBIGINT": pa.uint64(), "VARCHAR": pa.string(),
}  # fmt: skip
"""Type of a column -> Arrow's."""


@functools.lru_cache(maxsize=4_096)
def one(value: str | int | None) -> pa.Scalar:
    """A value beside columns, a number of 64 bits. Made once: each time Arrow would look anew for libraries that are not there."""
    return pa.scalar(value, pa.int64() if isinstance(value, int) else pa.string())


def always(value: str | None, many: int) -> pa.Array:
    """The same text in all of `many` rows."""
    return pa.nulls(many, pa.string()) if value is None else pa.repeat(one(value), many)


@dataclass(frozen=True, slots=True)
class Columns:
    """What of a piece could be read as columns, and what is left to be read line by line.

    `values` has an array for each of the format's fields, in their order; `starts` and `lengths` are the bytes of each row in
    the piece; `rest` are the places (start, length) of the lines that are left, ends of lines not included. Both ascend.
    """

    values: tuple[pa.Array, ...]
    starts: pa.Array
    lengths: pa.Array
    rest: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """What of many units could be read as columns: which they are, ascending, and an array for each of the format's fields."""

    places: Sequence[int]
    values: tuple[pa.Array, ...]


def spread(
    names: Sequence[str], told: Callable[..., Row], keys: Iterable[tuple[Hashable, ...]]
) -> tuple[pa.Array, ...]:
    """What is told of each key, as columns of these names. Of keys that are the same it is told once: most of a log repeats."""
    known: dict[tuple[Hashable, ...], int] = {}
    places = pa.array([known.setdefault(key, len(known)) for key in keys], pa.int32())
    values = zip(*(told(*key) for key in known), strict=True) if known else [()] * len(names)
    return tuple(
        pa.array(column, ARROW[COLUMNS[name]]).take(places) for name, column in zip(names, values, strict=True)
    )


def split(text: bytes, names: Sequence[str], delimiter: str) -> tuple[list[pa.Array], set[int]]:
    """The fields of all lines that have as many as there are names, and the numbers of those that have not.

    Nothing is quoted, escaped or null: what stands between two delimiters is the field. `text` is UTF-8 of whole lines.
    """
    if not text:
        return [pa.array([], pa.string()) for _ in names], set()
    others: set[int] = set()

    def other(row: csv.InvalidRow) -> str:
        others.add(row.number - 1)
        return "skip"

    found = csv.read_csv(
        pa.py_buffer(text),
        read_options=csv.ReadOptions(column_names=list(names), use_threads=False, block_size=len(text) + 1),
        parse_options=csv.ParseOptions(
            delimiter=delimiter,
            quote_char=False,
            escape_char=False,
            ignore_empty_lines=False,
            invalid_row_handler=other,
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), check_utf8=False, strings_can_be_null=False
        ),
    )
    return [column.combine_chunks() for column in found.columns], others


def table(fields: Sequence[str], rows: Sequence[Row]) -> pa.Table:
    """Rows whose values stand in the order of `fields`."""
    return pa.table(
        [
            pa.array(values, type=ARROW[COLUMNS[field]])
            for field, values in zip(fields, zip(*rows, strict=True), strict=True)
        ],
        names=list(fields),
    )
