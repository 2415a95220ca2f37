"""The catalogue: for each version, its sealed metadata and where its bytes are. Random ids and sealed bytes, no more.

A version that was re-encrypted has a row for each edition of it. The keeper says which is read; an earlier one is there
until it is `due`, for whoever asked before.

Rows are written once. Writes run in a thread of a pool: they sync to disk, and the app's event loop must not wait for that.
A read of one row does not wait for anybody (WAL), takes some microseconds, and is done on the loop; where it finds the
database locked, a thread waits instead.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from strongroom.errors import ConfigError, Conflict, Unavailable

SCHEMA = """
create table entry (
  document text not null, version integer not null, edition integer not null, metadata blob not null,
  blob text not null unique, due integer, primary key (document, version, edition)) strict, without rowid;
create index entry_later on entry (document, version) where edition > 0;
create index entry_due on entry (due) where due is not null;
"""
BUSY = 0.4
"""Seconds to wait for another's lock (a backup, the import, another thread), where somebody waits for us."""
UNHURRIED = 5.0
"""Seconds to wait for it where nobody does: a program that fills or examines a store."""

_GET = "select metadata, blob from entry where document = ? and version = ? and edition = ?"
_UNSETTLED = """
select distinct document, version from entry e where edition > 0 and exists (select 1 from entry o where o.document = e.document
  and o.version = e.version and o.edition < e.edition and o.due is null)
"""

T = TypeVar("T")
Place = tuple[str, int, int]
"""Document, version, edition."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One version: metadata sealed under its own key, and the object's name."""

    metadata: bytes
    blob: str


