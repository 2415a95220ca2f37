"""Users, programs and sessions of the built-in issuer, in `signin.db`.

Trust: whoever can write this file can sign in as anybody. Whoever can read it gets argon2id hashes and sealed second
factors, and neither a password nor a code.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strongroom.clock import DAY, Millis
from strongroom.errors import ConfigError, Conflict, Unavailable
from strongroom.ids import SessionId

VERSION = 1
_KEPT_NETWORKS = 20
"""Networks remembered for a user; the longest unused is forgotten."""
_KEPT_SESSIONS = 2 * DAY
_SCHEMA = """
CREATE TABLE users (
  subject TEXT PRIMARY KEY, login TEXT NOT NULL UNIQUE, password TEXT NOT NULL, totp BLOB NOT NULL,
  last_step INTEGER NOT NULL DEFAULT 0, disabled INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE programs (
  client TEXT PRIMARY KEY, subject TEXT NOT NULL UNIQUE, jwks BLOB NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE sessions (
  name TEXT PRIMARY KEY, sid TEXT NOT NULL, subject TEXT NOT NULL, client TEXT NOT NULL, jkt TEXT NOT NULL,
  started INTEGER NOT NULL, ended INTEGER) STRICT;
CREATE INDEX sessions_started ON sessions (started);
CREATE TABLE networks (
  subject TEXT NOT NULL, network TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (subject, network)) STRICT;
CREATE TABLE used (mark TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class User:
    """A person who can sign in. `password` is an argon2id hash, `totp` a sealed secret."""

    subject: str
    login: str
    password: str
    totp: bytes
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A program with a key of its own. `subject` is the service account it acts as, `jwks` its public keys."""

    client: str
    subject: str
    jwks: bytes
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A session that was started. `ended` is None while it lives."""

    name: SessionId
    sid: str
    subject: str
    client: str
    jkt: str
    started: Millis
    ended: Millis | None = None


def create(path: Path) -> None:
    """Make a new database that only its owner can read. Raises Conflict when something is there."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except FileExistsError as error:
        msg = f"{path} exists already."
        raise Conflict(msg) from error
    except OSError as error:
        msg = f"{path} cannot be made: {error.strerror}."
        raise Unavailable(msg) from error
    with _translated():
        connection = sqlite3.connect(path)
        connection.executescript(f"PRAGMA journal_mode = WAL; {_SCHEMA} PRAGMA user_version = {VERSION};")
        connection.close()


class People:
    """The database, opened. Safe to use from several threads; every change is durable when its method returns.

    Every method raises Unavailable when the database cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        """Raises ConfigError when there is no database of our version at `path`; none is made."""
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, check_same_thread=False)
            self._db.isolation_level = None
            found = self._db.execute("PRAGMA user_version").fetchone()[0]
            self._db.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            msg = f"{path} is not a sign-in database."
            raise ConfigError(msg, advice="`strongroom init` makes one.") from error
        if found != VERSION:
            msg = f"{path} has version {found}; this program reads {VERSION}."
            raise ConfigError(msg)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def add_user(self, user: User) -> None:
        """Raises Conflict when the subject or the login name is taken."""
        values = (user.subject, user.login, user.password, user.totp, user.disabled)
        self._add("INSERT INTO users (subject, login, password, totp, disabled) VALUES (?, ?, ?, ?, ?)", values)

    def add_program(self, program: Program) -> None:
        """Raises Conflict when the client id or the subject is taken."""
        values = (program.client, program.subject, program.jwks, program.disabled)
        self._add("INSERT INTO programs (client, subject, jwks, disabled) VALUES (?, ?, ?, ?)", values)

    def user(self, *, login: str = "", subject: str = "") -> User | None:
        """The user of that login name or subject."""
        query = "SELECT subject, login, password, totp, disabled FROM users WHERE login = ? OR subject = ?"
        row = self._one(query, (login or None, subject or None))
        return None if row is None else User(row[0], row[1], row[2], row[3], bool(row[4]))

    def program(self, client: str) -> Program | None:
        """The program of that client id."""
        row = self._one("SELECT client, subject, jwks, disabled FROM programs WHERE client = ?", (client,))
        return None if row is None else Program(row[0], row[1], row[2], bool(row[3]))

    def set_password(self, subject: str, password: str, now: Millis) -> bool:
        """Replace the hash; the user's sessions end. False when there is no such user."""
        with self._transaction() as db:
            db.execute("UPDATE sessions SET ended = ? WHERE subject = ? AND ended IS NULL", (now, subject))
            return db.execute("UPDATE users SET password = ? WHERE subject = ?", (password, subject)).rowcount == 1

    def set_totp(self, subject: str, totp: bytes) -> bool:
        """Replace the sealed second factor. False when there is no such user."""
        with self._transaction() as db:
            changed = db.execute("UPDATE users SET totp = ?, last_step = 0 WHERE subject = ?", (totp, subject))
            return changed.rowcount == 1

    def set_disabled(self, subject: str, *, disabled: bool) -> bool:
        """Let nobody sign in as this user or program, or let them again. False when there is no such subject."""
        with self._transaction() as db:
            users = db.execute("UPDATE users SET disabled = ? WHERE subject = ?", (disabled, subject))
            programs = db.execute("UPDATE programs SET disabled = ? WHERE subject = ?", (disabled, subject))
            return users.rowcount + programs.rowcount > 0

    def use_step(self, subject: str, step: int) -> bool:
        """Use up a one-time code. False when it, or a later one, was used before; of two at once one is told True."""
        with self._transaction() as db:
            query = "UPDATE users SET last_step = ? WHERE subject = ? AND last_step < ?"
            return db.execute(query, (step, subject, step)).rowcount == 1

    def use_once(self, mark: str, until: Millis, now: Millis) -> bool:
        """Whether `mark` is new; from now on until `until` it is not."""
        with self._transaction() as db:
            db.execute("DELETE FROM used WHERE until < ?", (now,))
            return db.execute("INSERT OR IGNORE INTO used VALUES (?, ?)", (mark, until)).rowcount == 1

    def start_session(self, held: Held, network: str) -> None:
        """Remember a session, and that its user was signed in from `network`."""
        with self._transaction() as db:
            db.execute("DELETE FROM sessions WHERE started < ?", (held.started - _KEPT_SESSIONS,))
            db.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, NULL)",
                (held.name, held.sid, held.subject, held.client, held.jkt, held.started),
            )
            db.execute("INSERT OR REPLACE INTO networks VALUES (?, ?, ?)", (held.subject, network, held.started))
            db.execute(
                "DELETE FROM networks WHERE subject = ?1 AND network NOT IN"
                " (SELECT network FROM networks WHERE subject = ?1 ORDER BY at DESC LIMIT ?2)",
                (held.subject, _KEPT_NETWORKS),
            )

    def session(self, name: SessionId) -> Held | None:
        """The session of that name, ended or not."""
        row = self._one("SELECT name, sid, subject, client, jkt, started, ended FROM sessions WHERE name = ?", (name,))
        return None if row is None else Held(*row)

    def end_session(self, name: SessionId, now: Millis) -> None:
        """No further token is issued for it. May be repeated."""
        with self._transaction() as db:
            db.execute("UPDATE sessions SET ended = ? WHERE name = ? AND ended IS NULL", (now, name))

    def knows(self, login: str, network: str) -> bool:
        """Whether `login` was signed in from `network` before."""
        query = "SELECT 1 FROM networks JOIN users USING (subject) WHERE login = ? AND network = ?"
        return self._one(query, (login, network)) is not None

    def _add(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            with self._transaction() as db:
                db.execute(statement, values)
        except sqlite3.IntegrityError as error:
            msg = "The subject or the name is taken."
            raise Conflict(msg) from error

    def _one(self, query: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        with self._lock, _translated():
            row: tuple[Any, ...] | None = self._db.execute(query, values).fetchone()
            return row

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # told to the caller as Conflict
    except sqlite3.Error as error:
        msg = "The sign-in database cannot be read or written."
        raise Unavailable(msg, advice="Is the disk full, or another program holding the file?") from error
