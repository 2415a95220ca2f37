"""What a watch has learned, on disk: one file, DIR/watch.db, that only its owner may read, for it holds names and addresses.

Pieces with names, of which each is written anew at every saving; lots of the things that lie in memory, one after the other, of
which later ones hold; and things that are away, by their names (`shelf`). All of it is of one instant: a saving is one transaction,
however long it takes.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from strongroom.errors import ConfigError, OperationError

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS piece (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shelf (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS lot (
    number INTEGER PRIMARY KEY, shelf INTEGER NOT NULL, many INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS thing (
    shelf INTEGER NOT NULL, key TEXT NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (shelf, key)
) WITHOUT ROWID;
"""
FORM: Final = 7
"""Of the state. Another form is not read: the watch says so, and what to do."""
LOTS: Final = 20
"""Lots that are let go at once."""
FOREVER: Final = 2**62
"""A time after which nothing comes."""


class State:
    """A connection, and the only one to this file."""

    def __init__(self, folder: Path | None) -> None:
        """Open or make it; None: for as long as it is open.

        Raises OperationError when that cannot be, ConfigError for another form.
        """
        path = None if folder is None else folder / "watch.db"
        try:
            if path is not None:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.touch(mode=0o600)
            self._con = sqlite3.connect(path or ":memory:", isolation_level=None)
            ((form,),) = self._con.execute("PRAGMA user_version").fetchall()
            ((tables,),) = self._con.execute("SELECT count(*) FROM sqlite_master").fetchall()
            if tables and form != FORM:
                advice = "Give another --state: the watch learns anew from the logs that are there."
                raise ConfigError(f"The watch's state at {path} is of another version.", advice=advice)
            self._con.executescript(
                f"PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL; {_SCHEMA} PRAGMA user_version = {FORM};"
            )
        except (OSError, sqlite3.Error) as error:
            raise OperationError(f"The watch's state at {folder} cannot be opened: {error}.") from error

    def close(self) -> None:
        """Let it go, without what a saving that was not done had written."""
        self._con.close()

    def pieces(self) -> Iterator[tuple[str, Any]]:
        """Those that were saved last; none before the first."""
        for name, body in self._con.execute("SELECT name, body FROM piece"):
            yield name, msgspec.msgpack.decode(body)

    def begin(self, pieces: Iterable[tuple[str, Any]]) -> None:
        """Keep these in place of the last ones. Nothing of it holds before `commit`. Raises OperationError."""
        self._do("BEGIN IMMEDIATE")
        self._do("DELETE FROM piece")
        for name, piece in pieces:
            self._do("INSERT INTO piece VALUES (?, ?)", (name, msgspec.msgpack.encode(piece)))

    def commit(self) -> None:
        """What was written since `begin` is kept, durably. Raises OperationError."""
        self._do("COMMIT")

    def shelf(self, name: str) -> int:
        """The number of a shelf, which may be new."""
        self._do("INSERT OR IGNORE INTO shelf (name) VALUES (?)", (name,))
        ((number,),) = self._do("SELECT number FROM shelf WHERE name = ?", (name,))
        return int(number)

    def only(self, shelves: Sequence[int]) -> None:
        """Forget all others, and what lies there."""
        known = [number for (number,) in self._do("SELECT number FROM shelf")]
        for number in set(known) - set(shelves):
            self._do("DELETE FROM lot WHERE shelf = ?", (number,))
            self._do("DELETE FROM thing WHERE shelf = ?", (number,))
            self._do("DELETE FROM shelf WHERE number = ?", (number,))

    def many(self) -> int:
        """How many things all lots tell of."""
        ((many,),) = self._do("SELECT coalesce(sum(many), 0) FROM lot")
        return int(many)

    def add(self, shelf: int, things: Sequence[msgspec.Raw]) -> None:
        """A lot of this shelf: each its name and itself. Raises OperationError."""
        body = msgspec.msgpack.encode(things)
        self._do("INSERT INTO lot (shelf, many, body) VALUES (?, ?, ?)", (shelf, len(things), body))

    def last(self) -> int:
        """The number of the last lot; 0 where there is none."""
        ((last,),) = self._do("SELECT coalesce(max(number), 0) FROM lot")
        return int(last)

    def drop(self, last: int) -> Iterator[None]:
        """Let all lots up to this number go, some at a time."""
        ((first,),) = self._do("SELECT coalesce(min(number), 0) FROM lot")
        for upto in range(first + LOTS, last + LOTS + 1, LOTS):
            self._do("DELETE FROM lot WHERE number < ? AND number <= ?", (upto, last))
            yield

    def lots(self, shelf: int) -> Iterator[tuple[str, Any]]:
        """The things of all lots of a shelf: of those of one name the last holds."""
        for (body,) in self._con.execute("SELECT body FROM lot WHERE shelf = ? ORDER BY number", (shelf,)):
            yield from msgspec.msgpack.decode(body)

    def any(self, shelf: int) -> bool:
        """Whether something of it is away."""
        return bool(self._do("SELECT 1 FROM thing WHERE shelf = ? LIMIT 1", (shelf,)))

    def get(self, shelf: int, key: str) -> Any | None:
        """What is away under this name. Raises OperationError."""
        found = self._do("SELECT body FROM thing WHERE shelf = ? AND key = ?", (shelf, key))
        return msgspec.msgpack.decode(found[0][0]) if found else None

    def put(self, shelf: int, things: Iterable[tuple[str, int, Any]]) -> None:
        """Send these away: name, the time until which it matters, itself. Raises OperationError."""
        rows = ((shelf, key, until, msgspec.msgpack.encode(thing)) for key, until, thing in things)
        try:
            self._con.executemany("INSERT OR REPLACE INTO thing VALUES (?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise _failed(error) from error

    def sweep(self, shelf: int, after: str, many: int, time: int) -> str:
        """Of so many things after a name, let those go that do not matter any more; the last name, or none at the end."""
        low = (shelf, after)
        some = "SELECT key FROM thing WHERE shelf = ? AND key > ? ORDER BY key LIMIT ?"
        ((last, found),) = self._do(f"SELECT max(key), count(*) FROM ({some})", (*low, many))
        if last is not None:
            bounds = (*low, last, time)
            self._do("DELETE FROM thing WHERE shelf = ? AND key > ? AND key <= ? AND until < ?", bounds)
        return str(last) if found == many else ""

    def _do(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._con.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise _failed(error) from error


def _failed(error: sqlite3.Error) -> OperationError:
    return OperationError(f"The watch's state cannot be written: {error}.", advice="Is the disk full?")
