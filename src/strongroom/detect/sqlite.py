"""What a watch keeps on disk: its state and where reading stands, both as of one instant; and the alerts, until all have been told.

One file, DIR/watch.db, that only its owner may read: it holds names and addresses. An alert is written down before anybody is told
of it, and stays known by its id: a watch that was killed reads again what it had read since its last state, raises the same alerts
with the same ids, and tells none twice. (A messenger that was killed between telling and writing so down tells again.)
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from strongroom.errors import ConfigError, OperationError

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, form INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS alert (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS told (messenger TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
"""
FORM: Final = 4
"""Of the state. Another form is not read: the watch says so, and what to do."""
KEPT: Final = 100_000
"""Alerts whose ids are remembered."""
BUSY: Final = 60.0
"""Seconds to wait for the other connection."""


class Store:
    """A connection; each thread has its own."""

    def __init__(self, folder: Path) -> None:
        """Open or make it. Raises OperationError when that cannot be."""
        self._path = folder / "watch.db"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            self._con = sqlite3.connect(self._path, timeout=BUSY, isolation_level=None)
            self._con.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {_SCHEMA}")
        except (OSError, sqlite3.Error) as error:
            raise OperationError(f"The watch's state at {folder} cannot be opened: {error}.") from error

    def close(self) -> None:
        """Let it go."""
        self._con.close()

    def state(self) -> Iterator[tuple[str, Any]]:
        """The pieces of the state that was saved last; none before the first. Raises ConfigError for one of another form."""
        for name, form, body in self._con.execute("SELECT name, form, body FROM state"):
            if form != FORM:
                advice = "Give another --state: the watch learns anew from the logs that are there."
                raise ConfigError(f"The watch's state at {self._path} is of another version.", advice=advice)
            yield name, msgspec.msgpack.decode(body)

    def save(self, pieces: Iterable[tuple[str, Any]]) -> None:
        """Keep a state in place of the last: all of it, durably, or nothing. Raises OperationError."""
        try:
            self._con.execute("BEGIN IMMEDIATE")
            self._con.execute("DELETE FROM state")
            for name, piece in pieces:
                self._con.execute("INSERT INTO state VALUES (?, ?, ?)", (name, FORM, msgspec.msgpack.encode(piece)))
            self._con.execute("COMMIT")
        except sqlite3.Error as error:
            raise _failed(error) from error

    def add(self, bodies: Iterable[dict[str, Any]]) -> int:
        """Write alerts down, durably; how many of them are new by their `id`. Raises OperationError."""
        rows = [(body["id"], json.dumps(body)) for body in bodies]
        if not rows:
            return 0
        try:
            self._con.execute("BEGIN IMMEDIATE")
            before = self._con.total_changes
            self._con.executemany("INSERT OR IGNORE INTO alert (id, body) VALUES (?, ?)", rows)
            new = self._con.total_changes - before
            self._con.execute(
                "DELETE FROM alert WHERE number <= (SELECT max(number) FROM alert) - ? "
                "AND number <= (SELECT coalesce(min(number), 0) FROM told)",
                (KEPT,),
            )
            self._con.execute("COMMIT")
        except sqlite3.Error as error:
            raise _failed(error) from error
        return new

    def begin(self, messengers: Iterable[str]) -> None:
        """These are told of alerts from now on; others that were are forgotten. A new one hears nothing of what was before."""
        names = tuple(messengers)
        marks = ", ".join("?" for _ in names)
        self._do(f"DELETE FROM told WHERE messenger NOT IN ({marks})", names)
        for name in names:
            self._do("INSERT OR IGNORE INTO told SELECT ?, coalesce(max(number), 0) FROM alert", (name,))

    def untold(self, messenger: str, most: int = 100) -> list[tuple[int, dict[str, Any]]]:
        """Alerts that this messenger has not told, in their order. Raises OperationError."""
        sql = "SELECT number, body FROM alert WHERE number > (SELECT number FROM told WHERE messenger = ?) ORDER BY number LIMIT ?"
        try:
            rows = self._con.execute(sql, (messenger, most)).fetchall()
        except sqlite3.Error as error:
            raise _failed(error) from error
        return [(number, json.loads(body)) for number, body in rows]

    def told(self, messenger: str, number: int) -> None:
        """A messenger has told everything up to this one. Raises OperationError."""
        self._do("UPDATE told SET number = ? WHERE messenger = ?", (number, messenger))

    def _do(self, sql: str, values: tuple[Any, ...]) -> None:
        try:
            self._con.execute(sql, values)
        except sqlite3.Error as error:
            raise _failed(error) from error


def _failed(error: sqlite3.Error) -> OperationError:
    return OperationError(f"The watch's state cannot be written: {error}.", advice="Is the disk full?")
