"""Reading the log's tables, on a connection that cannot write. As many readers as one likes, one thread each at a time.

A reader sees the last committed state; within `snapshot`, one state throughout.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from strongroom.audit.compose import Columns, Details
from strongroom.audit.effect import SqlValue
from strongroom.audit.sqlite import BUSY, SCHEMA_VERSION, away
from strongroom.errors import ConfigError, Tampered
from strongroom.tlog.tile import Tile, tile_nodes
from strongroom.tlog.tree import Frontier, Nodes


@dataclass(frozen=True, slots=True)
class Head:
    """How far the log got, and the newest checkpoint that was signed."""

    frontier: Frontier
    checkpoint: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """One entry as it lies in the table."""

    index: int
    columns: Columns
    leaf: bytes
    body: bytes


class Named(NamedTuple):
    """One row of the map. `real` is None once it was erased."""

    kind: str
    month: str
    real: str | None
    shown: str


class Reader:
    """Every method raises Unavailable when the database cannot be read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use `open`."""
        self._db = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """A reader of an existing database. Raises ConfigError if there is none that can be opened."""
        try:
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", BUSY, uri=True, isolation_level=None, check_same_thread=False
            )
            connection.execute("pragma query_only = on")
            connection.execute("pragma cell_size_check = on")
        except sqlite3.Error as error:
            msg = f"There is no log in {path} that can be read."
            raise ConfigError(msg, advice="Was `strongroom init` run? May this user read it?") from error
        return cls(connection)

    def close(self) -> None:
        """Close the connection. Without effect the second time."""
        self._db.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See one state of the database until the end. Keep it short: the WAL cannot shrink meanwhile."""
        self._db.execute("begin")
        try:
            yield
        finally:
            self._db.execute("rollback")

    def rows(self, sql: str, parameters: Sequence[SqlValue] | dict[str, SqlValue] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, as they come."""
        try:
            for row in self._db.execute(sql, parameters):  # noqa: UP028  # `yield from` closes a cursor of a closed reader
                yield row
        except sqlite3.Error as error:
            raise away(error) from error

    def head(self) -> Head:
        """Size, frontier and checkpoint. Raises Malformed when they do not fit together, Tampered when they are gone."""
        found = next(
            self.rows("select size, peaks, checkpoint from log_head where version = ?", (SCHEMA_VERSION,)), None
        )
        if found is None:
            msg = "The log's frontier and checkpoint are missing from the database, or of another version."
            raise Tampered(msg, advice="Restore it from a backup.")
        size, peaks, checkpoint = found
        return Head(Frontier.parse(size, peaks), checkpoint)

    def entries(self, start: int, stop: int) -> Iterator[Stored]:
        """Entries `start` up to but not including `stop`, in order. Raises Tampered where one is missing."""
        expected = start
        found = self.rows(
            "select idx, leaf, body, t, op, actor, patient, session, client, organisation, ref from log_entry"
            " where idx >= ? and idx < ? order by idx",
            (start, stop),
        )
        for index, leaf, body, *columns in found:
            if index != expected:
                break
            yield Stored(index, Columns(*columns), leaf, body)
            expected += 1
        if expected < stop:
            msg = f"Entry {expected} is missing from the database, though by its frontier (log_head) there are {stop} entries."
            raise Tampered(msg)

    def tile(self, tile: Tile) -> tuple[bytes, ...]:
        """The hashes, or the entries, of one tile. Raises Tampered where one is missing."""
        span = (tile.start, tile.start + tile.width)
        if tile.level is None:
            found = self.rows("select body from log_entry where idx >= ? and idx < ? order by idx", span)
        elif tile.level == 0:
            found = self.rows("select leaf from log_entry where idx >= ? and idx < ? order by idx", span)
        else:
            found = self.rows(
                "select hash from log_tile where level = ? and idx >= ? and idx < ? order by idx", (tile.level, *span)
            )
        hashes = tuple(row[0] for row in found)
        if len(hashes) != tile.width:
            msg = f"{tile.width - len(hashes)} rows of {tile.path()} are missing from the database."
            raise Tampered(msg)
        return hashes

    def nodes(self, size: int) -> Nodes:
        """The tree of the first `size` entries, for roots and proofs. Trusts the hashes it finds."""
        return tile_nodes(size, self.tile)

    def named(self, number: int) -> Named | None:
        """The row of the map with this number."""
        found = next(self.rows("select kind, month, real, shown from log_name where id = ?", (number,)), None)
        return None if found is None else Named(*found)

    def names(self, numbers: Sequence[int]) -> dict[int, Named]:
        """The rows of the map with these numbers, by number."""
        found = self.rows(
            "select id, kind, month, real, shown from log_name where id in (select value from json_each(?))",
            (json.dumps(numbers),),
        )
        return {row[0]: Named(*row[1:]) for row in found}

    def real(self, kind: str, month: str, shown: str) -> str | None:
        """Whom a token of this month stands for; None if there is none or it was erased."""
        found = next(
            self.rows("select real from log_name where kind = ? and month = ? and shown = ?", (kind, month, shown)),
            None,
        )
        return None if found is None else found[0]

    def numbers(self, kind: str, real: str) -> tuple[int, ...]:
        """The numbers of all names that somebody or something had, in any month."""
        found = self.rows("select id from log_name where kind = ? and real = ? order by id", (kind, real))
        return tuple(row[0] for row in found)

    def erased(self, kind: str) -> tuple[tuple[str, int], ...]:
        """(month, how many) names of this kind that were taken out of the map."""
        found = self.rows(
            "select month, count(*) from log_name where kind = ? and real is null group by month order by month",
            (kind,),
        )
        return tuple((month, count) for month, count in found)

    def month_keys(self) -> dict[str, bytes]:
        """The key of every month, for hashing documents."""
        return {row[0]: row[1] for row in self.rows("select month, key from log_month order by month")}

    def details(self, index: int) -> Details | None:
        """What is kept beside an entry; None if there is nothing, or no longer."""
        found = next(self.rows("select salt, body from log_details where idx = ?", (index,)), None)
        return None if found is None else Details(*found)

    def check_pages(self) -> None:
        """SQLite's own check of the whole file, slow. Raises Tampered."""
        found = next(self.rows("pragma integrity_check(1)"))[0]
        if found != "ok":
            msg = "The keeper's database is damaged."
            raise Tampered(msg, advice="Restore it from a backup.")
