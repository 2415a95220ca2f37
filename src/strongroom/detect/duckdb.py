"""The embedded engine: one table of events, SQL over it, memory bounded by spilling to temporary files.

The files go when the hunt ends. Once it is open nothing that SQL says can reach a file or the network: rules are text by other
people.
"""

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import duckdb
import pyarrow as pa

from strongroom.errors import OperationError
from strongroom.logs.batch import table
from strongroom.logs.record import COLUMNS, Row
from strongroom.sigma.sql import literal

MEMORY: Final = "1GB"
"""What the engine may hold in memory; the hunt's bound of 2 GiB leaves room for Python and for what is under way."""

Error = duckdb.Error
STORED: Final = 64 * 1024 * 1024
"""Bytes of events that are stored at once."""
GROUP: Final = 30 * 1024
"""Rows that are packed together, a multiple of 2048. Whole groups go to the file as they are; what fills none is written first to
the engine's journal, and a second time later: with the engine's own 122,880, of records of a kilobyte nearly all.
"""
_PACKED: Final = {"raw_data": "USING COMPRESSION zstd"}
"""Whole records, alike and long: by zstd they take a sixth of what the engine's own choice leaves, and two thirds of the time."""
MANY: Final = 1_000_000
"""Events of which a column takes memory worth a checkpoint."""
_Settings = dict[str, str | bool | int | float | list[str]]


