"""The log's tables in the keeper's SQLite file: schema, and the one connection that writes.

Trust: whoever can write this file can delay and hide, until the next check against a signed checkpoint; nobody can
alter an entry that a checkpoint covers without being found out. Whoever copies it learns random ids, no names.

Durability: WAL with `synchronous=FULL`; when `transaction` has ended without an error, what was written in it survives
loss of power. Other connections see it from then on. Reading is in `sqlite_reader.py`.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from strongroom.audit.compose import Composed
from strongroom.audit.effect import Effect
from strongroom.audit.sqlite_rows import SCHEMA, Rows, Tag
from strongroom.errors import ConfigError, Conflict, OperationError, StrongroomError, Unavailable
from strongroom.tlog.tree import Frontier

BUSY = 0.5
"""Seconds to wait for somebody else's lock (a backup). Less than the second within which the door must refuse."""
SCHEMA_VERSION = 2
_SCHEMA = f"""
create table log_name (
  id integer primary key, kind text not null, month text not null, real text, shown text not null,
  unique (kind, real, month)) strict;
create unique index log_name_shown on log_name (kind, month, shown);
create table log_month (month text primary key, key blob not null) strict, without rowid;
create table log_entry (
  idx integer primary key, t integer not null, op text not null, actor integer, patient integer, session integer,
  client integer, organisation integer, ref integer, leaf blob not null, body blob not null) strict;
create index log_entry_t on log_entry (t);
create index log_entry_actor on log_entry (actor) where actor is not null;
create index log_entry_patient on log_entry (patient) where patient is not null;
create index log_entry_session on log_entry (session) where session is not null;
create index log_entry_client on log_entry (client) where client is not null;
create index log_entry_organisation on log_entry (organisation) where organisation is not null;
create index log_entry_ref on log_entry (ref) where ref is not null;
create trigger log_entry_stays before update on log_entry begin select raise(abort, 'the log is append-only'); end;
create trigger log_entry_lasts before delete on log_entry begin select raise(abort, 'the log is append-only'); end;
create table log_tile (
  level integer not null, idx integer not null, hash blob not null, primary key (level, idx)) strict, without rowid;
create table log_details (idx integer primary key, salt blob not null, body blob not null) strict;
{SCHEMA.lstrip()}create table log_head (
  one integer primary key check (one = 1), version integer not null, size integer not null, peaks blob not null,
  checkpoint blob not null) strict;
"""
_PRAGMAS = (
    "journal_mode = wal",
    "synchronous = full",
    "wal_autocheckpoint = 4000",  # pages; 16 MB of WAL: checkpoints are seldom, and a start after a crash is quick
    "journal_size_limit = 67108864",
    "foreign_keys = on",
    "cell_size_check = on",  # find damaged pages when they are read, not when they are written back
    "trusted_schema = off",
    "secure_delete = on",  # what is erased is overwritten
    "recursive_triggers = on",  # a row that is replaced is seen to go
)
_BESIDE = ("-wal", "-shm")
"""Ends of the names of the files that SQLite keeps beside a database in WAL mode, as long as anybody has it open."""
_ROW = f"({', '.join('?' * 11)})"
_INSERTS = tuple((size, f"insert into log_entry values {', '.join([_ROW] * size)}") for size in (64, 8, 1))  # noqa: S608  # of ?
_OWN_FAULT = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE})
"""Result codes that speak of one statement; all others (full, busy, I/O, corrupt ...) speak of the database."""


Identity = tuple[int, int] | None
"""Device and inode of a file; None where there is none."""


@dataclass(frozen=True, slots=True)
class Leap:
    """What one transaction adds: entries from index `start` on, hashes of full tiles, and the frontier after it."""

    start: int
    entries: Sequence[Composed]
    tiles: Sequence[tuple[int, int, bytes]]
    frontier: Frontier


