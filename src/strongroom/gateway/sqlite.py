"""The guard's counts, in one file that all workers share: exact, whoever of them is killed, and whenever.

Each step is one transaction (`together`), so that two workers never count past each other; SQLite's write-ahead log takes back what
a killed one left half done. What is committed outlives every process; a loss of power may take the last seconds.

Not trusted to be there: what cannot be read or written raises Uncounted, and the request ends. Whoever can write the file can
make the guard blind, or refuse everybody; whoever can read it can try names of people and documents against it: they are hashes,
and the key lies with them. On disk it is bounded by what the portal gave in the longest window; in memory by `CACHE`.

How it grows: tables get new columns with defaults; another meaning of an old one takes another `FORM`, and begins anew.
"""

import contextlib
import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from strongroom.clock import DAY, SECOND
from strongroom.errors import ConfigError, Unavailable
from strongroom.gateway.measures import Measure, Place
from strongroom.gateway.rule import Rung, Scope

FORM: Final = 1
CACHE: Final = 32 * 1_024
"""KiB of the file that each process keeps in memory."""
BUSY: Final = 10.0
"""Seconds to wait for another worker; each is done in a thousandth of one."""
SLICES: Final = 512
"""Parts of the file, one of which is swept each second: all of it in nine minutes."""
EACH: Final = 20_000
"""Ids that one person may have been shown; whoever was shown more begins anew with the latest."""
PEOPLE: Final = 4_000_000
SHOWN: Final = 64_000_000
"""Ids in all, some 25 bytes each on disk. Who was shown nothing for the longest time is forgotten first."""
SESSIONS: Final = 2_000_000
UNUSED: Final = 400 * DAY
_IN: Final = 500
"""Values in one statement."""
_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE counted (place INTEGER, one INTEGER, until INTEGER NOT NULL, PRIMARY KEY (place, one)) WITHOUT ROWID;
CREATE TABLE served (place INTEGER, hour INTEGER, size INTEGER NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (place, hour)) WITHOUT ROWID;
CREATE TABLE shown (person INTEGER, one INTEGER, PRIMARY KEY (person, one)) WITHOUT ROWID;
CREATE TABLE people (person INTEGER PRIMARY KEY, seen INTEGER NOT NULL, shown INTEGER NOT NULL DEFAULT 0,
  blind INTEGER NOT NULL DEFAULT 0, walk TEXT NOT NULL DEFAULT '');
CREATE TABLE sessions (session INTEGER PRIMARY KEY, person TEXT NOT NULL, used INTEGER NOT NULL);
CREATE TABLE measures (scope TEXT, name TEXT, enforced INTEGER, rule TEXT NOT NULL, rung INTEGER NOT NULL, why TEXT NOT NULL,
  since INTEGER NOT NULL, until INTEGER NOT NULL, sticks INTEGER NOT NULL, from_scope TEXT NOT NULL, from_name TEXT NOT NULL,
  PRIMARY KEY (scope, name, enforced)) WITHOUT ROWID;
CREATE TABLE undone (scope TEXT, name TEXT, rule TEXT, until INTEGER NOT NULL, PRIMARY KEY (scope, name, rule)) WITHOUT ROWID;
CREATE TABLE reported (rule TEXT, who TEXT, enforced INTEGER, requests INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, PRIMARY KEY (rule, who, enforced)) WITHOUT ROWID;
"""


class Uncounted(Unavailable):
    """What leaves cannot be counted: then nothing leaves."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of a person: until when nothing counts as unshown to them, and which numbers they asked for lately."""

    blind: int = 0
    walk: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reported:
    """What a rule did, or would have done: requests, of whom, from when to when."""

    rule: str
    enforced: bool
    requests: int
    who: int
    first: int
    last: int


