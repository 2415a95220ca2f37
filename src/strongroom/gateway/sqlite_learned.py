"""What was learned from requests as they passed, in a file that all workers write: paths of stand-ins (`live`), hashes of people.

Trusted with words of the portal's addresses that several people asked for. Whoever has it learns which things the portal serves,
and no id and nobody's name. Bounded: what is new beyond a bound is counted and not kept.
"""

import contextlib
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from strongroom.errors import ConfigError
from strongroom.gateway.learned import Leaf
from strongroom.gateway.live import KEPT, LEAST, Learning, Sketch

MOST_PATHS: Final = 20_000
MOST_WORDS: Final = 50_000
MOST_FACTS: Final = 200
"""Of one path: people, methods, parameters, types together."""
BUSY: Final = 5.0
"""Seconds that a worker waits for another."""
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS path (path TEXT PRIMARY KEY, asked INTEGER NOT NULL, size INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS fact (path TEXT NOT NULL, what TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (path, what, name, value)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS word (stand TEXT NOT NULL, who TEXT NOT NULL, PRIMARY KEY (stand, who)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known (stand TEXT PRIMARY KEY, word TEXT NOT NULL) WITHOUT ROWID;
"""


def prepare(path: Path, owner: int = -1) -> None:
    """Make the file, unless there is one. Raises ConfigError."""
    try:
        if not path.exists():
            path.touch(0o600)
        os.chown(path, owner, owner)
        with contextlib.closing(sqlite3.connect(path, BUSY, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = DELETE")  # one file, whoever opens it
            db.executescript(_TABLES)
            db.execute("INSERT OR IGNORE INTO meta VALUES ('key', ?)", (secrets.token_bytes(32),))
    except (OSError, sqlite3.Error) as error:
        msg = f"What is learned cannot be kept in {path}: {error}."
        raise ConfigError(msg, advice="Is it a file that the gateway may write?") from error


class Learned:
    """The file. Opened by each worker, and by whoever drafts."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigError where `prepare` was not there."""
        try:
            self._db = sqlite3.connect(f"file:{path}?mode=rw", BUSY, isolation_level=None, uri=True)
            self.key: bytes = self._db.execute("SELECT value FROM meta WHERE name = 'key'").fetchone()[0]
        except (sqlite3.Error, TypeError) as error:
            msg = f"Nothing was learned in {path}."
            advice = 'Set [gateway] routes = "learn", start the gateway, and let people use the portal.'
            raise ConfigError(msg, advice=advice) from error

    def close(self) -> None:
        """Let it go."""
        self._db.close()

    def keep(self, seen: Mapping[Sketch, int]) -> bool:
        """Add what passed. False where that failed: it may be tried again."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for one, times in seen.items():
                self._keep(one, times)
            self._db.execute("COMMIT")
        except sqlite3.Error:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            return False
        return True

    def keep_all(self, learning: Learning) -> None:
        """What passed since the last time. Where that fails it is kept for the next."""
        seen = learning.take()
        if seen and not self.keep(seen):
            learning.give_back(seen)

    def words(self) -> dict[str, str]:
        """Stand-in -> word, of those that are known."""
        return dict(self._db.execute("SELECT stand, word FROM known"))

    def leaves(self) -> Iterator[tuple[tuple[str, ...], Leaf]]:
        """All paths of stand-ins, and what was asked there."""
        for path, asked, size in self._db.execute("SELECT path, asked, size FROM path").fetchall():
            leaf = Leaf(asked=asked, size=size)
            for what, name, value in self._db.execute("SELECT what, name, value FROM fact WHERE path = ?", (path,)):
                if what == "query":
                    leaf.query.setdefault(name, set()).add(value)
                else:
                    {"method": leaf.methods, "who": leaf.who, "twice": leaf.twice, "kind": leaf.kinds}[what].add(name)
            yield tuple(json.loads(path)), leaf

    def left_out(self) -> int:
        """Requests that found no room."""
        row = self._db.execute("SELECT value FROM meta WHERE name = 'beyond'").fetchone()
        return 0 if row is None else int(row[0])

    def beyond(self, requests: int) -> None:
        """So many more found none. For within `keep`, or by itself."""
        self._db.execute(
            "INSERT INTO meta VALUES ('beyond', ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            (requests,),
        )

    def _keep(self, one: Sketch, times: int) -> None:
        path, db = json.dumps(one.path), self._db
        known = db.execute(
            "UPDATE path SET asked = asked + ?, size = max(size, ?) WHERE path = ?", (times, one.size, path)
        )
        if not known.rowcount:
            if self._count("path") >= MOST_PATHS:
                self.beyond(times)
                return
            db.execute("INSERT INTO path VALUES (?, ?, ?)", (path, times, one.size))
        self._fact(path, "method", one.method)
        if self._facts(path, "who") < KEPT:
            self._fact(path, "who", one.who)
        for name, value in one.query:
            self._fact(path, "query", name, value)
        for name in one.twice:
            self._fact(path, "twice", name)
        if one.kind:
            self._fact(path, "kind", one.kind)
        for stand, word in one.words:
            self._word(stand, word, one.who)

    def _fact(self, path: str, what: str, name: str, value: str = "") -> None:
        if self._facts(path) < MOST_FACTS:
            self._db.execute("INSERT OR IGNORE INTO fact VALUES (?, ?, ?, ?)", (path, what, name, value))

    def _facts(self, path: str, what: str = "") -> int:
        """How many of a path; of one sort, if `what` is said."""
        sql = "SELECT count(*) FROM fact WHERE path = ? AND (what = ? OR ? = '')"
        return int(self._db.execute(sql, (path, what, what)).fetchone()[0])

    def _word(self, stand: str, word: str, who: str) -> None:
        """Once `LEAST` asked for it, it is known, and who asked is forgotten."""
        db = self._db
        if db.execute("SELECT 1 FROM known WHERE stand = ?", (stand,)).fetchone() or self._count("word") >= MOST_WORDS:
            return
        db.execute("INSERT OR IGNORE INTO word VALUES (?, ?)", (stand, who))
        if db.execute("SELECT count(*) FROM word WHERE stand = ?", (stand,)).fetchone()[0] >= LEAST:
            db.execute("INSERT INTO known VALUES (?, ?)", (stand, word))
            db.execute("DELETE FROM word WHERE stand = ?", (stand,))

    def _count(self, table: str) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608  # names of ours
