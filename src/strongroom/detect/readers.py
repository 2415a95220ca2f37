"""What `wide` and `slow` find, as one fold: how many different documents or people each principal reads, in windows that slide.

One object a principal serves all windows: what it read last, and when, is kept once, for the longest of them. In a shorter one an
exact count matters only to somebody who has as many things in the longest as would be too many in it: few have.
"""

import math
from collections.abc import Iterator, Sequence
from sys import intern
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from strongroom.clock import DAY
from strongroom.detect import packed, peers
from strongroom.detect.detection import Fire
from strongroom.detect.shelf import Column

PEERS, OWN, TEN = 3, 2, 10
MOST: Final = 20_000
"""Different documents or people of one principal in one window. It bounds what a watch keeps in memory."""
NEVER: Final = MOST + 1
"""More than is counted."""
ROLE: Final = "role"
"""The kind of principals that are a cloud's roles."""
RARE: Final = 99
"""Per cent of a principal's own windows that held less, or as much."""
DOUBT: Final = 4 * 7 * DAY
"""For so long a window with too much, but for the past, is none: a theft must not excuse the next."""
FAR: Final = 10
"""So many times what is much among peers is told in a log's first weeks, where nobody has a past."""
SURE: Final = 5
"""So many times what is enough is told of as ever where nobody has a past."""
_NOTHING: Final[Sequence[Fire]] = ()


class Window(NamedTuple):
    """A window of `size` milliseconds, in which fewer than `floor` are never too many.

    `age`: how many windows of log it takes before one's own past, and nothing else, says what is; None: `wide` says what.
    `cold`: this is told of days in which nobody has a past.
    """

    size: int
    floor: int
    age: int | None = None
    cold: bool = False


_CELL: Final = 8
BUCKET, COUNT, MUCH, ENOUGH, PAST, LATER, DOUBTED, VALUES = range(_CELL)
"""What is kept of one principal and one window, one after the other (a `Reader` has `cells` of all windows in a row: an object each
would be twice as large): the number of its present bucket; how much that holds; the most that one ever held; what is enough in
it (None: never, or not yet known); earlier buckets, as how much -> in how many (`packed`); those that are no past yet, as number ->
how much, below 0 where it is doubted; whether the present one is; and what is in this window alone, as thing -> when last, once it
may be too much: None for most."""
_NEW: Final = (-1, 0, 0, None, b"", b"", False, None)


