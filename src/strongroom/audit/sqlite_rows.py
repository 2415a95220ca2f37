"""What the keeper's other tables hold, summed up in the log: who changes a row behind the keeper's back is found.

Every row has a tag, a keyed hash of its table and all its values. The tags of all rows are added up, modulo 2**256; each
entry with which rows change says the sum after it, hashed once more under the key and with its index. Only the log's one
writing connection changes rows, and keeps the sum as it does (temporary triggers), so an honest change costs two hashes.
Who writes the file can change a row, and even put an earlier row back; without the key they cannot make the sum fit, and an
earlier sum fits an earlier entry only.

So that a difference has a place, the tags are added up in buckets, too (`log_rows`). Those are not trusted for themselves:
they only say where to look.

Not summed up: the log's own tables that the tree covers. The map from pseudonyms to people (`log_name`) and the keys of the
months are: whoever changed it would lay one person's reading at another's door.
"""

import base64
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from strongroom.errors import Malformed, Tampered
from strongroom.tlog.entry import decode

Tag = Callable[[bytes], bytes]
"""A keyed hash of 32 bytes. The key is the keeper's."""
Tick = Callable[[str, int], None]
"""Told how many rows of a table are counted, every `STEP` of them."""
STEP = 100_000
BUCKETS = 1_024
"""For each table: with a million rows a difference is narrowed to a thousand of them."""
MODULUS = 2**256
SHOWN = 3
"""Candidates that are named where one of several rows was changed."""
MOST = 20
"""Differences that are told."""
ADVICE = (
    "Rows were changed behind the keeper's back: keep a copy, and restore a backup. `strongroom doctor` names them."
)
SCHEMA = """
create table log_rows (
  name text not null, bucket integer not null, rows integer not null, sum blob not null, primary key (name, bucket)
  ) strict, without rowid;
"""
_encode = msgspec.msgpack.Encoder().encode
_OWN = frozenset({"log_name", "log_month"})
"""Tables of the log that are summed up like the others."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows are summed up."""

    name: str
    columns: tuple[str, ...]
    key: tuple[int, ...]
    """Places of the primary key's columns."""

    def bucket(self, row: Sequence[object]) -> int:
        """Where a row is counted: by its primary key alone."""
        return zlib.crc32(_encode([row[at] for at in self.key])) % BUCKETS

    def describe(self, row: Sequence[object]) -> str:
        """Which row it is, by its primary key. Ids are random; nothing here names a person."""
        shown = ((self.columns[at], row[at]) for at in self.key)
        return ", ".join(f"{name}={one.hex() if isinstance(one, bytes) else one}" for name, one in shown)


_LAID = Table("sqlite_schema", ("name", "type", "tbl_name", "sql"), (0,))
"""Tables, indexes and triggers: a trigger that somebody put there would have the keeper change rows for them. Nothing
changes them while the keeper runs, so they are counted once, when the rows are taken as they are."""


def tables(db: sqlite3.Connection) -> list[Table]:
    """Every table but the log's own and SQLite's."""
    names = [
        str(row[0]) for row in db.execute("select name from main.sqlite_schema where type = 'table' order by name")
    ]
    found = []
    for name in names:
        if name.startswith("sqlite_") or (name.startswith("log_") and name not in _OWN):
            continue
        columns = db.execute(f"pragma main.table_info({_quoted(name)})").fetchall()
        keyed = sorted((column[5], at) for at, column in enumerate(columns) if column[5])
        found.append(Table(name, tuple(column[1] for column in columns), tuple(at for _, at in keyed)))
    return found


def tag_of(tag: Tag, table: str, row: Sequence[object]) -> int:
    """The tag of one row. The encoding tells text from bytes and one column from the next."""
    return int.from_bytes(tag(_encode(("row", table, *row))))


@dataclass(slots=True)
class Total:
    """Rows and their tags, added up."""

    rows: int = 0
    sum: int = 0

    def add(self, sign: int, value: int) -> None:
        """One row more (`sign` 1) or less (-1)."""
        self.rows += sign
        self.sum = (self.sum + sign * value) % MODULUS

    def said(self, tag: Tag, index: int) -> str:
        """What entry `index` says of it: 24 characters."""
        return base64.urlsafe_b64encode(
            tag(msgspec.msgpack.encode(["total", index, self.rows, self.sum.to_bytes(32)]))[:18]
        ).decode()


