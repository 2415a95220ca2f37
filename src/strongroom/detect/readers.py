"""What `wide` and `slow` find, as one fold: how many different documents or people each principal reads, in windows that slide.

One object a principal serves all windows: what it read last, and when, is kept once, for the longest of them. In a shorter one an
exact count matters only to somebody who has as many things in the longest as would be too many in it: few have.
"""

import math
from collections.abc import Sequence
from sys import intern
from typing import Any, Final, NamedTuple

from strongroom.clock import DAY
from strongroom.detect import packed, peers
from strongroom.detect.detection import Fire
from strongroom.detect.packed import Packed

PEERS, OWN, TEN = 3, 2, 10
MOST: Final = 20_000
"""Different documents or people of one principal in one window. It bounds what a watch keeps in memory."""
RARE: Final = 99
"""Per cent of a principal's own windows that held less, or as much."""
_NOTHING: Final[Sequence[Fire]] = ()


class Window(NamedTuple):
    """A window of `size` milliseconds, in which fewer than `floor` are never too many.

    `age`: how many windows of log it takes before one's own past, and nothing else, says what is; None: `wide` says what.
    """

    size: int
    floor: int
    age: int | None = None


class Bucket:
    """What is kept of one principal and one window: its present bucket, the one before while that is not known, earlier ones."""

    __slots__ = ("before", "bucket", "count", "enough", "most", "past", "values")

    def __init__(self) -> None:
        self.bucket, self.count = -1, 0
        self.before: tuple[int, int] | None = None  # number and count
        self.past: Packed = b""  # how much -> in how many buckets
        self.most = 0  # of all, the present one too
        self.enough: float | None = None  # in this bucket; None: never, or not yet known
        self.values: dict[int, int] | None = (
            None  # those of this window alone, once they may be too many: thing -> when last
        )

    def turn(self, bucket: int) -> None:
        """A bucket has begun: what had ended before the one before it is known now."""
        before = self.before
        if before is not None and before[0] <= bucket - 2:
            self._learn(before[1])
            before = None
        if self.count:
            if self.bucket <= bucket - 2:
                self._learn(self.count)
            else:
                before = (self.bucket, self.count)
        self.before, self.bucket, self.count = before, bucket, 0

    def _learn(self, count: int) -> None:
        self.past = packed.put(self.past, count, max(packed.get(self.past, count), 0) + 1)

    def level(self, every: Packed, time: int, size: int) -> int:
        """How much there is in the window that ends now, by what is there of a longer one."""
        begin, values = time - size, self.values
        if values is None:
            values = self.values = {key: then for key, then in packed.items(every) if then >= begin}
        else:
            key = next(reversed(every)) if isinstance(every, dict) else int.from_bytes(every[-16:-8], "big")
            values.pop(key, None)
            values[key] = time
            while values[oldest := next(iter(values))] < begin:
                del values[oldest]
        if len(values) > MOST:
            del values[next(iter(values))]
        return len(values)

    def own(self) -> int:
        """What was rare for it; 0 without a past."""
        return peers.rank(packed.items(self.past), RARE) if self.past else 0

    def spread(self) -> float:
        """What would be rare by how its windows differ."""
        if not self.past:
            return 0
        low, middle, high = (peers.rank(packed.items(self.past), part) for part in (25, 50, 75))
        return middle * math.pow(high / low, 3)

    def dump(self) -> list[Any]:
        """As lists, numbers and bytes."""
        values = None if self.values is None else packed.dump(self.values)
        return [self.bucket, self.count, self.before, packed.dump(self.past), self.most, self.enough, values]

    def load(self, kept: list[Any]) -> None:
        """The way back."""
        self.bucket, self.count, before, past, self.most, self.enough, values = kept
        self.before = None if before is None else tuple(before)
        self.past = packed.load(past)
        self.values = None if values is None else dict(packed.items(values))


class Reader:
    """One principal: what it read last in the longest window, and its buckets, one a window."""

    __slots__ = ("about", "buckets", "kind", "values")

    def __init__(self, about: str, kind: str, windows: int) -> None:
        self.about, self.kind = intern(about), intern(kind)
        self.values: Packed = b""
        self.buckets = tuple(Bucket() for _ in range(windows))

    def reads(self, value: int, time: int, begin: int) -> int:
        """It reads this; when it did last. What was before `begin` is let go."""
        values, before = packed.renew(self.values, value, time, begin)
        self.values = packed.drop(values) if packed.size(values) > MOST else values
        return before

    def idle(self, windows: Sequence["Watched"], time: int) -> None:
        """Let go what it has read if all of that was before."""
        if self.values and packed.newest(self.values) < time - windows[-1].size:
            self.values = b""
            for bucket in self.buckets:
                bucket.values = None
        if not isinstance(self.values, dict):
            return  # so few that no window has a count of its own
        for bucket, window in zip(self.buckets, windows, strict=True):
            if bucket.values is not None and packed.newest(bucket.values) < time - window.size:
                bucket.values = None