class Engine:
    """The events of one hunt. A context manager; the temporary files go with it."""

    def __init__(self, memory: str = MEMORY, threads: int | None = None, *, disk: bool = True) -> None:
        """`threads`: as many as the machine has, unless told otherwise. `disk`: the events lie in a file; for few, memory does.

        Of tables in memory some pages cannot be spilled: those of seventeen million events fill a gigabyte.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="strongroom-hunt-"))
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory,
            "temp_directory": str(self._folder / "spill"),
        }
        if threads is not None:
            settings["threads"] = threads
        self._disk, self._stored = disk, 0
        self._con = duckdb.connect(config=settings)
        self._plain = self._con.cursor()
        if disk:
            self._con.execute(
                f"ATTACH {literal(str(self._folder / 'events.duckdb'))} AS events (ROW_GROUP_SIZE {GROUP})"
            )
            self._con.execute("USE events")
            self._plain.execute("USE events")
            self._con.execute("PRAGMA disable_checkpoint_on_shutdown")  # the file goes
        self._con.execute("CREATE TABLE event (time BIGINT)")
        self._con.execute("CREATE VIEW span AS SELECT min(time) AS first, max(time) AS last FROM event")
        self._lacking = {name: kind for name, kind in COLUMNS.items() if name != "time"}
        self._waiting: list[pa.Table] = []
        self._bytes = 0  # of those that wait
        self._con.execute("CREATE TABLE hit (detection VARCHAR, about VARCHAR, fired BIGINT, event BIGINT)")
        self._plain.execute("PRAGMA disable_optimizer")
        self._con.execute("SET enable_progress_bar = false")  # it would stand among the findings
        self._con.execute("SET enable_external_access = false")
        self._con.execute("SET allowed_configs = ['preserve_insertion_order']")
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
        self.take(table(fields, rows))

    def take(self, events: pa.Table) -> None:
        """Events by the names of their columns. Many are stored at once: each time costs as much as thousands of rows."""
        if self._waiting and self._waiting[0].schema != events.schema:
            self._store()
        self._waiting.append(events)
        self._bytes += events.nbytes
        if self._bytes >= STORED:
            self._store(whole=True)

    def _store(self, *, whole: bool = False) -> None:
        """Store what waits; `whole`: by whole groups, where there is one, and what does not fill another waits on."""
        if self._waiting:
            waiting = pa.concat_tables(self._waiting)
            many = (waiting.num_rows // GROUP * GROUP if whole else 0) or waiting.num_rows
            rest = waiting.slice(many)
            self._waiting, self._bytes = ([rest], rest.nbytes) if rest.num_rows else ([], 0)
            self._widen(waiting.column_names)
            # In one piece: of several the engine's threads get in each other's way.
            self.load("event", waiting.slice(0, many).combine_chunks())
            self._stored += many

    def _widen(self, names: Iterable[str]) -> None:
        """Give the events these columns. One that no source fills costs less when it comes after the events than with them.

        In the file a column of nulls is next to nothing; in memory, until it is there, twenty million of them are 80 MB.
        """
        for name in names:
            kind = self._lacking.pop(name, None)
            if kind:
                self._execute(f'ALTER TABLE event ADD COLUMN "{name}" {kind} {_PACKED.get(name, "")}')
                if self._disk and self._stored > MANY:
                    self._execute("CHECKPOINT")

    def load(self, into: str, batch: pa.Table) -> None:
        """Rows into a table, by the names of their columns."""
        self._con.register("batch", batch)
        self._execute(f"INSERT INTO {into} BY NAME SELECT * FROM batch")
        self._con.unregister("batch")

    def run(self, sql: str) -> int:
        """A statement; how many rows it wrote. Raises OperationError when the disk or the memory does not suffice."""
        found = self.rows(sql)
        return int(found[0][0]) if found and found[0] and isinstance(found[0][0], int) else 0

    def write(self, sql: str) -> None:
        """The same for rows whose order says nothing: to keep an order takes memory that cannot be spilled."""
        self._store()  # events keep theirs
        self._execute("SET preserve_insertion_order = false")
        try:
            self.run(sql)
        finally:
            self._execute("SET preserve_insertion_order = true")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query finds. Raises OperationError like `run`, and Error for SQL that the engine does not take."""
        self._store()
        self._widen(tuple(self._lacking))
        return self._execute(sql).fetchall()

    def clear(self) -> None:
        """Let all events go, and the memory that they took: it grows otherwise."""
        self.run("DELETE FROM event")
        self._execute("CHECKPOINT")

    def prepare(self, name: str, sql: str) -> None:
        """Have a query planned once and for all, as it stands: for what is asked of few rows time and again, where finding a clever
        plan takes longer than following a plain one. Raises Error for SQL that the engine does not take.
        """
        self._plain.execute(f"PREPARE {name} AS {sql}")

    def prepared(self, name: str) -> list[tuple[Any, ...]]:
        """What it finds now. Raises like `rows`."""
        self._store()
        self._widen(tuple(self._lacking))
        return self._execute(f"EXECUTE {name}", self._plain).fetchall()

    def numbered(self) -> Self:
        """Events bring their `rowid` themselves: numbers that are the same in whichever part of them an engine has."""
        self._execute('ALTER TABLE event ADD COLUMN "rowid" BIGINT')
        return self

    def make(self, name: str, rows: pa.Table) -> None:
        """A table, or another in place of the one of this name."""
        self._execute(f'DROP VIEW IF EXISTS "{name}"' if name == "span" else f'DROP TABLE IF EXISTS "{name}"')
        self._con.register("batch", rows)
        self._execute(f'CREATE TABLE "{name}" AS SELECT * FROM batch')
        self._con.unregister("batch")
        if name == "event":
            self._lacking = {one: kind for one, kind in self._lacking.items() if one not in rows.column_names}

    def table(self, sql: str) -> pa.Table:
        """What a query finds, as columns. Raises like `rows`."""
        self._store()
        self._widen(tuple(self._lacking))
        try:
            return self._con.sql(sql).to_arrow_table()
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            raise _exhausted() from error

    def _execute(self, sql: str, on: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyConnection:
        try:
            return (on or self._con).execute(sql)
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            raise _exhausted() from error


def _exhausted() -> OperationError:
    return OperationError(
        "The hunt ran out of memory or of disk space for what it spills.",
        advice="Free space in the temporary directory (TMPDIR), or hunt in fewer files.",
    )