class Journal:
    """The writing connection. One per store; every method but `create` and `open` runs within `transaction`."""

    def __init__(self, connection: sqlite3.Connection, held: Mapping[Path, Identity], rows: Rows) -> None:
        """Use `create` and `open`. `held`: the files that the connection has open, and which they are."""
        self._db = connection
        self.rows = rows
        self._held = held
        self._made: list[tuple[str, int | str]] = []  # in this transaction: how each new name is taken back

    @property
    def identity(self) -> Identity:
        """Which file the database is: a moved one keeps it, a copy has another."""
        return next(iter(self._held.values()))

    @staticmethod
    def create(path: Path, checkpoint: bytes) -> None:
        """Lay the log's tables into the keeper's database. `checkpoint` is the signed one of the empty log.

        Raises Conflict if a log is there already, Unavailable if the file cannot be written.
        """
        with _translated(), closing(_connect(path, "rwc")) as connection:
            if _version(connection) is not None:
                msg = f"There is a log in {path} already."
                raise Conflict(msg, advice="Open it, or choose another directory.")
            connection.executescript(f"begin immediate;{_SCHEMA}")
            connection.execute("insert into log_head values (1, ?, 0, x'', ?)", (SCHEMA_VERSION, checkpoint))
            connection.execute("commit")

    @classmethod
    def open(cls, path: Path, tag: Tag) -> Self:
        """The journal in an existing database; pages of an unfinished checkpoint are brought home first. `tag`: for the
        sums of its rows.

        Raises ConfigError if there is no log or one of another version, Unavailable if it cannot be written.
        """
        if not path.is_file():
            raise _no_log(path)
        with _translated(), ExitStack() as undo:
            connection = undo.enter_context(closing(_connect(path, "rw")))
            connection.execute("pragma wal_checkpoint(truncate)")
            if _version(connection) == SCHEMA_VERSION:
                held = {name: identity_of(name) for name in (path, *(Path(f"{path}{end}") for end in _BESIDE))}
                rows = Rows(connection, tag)
                rows.watch()
                undo.pop_all()
                return cls(connection, held, rows)
        raise _no_log(path)

    def close(self) -> None:
        """Close the connection. Without effect the second time."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction: all that is written within it is durable when it ends, or nothing is if it raises.

        Raises Unavailable when the database cannot be written. Then it is not known whether the last commit is there.
        """
        self._check_place()
        with _translated():
            self._db.execute("begin immediate")
            self._made.clear()
            try:
                yield
                self.rows.write()
                self._db.execute("commit")
            except BaseException:
                self.rows.undo(0)
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    def apply(self, effects: Sequence[Effect]) -> None:
        """All effects or none. Raises Conflict or OperationError if one does not fit, Unavailable as `transaction`."""
        if not effects:
            return
        mark = self.rows.mark()
        self._db.execute("savepoint draft")
        try:
            for effect in effects:
                self._run(effect)
        except Unavailable:
            raise  # the whole transaction is lost, savepoint included
        except StrongroomError:
            self.rows.undo(mark)
            self._db.execute("rollback to draft")
            self._db.execute("release draft")
            raise
        self._db.execute("release draft")

    def named(self) -> int:
        """For `unname`, before a draft."""
        return len(self._made)

    def unname(self, since: int) -> bool:
        """Take back the names and keys that were made for a draft which is left out: no row changes without an entry.
        Whether there were any.
        """
        made, self._made[since:] = self._made[since:], []
        for statement, key in reversed(made):
            self._db.execute(statement, (key,))
        return bool(made)

    def add(self, leap: Leap) -> None:
        """Write entries, details, tile hashes and the new frontier."""
        moved = self._db.execute(
            "update log_head set size = ?, peaks = ? where size = ?",
            (leap.frontier.size, leap.frontier.render(), leap.start),
        )
        if moved.rowcount != 1:
            msg = "Another program wrote to the log."
            raise Unavailable(msg, advice="Only one keeper may have a store open; stop the other one.")
        rows = [(leap.start + at, *one.columns, one.leaf, one.body) for at, one in enumerate(leap.entries)]
        self._insert(rows)
        kept = [(leap.start + at, one.details) for at, one in enumerate(leap.entries)]
        self._db.executemany(
            "insert into log_details values (?, ?, ?)", [(at, one.salt, one.sealed) for at, one in kept if one]
        )
        self._db.executemany("insert into log_tile values (?, ?, ?)", leap.tiles)

    def _insert(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Many rows a statement, so that the door works on while they are inserted instead of after each of them."""
        at = 0
        for size, statement in _INSERTS:
            while len(rows) - at >= size:
                self._db.execute(statement, [value for row in rows[at : at + size] for value in row])
                at += size

    def keep_checkpoint(self, checkpoint: bytes) -> None:
        """Keep the newest signed checkpoint beside the entries it covers."""
        self._db.execute("update log_head set checkpoint = ?", (checkpoint,))

    def find_name(self, kind: str, real: str, month: str) -> tuple[int, str] | None:
        """See `NameStore`."""
        found: tuple[int, str] | None = self._db.execute(
            "select id, shown from log_name where kind = ? and real = ? and month = ?", (kind, real, month)
        ).fetchone()
        return found

    def add_name(self, kind: str, real: str, month: str, shown: str) -> int:
        """See `NameStore`."""
        added = self._db.execute(
            "insert into log_name (kind, real, month, shown) values (?, ?, ?, ?)", (kind, real, month, shown)
        )
        self._made.append(("delete from log_name where id = ?", added.lastrowid or 0))
        return int(added.lastrowid or 0)

    def month_key(self, month: str) -> bytes | None:
        """See `NameStore`."""
        found = self._db.execute("select key from log_month where month = ?", (month,)).fetchone()
        return None if found is None else bytes(found[0])

    def add_month_key(self, month: str, key: bytes) -> None:
        """See `NameStore`."""
        self._db.execute("insert into log_month values (?, ?)", (month, key))
        self._made.append(("delete from log_month where month = ?", month))

    def _check_place(self) -> None:
        """SQLite goes on writing into files that were moved or removed, and syncs them; a start would not find them."""
        for path, identity in self._held.items():
            if identity_of(path) != identity:
                msg = f"The keeper's {path.name} is not in its place any more."
                raise Unavailable(msg, advice="Put it back; if another one was put there, start the keeper again.")

    def _run(self, effect: Effect) -> None:
        try:
            changed = self._db.execute(effect.sql, effect.parameters).rowcount
        except sqlite3.IntegrityError as error:
            msg = "The change conflicts with what is there."
            raise Conflict(msg) from error
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _OWN_FAULT:
                msg = "The change could not be made."
                raise OperationError(msg) from error
            raise away(error) from error
        if effect.rows not in (None, changed):
            msg = "The thing changed meanwhile."
            raise Conflict(msg)


def away(error: BaseException) -> Unavailable:
    """What to say when SQLite fails. Tells the kind of failure, never a value."""
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    advice = {
        "SQLITE_FULL": "Make room on the disk of the keeper's directory.",
        "SQLITE_BUSY": "Another program holds a lock on it; it will be tried again.",
    }.get(name, "Look at the disk and the permissions of the keeper's directory.")
    return Unavailable(f"The keeper's database cannot be used ({name}).", advice=advice)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # Used by one thread at a time (the log's lock sees to it), though not always by the same.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", BUSY, uri=True, isolation_level=None, check_same_thread=False
    )
    for pragma in _PRAGMAS:
        connection.execute(f"pragma {pragma}")
    return connection


def identity_of(path: Path) -> Identity:
    """Which file lies at `path` now."""
    try:
        found = os.stat(path)  # noqa: PTH116  # once a commit: Path.stat takes three times as long
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _version(connection: sqlite3.Connection) -> int | None:
    """The version of the log in this database; None if there is none."""
    if not connection.execute("select 1 from sqlite_schema where name = 'log_head'").fetchone():
        return None
    found = connection.execute("select version from log_head").fetchone()
    return int(found[0]) if found else -1  # a log without its head is none that can be opened


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise away(error) from error


def _no_log(path: Path) -> ConfigError:
    return ConfigError(f"There is no log of version {SCHEMA_VERSION} in {path}.", advice="Was `strongroom init` run?")
