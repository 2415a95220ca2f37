"""The alerts of a watch on disk, until all have been told.

One file, DIR/alerts.db, that only its owner may read: it holds names and addresses. An alert is written down before anybody is told
of it, and stays known by its id: a watch that was killed reads again what it had read since its last state (`state`), raises the
same alerts with the same ids, and tells none twice. (A messenger that was killed between telling and writing so down tells again.)
"""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from strongroom.errors import OperationError

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS alert (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS told (messenger TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
"""
KEPT: Final = 100_000
"""Alerts whose ids are remembered."""
BUSY: Final = 60.0
"""Seconds to wait for the other connection."""


class Store:
    """A connection; each thread has its own."""

    def __init__(self, folder: Path) -> None:
        """Open or make it. Raises OperationError when that cannot be."""
        path = folder / "alerts.db"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            self._con = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
            self._con.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {_SCHEMA}")
        except (OSError, sqlite3.Error) as error:
            raise OperationError(f"The watch's alerts at {folder} cannot be opened: {error}.") from error

    def close(self) -> None:
        """Let it go."""
        self._con.close()

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
