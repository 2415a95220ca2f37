"""What a part of the work does, on whichever machine. Each has an engine of its own, shut like that of any hunt."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from strongroom.cluster.piece import ONE, Piece, pieces, spread, unpacked
from strongroom.cluster.steps import START, Chain, Job
from strongroom.detect.duckdb import Engine, Error
from strongroom.detect.hunt import TWICE, File, Wanted, narrow, reading
from strongroom.detect.parts import Here
from strongroom.detect.unnamed import PATHS
from strongroom.errors import StrongroomError
from strongroom.logs import s3
from strongroom.logs.files import Source
from strongroom.logs.mapping import Mapping

MEMORY: Final = "512MB"
"""Of a part's engine; it spills."""
CAME: Final = pa.schema([("address", pa.string()), ("n", pa.int64())])
EVENT, FILE, SPAN, PAGE, FAILED, MOVED = "event", "file", "span", "page", "failed ", "moved "
"""Names of pieces. Those of what detections' steps make are the steps' own."""
_LATER: Final = 1 << 32
"""Events of a source, at most. An event's number is that of its source times this, and its place among those."""


@dataclass(frozen=True, slots=True)
class Place:
    """A source as it is told to another machine: without a connection, and without what opens it."""

    number: int
    name: str
    path: str
    remote: tuple[str, str, int] | None

    def source(self) -> Source:
        """To be read here. Credentials for a bucket come from this machine's environment."""
        remote = s3.known(*self.remote) if self.remote else None
        return Source(self.name, Path(self.path), named=False, remote=remote)


def place_of(number: int, source: Source) -> Place:
    """That of a source."""
    remote = (source.remote.bucket, source.remote.key, source.remote.size) if source.remote else None
    return Place(number, source.name, str(source.path.absolute()), remote)


class Read(msgspec.Struct):
    """What became of a source, for the one who asks."""

    number: int
    format: str | None
    events: int
    size: int
    unreadable: dict[str, int]
    places: dict[str, list[int]]
    seal: tuple[bytes, int, bytes]
    first: int | None
    last: int | None
    numbered: bool  # whether its events have ids by which those that came twice are known
    looks: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Files to events. `groups`: the sources of each piece of work."""

    groups: tuple[tuple[Place, ...], ...]
    wanted: Wanted
    parts: int

    def __call__(self, at: int) -> Iterator[Piece]:
        """Those of one group. What cannot be opened is told and not raised: an engine would try again and again."""
        try:
            for place in self.groups[at]:
                yield from self._of(place, at % self.parts)
        except StrongroomError as error:
            yield _told(FAILED, [error.message, error.advice])

    def _of(self, place: Place, part: int) -> Iterator[Piece]:
        file, found = reading(place.source(), place.number, self.wanted, lambda _name, _bytes: None)
        many, first, last, numbered = 0, None, None, False
        for events in found:
            numbers = pa.array(
                range(place.number * _LATER + many, place.number * _LATER + many + events.num_rows), pa.int64()
            )
            many += events.num_rows
            times = pc.min_max(events["time"]).as_py()
            first, last = _least(first, times["min"]), _most(last, times["max"])
            rows = events.append_column("rowid", numbers)
            if "metadata.uid" in rows.column_names and rows["metadata.uid"].null_count < rows.num_rows:
                numbered = True
                yield from self._by_id(rows, part)
            else:
                yield from pieces(part, EVENT, rows)
        yield Piece(ONE, FILE, msgspec.msgpack.encode(_account(place.number, file, first, last, numbered=numbered)))

    def _by_id(self, rows: pa.Table, part: int) -> Iterator[Piece]:
        """Events that came twice meet."""
        with Engine(MEMORY, threads=1, disk=False) as engine:
            engine.make("read", rows)
            key = f'CASE WHEN "metadata.uid" IS NULL THEN {part} ELSE hash("metadata.uid") % {self.parts} END::INTEGER'
            yield from spread(EVENT, engine.table(f"SELECT *, {key} AS part FROM read ORDER BY part, rowid"))


def _least(one: int | None, other: int | None) -> int | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _most(one: int | None, other: int | None) -> int | None:
    return max((at for at in (one, other) if at is not None), default=None)


def _account(number: int, file: File, first: int | None, last: int | None, *, numbered: bool) -> Read:
    account, format_ = file.account, file.format.name if file.format else None
    return Read(
        number, format_, account.events, account.bytes, account.unreadable, account.places, account.seal.kept(), first, last,
        numbered, file.looks,
    )  # fmt: skip


def _told(name: str, what: Any) -> Piece:
    return Piece(ONE, name, msgspec.msgpack.encode(what))


@dataclass(frozen=True, slots=True)
class Settling:
    """Events that came twice are taken out; and then, where there is a mapping, those of a document meet."""

    wanted: Wanted
    parts: int

    def __call__(self, part: int, given: Iterator[Piece]) -> Iterator[Piece]:
        """Events of one part."""
        with _engine(given) as engine:
            twice = engine.run(TWICE)
            if self.wanted.mapping is None:
                yield from _settled(engine, part, self.wanted, twice)
                return
            yield _told(SPAN, [None, None, 0, twice])
            key = f"CASE WHEN document IS NULL THEN {part} ELSE hash(document) % {self.parts} END::INTEGER"
            yield from spread(EVENT, engine.table(f"SELECT *, {key} AS part FROM event ORDER BY part, rowid"))


@dataclass(frozen=True, slots=True)
class Filling:
    """What the operator's tables tell of the events of a document."""

    wanted: Wanted

    def __call__(self, part: int, given: Iterator[Piece]) -> Iterator[Piece]:
        """Events of one part."""
        with _engine(given) as engine:
            if self.wanted.mapping:
                self.wanted.mapping.fill(engine)
            yield from _settled(engine, part, self.wanted, 0)


