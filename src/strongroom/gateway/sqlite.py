"""One SQLite file that all workers share: exact, whoever of them is killed, and whenever. `counts` and `orders` say what is in it.

Each step is one transaction (`together`), so that two workers never count past each other; SQLite's write-ahead log takes back what
a killed one left half done. What is committed outlives every process; a loss of power may take the last seconds.

Not trusted to be there: what cannot be read or written raises Uncounted, and the request ends. Whoever can write the file can
make the guard blind, or refuse everybody; whoever can read it can try names of people and documents against it: they are hashes,
and the key lies with them. On disk it is bounded by what the portal gave in the longest window; in memory by `CACHE`.

How it grows: tables get new columns with defaults; another meaning of an old one takes another `FORM`, and begins anew.
"""

import contextlib
import functools
import hashlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from strongroom.errors import ConfigError, Unavailable
from strongroom.gateway.mmap import Kept
from strongroom.gateway.mmap import prepare as prepare_versions

FORM: Final = 1
PAGE: Final = 1_024
"""Bytes. Each count is a page or two in the log; a row is some 20 bytes."""
FOLD: Final = 4_000
"""Pages after which the log is folded into the file."""
CACHE: Final = 32 * 1_024
"""KiB of the file that each process keeps in memory."""
NUMBERS: Final = 50_000
"""Names of words that are remembered: some 10 MiB."""
BUSY: Final = 10.0
"""Seconds to wait for another worker; each is done in a thousandth of one."""
_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE counted (place INTEGER, one INTEGER, until INTEGER NOT NULL, PRIMARY KEY (place, one)) WITHOUT ROWID;
CREATE TABLE served (place INTEGER, hour INTEGER, size INTEGER NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (place, hour)) WITHOUT ROWID;
CREATE TABLE shown (person INTEGER, one INTEGER, PRIMARY KEY (person, one)) WITHOUT ROWID;
CREATE TABLE people (person INTEGER PRIMARY KEY, seen INTEGER NOT NULL, shown INTEGER NOT NULL DEFAULT 0,
  blind INTEGER NOT NULL DEFAULT 0, walk TEXT NOT NULL DEFAULT '', met TEXT NOT NULL DEFAULT '');
CREATE TABLE sessions (session INTEGER PRIMARY KEY, person TEXT NOT NULL, used INTEGER NOT NULL);
CREATE TABLE measures (scope TEXT, name TEXT, enforced INTEGER, rule TEXT NOT NULL, rung INTEGER NOT NULL, why TEXT NOT NULL,
  since INTEGER NOT NULL, until INTEGER NOT NULL, sticks INTEGER NOT NULL, from_scope TEXT NOT NULL, from_name TEXT NOT NULL,
  person TEXT NOT NULL, PRIMARY KEY (scope, name, enforced)) WITHOUT ROWID;