@dataclass(slots=True)
class _Change:
    table: str
    bucket: int
    sign: int
    value: int


@dataclass(slots=True)
class Rows:
    """The sums of one database, kept by its writing connection while it changes rows."""

    db: sqlite3.Connection
    tag: Tag
    total: Total = field(default_factory=Total)
    _tables: dict[str, Table] = field(default_factory=dict)
    _pending: list[_Change] = field(default_factory=list)

    def watch(self) -> None:
        """Begin to see every change that this connection makes, and take the sums as they are written down."""
        self._tables = {table.name: table for table in tables(self.db)}
        self.db.create_function("strongroom_row", -1, self._seen)
        for table in self._tables.values():
            for event, sides in (("insert", "new"), ("update", "old new"), ("delete", "old")):
                calls = ", ".join(_call(table, side) for side in sides.split())
                trigger = _quoted(f"strongroom_{event}_{table.name}")
                self.db.execute(
                    f"create temp trigger {trigger} after {event} on main.{_quoted(table.name)} begin select {calls}; end"
                )
        self._load()

    def mark(self) -> int:
        """For `undo`."""
        return len(self._pending)

    def undo(self, mark: int) -> None:
        """Forget the changes since `mark`: a savepoint was rolled back."""
        while len(self._pending) > mark:
            one = self._pending.pop()
            self.total.add(-one.sign, one.value)

    def write(self) -> None:
        """Write the sums down, at the end of a transaction."""
        buckets: dict[tuple[str, int], Total] = defaultdict(Total)
        for one in self._pending:
            buckets[one.table, one.bucket].add(one.sign, one.value)
        for (name, bucket), change in buckets.items():
            place = (name, bucket)
            row = self.db.execute("select rows, sum from log_rows where name = ? and bucket = ?", place).fetchone()
            rows, value = (row[0], int.from_bytes(row[1])) if row else (0, 0)
            total = ((value + change.sum) % MODULUS).to_bytes(32)
            self.db.execute("replace into log_rows values (?, ?, ?, ?)", (*place, rows + change.rows, total))
        self._pending.clear()

    def adopt(self) -> None:
        """Take the rows as they are, within a transaction: for a new database, and where officers accepted another one."""
        self.db.execute("delete from log_rows")
        for table in (*self._tables.values(), _LAID):
            for bucket, total in counted(self.db, self.tag, table).items():
                self.db.execute(
                    "insert into log_rows values (?, ?, ?, ?)", (table.name, bucket, total.rows, total.sum.to_bytes(32))
                )
        self._pending.clear()
        self._load()

    def check(self) -> None:
        """Raises Tampered unless the sums are those that the last entry to speak of them says. The rows themselves are
        `differences`'s: a start has no time for them.
        """
        for sentence in (*_unlike(self.db, self.tag, _LAID), *_disagreement(self.db, self.tag, self.total)):
            msg = f"The keeper's database does not agree with its log: {sentence}."
            raise Tampered(msg, advice=ADVICE)

    def _load(self) -> None:
        self.total = _written(self.db)

    def _seen(self, name: str, sign: int, *row: object) -> None:
        """Called by the triggers."""
        table = self._tables[name]
        change = _Change(name, table.bucket(row), sign, tag_of(self.tag, name, row))
        self.total.add(sign, change.value)
        self._pending.append(change)


def differences(db: sqlite3.Connection, tag: Tag, tick: Tick | None = None) -> Iterator[str]:
    """Where the rows are not those of the log, a sentence each with table and row; nothing when all are.

    1. Every row is counted again, and each bucket compared with what is written down.
    2. What is written down is what the last entry to speak of it says.

    Reads every row: some 300,000 in a second. To be called within one transaction.
    """
    there, told = [*tables(db), _LAID], 0
    # 1.
    for name, rows in db.execute(
        "select name, sum(rows) from log_rows group by name having sum(rows) <> 0 order by name"
    ):
        if name not in {table.name for table in there}:
            yield f"table {name}: it is gone, with {rows} rows"
    for table in there:
        for sentence in _unlike(db, tag, table, tick):
            yield sentence
            told += 1
            if told == MOST:
                return
    # 2.
    yield from _disagreement(db, tag, _written(db))


