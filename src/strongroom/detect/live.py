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
from typing import Any, Final

import pyarrow as pa

from strongroom.clock import DAY, HOUR, MINUTE
from strongroom.detect.detection import ABOUT, Base, Detection, Fire, Fold
from strongroom.detect.duckdb import Engine, Error
from strongroom.detect.rules import Stopped
from strongroom.detect.silence import Silence
from strongroom.detect.sliding import Single
from strongroom.logs.mapping import Mapping
from strongroom.sigma.rule import LEVELS, Level

AGAIN: Final = DAY
"""Milliseconds of silence after which the same about the same is told again."""
AHEAD: Final = 5 * MINUTE
"""By which an event may be ahead of the clock: other machines' clocks differ."""

WAITING: Final = 1_000_000
"""Findings of bases that may wait. The earlier half is judged when there are more: a bound on memory comes before the tolerance."""


class Together:
    """Bases that are asked at once: an event is fetched with everything that any of them selects."""

    def __init__(self, bases: dict[int, Base]) -> None:
        """By their numbers; all have `columns`, the first two of them the same."""
        told = (column for base in bases.values() for column in base.columns)
        columns = list(dict.fromkeys(("rowid", "time", ABOUT, *told)))
        meant = [f"({base.where}) AS w{at}" for at, base in bases.items()]
        asked = ", ".join((*(f"{column} AS c{at}" for at, column in enumerate(columns)), *meant))
        self.sql = f"SELECT * FROM (SELECT {asked} FROM event) WHERE {' OR '.join(f'w{at}' for at in bases)}"
        self._members = [
            (len(columns) + nth, at, itemgetter(*(columns.index(column) for column in base.columns)))
            for nth, (at, base) in enumerate(bases.items())
        ]

    def rows(self, row: tuple[Any, ...]) -> list[tuple[int, tuple[Any, ...]]]:
        """What it found, as rows of each base."""
        return [(at, pick(row)) for flag, at, pick in self._members if row[flag]]


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
    """The state of a watch; `dump` and `load` carry it over a restart."""

    def __init__(self, detections: Iterable[Detection], mapping: Mapping | None = None, tolerance: int = 0) -> None:
        """`tolerance`: milliseconds by which an event may come after one with a later time."""
        self.tolerance = tolerance
        self.late = self.future = self.twice = 0
        self.latest = self.reached = -1  # the latest time seen; all events up to this time were judged
        self.detections: list[Detection] = []
        self.folds: list[Fold] = []
        self.without: list[Stopped] = []
        self._bases: dict[Base, list[int]] = {}  # with the folds that it feeds
        self._plans: dict[frozenset[str], list[tuple[str, int | None]]] = {}
        self._together: list[Together] = []
        self._waiting: list[tuple[Any, ...]] = []
        self._seen: dict[tuple[Any, ...], int] = {}
        self._told: dict[tuple[str, str], tuple[int, int]] = {}  # (detection, about) -> (last fire, rank of its level)
        self._mapping = mapping
        self._engine = Engine("256MB", threads=1)  # of few rows, more threads cost more than they bring
        if mapping is not None:
            mapping.fill(self._engine)
        for detection in detections:
            self._take(detection)
        self._users = list(self._bases.values())

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
        for base in detection.bases:
            self._bases.setdefault(base, []).append(len(self.folds))
        self.detections.append(detection)
        self.folds.append(detection.fold())

    def close(self) -> None:
        """Let the engine go."""
        self._engine.__exit__(None, None, None)

    def feed(self, events: pa.Table, now: int, hold: int | None = None) -> list[Alert]:
        """Take events, in any order, and judge those that nothing can come before any more.

        `now`: the clock's time. `hold`: events from then on are still unread somewhere; None: nothing is.
        """
        engine = self._engine
        engine.take(events if self._mapping is None else self._mapping.changed(events))
        facts = engine.rows(_FACTS)
        gone = [rowid for rowid, *fact in facts if self._again(tuple(fact))]
        if gone:
            self.twice += len(gone)
            engine.run(f"DELETE FROM event WHERE rowid IN ({', '.join(map(str, gone))})")
        if self._mapping is not None:
            self._mapping.join(engine)
        alerts = self._ask({fact[0]: fact[1:5] for fact in facts}, now)
        engine.run("DELETE FROM event")
        known = self.latest if hold is None else min(self.latest, hold)
        alerts += self.advance(known - self.tolerance - 1)
        if len(self._waiting) > WAITING:
            self._waiting.sort()
            alerts += self.advance(self._waiting[len(self._waiting) // 2][0])
        return alerts

    def _again(self, fact: tuple[Any, ...]) -> bool:
        """Whether the source has delivered this event before."""
        time, key = fact[3], fact[4:]
        if key[1] is None:
            return False
        before = key in self._seen
        self._seen[key] = time
        return before

    def _ask(self, places: dict[int, tuple[int, int, int, int]], now: int) -> list[Alert]:
        """Ask all bases about the events of the engine, and let what they find wait."""
        logs = frozenset(name for (name,) in self._engine.rows('SELECT DISTINCT "metadata.log_name" FROM event'))
        alerts: list[Alert] = []
        ahead = now + AHEAD
        texts: dict[Any, Any] = {}
        share = texts.setdefault  # one name is one text, whichever base says it: folds keep it for long
        for sql, base in self._plan(logs):
            for found in self._engine.rows(sql):
                if base is not None and base < 0:
                    at, row = base, found
                    share(row[2], row[2])
                else:
                    at, (event, time, g, about, more, *rest) = (found[0], found[1:]) if base is None else (base, found)
                    row = (event, time, share(g, g), share(about, about), share(more, more), *rest)
                event, time = row[0], row[1]
                source, offset, length, _ = places[event]
                waiting = (time, source, offset, event, at, length, row)
                if self.reached < time <= ahead:
                    self._waiting.append(waiting)
                else:
                    alerts += self._judge([waiting], alone=True)
        for *_, time in places.values():
            if time > ahead:
                self.future += 1
            elif time <= self.reached:
                self.late += 1
            elif time > self.latest:
                self.latest = time
        return alerts

    def _plan(self, logs: frozenset[str]) -> list[tuple[str, int | None]]:
        """What is asked of events of these logs: SQL and its base; None: of several, whose number comes first; below 0: of several
        at once (`Together`).
        """
        plan = self._plans.get(logs)
        if plan is None:
            meant = [(at, base) for at, base in enumerate(self._bases) if not base.logs or logs.intersection(base.logs)]
            plan = self._plans[logs] = []
            once = {at: base for at, base in meant if base.columns}
            if once:
                self._together.append(Together(once))
                plan.append((self._together[-1].sql, -len(self._together)))
            plan += [(base.sql, at) for at, base in meant if not base.alike and not base.columns]
            alike = [f"SELECT {at} AS n, * FROM ({base.sql})" for at, base in meant if base.alike]
            if alike:
                plan.append((" UNION ALL ".join(alike), None))
        return plan

    def advance(self, time: int) -> list[Alert]:
        """No event up to `time` is expected any more: judge all that wait until then."""
        if time <= self.reached:
            return []
        if time // HOUR > self.reached // HOUR:
            self.tidy()
        self.reached = time
        self._waiting.sort()
        ready = bisect_right(self._waiting, time, key=lambda one: one[0])
        alerts = self._judge(self._waiting[:ready])
        del self._waiting[:ready]
        for at, fold in enumerate(self.folds):
            for fire in fold.passed(time + 1):
                alerts += self._tell(at, fire, None)
        return alerts

    def clock(self, now: int) -> list[Alert]:
        """Nothing has come for so long that logs are too silent by now, though no event says so."""
        fires = [(at, fold.clock(now)) for at, fold in enumerate(self.folds) if isinstance(fold, Silence)]
        return [alert for at, found in fires for fire in found for alert in self._tell(at, fire, None)]

    def finish(self) -> list[Alert]:
        """Nothing comes any more, and the day is over."""
        latest = max([self.latest, *(one[0] for one in self._waiting)])
        return self.advance(max((latest // DAY + 1) * DAY, self.reached))

    def _judge(self, ready: list[tuple[Any, ...]], *, alone: bool = False) -> list[Alert]:
        """Fold these; `alone`: only by the rules about single events."""
        users, feeds = self._users, [fold.feed for fold in self.folds]
        alerts: list[Alert] = []
        for _, source, offset, _, number, length, whole in ready:
            rows = ((number, whole),) if number >= 0 else self._together[-number - 1].rows(whole)
            for base, row in rows:
                for at in users[base]:
                    if alone and not isinstance(self.folds[at], Single):
                        continue
                    fires = feeds[at](row)
                    if fires:
                        for fire in fires:
                            alerts += self._tell(at, fire, (source, offset, length))
        return alerts

    def _tell(self, at: int, fire: Fire, place: tuple[int, int, int] | None) -> Sequence[Alert]:
        detection = self.detections[at]
        level: Level = "low" if detection.quiet and not fire.left else detection.head.level
        key, rank = (detection.head.id, fire.about), LEVELS.index(level)
        last, before = self._told.get(key, (None, -1))
        self._told[key] = (fire.time if last is None else max(last, fire.time), max(rank, before))
        if last is not None and fire.time - last <= AGAIN and rank <= before:
            return ()
        name = "\0".join((detection.head.id, fire.about, str(fire.time), level))
        id_ = hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()
        return (Alert(id_, detection, level, fire.about, fire.time, fire.amount, place),)

    def tidy(self) -> None:
        """Forget what cannot matter any more."""
        for fold in self.folds:
            fold.tidy(self.reached)
        self._seen = {key: time for key, time in self._seen.items() if time > self.reached}
        self._told = {key: told for key, told in self._told.items() if told[0] + AGAIN >= self.reached}

    def dump(self) -> Iterator[tuple[str, Any]]:
        """Everything in pieces with names, each of lists, dicts, texts and numbers: so that the whole is never there twice."""
        bases = list(self._bases)
        yield (
            "live",
            {
                "latest": self.latest,
                "reached": self.reached,
                "counts": [self.late, self.future, self.twice],
                "waiting": [
                    [*one[:4], _digest(bases[base].sql), one[5], row]
                    for one in self._waiting
                    for base, row in (((one[4], one[6]),) if one[4] >= 0 else self._together[-one[4] - 1].rows(one[6]))
                ],
                "seen": [[*key, time] for key, time in self._seen.items()],
                "told": [[*key, *told] for key, told in self._told.items()],
            },
        )
        for detection, fold in zip(self.detections, self.folds, strict=True):
            yield _name(detection), fold.dump()

    def load(self, name: str, kept: Any) -> None:
        """The way back, a piece at once. A detection that was not there, or was another then, begins anew; one that is gone is
        forgotten.
        """
        if name != "live":
            for detection, fold in zip(self.detections, self.folds, strict=True):
                if _name(detection) == name:
                    fold.load(kept)
            return
        places = {_digest(base.sql): at for at, base in enumerate(self._bases)}
        self.latest, self.reached = kept["latest"], kept["reached"]
        self.late, self.future, self.twice = kept["counts"]
        self._waiting = [
            (*one[:4], places[one[4]], one[5], tuple(one[6])) for one in kept["waiting"] if one[4] in places
        ]
        self._seen = {tuple(key): time for *key, time in kept["seen"]}
        self._told = {(id_, about): (last, rank) for id_, about, last, rank in kept["told"]}


_FACTS: Final = """
SELECT rowid, "record.source", "record.offset", "record.length", time, "metadata.log_name", "metadata.uid", "api.operation",
    document
FROM event ORDER BY rowid
"""


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()


def _name(detection: Detection) -> str:
    """A detection with its limits: what it kept is of no use to another."""
    return f"{detection.head.id} {_digest(detection.hits)}"
