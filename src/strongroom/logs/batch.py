"""Events as columns: Arrow tables, whichever way they were read."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

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


def table(fields: Sequence[str], rows: Sequence[Row]) -> pa.Table:
    """Rows whose values stand in the order of `fields`."""
    return pa.table(
        [
            pa.array(values, type=ARROW[COLUMNS[field]])
            for field, values in zip(fields, zip(*rows, strict=True), strict=True)
        ],
        names=list(fields),
    )
