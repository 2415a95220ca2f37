"""Events as a watch gets them, and what it and a hunt say of them."""

import random
import tempfile
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from strongroom.clock import MINUTE
from strongroom.cluster.asking import Facts, ask
from strongroom.cluster.local import Local
from strongroom.cluster.part import EVENT, Filling, Settling
from strongroom.cluster.piece import pieces
from strongroom.detect import hunt, rules, shelf
from strongroom.detect.detection import Detection
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import Wanted
from strongroom.detect.live import Alert, Live
from strongroom.detect.state import State
from strongroom.logs.batch import table
from strongroom.logs.mapping import Mapping
from tests.detect.conftest import DEFAULTS

TOLERANCE = 10 * MINUTE
PARTED = 0.3
"""Of the cases, that are hunted in parts too."""
Event = dict[str, Any]
Verdicts = dict[tuple[str, str], int]
"""(detection, about) -> when it first fired."""
Hit = tuple[str, str, int, int]
"""(detection, about, when it first fired, an event)."""


def same(events: list[Event], *detections: Detection, rng: random.Random, mapping: Mapping | None = None) -> Verdicts:
    """The verdicts of a hunt, once a watch has come to the same, and now and then a hunt in parts, which is dearer.

    Events come in any batches and to any part, 30 % late, 21 % twice; the watch is restarted.
    """
    arriving = delivered(numbered(events, rng), rng)
    expected = hunted(arriving, detections, mapping)
    assert first(watched(arriving, detections, mapping, rng)) == expected
    if rng.random() < PARTED:
        assert parted(arriving, detections, mapping, rng) == hits(arriving, detections, mapping)
    return expected


def numbered(events: list[Event], rng: random.Random) -> list[Event]:
    """By time, each with its place in one of two logs, half of them numbered by their source."""
    events = sorted(events, key=lambda event: event["time"])
    return [
        {**event, "record.source": at % 2, "record.offset": at, "metadata.uid": str(at) if rng.random() < 0.5 else None}
        for at, event in enumerate(events)
    ]


def delivered(events: list[Event], rng: random.Random) -> list[Event]:
    """As they arrive: 30 % late, and 21 % of those that are numbered twice, all within the tolerance."""
    arriving = []
    for event in events:
        again = 1 + (event.get("metadata.uid") is not None and rng.random() < 0.21)
        for _ in range(again):
            delay = rng.randrange(TOLERANCE + 1) if rng.random() < 0.3 else 0
            arriving.append((event["time"] + delay, rng.random(), event))
    return [event for _, _, event in sorted(arriving, key=lambda one: one[:2])]


def rows(events: list[Event]) -> Any:
    """As columns."""
    fields = sorted({*DEFAULTS, *(name for event in events for name in event)})
    return table(fields, [tuple({**DEFAULTS, **event}.get(field) for field in fields) for event in events])


def hunted(events: list[Event], detections: tuple[Detection, ...], mapping: Mapping | None) -> Verdicts:
    """What a hunt says."""
    return {(id_, about): fired for id_, about, fired, _ in hits(events, detections, mapping)}


def hits(events: list[Event], detections: tuple[Detection, ...], mapping: Mapping | None) -> set[Hit]:
    """What a hunt says, with the places of the events among those that are given."""
    with Engine() as engine:
        engine.take(rows(events))
        engine.run(hunt.TWICE)
        if mapping:
            mapping.fill(engine)
        stopped: list[rules.Stopped] = []
        hunt.run(detections, engine, stopped)
        assert stopped == []
        found = engine.rows("SELECT detection, about, min(fired) OVER (PARTITION BY detection, about), event FROM hit")
    return set(found)


def parted(
    events: list[Event], detections: tuple[Detection, ...], mapping: Mapping | None, rng: random.Random
) -> set[Hit]:
    """The same of a hunt in parts, each of which was given some of the events, in no order."""
    cluster, wanted = Local(rng.choice([2, 3, 5])), Wanted(mapping=mapping)
    lots: list[list[tuple[int, Event]]] = [[] for _ in range(cluster.parts)]
    for at in rng.sample(range(len(events)), len(events)):
        uid = events[at].get("metadata.uid")  # what came twice meets
        lots[rng.randrange(cluster.parts) if uid is None else zlib.crc32(uid.encode()) % cluster.parts].append(
            (at, events[at])
        )
    data = []
    for part, lot in enumerate(lots):
        numbers = pa.array([at for at, _ in lot], pa.int64())
        data.append(list(pieces(part, EVENT, rows([event for _, event in lot]).append_column("rowid", numbers))))
    data = cluster.turn(data, Settling(wanted, cluster.parts))
    if mapping:
        data = cluster.turn(cluster.meet(data), Filling(wanted))
    times = {"first": [min(event["time"] for event in events)], "last": [max(event["time"] for event in events)]}
    span = pa.table(times, pa.schema([("first", pa.int64()), ("last", pa.int64())]))
    found = ask(detections, data, cluster, Facts(span, mapping), lambda _done, _of: None)
    assert found.stopped == (), found.stopped
    first: Verdicts = {}
    every = [tuple(hit.values()) for hit in found.hits.to_pylist()]
    for id_, about, fired, _ in every:
        first[id_, about] = min(fired, first.get((id_, about), fired))
    return {(id_, about, first[id_, about], event) for id_, about, _, event in every}


def first(alerts: list[Alert]) -> Verdicts:
    """The same of alerts."""
    found: Verdicts = {}
    for alert in alerts:
        key = (alert.detection.head.id, alert.about)
        found[key] = min(alert.fired, found.get(key, alert.fired))
    return found


def watched(
    events: list[Event], detections: tuple[Detection, ...], mapping: Mapping | None, rng: random.Random
) -> list[Alert]:
    """In batches of any size; now and then it is saved, in pieces between which it goes on, with room for few in memory; or it is
    killed, and another goes on from the last instant that was saved.
    """
    alerts: list[Alert] = []
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelf, "MOST", rng.choice([0, 30, 10**6]))
        patch.setattr(shelf, "PIECE", rng.choice([1, 20]))
        patch.setattr(shelf, "LOOKED", rng.choice([1, 20]))
        at, began, saved, state = 0, 0, 0, State(Path(folder))
        live = Live(detections, mapping, TOLERANCE)
        shelves = live.resume(state)
        while at < len(events):
            size = rng.choice([1, 7, 60, 500])
            alerts += live.feed(rows(events[at : at + size]), 2**50)
            at += size
            if rng.random() < 0.3:
                live.tidy()
            if shelves.saving:
                saved = began if shelves.go_on(rng.choice([0, 0.001, None])) else saved
            elif rng.random() < 0.3:
                began = at
                shelves.begin(live.dump(), live.reached)
            if rng.random() < 0.1:
                live.close()
                state.close()
                live, state, at = Live(detections, mapping, TOLERANCE), State(Path(folder)), saved
                shelves = live.resume(state)
        alerts += live.finish()
        assert (live.late, live.future) == (0, 0)
        live.close()
        state.close()
    return alerts
