"""What goes between machines: some rows, under a name, for one part."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple, Protocol, TypeVar

import pyarrow as pa

ONE: Final = -1
"""In place of a part: the one who asks."""
ROWS: Final = 50_000
"""Of a piece, at most: what is packed and unpacked at once."""


class Piece(NamedTuple):
    """`body` is Arrow's streaming form, packed. `part` is the number of the part that it is for, or ONE."""

    part: int
    name: str
    body: bytes


Read = Callable[[int], Iterator[Piece]]
"""The number of a piece of work -> what it makes."""
Work = Callable[[int, Iterator[Piece]], Iterator[Piece]]
"""The number of a part and all pieces for it -> what it makes of them."""
Data = TypeVar("Data")


class Cluster(Protocol[Data]):
    """What runs the parts. A `Data` is pieces, wherever they lie; it is made once and can be read several times."""

    parts: int

    def read(self, many: int, work: Read) -> Data:
        """Do so many pieces of work, each by itself."""

    def meet(self, data: Data) -> Data:
        """The pieces of each part together, in one place."""

    def turn(self, data: Data, work: Work) -> Data:
        """What each part makes of its pieces. Where they have not met, a part may be asked several times, with some each time."""

    def gather(self, data: Data) -> Iterable[Piece]:
        """The pieces that are for the one who asks."""


def packed(rows: pa.Table) -> bytes:
    """A table as bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue().to_pybytes())


def unpacked(body: bytes) -> pa.Table:
    """The way back."""
    with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
        return reader.read_all()


def pieces(part: int, name: str, rows: pa.Table) -> Iterator[Piece]:
    """All rows for one part. None where there are no rows."""
    for start in range(0, rows.num_rows, ROWS):
        yield Piece(part, name, packed(rows.slice(start, ROWS).combine_chunks()))


def spread(name: str, rows: pa.Table) -> Iterator[Piece]:
    """Rows whose last column is the part that each is for, in the order of parts."""
    parts = rows.column(rows.num_columns - 1).combine_chunks()
    rows, runs = rows.drop_columns([rows.column_names[-1]]), parts.value_counts()
    start = 0
    for run in runs:
        many = run["counts"].as_py()
        yield from pieces(run["values"].as_py(), name, rows.slice(start, many))
        start += many