CREATE TABLE undone (scope TEXT, name TEXT, rule TEXT, until INTEGER NOT NULL, PRIMARY KEY (scope, name, rule)) WITHOUT ROWID;
CREATE TABLE allowed (scope TEXT, name TEXT, rule TEXT, why TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (scope, name, rule)) WITHOUT ROWID;
CREATE TABLE refused (number INTEGER PRIMARY KEY, request TEXT UNIQUE, what BLOB NOT NULL);
CREATE TABLE numbers (series TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE reported (rule TEXT, who TEXT, enforced INTEGER, requests INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, PRIMARY KEY (rule, who, enforced)) WITHOUT ROWID;
"""


_LATER: Final = (("people", "met", "TEXT NOT NULL DEFAULT ''"),)
"""Columns that a file may lack which an earlier program made."""


class Uncounted(Unavailable):
    """What leaves cannot be counted: then nothing leaves."""


_Self = TypeVar("_Self", bound="File")
_Given = ParamSpec("_Given")
_Gives = TypeVar("_Gives")


def together(
    step: Callable[Concatenate[_Self, _Given], _Gives],
) -> Callable[Concatenate[_Self, _Given], _Gives]:
    """Makes `step`, which writes, one that is done at once or not at all: see `File.together`."""

    @functools.wraps(step)
    def whole(self: _Self, /, *args: _Given.args, **kwargs: _Given.kwargs) -> _Gives:
        if self.writing:
            return step(self, *args, **kwargs)
        with self.together():
            return step(self, *args, **kwargs)

    return whole


def prepare(path: Path, owner: int = -1) -> None:
    """Make the file of counts, unless there is one; in a folder that its owner alone can read. Raises ConfigError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(path.parent, owner, owner)
        if not path.exists():
            path.touch(0o600)
        os.chown(path, owner, owner)
        with contextlib.closing(sqlite3.connect(path, timeout=BUSY, isolation_level=None)) as db:
            db.execute(f"PRAGMA page_size = {PAGE}")  # of a new file
            db.execute("PRAGMA journal_mode = WAL")
            _make(db)
            prepare_versions(versions(path), owner)
            for name in (f"{path}-wal", f"{path}-shm"):
                if Path(name).exists():
                    os.chown(name, owner, owner)
    except (OSError, sqlite3.Error) as error:
        msg = f"The counts in {path} cannot be kept: {error}."
        raise ConfigError(
            msg, advice="Is it a folder that the gateway may write? [gateway] state names another."
        ) from error


def _make(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    form = db.execute("PRAGMA user_version").fetchone()[0]
    if form not in {0, FORM}:
        msg = f"its form is {form}, and this program writes {FORM}"
        raise sqlite3.DatabaseError(msg)
    if form == 0:
        for statement in _TABLES.split(";\n"):
            if statement.strip():
                db.execute(statement)
        db.execute("INSERT INTO meta VALUES ('key', ?)", (secrets.token_bytes(32),))
        db.execute(f"PRAGMA user_version = {FORM}")
    for table, column, kind in _LATER:
        if column not in {row[1] for row in db.execute(f"PRAGMA table_info({table})")}:
            db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    db.execute("COMMIT")


class File:
    """See the module. One connection; for one thread at a time."""

    def __init__(self, path: Path | None = None) -> None:
        """Open what `prepare` made; None: in memory, for one process alone. Raises Uncounted."""
        self.writing = self._looking = False
        self._numbers: dict[tuple[str, ...], int] = {}
        name = ":memory:" if path is None else f"{path.absolute().as_uri()}?mode=rw"
        try:
            self._db = sqlite3.connect(name, BUSY, isolation_level=None, check_same_thread=False, uri=path is not None)
            if path is None:
                _make(self._db)
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(f"PRAGMA cache_size = -{CACHE}")
            self._db.execute(f"PRAGMA wal_autocheckpoint = {FOLD}")
            self.kept = Kept(None if path is None else versions(path))
            self._files = () if path is None else (str(path), str(versions(path)))
            self._same = [_identity(name) for name in self._files]
        except (OSError, sqlite3.Error) as error:
            raise _uncounted(error) from error
        self.key: bytes = self.one("SELECT value FROM meta WHERE name = 'key'")[0]

    def close(self) -> None:
        """Let it go."""
        self._db.close()
        self.kept.close()

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What is done inside is done at once or not at all, and no other worker counts meanwhile. Raises Uncounted.

        Inside of another one, it is part of that.
        """
        if self.writing:
            yield
            return
        self._still_there()
        self.writing = True
        try:
            with self._within():
                self._begin("BEGIN IMMEDIATE")
                yield
        except BaseException:
            self.kept.forget()
            raise
        finally:
            self.writing = False

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """What is read from the file inside is of one moment, and costs one lock. Nothing is written. Raises Uncounted."""
        self._looking = True
        try:
            with self._within():
                yield
        finally:
            self._looking = False

    def _begin(self, how: str) -> None:
        try:
            self._db.execute(how)
        except sqlite3.Error as error:
            raise _uncounted(error) from error

    @contextlib.contextmanager
    def _within(self) -> Iterator[None]:
        try:
            yield
            if self._db.in_transaction:
                self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise _uncounted(error) from error
        finally:
            if self._db.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")

    def number(self, *words: str) -> int:
        """A name for these words: 64 bits that nobody can tell, or make others meet, without the key."""
        number = self._numbers.get(words)
        if number is None:
            digest = hashlib.blake2b("\0".join(words).encode(), digest_size=8, key=self.key).digest()
            if len(self._numbers) >= NUMBERS:
                self._numbers.clear()
            number = self._numbers[words] = int.from_bytes(digest, signed=True)
        return number

    def _still_there(self) -> None:
        """A file that was removed, or replaced, is another truth than the one that other workers may have."""
        if self._files:
            try:
                same = [_identity(name) for name in self._files] == self._same
            except OSError as error:
                raise _uncounted(error) from error
            if not same:
                raise Uncounted("The file of counts is another one than before.", advice="Start the gateway again.")

    def all(self, sql: str, *values: object) -> list[Any]:
        """The rows that a statement gives. Raises Uncounted, as all these do."""
        if self._looking and not self._db.in_transaction:
            self._begin("BEGIN")
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise _uncounted(error) from error

    def maybe(self, sql: str, *values: object) -> Any:
        """The first of them, or None."""
        rows = self.all(sql, *values)
        return rows[0] if rows else None

    def one(self, sql: str, *values: object) -> Any:
        """The first of them, where there is one."""
        return self.all(sql, *values)[0]

    def do(self, sql: str, *values: object) -> None:
        """A statement that gives none."""
        self.all(sql, *values)

    def many(self, sql: str, rows: Sequence[tuple[int, int]]) -> None:
        """A statement for each of `rows`."""
        try:
            self._db.executemany(sql, rows)
        except sqlite3.Error as error:
            raise _uncounted(error) from error


def versions(path: Path) -> Path:
    """Where the versions lie that belong to these counts (`mmap`)."""
    return path.with_name(f"{path.name}-versions")


def _identity(path: str) -> tuple[int, int]:
    found = os.stat(path)  # noqa: PTH116  # pathlib's takes three times as long, and this is asked each time
    return found.st_dev, found.st_ino


def _uncounted(error: Exception) -> Uncounted:
    return Uncounted(f"The counts cannot be had: {error}.", advice="Is the disk full, or the file of counts gone?")
