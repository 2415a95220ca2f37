"""The embedded engine: one table of events on disk, SQL over it, memory bounded by spilling.

The database is a temporary file that goes when the hunt ends. Once it is open nothing that SQL says can reach a file or the
network: rules are text by other people.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import duckdb
import pyarrow as pa

from strongroom.errors import OperationError
from strongroom.logs.record import COLUMNS, Row

MEMORY: Final = "1GB"
"""What the engine may hold in memory; the hunt's bound of 2 GiB leaves room for Python and for what is under way."""

_ARROW: Final[dict[str, pa.DataType]] = {
    "BIGINT": pa.int64(), "INTEGER": pa.int32(), "UBIGINT": pa.uint64(), "VARCHAR": pa.string(),
}  # fmt: skip

Error = duckdb.Error
_Settings = dict[str, str | bool | int | float | list[str]]


class Engine:
    """The events of one hunt. A context manager; the temporary files go with it."""

    def __init__(self, memory: str = MEMORY) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="strongroom-hunt-"))
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory,
            "temp_directory": str(self._folder / "spill"),
        }
        self._con = duckdb.connect(str(self._folder / "events.duckdb"), config=settings)
        columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        self._con.execute(f"CREATE TABLE event ({columns})")
        self._con.execute("CREATE TABLE hit (detection VARCHAR, about VARCHAR, fired BIGINT, event BIGINT)")
        self._con.execute("SET enable_progress_bar = false")  # it would stand among the findings
        self._con.execute("SET enable_external_access = false")
        self._con.execute("SET lock_configuration = true")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._con.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, fields: Sequence[str], rows: Sequence[Row]) -> None:
        """Events whose values stand in the order of `fields`; other columns are null."""
        columns = [
            pa.array(values, type=_ARROW[COLUMNS[field]])
            for field, values in zip(fields, zip(*rows, strict=True), strict=True)
        ]
        self.load("event", pa.table(columns, names=list(fields)))

    def load(self, table: str, batch: pa.Table) -> None:
        """Rows into a table, by the names of their columns."""
        self._con.register("batch", batch)
        self._con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM batch")
        self._con.unregister("batch")

    def run(self, sql: str) -> int:
        """A statement; how many rows it wrote. Raises OperationError when the disk or the memory does not suffice."""
        found = self.rows(sql)
        return int(found[0][0]) if found and found[0] and isinstance(found[0][0], int) else 0

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query finds. Raises OperationError like `run`, and Error for SQL that the engine does not take."""
        try:
            return self._con.execute(sql).fetchall()
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            msg = "The hunt ran out of memory or of disk space for what it spills."
            raise OperationError(
                msg, advice="Free space in the temporary directory (TMPDIR), or hunt in fewer files."
            ) from error
