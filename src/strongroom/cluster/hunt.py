"""The whole of a hunt on many machines, as the one who asks runs it. It holds what was found, and never all events."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
import pyarrow as pa

from strongroom.cluster.asking import Facts, ask
from strongroom.cluster.part import (
    CAME,
    FAILED,
    FILE,
    SPAN,
    Counting,
    Fetching,
    Filling,
    Paging,
    Place,
    Read,
    Reading,
    Settling,
    place_of,
)
from strongroom.cluster.piece import Cluster, Data, packed, unpacked
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import File, Looked, Result, Told, Wanted, conclude, detections, told_all
from strongroom.detect.unnamed import SAMPLE, among
from strongroom.errors import OperationError
from strongroom.logs import formats, guess, table
from strongroom.logs.files import Source
from strongroom.logs.read import Account
from strongroom.logs.seal import Seal

GROUP: Final = 128 * 1024 * 1024
"""Bytes of files, packed as they are, that are read as one piece of work: many small files are one, a large file is one."""


def hunt(
    sources: list[Source], wanted: Wanted, engine: Engine, cluster: Cluster[Data],
    told: Told = lambda _name, _bytes: None, looked: Looked = lambda _done, _of: None,
) -> Result:  # fmt: skip
    """What `detect.hunt` says of the same, by parts. The engine then has the events that were hit, and no others.

    Raises OperationError when a machine gives out, or cannot open what it is to read.
    """
    result, every = Result(), [place_of(number, source) for number, source in enumerate(sources)]
    events, span = _read(tuple(groups(every, sources)), sources, wanted, cluster, result, told)
    result.first, result.last = span["first"][0].as_py(), span["last"][0].as_py()
    found = ask(detections(wanted, result), events, cluster, Facts(span, wanted.mapping), looked)
    result.stopped += found.stopped
    result.detections = found.ran
    _fill(engine, events, cluster, found.hits)
    conclude(result, wanted, engine, "SELECT address, sum(n) AS n FROM came_from GROUP BY address")
    if not told_all(wanted):
        result.unnamed = among(sorted(_pages(events, cluster))[:SAMPLE])
    return result


def _pages(events: Data, cluster: Cluster[Data]) -> set[str]:
    """What every part has, of each no more than a hunt on one machine looks at."""
    given = cluster.gather(cluster.turn(events, Paging()))
    return {path for piece in given for path in unpacked(piece.body)[0].to_pylist()}


def _fill(engine: Engine, events: Data, cluster: Cluster[Data], hits: pa.Table) -> None:
    """The hits and their events, into the engine of the one who asks; and how many events came from the same addresses."""
    engine.numbered()
    engine.make("found", hits)
    engine.run("INSERT INTO hit SELECT detection, about, fired, event FROM found")
    numbers = engine.table("SELECT DISTINCT event FROM found ORDER BY event")
    engine.make("found", hits.slice(0, 0))
    came = [CAME.empty_table()]
    if numbers.num_rows:
        for piece in cluster.gather(cluster.turn(events, Fetching(packed(numbers)))):
            engine.take(unpacked(piece.body))
        addresses = engine.table(
            """SELECT DISTINCT "src_endpoint.ip" AS address FROM event WHERE address IS NOT NULL"""
        )
        came += [unpacked(piece.body) for piece in cluster.gather(cluster.turn(events, Counting(packed(addresses))))]
    engine.make("came_from", pa.concat_tables(came))


def groups(places: Iterable[Place], sources: list[Source]) -> Iterator[tuple[Place, ...]]:
    """Sources by pieces of work, in their order."""
    group: list[Place] = []
    size = 0
    for place in places:
        if group and size + sources[place.number].size > GROUP:
            yield tuple(group)
            group, size = [], 0
        group.append(place)
        size += sources[place.number].size
    if group:
        yield tuple(group)


def _read(
    work: tuple[tuple[Place, ...], ...],
    sources: list[Source],
    wanted: Wanted,
    cluster: Cluster[Data],
    result: Result,
    told: Told,
) -> tuple[Data, pa.Table]:
    """Every source, and what all events of it are once they are settled: each once, each with what the mapping tells."""
    events = cluster.read(len(work), Reading(work, wanted, cluster.parts))
    reads = []
    for piece in cluster.gather(events):
        if piece.name == FAILED:
            message, advice = msgspec.msgpack.decode(piece.body)
            raise OperationError(message, advice=advice)
        if piece.name == FILE:
            reads.append(msgspec.msgpack.decode(piece.body, type=Read))
    reads.sort(key=lambda one: one.number)
    for one in reads:
        told(sources[one.number].name, one.size)
    result.files = [_file(one, sources[one.number], wanted) for one in reads]
    spans: list[Any] = [[one.first, one.last, one.events, 0] for one in reads]
    if any(one.numbered for one in reads) or wanted.mapping or wanted.since is not None or wanted.until is not None:
        events = cluster.turn(cluster.meet(events), Settling(wanted, cluster.parts))
        spans = _spans(cluster, events)
        if wanted.mapping:
            events = cluster.turn(cluster.meet(events), Filling(wanted))
            spans += _spans(cluster, events)
    result.duplicates = sum(one[3] for one in spans)
    ends = [[one[at] for one in spans if one[at] is not None] for at in (0, 1)]
    times = {"first": [min(ends[0], default=None)], "last": [max(ends[1], default=None)]}
    return events, pa.table(times, pa.schema([("first", pa.int64()), ("last", pa.int64())]))


def _spans(cluster: Cluster[Data], events: Data) -> list[Any]:
    return [msgspec.msgpack.decode(piece.body) for piece in cluster.gather(events) if piece.name == SPAN]


def _file(one: Read, source: Source, wanted: Wanted) -> File:
    account = Account(one.events, one.size, one.unreadable, one.places, Seal.again(*one.seal))
    known = formats.NAMES.get(one.format or "") or guess.named(one.format or "")
    if known is None and one.format is not None:  # one of those that an operator describes
        mapping = wanted.mapping
        custom = mapping.custom if mapping else None
        known = custom if custom and custom.name == one.format else None
        if known is None and mapping and mapping.columns:
            known = table.format_of(mapping.columns)
    return File(source, known, account, one.looks)
