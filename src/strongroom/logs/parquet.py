"""Parquet files as lines: each row is an object of JSON, its columns by their names. So every format of JSON lines is read there.

The same file gives the same lines, so that an offset in them is as good as one in any unpacked file. Times are written in ISO 8601,
bytes as base64. Memory is bounded by what is read at once, some thousand rows of one group.
"""

import io
from typing import Any, BinaryIO, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

MAGIC: Final = b"PAR1"
ROWS: Final = 4_096
"""Rows that are held at once."""

_ENCODER: Final = msgspec.json.Encoder(enc_hook=str)


class Rows(io.RawIOBase):
    """The lines of a file, as a stream. Raises pyarrow's errors for what is damaged."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._batches = pq.ParquetFile(file).iter_batches(batch_size=ROWS)
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; none at the end."""
        while not self._left:
            batch = next(self._batches, None)
            if batch is None:
                return b""
            self._left = b"".join(_line(row) for row in batch.to_pylist())
        taken = self._left if size < 0 else self._left[:size]
        self._left = self._left[len(taken) :]
        return taken


def _line(row: dict[str, Any]) -> bytes:
    """A row without its empty cells."""
    try:
        return _ENCODER.encode({name: value for name, value in row.items() if value is not None}) + b"\n"
    except (ValueError, OverflowError, UnicodeDecodeError) as error:
        raise pa.ArrowInvalid(str(type(error))) from error