class Reader:
    """One principal: what it read last in the longest window, and its cells."""

    __slots__ = ("about", "cells", "kind", "values")

    def __init__(self, about: str, kind: str, windows: int) -> None:
        self.about, self.kind = about, intern(kind)
        self.values: packed.Packed = b""
        self.cells: list[Any] = [*_NEW] * windows

    def turn(self, at: int, bucket: int, size: int) -> None:
        """A bucket has begun: what had ended before the one before it is known now, but for what is doubted."""
        number, count, doubted = self.cells[at], self.cells[at + COUNT], self.cells[at + DOUBTED]
        if self.cells[at + LATER]:
            self._known(at, bucket, DOUBT // size)
        if count and number <= bucket - 2 and not doubted:
            self._learn(at, count)
        elif count:
            self.cells[at + LATER] = packed.put(self.cells[at + LATER], number, -count if doubted else count)
            self.cells[at + DOUBTED] = False
        self.cells[at], self.cells[at + COUNT] = bucket, 0

    def _known(self, at: int, bucket: int, doubt: int) -> None:
        later = self.cells[at + LATER]
        due = [
            (number, count) for number, count in packed.items(later) if number <= bucket - (2 if count > 0 else doubt)
        ]
        for number, count in due:
            self._learn(at, abs(count))
            later = packed.without(later, number)
        self.cells[at + LATER] = later

    def _learn(self, at: int, count: int) -> None:
        past = self.cells[at + PAST]
        self.cells[at + PAST] = packed.put(past, count, max(packed.get(past, count), 0) + 1)

    def reads(self, value: int, time: int, begin: int) -> int:
        """It reads this; when it did last. What was before `begin` is let go."""
        values, before = packed.renew(self.values, value, time, begin)
        self.values = packed.drop(values) if packed.size(values) > MOST else values
        return before

    def level(self, at: int, time: int, size: int) -> int:
        """How much there is in the shorter window that ends now."""
        begin, every = time - size, self.values
        values: dict[int, int] | None = self.cells[at + VALUES]
        if values is None:
            values = self.cells[at + VALUES] = {key: then for key, then in packed.items(every) if then >= begin}
        else:
            key = next(reversed(every)) if isinstance(every, dict) else int.from_bytes(every[-16:-8], "big")
            values.pop(key, None)
            values[key] = time
            while values[oldest := next(iter(values))] < begin:
                del values[oldest]
        if len(values) > MOST:
            del values[next(iter(values))]
        return len(values)

    def own(self, at: int) -> int:
        """What was rare for it; 0 without a past."""
        past = self.cells[at + PAST]
        return peers.rank(packed.items(past), RARE) if past else 0

    def spread(self, at: int) -> float:
        """What would be rare by how its windows differ."""
        if not self.cells[at + PAST]:
            return 0
        past = [*packed.items(self.cells[at + PAST])]
        low, middle, high = (peers.rank(past, part) for part in (25, 50, 75))
        return middle * math.pow(high / low, 3)

    def idle(self, windows: Sequence["Watched"], time: int) -> None:
        """Let go what it has read if all of that was before."""
        gone = bool(self.values) and packed.newest(self.values) < time - windows[-1].size
        if gone:
            self.values = b""
        for nth, window in enumerate(windows):
            values: dict[int, int] | None = self.cells[nth * _CELL + VALUES]
            if values and (gone or packed.newest(values) < time - window.size):
                self.cells[nth * _CELL + VALUES] = None

    def dump(self) -> list[Any]:
        """As lists, numbers and bytes."""
        cells = []
        for at in range(0, len(self.cells), _CELL):
            *plain, past, later, doubted, values = self.cells[at : at + _CELL]
            held = None if values is None else packed.dump(values)
            cells.append([*plain, packed.dump(past), packed.dump(later), doubted, held])
        return [self.about, self.kind, packed.dump(self.values), cells]

    @classmethod
    def loaded(cls, kept: list[Any]) -> "Reader":
        """The way back."""
        about, kind, values, cells = kept
        reader = cls(about, kind, len(cells))
        reader.values = packed.load(values)
        for nth, (*plain, past, later, doubted, held) in enumerate(cells):
            at = nth * _CELL
            values = None if held is None else dict(packed.items(packed.load(held)))
            reader.cells[at : at + _CELL] = [*plain, packed.load(past), packed.load(later), doubted, values]
        return reader


class Watched:
    """A window that is watched: for which detections, its peers, its present bucket, and who waits for the end of a first day."""

    __slots__ = ("age", "begin", "cold", "end", "floor", "held", "id", "now", "peers", "size")

    def __init__(self, window: Window) -> None:
        self.size, self.floor, self.age, _ = window
        self.id = self.cold = ""  # of the detections that are told, where they are watched
        self.peers = peers.Peers() if self.age is None else peers.Peers(self.age)
        self.now, self.begin, self.end = -1, 0, 0
        self.held: dict[str, list[tuple[int, int, int]]] = {}  # who -> (how many, when, `own` then)

    def at(self, time: int) -> None:
        """It is this bucket now."""
        self.now = time // self.size
        self.begin = self.now * self.size
        self.end = self.begin + self.size
        if self.age is not None:
            self.peers.turn(self.now)

    def limit(self, reader: Reader, at: int, began: int) -> float | None:
        """What is enough in a bucket that has begun. In the first days of a kind that is known when the day is over."""
        if self.age is not None:
            return (
                self.by_peers(reader.kind, 0) if self.young(began) else min(MOST, max(self.floor, OWN * reader.own(at)))
            )
        past = reader.cells[at + PAST]
        if past and sum(n for _, n in packed.items(past)) >= TEN:
            usual = max(self.floor, OWN * reader.own(at), reader.spread(at))
            return NEVER if usual >= MOST and _program(reader.kind) else min(MOST, usual)
        return None if self.peers.learning(reader.kind) else self.by_peers(reader.kind, reader.own(at))

    def young(self, began: int) -> bool:
        """Whether there are too few weeks of log."""
        return self.age is not None and self.now - began // self.size < self.age

    def by_peers(self, kind: str, own: int) -> int | None:
        """What is enough for whoever has little of a past, or none. In a log's first weeks never, where there is no crowd."""
        if self.age is None:
            return min(MOST, max(self.floor, PEERS * self.peers.much.get(kind, 0), OWN * own))
        much = self.peers.works.get(kind, 0)
        return min(MOST, max(self.floor, FAR * much)) if much else None

    def ended(self, kind: str, own: int) -> int:
        """The same of a day that is over."""
        return min(MOST, max(self.floor, PEERS * self.peers.ended.get(kind, 0), OWN * own))

    def bar(self, kind: str, began: int) -> int:
        """From how much on a bucket is no past for a while: what is told of but for the past."""
        if self.age is not None:
            return NEVER if self.young(began) else self.floor
        if self.peers.learning(kind):
            return NEVER if _program(kind) else SURE * self.floor
        return max(self.floor, PEERS * self.peers.much.get(kind, 0))

    def wait(self, g: str, level: int, time: int, own: int) -> None:
        """More than ever on one of these first days: by which of these it fires is known when it is over."""
        held = self.held.setdefault(g, [])
        if not held or own != held[-1][2] or level > held[-1][0]:
            held.append((level, time, own))


def _program(kind: str) -> bool:
    """Whether principals of this kind, and of whatever role the operator tells, are a cloud's roles."""
    return kind.split(" ", 1)[0] == ROLE


class _Sized(Protocol):
    """A window that is watched, and for which detections."""

    size: int
    id: str
    cold: str


S = TypeVar("S", bound=_Sized)


def served(windows: list[S], one: S, id_: str, *, cold: bool) -> list[S]:
    """The windows, the longest last, of which one of this size serves the detection: `one`, where there was none."""
    there = next((window for window in windows if window.size == one.size), one)
    if cold:
        there.cold = id_
    else:
        there.id = id_
    return sorted([*windows, one], key=lambda window: window.size) if there is one else windows


class Readers:
    """The fold."""

    def __init__(self) -> None:
        self.windows: list[Watched] = []  # the longest last
        self.readers = Column(Reader.dump, Reader.loaded)
        self.began: int | None = None
        self.day = -1

    def serve(self, id_: str, what: Window) -> None:
        """See `Joint`."""
        self.windows = served(self.windows, Watched(what), id_, cold=what.cold)

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:  # noqa: C901  # one pass for each event
        """See `Fold`."""
        _, time, g, about, kind, value = row[:6]
        if self.began is None:
            self.began = time
        if g is None:
            return _NOTHING
        if row[6] is not None:  # who works as several things is several
            g, kind = f"{g}\x1f{row[6]}", f"{kind} {row[6]}"
        fires = self.passed(time) if time // DAY > self.day else _NOTHING
        windows, known, place = self.windows, self.readers.row(g), self.readers.at
        reader = known[place]
        if reader is None:
            reader = known[place] = Reader(about, kind, len(windows))
        before = reader.reads(value, time, time - windows[-1].size)
        many, cells, at = packed.size(reader.values), reader.cells, 0
        for window in windows:
            if time >= window.end:
                window.at(time)
            if cells[at] != window.now:
                reader.turn(at, window.now, window.size)
                cells[at + ENOUGH] = window.limit(reader, at, self.began)
            if before < window.begin and cells[at + COUNT] < MOST:
                count = cells[at + COUNT] = cells[at + COUNT] + 1
                if count > cells[at + MUCH]:
                    window.peers.rise(reader.kind, cells[at + MUCH], count)
                    cells[at + MUCH] = count
                if count >= window.floor and count == window.bar(reader.kind, self.began):
                    cells[at + DOUBTED] = True
            if many >= window.floor:
                level = many if window is windows[-1] else reader.level(at, time, window.size)
                fires = [*fires, *self._judge(reader, g, window, at, (time, level))]
            elif cells[at + VALUES] is not None:  # the longest holds too little for the shorter ones to be counted
                cells[at + VALUES] = None
            at += _CELL
        return fires

    def _judge(self, reader: Reader, g: str, window: Watched, at: int, now: tuple[int, int]) -> Sequence[Fire]:
        time, level = now
        if level < window.floor:
            return _NOTHING
        enough = reader.cells[at + ENOUGH]
        if enough is None and window.age is None:  # one of a kind's first days
            window.wait(g, level, time, reader.own(at))
            return _NOTHING
        if enough is None or level < enough:
            return _NOTHING
        id_ = window.cold if self.began is not None and window.young(self.began) else window.id
        return (Fire(reader.about, time, level, of=id_),) if id_ else _NOTHING

    def passed(self, time: int) -> Sequence[Fire]:
        """See `Fold`."""
        if time // DAY <= self.day:
            return _NOTHING
        self.day = time // DAY
        fires: list[Fire] = []
        for window in self.windows:
            if window.age is not None:
                continue
            window.peers.turn(self.day)
            for g, held in window.held.items():
                reader = self.readers.get(g)
                fires += self._held(reader, window, held) if reader is not None else ()
            window.held = {}
        return fires

    def _held(self, reader: Reader, window: Watched, held: list[tuple[int, int, int]]) -> Iterator[Fire]:
        """Of somebody without a past on a first day, which is over."""
        for id_, times in ((window.cold, 1), (window.id, SURE)):
            if id_ == window.id and _program(reader.kind):
                continue
            of = (one for one in held if one[0] >= min(MOST, times * window.ended(reader.kind, one[2])))
            first = next(of, None)
            if id_ and first is not None:
                yield Fire(reader.about, first[1], first[0], of=id_)

    def tidy(self, time: int) -> None:
        """See `Fold`. What a principal did in earlier windows is kept."""
        for reader in self.readers.values():
            reader.idle(self.windows, time)

    def dump(self) -> Any:
        """See `Fold`."""
        windows = [[one.peers.dump(), one.held] for one in self.windows]
        return [self.began, self.day, windows]

    def shelves(self) -> Sequence[Column[Any]]:
        """See `Shelved`."""
        return (self.readers,)

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.began, self.day, windows = kept
        for window, (known, held) in zip(self.windows, windows, strict=True):
            window.peers.load(known)
            window.held = {g: [(level, time, own) for level, time, own in one] for g, one in held.items()}