def prepare(path: Path, owner: int = -1) -> None:
    """Make the file of counts, unless there is one; in a folder that its owner alone can read. Raises ConfigError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(path.parent, owner, owner)
        if not path.exists():
            path.touch(0o600)
        os.chown(path, owner, owner)
        with contextlib.closing(sqlite3.connect(path, timeout=BUSY, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            _make(db)
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
    db.execute("COMMIT")


class Counts:
    """See the module. One connection; for one thread at a time."""

    def __init__(
        self, path: Path | None = None, *, each: int = EACH, shown: int = SHOWN, sessions: int = SESSIONS
    ) -> None:
        """Open what `prepare` made; None: in memory, for one process alone. Raises Uncounted."""
        self._path, self._each, self._most_shown, self._most_sessions = path, each, shown, sessions
        self._swept = -1
        name = ":memory:" if path is None else f"{path.absolute().as_uri()}?mode=rw"
        try:
            self._db = sqlite3.connect(name, BUSY, isolation_level=None, check_same_thread=False, uri=path is not None)
            if path is None:
                _make(self._db)
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(f"PRAGMA cache_size = -{CACHE}")
            self._file = None if path is None else _identity(path)
        except (OSError, sqlite3.Error) as error:
            raise _uncounted(error) from error
        self.key: bytes = self._one("SELECT value FROM meta WHERE name = 'key'")[0]

    def close(self) -> None:
        """Let it go."""
        self._db.close()

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What is done inside is done at once or not at all, and no other worker counts meanwhile. Raises Uncounted."""
        self._still_there()
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise _uncounted(error) from error
        finally:
            if self._db.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")

    def number(self, *words: str) -> int:
        """A name for these words: 64 bits that nobody can tell, or make others meet, without the key."""
        digest = hashlib.blake2b("\0".join(words).encode(), digest_size=8, key=self.key).digest()
        return int.from_bytes(digest, signed=True)

    # ---- different ids ----------------------------------------------------------------------------------------------

    def others(self, place: int, one: int, since: int, most: int) -> int:
        """How many ids other than `one` are counted there with an end after `since`; no more than `most` are looked at."""
        sql = "SELECT count(*) FROM (SELECT 1 FROM counted WHERE place = ? AND until > ? AND one <> ? LIMIT ?)"
        return int(self._one(sql, place, since, one, most)[0])

    def count(self, place: int, one: int, until: int) -> None:
        """`one` is counted there until then."""
        self._do(
            "INSERT INTO counted VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until", place, one, until
        )

    def serve(self, place: int, hour: int, size: int, until: int) -> None:
        """So many bytes went out in that hour."""
        sql = "INSERT INTO served VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET size = size + excluded.size"
        self._do(sql, place, hour, size, until)

    def bytes(self, place: int, hour: int) -> int:
        """How many went out from that hour on."""
        return int(self._one("SELECT coalesce(sum(size), 0) FROM served WHERE place = ? AND hour >= ?", place, hour)[0])

    # ---- people -----------------------------------------------------------------------------------------------------

    def known(self, person: str) -> Known:
        """What is remembered of them."""
        row = self._maybe("SELECT blind, walk FROM people WHERE person = ?", self.number("person", person))
        return Known() if row is None else Known(row[0], tuple(map(int, row[1].split())))

    def blinded(self, person: str, now: int, until: int) -> None:
        """An answer that cannot be read showed them something."""
        self._person(person, now, "blind", until)

    def walked(self, person: str, now: int, walk: Iterable[int]) -> None:
        """These numbers are what they asked for lately."""
        self._person(person, now, "walk", " ".join(map(str, walk)))

    def showed(self, person: str, ids: Iterable[tuple[str, str]], now: int) -> None:
        """These (family and id) were shown to them. Writes nothing where all of it is known."""
        who, numbers = (
            self.number("person", person),
            list(dict.fromkeys(self.number(*one) for one in ids))[: self._each],
        )
        seen = self._maybe("SELECT seen FROM people WHERE person = ?", who)
        if seen is not None and seen[0] > now - DAY and self._knows(who, numbers) == len(numbers):
            return
        with self.together():
            fresh = len(numbers) - self._knows(who, numbers)
            row = self._maybe("SELECT shown FROM people WHERE person = ?", who)
            before = row[0] if row is not None else 0
            if before + fresh > self._each:
                self._do("DELETE FROM shown WHERE person = ?", who)
                before, fresh = 0, len(numbers)
            self._many("INSERT OR IGNORE INTO shown VALUES (?, ?)", [(who, one) for one in numbers])
            self._person(person, now, "shown", before + fresh)

    def was_shown(self, person: str, family: str, document: str) -> bool:
        """Whether it was shown to them."""
        return self._knows(self.number("person", person), [self.number(family, document)]) > 0

    def begin(self, session: str, person: str, now: int) -> None:
        """That session is that person's."""
        with self.together():
            self._do("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)", self.number("session", session), person, now)

    def person_of(self, session: str) -> str | None:
        """Whose session it is, where that is known."""
        row = self._maybe("SELECT person FROM sessions WHERE session = ?", self.number("session", session))
        return None if row is None else str(row[0])

    # ---- what is in force -------------------------------------------------------------------------------------------

    def measures(self, places: Sequence[Place], now: int) -> list[Measure]:
        """What is in force there, the sternest first."""
        marks = ", ".join(["(?, ?)"] * len(places))
        names = [word for scope, name in places for word in (scope.value, name)]
        sql = f"SELECT * FROM measures WHERE (scope, name) IN (VALUES {marks}) AND until > ? ORDER BY rung DESC"  # noqa: S608  # question marks
        return list(map(_measure, self._all(sql, *names, now)))

    def in_force(self, now: int) -> list[Measure]:
        """All that is in force, the newest first."""
        return list(map(_measure, self._all("SELECT * FROM measures WHERE until > ? ORDER BY since DESC", now)))

    def put(self, new: Measure, now: int) -> bool:
        """Put it in force, unless somebody took it back, or what is there is as stern. Whether it is new."""
        if self.is_undone(new.where, new.rule, now):
            return False
        scope, name = new.where
        sql = "SELECT rung FROM measures WHERE scope = ? AND name = ? AND enforced = ? AND until > ?"
        row = self._maybe(sql, scope.value, name, new.enforced, now)
        if row is not None and row[0] >= new.rung:
            return False
        values = (scope.value, name, new.enforced, new.rule, new.rung, new.why, new.since, new.until, new.sticks)
        sql = "INSERT OR REPLACE INTO measures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        self._do(sql, *values, new.counted[0].value, new.counted[1])
        return True

    def undo(self, where: Place, now: int) -> list[Measure]:
        """Take back what is in force there, and keep it away: there, and where it was counted."""
        gone = self.measures([where], now)
        for one in gone:
            for place in {one.where, one.counted}:
                self.keep_away(place, one.rule, max(one.until, now + one.sticks))
        self._do("DELETE FROM measures WHERE scope = ? AND name = ?", where[0].value, where[1])
        return gone

    def keep_away(self, where: Place, rule: str, until: int) -> None:
        """That rule does nothing there until then."""
        sql = "INSERT INTO undone VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)"
        self._do(sql, where[0].value, where[1], rule, until)

    def is_undone(self, where: Place, rule: str, now: int) -> bool:
        """Whether somebody took back what this rule did there."""
        sql = "SELECT 1 FROM undone WHERE scope = ? AND name = ? AND rule = ? AND until > ?"
        return self._maybe(sql, where[0].value, where[1], rule, now) is not None

    # ---- what rules did ---------------------------------------------------------------------------------------------

    def report(self, rule: str, who: str, now: int, *, enforced: bool) -> None:
        """Once more."""
        sql = (
            "INSERT INTO reported VALUES (?, ?, ?, 1, ?, ?)"
            " ON CONFLICT DO UPDATE SET requests = requests + 1, last = max(last, excluded.last)"
        )
        self._do(sql, rule, who, enforced, now, now)

    def reported(self, since: int = 0) -> list[Reported]:
        """What each rule did to whoever met it after `since`."""
        sql = (
            "SELECT rule, enforced, sum(requests), count(*), min(first), max(last) FROM reported"
            " WHERE last >= ? GROUP BY rule, enforced ORDER BY rule, enforced"
        )
        return [Reported(row[0], bool(row[1]), *row[2:]) for row in self._all(sql, since)]

    # ---- keeping ----------------------------------------------------------------------------------------------------

    def sweep(self, now: int) -> None:
        """Forget what is over, and what there is too much of, in one part of the file. For whoever counts, now and then."""
        part = now // SECOND % SLICES
        if part == self._swept:
            return
        self._swept = part
        low = -(2**63) + part * (2**64 // SLICES)
        high = low + 2**64 // SLICES - 1
        with self.together():
            for table in ("counted", "served"):
                self._do(f"DELETE FROM {table} WHERE place BETWEEN ? AND ? AND until <= ?", low, high, now)  # noqa: S608  # two names of ours
            for table in ("measures", "undone"):
                self._do(f"DELETE FROM {table} WHERE until <= ?", now)  # noqa: S608  # as above
            self._do("DELETE FROM reported WHERE last <= ?", now - UNUSED)
            self._forget_people(low, high, now)
            sql = (
                "DELETE FROM sessions WHERE session IN (SELECT session FROM sessions WHERE session BETWEEN ? AND ?"
                " ORDER BY used DESC LIMIT -1 OFFSET ?)"
            )
            self._do(sql, low, high, -(-self._most_sessions // SLICES))

    def _forget_people(self, low: int, high: int, now: int) -> None:
        held = 0
        people = self._all(
            "SELECT person, seen, shown FROM people WHERE person BETWEEN ? AND ? ORDER BY seen DESC", low, high
        )
        for rank, (person, seen, size) in enumerate(people):
            held += size
            if held > -(-self._most_shown // SLICES) or rank >= PEOPLE // SLICES or seen <= now - UNUSED:
                self._do("DELETE FROM shown WHERE person = ?", person)
                self._do("DELETE FROM people WHERE person = ?", person)

    # ---- the file ---------------------------------------------------------------------------------------------------

    def _knows(self, who: int, numbers: Sequence[int]) -> int:
        known = 0
        for start in range(0, len(numbers), _IN):
            some = numbers[start : start + _IN]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT count(*) FROM shown WHERE person = ? AND one IN ({marks})"  # noqa: S608  # question marks
            known += self._one(sql, who, *some)[0]
        return known

    def _person(self, person: str, now: int, column: str, value: object) -> None:
        sql = (
            f"INSERT INTO people (person, seen, {column}) VALUES (?, ?, ?)"  # noqa: S608  # names of ours
            f" ON CONFLICT DO UPDATE SET seen = max(seen, excluded.seen), {column} = excluded.{column}"
        )
        self._do(sql, self.number("person", person), now, value)

    def _still_there(self) -> None:
        """A file that was removed, or replaced, is another truth than the one that other workers may have."""
        if self._path is not None:
            try:
                same = _identity(self._path) == self._file
            except OSError as error:
                raise _uncounted(error) from error
            if not same:
                raise Uncounted("The file of counts is another one than before.", advice="Start the gateway again.")

    def _all(self, sql: str, *values: object) -> list[Any]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise _uncounted(error) from error

    def _maybe(self, sql: str, *values: object) -> Any:
        rows = self._all(sql, *values)
        return rows[0] if rows else None

    def _one(self, sql: str, *values: object) -> Any:
        return self._all(sql, *values)[0]

    def _do(self, sql: str, *values: object) -> None:
        self._all(sql, *values)

    def _many(self, sql: str, rows: Sequence[tuple[int, int]]) -> None:
        try:
            self._db.executemany(sql, rows)
        except sqlite3.Error as error:
            raise _uncounted(error) from error


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _measure(row: Sequence[Any]) -> Measure:
    scope, name, enforced, rule, rung, why, since, until, sticks, from_scope, from_name = row
    counted = (Scope(from_scope), from_name)
    return Measure((Scope(scope), name), rule, Rung(rung), why, since, until, sticks, counted, bool(enforced))


def _uncounted(error: Exception) -> Uncounted:
    return Uncounted(f"The counts cannot be had: {error}.", advice="Is the disk full, or the file of counts gone?")
