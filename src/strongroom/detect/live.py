"""The same detections over events as they come.

1. Events wait until no earlier one is expected any more: until the tolerance has passed, by the events' own times. So the order
   in which they came, and how they were cut into batches, makes no difference, and the verdicts are those of a hunt.
2. Every event is asked for the bases of the detections: SQL, the same text as in a hunt.
3. What they find is folded in the order of time. A fold that fires for somebody raises an alert, once: again only when it was
   silent for a day, or when something left that had not.

An event that comes later than the tolerance is judged by the rules about single events alone, and counted; so is one from the
future, which would make all others late. An event that its source delivers twice counts once.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, cast

import pyarrow as pa
import pyarrow.compute as pc

from strongroom.clock import DAY, HOUR, MINUTE
from strongroom.detect.asked import Asking, Row
from strongroom.detect.detection import Base, Detection, Fire, Fold, Joint, Shelved
from strongroom.detect.duckdb import Engine, Error
from strongroom.detect.ending import Measured
from strongroom.detect.rules import Stopped
from strongroom.detect.shelf import Column, Rows, Shelves
from strongroom.detect.silence import Silence
from strongroom.detect.sliding import Single
from strongroom.detect.state import State
from strongroom.logs.mapping import Mapping
from strongroom.sigma.rule import LEVELS, Level

AGAIN: Final = DAY
"""Milliseconds of silence after which the same about the same is told again."""
AHEAD: Final = 5 * MINUTE
"""By which an event may be ahead of the clock: other machines' clocks differ."""

WAITING: Final = 1_000_000
"""Findings of bases that may wait. The earlier half is judged when there are more: a bound on memory comes before the tolerance."""
TIDY: Final = 2 * HOUR
"""Of the events' time, between two looks at everything that is kept: it costs about what some thousands of events do."""
PORTION: Final = 1_000
"""Events that are folded at once."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One detection fired about somebody. The place is that of the event by which it did; None when time alone told it."""

    id: str
    detection: Detection
    level: Level
    about: str
    fired: int
    amount: int
    place: tuple[int, int, int] | None  # source, offset, length