def counted(db: sqlite3.Connection, tag: Tag, table: Table, tick: Tick | None = None) -> dict[int, Total]:
    """The sums of the rows that are there, by bucket."""
    found: dict[int, Total] = defaultdict(Total)
    for number, row in enumerate(_rows(db, table), 1):
        if tick is not None and number % STEP == 0:
            tick(table.name, number)
        found[table.bucket(row)].add(1, tag_of(tag, table.name, row))
    return found


def _unlike(db: sqlite3.Connection, tag: Tag, table: Table, tick: Tick | None = None) -> Iterator[str]:
    """The differences of one table."""
    rows = db.execute("select bucket, rows, sum from log_rows where name = ?", (table.name,))
    written = {bucket: Total(count, int.from_bytes(value)) for bucket, count, value in rows}
    found = counted(db, tag, table, tick)
    wrong = {
        bucket: (written.get(bucket, Total()), found.get(bucket, Total()))
        for bucket in written.keys() | found.keys()
        if written.get(bucket, Total()) != found.get(bucket, Total())
    }
    yield from _told(db, tag, table, wrong) if wrong else ()


def _told(db: sqlite3.Connection, tag: Tag, table: Table, wrong: dict[int, tuple[Total, Total]]) -> Iterator[str]:
    """What happened in each bucket, as far as its sums tell."""
    here: dict[int, list[tuple[object, ...]]] = defaultdict(list)
    for row in _rows(db, table):
        if table.bucket(row) in wrong:
            here[table.bucket(row)].append(row)
    for bucket, (before, now) in sorted(wrong.items()):
        more, change = now.rows - before.rows, (now.sum - before.sum) % MODULUS
        added = [row for row in here[bucket] if tag_of(tag, table.name, row) == change]
        names = "; ".join(table.describe(row) for row in here[bucket][:SHOWN])
        names += f"; and {len(here[bucket]) - SHOWN} more" if len(here[bucket]) > SHOWN else ""
        if more == 1 and added:
            yield f"table {table.name}: a row was added behind the keeper's back: {table.describe(added[0])}"
        elif more < 0:
            beside = f" (beside {names})" if names else ""
            yield f"table {table.name}: {-more} rows were taken away behind the keeper's back, in bucket {bucket}{beside}"
        elif more > 0:
            yield f"table {table.name}: {more} rows were added behind the keeper's back, among {names}"
        elif len(here[bucket]) == 1:
            yield f"table {table.name}: a row was changed behind the keeper's back: {names}"
        else:
            yield f"table {table.name}: a row was changed behind the keeper's back, one of {names or 'none that is left'}"


def _disagreement(db: sqlite3.Connection, tag: Tag, total: Total) -> Iterator[str]:
    """A sentence, unless the last entry that speaks of the sums says these."""
    for index, body in db.execute("select idx, body from log_entry order by idx desc"):
        try:
            entry = decode(bytes(body))
        except Malformed:
            yield f"entry {index} cannot be read"
            return
        if entry.rows is not None:
            if entry.rows != total.said(tag, index):
                yield f"the sums of its rows (log_rows) are not those that entry {index} tells"
            return
    if total != Total():
        yield "its rows were never told of in the log"


def _written(db: sqlite3.Connection) -> Total:
    total = Total()
    for rows, value in db.execute("select rows, sum from log_rows"):
        total.rows += rows
        total.sum = (total.sum + int.from_bytes(value)) % MODULUS
    return total


def _rows(db: sqlite3.Connection, table: Table) -> Iterator[tuple[object, ...]]:
    names = ", ".join(_quoted(column) for column in table.columns)
    yield from db.execute(f"select {names} from main.{_quoted(table.name)}")  # noqa: S608  # names from the schema


def _call(table: Table, side: str) -> str:
    values = ", ".join(f"{side}.{_quoted(column)}" for column in table.columns)
    return f"strongroom_row('{table.name}', {1 if side == 'new' else -1}, {values})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
