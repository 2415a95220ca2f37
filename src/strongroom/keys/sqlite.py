"""Life keys in a SQLite file of their own, beside the keeper's database and never in a copy of it.

Trust: the file without the root key or the recovery key opens nothing, and these open nothing without the file.
"""

import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from strongroom.envelope import small
from strongroom.errors import ConfigError, Conflict, Tampered, Unavailable
from strongroom.keys.life import ID_SIZE, LifeKey
from strongroom.secret import Secret

SCHEMA = """
create table life (id blob primary key, key blob, destroyed integer) strict, without rowid;
pragma user_version = 1;
"""
SPARES = 64
"""Made at once: one sync to the disk for so many new patients."""
_PRAGMAS = (
    "journal_mode = truncate",  # no write-ahead log, in which an overwritten key would live on
    "synchronous = extra",
    "secure_delete = on",
    "trusted_schema = off",
)


class LifeFile:
    """See `life.LifeKeys`. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigError when there is no such file."""
        if not path.is_file():
            msg = f"The life keys {path} are missing."
            raise ConfigError(msg, advice="Put them back from a backup: without them no document opens.")
        self._lock = threading.Lock()
        self._spares: list[LifeKey] = []
        self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", 0.5, uri=True, check_same_thread=False)
        self._db.isolation_level = None
        with _translated():
            for pragma in _PRAGMAS:
                self._db.execute(f"pragma {pragma}")
            self._db.execute("select 1 from life limit 1").fetchone()

    @staticmethod
    def create(path: Path) -> None:
        """An empty file of mode 0600. Raises Conflict when one is there."""
        if path.exists():
            msg = f"There are life keys in {path} already."
            raise Conflict(msg, advice="They are left as they are: without them no document could be read again.")
        path.touch(mode=0o600)
        with _translated():
            db = sqlite3.connect(path)
            db.executescript(SCHEMA)
            db.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def spare(self) -> LifeKey:
        """See `LifeKeys`. Spares that a restart forgets stay in the file as keys of nobody."""
        with self._lock:
            if not self._spares:
                self._spares = self._made()
            return self._spares.pop()

    def get(self, ident: bytes) -> LifeKey:
        """See `LifeKeys`."""
        with self._lock, _translated():
            row = self._db.execute("select key from life where id = ?", (ident,)).fetchone()
        if row is None or row[0] is None:
            msg = "A patient's life key was destroyed." if row else "A patient's life key is not there."
            raise Tampered(msg)
        return LifeKey(ident, Secret(bytes(row[0])))

    def is_destroyed(self, ident: bytes) -> bool:
        """Whether there was such a key, and it was destroyed."""
        with self._lock, _translated():
            row = self._db.execute("select key is null from life where id = ?", (ident,)).fetchone()
        return row is not None and bool(row[0])

    def destroy(self, ident: bytes, at: int) -> None:
        """See `LifeKeys`."""
        with self._lock, _translated():
            self._db.execute("update life set key = null, destroyed = ? where id = ? and key is not null", (at, ident))

    def _made(self) -> list[LifeKey]:
        made = [LifeKey(secrets.token_bytes(ID_SIZE), small.new_key()) for _ in range(SPARES)]
        with _translated():
            self._db.execute("begin immediate")
            try:
                self._db.executemany(
                    "insert into life (id, key) values (?, ?)", [(one.id, one.key.reveal()) for one in made]
                )
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise
        return made


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        msg = f"The life keys cannot be used ({getattr(error, 'sqlite_errorname', 'error')})."
        raise Unavailable(msg, advice="Look at disk space and permissions of the keeper's directory.") from error