class Live:
    """The state of a watch; `resume` carries it over a restart."""

    def __init__(self, detections: Iterable[Detection], mapping: Mapping | None = None, tolerance: int = 0) -> None:
        """`tolerance`: milliseconds by which an event may come after one with a later time."""
        self.tolerance = tolerance
        self.late = self.future = self.twice = 0
        self.latest = self.reached = -1  # the latest time seen; all events up to this time were judged
        self.detections: list[Detection] = []
        self.folds: list[Fold] = []
        self.without: list[Stopped] = []
        self._serving: list[dict[str, Detection]] = []  # of each fold: its detections by what `Fire.of` says
        self._bases: dict[Base, list[int]] = {}  # with the folds that it feeds
        self._waiting: list[Row] = []
        self._events = 0
        self._seen: dict[tuple[Any, ...], int] = {}
        self._told: dict[
            tuple[str, str], tuple[int, int, int]
        ] = {}  # (detection, about) -> (first and last fire, rank of its level)
        self._mapping = mapping
        self._engine = Engine(
            "256MB", threads=1, disk=False
        ).numbered()  # of few rows, more threads cost more than they bring
        if mapping is not None:
            mapping.fill(self._engine)
        for detection in detections:
            self._take(detection)
        self._asking = Asking(self._engine, self._bases)
        self._share()

    def _take(self, detection: Detection) -> None:
        if detection.fold is None:
            self.without.append(Stopped("", detection.head.title, "No watch can say the same as a hunt yet."))
            return
        try:
            for base in detection.bases:
                self._engine.rows(base.sql)
        except Error as error:
            reason = f"The engine refuses it: {str(error).splitlines()[0][:200]}"
            self.without.append(Stopped("", detection.head.title, reason))
            return
        at = self._fold_of(detection)
        for base in detection.bases:
            users = self._bases.setdefault(base, [])
            if at not in users:
                users.append(at)
        self.detections.append(detection)

    def _fold_of(self, detection: Detection) -> int:
        """The number of the fold that serves it, perhaps with others."""
        assert detection.fold is not None  # noqa: S101  # `_take` has looked
        fold = detection.fold()
        if detection.joint is None:
            self.folds.append(fold)
            self._serving.append({"": detection})
            return len(self.folds) - 1
        at = next((at for at, one in enumerate(self.folds) if type(one) is type(fold)), len(self.folds))
        if at == len(self.folds):
            self.folds.append(fold)
            self._serving.append({})
        cast("Joint", self.folds[at]).serve(detection.head.id, detection.joint)
        self._serving[at][detection.head.id] = detection
        return at

    def _share(self) -> None:
        """Folds that are told by the same SQL of whom a row is keep what they know of them in the same rows."""
        alike: dict[str, list[Column[Any]]] = {}
        for at, fold in enumerate(self.folds):
            names = {base.columns[2] for base, folds in self._bases.items() if at in folds and base.columns}
            if isinstance(fold, Shelved) and len(names) == 1:
                columns = [one for one in fold.shelves() if isinstance(one, Column)]
                alike.setdefault(names.pop(), []).extend(columns)
        for name, columns in ((name, columns) for name, columns in alike.items() if columns):
            Rows(f"rows by {_digest(name)}", columns)

    def close(self) -> None:
        """Let the engine go."""
        self._engine.__exit__(None, None, None)

    def feed(self, events: pa.Table, now: int, hold: int | None = None) -> list[Alert]:
        """Take events, in any order, and judge those that nothing can come before any more.

        `now`: the clock's time. `hold`: events from then on are still unread somewhere; None: nothing is.
        """
        if self._mapping is not None:
            events = self._mapping.changed(events)
        events = self._once(events)
        alerts: list[Alert] = []
        if events.num_rows:
            numbers = pa.array(range(self._events, self._events + events.num_rows), pa.int64())
            self._events += events.num_rows
            self._engine.take(events.append_column("rowid", numbers))
            if self._mapping is not None:
                self._mapping.join(self._engine)
            alerts = self._ask(pc.unique(events["metadata.log_name"]).to_pylist(), now + AHEAD)
            self._engine.clear()
            self._count(events["time"], now + AHEAD)
        known = self.latest if hold is None else min(self.latest, hold)
        alerts += self.advance(known - self.tolerance - 1)
        if len(self._waiting) > WAITING:
            self._waiting.sort()
            alerts += self.advance(self._waiting[len(self._waiting) // 2][0])
        return alerts

    def _once(self, events: pa.Table) -> pa.Table:
        """Without those that the source has delivered before."""
        if "metadata.uid" not in events.column_names or events["metadata.uid"].null_count == events.num_rows:
            return events
        empty = pa.nulls(events.num_rows, pa.string())
        facts = (
            (events[name] if name in events.column_names else empty).to_pylist()
            for name in ("time", "metadata.log_name", "metadata.uid", "api.operation", "document")
        )
        new = [not self._again(fact) for fact in zip(*facts, strict=True)]
        self.twice += new.count(False)
        return events if all(new) else events.filter(pa.array(new))

    def _count(self, times: pa.ChunkedArray, ahead: int) -> None:
        """Events by when they came; the latest of those that are neither late nor from the future is known from now on."""
        future = pc.greater(times, pa.scalar(ahead, pa.int64()))
        self.future += pc.sum(future).as_py() or 0
        times = times.filter(pc.invert(future))
        self.late += pc.sum(pc.less_equal(times, pa.scalar(self.reached, pa.int64()))).as_py() or 0
        self.latest = max(self.latest, pc.max(times).as_py() or -1)

    def _again(self, fact: tuple[Any, ...]) -> bool:
        """Whether the source has delivered this event before."""
        time, *key = fact
        if key[1] is None:
            return False
        known = tuple(key)
        before = known in self._seen
        self._seen[known] = time
        return before

    def _ask(self, logs: Iterable[str], ahead: int) -> list[Alert]:
        """Ask all bases about the events of the engine, and let what they find wait."""
        found, reached = self._asking.found(logs), self.reached
        in_time = [row for row in found if reached < row[0] <= ahead]
        self._waiting += in_time
        if len(in_time) == len(found):
            return []
        return self._judge([row for row in found if not reached < row[0] <= ahead], alone=True)

    def advance(self, time: int) -> list[Alert]:
        """No event up to `time` is expected any more: judge all that wait until then."""
        if time <= self.reached:
            return []
        if time // TIDY > self.reached // TIDY:
            self.tidy()
        self.reached = time
        self._waiting.sort()
        ready = bisect_right(self._waiting, time, key=itemgetter(0))
        alerts = self._judge(self._waiting[:ready])
        del self._waiting[:ready]
        for at, fold in enumerate(self.folds):
            for fire in fold.passed(time + 1):
                alerts += self._tell(at, fire, fire.place)
        return alerts

    def clock(self, now: int) -> list[Alert]:
        """Nothing has come for so long that logs are too silent by now, though no event says so."""
        fires = [(at, fold.clock(now)) for at, fold in enumerate(self.folds) if isinstance(fold, Silence)]
        return [alert for at, found in fires for fire in found for alert in self._tell(at, fire, None)]

    def finish(self) -> list[Alert]:
        """Nothing comes any more, and the day is over."""
        latest = max([self.latest, *(one[0] for one in self._waiting)])
        return self.advance(max((latest // DAY + 1) * DAY, self.reached))

    def _judge(self, ready: list[Row], *, alone: bool = False) -> list[Alert]:
        """Fold these; `alone`: only by the rules about single events."""
        alerts: list[Alert] = []
        for first in range(0, len(ready), PORTION):
            alerts += self._fold(ready[first : first + PORTION], alone=alone)
        return alerts

    def _fold(self, ready: list[Row], *, alone: bool) -> list[Alert]:
        """One fold after the other, which has at hand then what it needs for all of them."""
        lots, origins = self._asking.lots(ready)
        alerts: list[Alert] = []
        for channel, folds in enumerate(self._asking.channels):
            for at in folds:
                if alone and not isinstance(self.folds[at], Single):
                    continue
                found = [*map(self.folds[at].feed, lots[channel])]
                if not any(found):
                    continue
                for fires, origin in zip(found, origins[channel], strict=True):
                    place = (origin[1], origin[2], origin[4])
                    alerts += [alert for fire in fires for alert in self._tell(at, fire, fire.place or place)]
        return alerts

    def _tell(self, at: int, fire: Fire, place: tuple[int, int, int] | None) -> Sequence[Alert]:
        detection = self._serving[at][fire.of]
        level: Level = "low" if detection.quiet and not fire.left else detection.head.level
        key, rank = (detection.head.id, fire.about), LEVELS.index(level)
        since, last, before = self._told.get(key, (fire.time, fire.time, -1))
        again = fire.time - last > AGAIN
        since_now = fire.time if again else min(since, fire.time)
        self._told[key] = (since_now, max(last, fire.time), max(rank, before))
        if (
            not again and rank <= before and since_now == since
        ):  # what waited for a day's end may be earlier than what was told
            return ()
        name = "\0".join((detection.head.id, fire.about, str(fire.time), level))
        id_ = hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()
        return (Alert(id_, detection, level, fire.about, fire.time, fire.amount, place),)

    def tidy(self) -> None:
        """Forget what cannot matter any more."""
        for fold in self.folds:
            fold.tidy(self.reached)
        self._seen = {key: time for key, time in self._seen.items() if time > self.reached}
        self._told = {key: told for key, told in self._told.items() if told[1] + AGAIN >= self.reached}

    def shortened(self) -> list[str]:
        """Titles of rules whose windows held more than they may: they look back less far than a hunt."""
        served = zip(self.folds, self._serving, strict=True)
        return [
            one.head.title
            for fold, serving in served
            if isinstance(fold, Measured) and fold.short
            for one in serving.values()
        ]

    def resume(self, state: State) -> Shelves:
        """Go on from this state; and the shelves by which everything is kept there."""
        folds = zip(self._serving, self.folds, strict=True)
        shelves = Shelves(
            state,
            (
                (f"{_name(serving.values())} {nth}", shelf)
                for serving, fold in folds
                if isinstance(fold, Shelved)
                for nth, shelf in enumerate(fold.shelves())
            ),
        )
        for name, kept in state.pieces():
            self.load(name, kept)
        return shelves

    def dump(self) -> Iterator[tuple[str, Any]]:
        """Everything but what lies on shelves, in pieces with names, each of lists, dicts, texts and numbers: so that the whole is
        never there twice.
        """
        bases = [_digest(base.sql) for base in self._bases]
        yield (
            "live",
            {
                "latest": self.latest,
                "reached": self.reached,
                "counts": [self.late, self.future, self.twice],
                "waiting": [[*row[:5], bases[at], one] for row in self._waiting for at, one in self._asking.rows(row)],
                "seen": [[*key, time] for key, time in self._seen.items()],
                "told": [[*key, *told] for key, told in self._told.items()],
            },
        )
        for serving, fold in zip(self._serving, self.folds, strict=True):
            yield _name(serving.values()), fold.dump()

    def load(self, name: str, kept: Any) -> None:
        """The way back, a piece at once. A detection that was not there, or was another then, begins anew; one that is gone is
        forgotten.
        """
        if name != "live":
            for serving, fold in zip(self._serving, self.folds, strict=True):
                if _name(serving.values()) == name:
                    fold.load(kept)
            return
        places = {_digest(base.sql): at for at, base in enumerate(self._bases)}
        self.latest, self.reached = kept["latest"], kept["reached"]
        self.late, self.future, self.twice = kept["counts"]
        self._waiting = [
            (*head, -1 - places[base], tuple(one)) for *head, base, one in kept["waiting"] if base in places
        ]
        self._seen = {tuple(key): time for *key, time in kept["seen"]}
        self._told = {(id_, about): (since, last, rank) for id_, about, since, last, rank in kept["told"]}


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()


def _name(detections: Iterable[Detection]) -> str:
    """Detections with their limits: what they kept is of no use to another."""
    return " ".join(f"{one.head.id} {_digest(one.hits)}" for one in detections)