class Watched:
    """A window that is watched for a detection: its peers, its present bucket, and who waits for the end of a first day."""

    __slots__ = ("age", "begin", "end", "floor", "held", "id", "now", "peers", "size")

    def __init__(self, id_: str, window: Window) -> None:
        self.id, (self.size, self.floor, self.age) = id_, window
        self.peers = peers.Peers()
        self.now, self.begin, self.end = -1, 0, 0
        self.held: dict[str, list[tuple[int, int]]] = {}  # who -> (how many, when)

    def at(self, time: int) -> None:
        """It is this bucket now."""
        self.now = time // self.size
        self.begin = self.now * self.size
        self.end = self.begin + self.size

    def limit(self, bucket: Bucket, kind: str, began: int) -> float | None:
        """What is enough in a bucket that has begun. On the first day of a kind that is known when the day is over."""
        if self.age is not None:
            old = self.now - began // self.size >= self.age
            return min(MOST, max(self.floor, OWN * bucket.own())) if old else None
        if bucket.past and sum(n for _, n in packed.items(bucket.past)) >= TEN:
            return min(MOST, max(self.floor, OWN * bucket.own(), bucket.spread()))
        return None if self.peers.learning(kind) else self.by_peers(kind)

    def by_peers(self, kind: str) -> int:
        """What is enough for whoever has no past."""
        return min(MOST, max(self.floor, PEERS * self.peers.much.get(kind, 0)))

    def wait(self, g: str, level: int, time: int) -> None:
        """More than ever on this first day: by which of these it fires is known when it is over."""
        held = self.held.setdefault(g, [])
        if not held or level > held[-1][0]:
            held.append((level, time))


class Readers:
    """The fold."""

    def __init__(self) -> None:
        self.windows: list[Watched] = []  # the longest last
        self.readers: dict[str, Reader] = {}
        self.began: int | None = None
        self.day = -1

    def serve(self, id_: str, what: Window) -> None:
        """See `Joint`."""
        self.windows = sorted([*self.windows, Watched(id_, what)], key=lambda one: one.size)

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:  # noqa: C901  # one pass for each event
        """See `Fold`."""
        _, time, g, about, kind, value = row
        if self.began is None:
            self.began = time
        if g is None:
            return _NOTHING
        fires = self.passed(time) if time // DAY > self.day else _NOTHING
        reader = self.readers.get(g)
        if reader is None:
            reader = self.readers[intern(g)] = Reader(about, kind, len(self.windows))
        longest = self.windows[-1]
        before = reader.reads(value, time, time - longest.size)
        many = packed.size(reader.values)
        for window, bucket in zip(self.windows, reader.buckets):  # noqa: B905  # as many, and asked for each event
            if time >= window.end:
                window.at(time)
            if bucket.bucket != window.now:
                bucket.turn(window.now)
                bucket.enough = window.limit(bucket, reader.kind, self.began)
            if before < window.begin and bucket.count < MOST:
                bucket.count += 1
                if window.age is None and bucket.count > bucket.most:
                    window.peers.rise(reader.kind, bucket.most, bucket.count)
                    bucket.most = bucket.count
            if many >= window.floor:
                level = many if window is longest else bucket.level(reader.values, time, window.size)
                fires = [*fires, *self._judge(reader, g, window, bucket, (time, level))]
            elif bucket.values is not None:
                bucket.values = None
        return fires

    def _judge(self, reader: Reader, g: str, window: Watched, bucket: Bucket, now: tuple[int, int]) -> Sequence[Fire]:
        time, level = now
        if level < window.floor:
            return _NOTHING
        if bucket.enough is None and window.age is None:
            if window.peers.learning(reader.kind):
                window.wait(g, level, time)
                return _NOTHING
            bucket.enough = window.by_peers(reader.kind)
        if bucket.enough is None or level < bucket.enough:
            return _NOTHING
        return (Fire(reader.about, time, level, of=window.id),)

    def passed(self, time: int) -> Sequence[Fire]:
        """See `Fold`."""
        if time // DAY <= self.day:
            return _NOTHING
        self.day = time // DAY
        fires = []
        for window in self.windows:
            window.peers.turn(self.day)
            for g, held in window.held.items():
                reader = self.readers[g]
                enough = window.by_peers(reader.kind)
                first = next(((level, when) for level, when in held if level >= enough), None)
                if first is not None:
                    fires.append(Fire(reader.about, first[1], first[0], of=window.id))
            window.held = {}
        return fires

    def tidy(self, time: int) -> None:
        """See `Fold`. What a principal did in earlier windows is kept."""
        for reader in self.readers.values():
            reader.idle(self.windows, time)

    def dump(self) -> Any:
        """See `Fold`."""
        windows = [[one.peers.dump(), one.held] for one in self.windows]
        readers = [
            [g, one.about, one.kind, packed.dump(one.values), [bucket.dump() for bucket in one.buckets]]
            for g, one in self.readers.items()
        ]
        return [self.began, self.day, windows, readers]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.began, self.day, windows, readers = kept
        for window, (known, held) in zip(self.windows, windows, strict=True):
            window.peers.load(known)
            window.held = {g: [(level, time) for level, time in one] for g, one in held.items()}
        self.readers = {}
        for g, about, kind, values, buckets in readers:
            reader = self.readers[g] = Reader(about, kind, len(self.windows))
            reader.values = packed.load(values)
            for bucket, one in zip(reader.buckets, buckets, strict=True):
                bucket.load(one)