def _engine(given: Iterator[Piece]) -> Engine:
    engine = Engine(MEMORY, threads=1, disk=False).numbered()
    for piece in given:
        if piece.name == EVENT:
            engine.take(unpacked(piece.body))
    return engine


def _settled(engine: Engine, part: int, wanted: Wanted, twice: int) -> Iterator[Piece]:
    narrow(wanted, engine)
    yield _told(SPAN, [*engine.rows("SELECT first, last, (SELECT count(*) FROM event) FROM span")[0], twice])
    yield from pieces(part, EVENT, engine.table("SELECT * FROM event ORDER BY rowid"))


@dataclass(frozen=True, slots=True)
class Judging:
    """Steps of detections, and hits. `tables`: name of pieces -> their place, and what they are without rows."""

    jobs: tuple[Job, ...]
    tables: dict[str, tuple[Chain, bytes]]
    known: dict[Chain, bytes]
    span: bytes
    parts: int
    mapping: Mapping | None

    def __call__(self, part: int, given: Iterator[Piece]) -> Iterator[Piece]:  # noqa: ARG002  # of all works
        """The answers of one part."""
        held: dict[str, list[bytes]] = {}
        for piece in given:
            held.setdefault(piece.name, []).append(piece.body)
        if not held:
            return
        with Engine(MEMORY, threads=1, disk=False).numbered() as engine:
            if self.mapping is not None:
                self.mapping.fill(engine)
            engine.make("span", unpacked(self.span))
            for name, (place, empty) in self.tables.items():
                bodies = held.pop(name, [])
                if not bodies:
                    continue
                if place == START:
                    for body in bodies:
                        engine.take(unpacked(body))
                else:
                    engine.make(place[-1].name, together(unpacked(empty), map(unpacked, bodies)))
                yield from self._at(place, engine)

    def _at(self, place: Chain, engine: Engine) -> Iterator[Piece]:
        there: dict[str, Chain] = {}
        for job in self.jobs:
            if job.place != place:
                continue
            try:
                prepare(job, engine, there, lambda chain: unpacked(self.known[chain]))
                yield from answer(job, engine, self.parts)
            except Error as error:
                yield _told(f"{FAILED}{job.name}", str(error).splitlines()[0][:200])


def prepare(job: Job, engine: Engine, there: dict[str, Chain], known: Callable[[Chain], pa.Table]) -> None:
    """The tables that a job may name besides that of its place. `there`: those that the engine has."""
    for chain in job.before:
        step = chain[-1]
        if there.get(step.name) != chain:
            engine.make(step.name, engine.table(step.rows) if isinstance(step, Here) else known(chain))
            there[step.name] = chain


def together(empty: pa.Table, tables: Iterable[pa.Table]) -> pa.Table:
    """Tables as one. Their columns may stand in other orders: that of the events' is not the same everywhere."""
    return pa.concat_tables([empty, *(one.select(empty.column_names).cast(empty.schema) for one in tables)])


def answer(job: Job, engine: Engine, parts: int) -> Iterator[Piece]:
    """What a job finds, for those who want it."""
    if job.key is None:
        yield from pieces(ONE, job.name, engine.table(job.sql))
        return
    rows = f"SELECT *, (hash({job.key}) % {parts})::INTEGER AS part__ FROM ({job.sql}) ORDER BY part__"
    found = engine.table(rows)
    if found.num_rows:
        yield _told(f"{MOVED}{job.name}", None)
        yield from spread(job.name, found)


@dataclass(frozen=True, slots=True)
class Fetching:
    """Events by their numbers."""

    numbers: bytes

    def __call__(self, part: int, given: Iterator[Piece]) -> Iterator[Piece]:  # noqa: ARG002  # of all works
        """Those of one part."""
        numbers = unpacked(self.numbers)["event"]
        for piece in given:
            if piece.name == EVENT:
                events = unpacked(piece.body)
                yield from pieces(ONE, EVENT, events.filter(pc.is_in(events["rowid"], numbers.combine_chunks())))


@dataclass(frozen=True, slots=True)
class Paging:
    """Pages that may be documents (`unnamed`), each once a part."""

    def __call__(self, part: int, given: Iterator[Piece]) -> Iterator[Piece]:  # noqa: ARG002  # of all works
        """Those of one part."""
        with _engine(given) as engine:
            yield from pieces(ONE, PAGE, engine.table(PATHS))


@dataclass(frozen=True, slots=True)
class Counting:
    """How many events came from each of these addresses."""

    addresses: bytes

    def __call__(self, part: int, given: Iterator[Piece]) -> Iterator[Piece]:  # noqa: ARG002  # of all works
        """Those of one part."""
        wanted, column = unpacked(self.addresses)["address"].combine_chunks(), "src_endpoint.ip"
        for piece in given:
            if piece.name == EVENT:
                events = unpacked(piece.body)
                if column in events.column_names:
                    came = (
                        events.filter(pc.is_in(events[column], wanted)).group_by(column).aggregate([([], "count_all")])
                    )
                    yield from pieces(ONE, "address", came.rename_columns(["address", "n"]).cast(CAME))