class Catalogue:
    """See the module. Made by `create` and `open`."""

    def __init__(self, path: Path, patience: float | None = None) -> None:
        """`patience`: seconds that `put` and `get` wait; None: for as long as it takes."""
        self._path = path
        self._patience = patience
        self._local = threading.local()
        self._opening = threading.Lock()
        self._held: list[tuple[str, tuple[int, int] | None]] = []
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="catalogue")
        self._reading: sqlite3.Connection | None = None

    @staticmethod
    def create(path: Path) -> None:
        """An empty catalogue. Raises Conflict if a file is there."""
        if path.exists():
            msg = f"There is a catalogue in {path} already."
            raise Conflict(msg)
        connection = sqlite3.connect(path)
        connection.execute("pragma journal_mode = wal")
        connection.executescript(SCHEMA)
        connection.close()
        path.chmod(0o600)

    @classmethod
    def open(cls, path: Path, patience: float | None = None) -> "Catalogue":
        """An existing one. `patience` as in the constructor. Raises ConfigError if there is none."""
        if not path.is_file():
            msg = f"There is no catalogue in {path}."
            raise ConfigError(msg, advice="Was `strongroom init` run?")
        return cls(path, patience)

    async def put(self, document: str, version: int, metadata: bytes, blob: str, edition: int = 0) -> None:
        """Enter a version. Durable when it returns. Raises Conflict when it is there already, Unavailable."""
        row = document, version, edition, metadata, blob
        await self._soon(lambda db: db.execute("insert into entry values (?, ?, ?, ?, ?, null)", row))

    async def get(self, document: str, version: int, edition: int) -> Entry | None:
        """One edition of a version. Raises Unavailable."""
        wanted = document, version, edition
        try:
            row = self._reader().execute(_GET, wanted).fetchone()
        except sqlite3.Error:  # a thread waits, and says what is wrong
            row = await self._soon(lambda db: db.execute(_GET, wanted).fetchone())
        return None if row is None else Entry(bytes(row[0]), str(row[1]))

    async def blobs(self) -> set[str]:
        """The names of all objects that a version points to. For `doctor` and restoring."""
        rows = await self._run(lambda db: db.execute("select blob from entry").fetchall())
        return {str(row[0]) for row in rows}

    async def retire(self, document: str, version: int, edition: int, due: int) -> None:
        """Editions before this one are not handed out any more; they may be taken away at `due` (ms)."""
        sql = "update entry set due = ? where document = ? and version = ? and edition < ? and due is null"
        await self._run(lambda db: db.execute(sql, (due, document, version, edition)))

    async def due(self, now: int, limit: int) -> list[tuple[Place, str]]:
        """(place, object's name) of what is due at `now`, `limit` at most; never a version's only edition, nor its last."""
        sql = (
            "select document, version, edition, blob from entry e where due <= ? and exists (select 1 from entry n where"
            " n.document = e.document and n.version = e.version and n.edition > e.edition) order by due limit ?"
        )
        rows = await self._run(lambda db: db.execute(sql, (now, limit)).fetchall())
        return [((str(row[0]), int(row[1]), int(row[2])), str(row[3])) for row in rows]

    async def after(self, document: str, version: int, edition: int) -> list[tuple[Place, str]]:
        """(place, object's name) of editions after this one: a re-encryption broke off before the keeper knew of them."""
        sql = "select edition, blob from entry where document = ? and version = ? and edition > ?"
        rows = await self._run(lambda db: db.execute(sql, (document, version, edition)).fetchall())
        return [((document, version, int(row[0])), str(row[1])) for row in rows]

    async def unsettled(self) -> list[tuple[str, int]]:
        """Versions of which several editions may be in use: a re-encryption is under way, or broke off."""
        rows = await self._run(lambda db: db.execute(_UNSETTLED).fetchall())
        return [(str(row[0]), int(row[1])) for row in rows]

    async def remove(self, place: Place, blob: str) -> None:
        """Take an edition's row away, if it still is that of this object. Durable when it returns."""
        sql = "delete from entry where document = ? and version = ? and edition = ? and blob = ?"
        await self._run(lambda db: db.execute(sql, (*place, blob)))

    def close(self) -> None:
        """Wait for what is under way. Connections close with their threads."""
        self._pool.shutdown()
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def _reader(self) -> sqlite3.Connection:
        if self._reading is None:
            self._reading = self._connect("ro", 0.0)
        return self._reading

    def _connect(self, mode: str, busy: float) -> sqlite3.Connection:
        address = f"{self._path.absolute().as_uri()}?mode={mode}"
        return sqlite3.connect(address, busy, uri=True, isolation_level=None, check_same_thread=False)

    async def _soon(self, statement: Callable[[sqlite3.Connection], T]) -> T:
        """A row that is entered after all, when its time is over, is one that nobody refers to."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._run(statement)
        except TimeoutError as error:
            msg = f"The catalogue did not answer within {self._patience:g} s."
            raise Unavailable(msg, advice="Look at the load of the app's disk.") from error

    async def _run(self, statement: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._now, statement)

    def _now(self, statement: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._check_place()  # before a thread's first connection, too, which would make a file that is missing
            connection = self._connection()
            self._check_place()
            return statement(connection)
        except sqlite3.IntegrityError as error:
            msg = "This version is in the catalogue already."
            raise Conflict(msg) from error
        except sqlite3.Error as error:
            msg = f"The catalogue cannot be used ({getattr(error, 'sqlite_errorname', 'error')})."
            raise Unavailable(msg, advice="Look at disk space and permissions of the app's directory.") from error

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._connect("rw", UNHURRIED if self._patience is None else BUSY)
            found.execute("pragma synchronous = full")
            found.execute("select 1 from entry limit 1").fetchone()  # opens its files, which are known from here on
            with self._opening:
                self._held = self._held or [(name, _identity(name)) for name in (str(self._path), f"{self._path}-wal")]
            self._local.connection = found
        return found

    def _check_place(self) -> None:
        """SQLite goes on writing into files that were moved or removed; the next start would not find what it wrote."""
        for name, identity in self._held:
            if _identity(name) != identity:
                msg = "The catalogue is not in its place any more."
                raise Unavailable(msg, advice="Put it back; if another one was put there, start the app again.")


def _identity(path: str) -> tuple[int, int] | None:
    """Device and inode; None where there is no file."""
    try:
        found = os.stat(path)  # noqa: PTH116  # at every statement: Path.stat takes three times as long
    except OSError:
        return None
    return found.st_dev, found.st_ino
