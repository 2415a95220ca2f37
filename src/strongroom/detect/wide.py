"""Many documents, or people where the logs tell them, for one principal in an hour or a day.

The limit is three times what is much among its peers (`peers`): those of its kind, and of its role where roles are told. Once a
principal has a past of TEN windows the limit is twice what was rare for itself (its 99th percentile, nearest rank), or four
standard deviations over its median on a logarithmic scale (by its quartiles) where that is more: some have quiet days and busy
ones. A past is of windows that had ended before the one that is judged began: what is done now is no past. It is never below a
floor that an honest person hardly reaches, and it is the floor where there is neither a past nor a crowd. Counts are exact in
windows that slide; buckets of a window's length serve only for learning. A limit never looks ahead: a watch has the same. Nobody's
count goes beyond MOST, which is always too many.
"""

import math
from collections.abc import Sequence
from sys import intern
from typing import Any, Final

from strongroom.clock import DAY, HOUR
from strongroom.detect import peers
from strongroom.detect.correlation import windowed
from strongroom.detect.detection import ABOUT, SERVED, Detection, Fire, simple
from strongroom.detect.parts import By, Here, Parts
from strongroom.sigma.rule import Head

FLOORS: Final = ((HOUR, 25, "an hour", "04"), (DAY, 60, "a day", "05"))
"""(window, the least that is much, in words, end of the id). A primary-care clinician sees some 25 patients a day; reception up
to 150, which its own past or its peers excuse."""
PEERS, OWN, TEN = 3, 2, 10
MOST: Final = 20_000
"""Different documents or people of one principal in one window. It bounds what a watch keeps in memory."""
RARE: Final = 99
"""Per cent of a principal's own windows that held less, or as much."""
_SPREAD: Final = """(quantile_disc(c, 0.5) OVER earlier)
    * pow((quantile_disc(c, 0.75) OVER earlier)::DOUBLE / quantile_disc(c, 0.25) OVER earlier, 3)"""
"""Four standard deviations over the median: between the quartiles of a normal distribution are 1.35 of them."""


def detections() -> list[Detection]:
    """One a window."""
    return [_detection(*floor) for floor in FLOORS]


def _detection(window: int, floor: int, words: str, end: str) -> Detection:
    head = Head(
        id=f"4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b{end}",
        title=f"Unusually many different documents or people in {words}",
        level="medium",
        description="One principal read more different documents (people, where the logs tell them) than its peers and its "
        "own past let expect.",
        honest=(
            "a clinician, a reception or a migration at work: give relations or roles by a mapping",
            "an address behind which many people are: a clinic, a mobile network, a proxy of your own",
            "a patient who takes all their own documents at once",
        ),
        tags=("attack.t1213", "d3fend.d3-rapa", "d3fend.d3-udta"),
        by=(),
    )
    note = f"at least {floor} in {words}, {PEERS} times its peers' most or {OWN} times its own"
    past = f"greatest({OWN} * own, spread)"
    enough = f"least({MOST}, greatest({floor}, CASE WHEN known >= {TEN} THEN {past} ELSE {PEERS} * much END))"
    whole = parts(window, enough, floor)
    return Detection(
        head, whole.sql, shape="wide", note=note, bases=(BASE,), fold=lambda: Wide(window, floor), parts=whole
    )


BASE: Final = simple(
    f"""{SERVED} AND "principal.kind" <> 'service' AND principal IS NOT NULL""",
    g=f"""{ABOUT} || coalesce(chr(31) || "actor.user.type", '')""", about=ABOUT,
    kind=""""principal.kind" || coalesce(' ' || "actor.user.type", '')""", v="coalesce(patient, document)",
)  # fmt: skip
"""Who works as several things is several, each with a past and peers of its own."""


def parts(window: int, enough: str, floor: int) -> Parts:
    """Hits of principals who read at least `enough` different documents or people within a window.

    `enough` is SQL of `known` (windows in which the principal read before), `own` (what was rare for it in these), `spread` (what
    would be rare by how they differ), `much` (what is much among its peers) and `age` (windows since the first event of all).
    Null: never enough; it is never below `floor`.
    """
    bucket = f"SELECT g, kind, time // {window} AS b, least({MOST}, count(DISTINCT v)) AS c FROM reading GROUP BY ALL"
    fire = f"""
    WITH ample AS (SELECT g FROM bucket GROUP BY g HAVING 2 * max(c) >= {floor}),  -- whom no window can be too much of has no past
    past AS (
        SELECT g, kind, b, c, count(*) OVER earlier AS known, quantile_disc(c, 0.99) OVER earlier AS own, {_SPREAD} AS spread,
            b - (SELECT first // {window} FROM span) AS age, b * {window} // {DAY} AS d
        FROM bucket SEMI JOIN ample USING (g)
        WINDOW earlier AS (PARTITION BY g ORDER BY b RANGE BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING)
    ),
    limits AS (
        SELECT g, b, c, {enough} AS enough,
            coalesce(sum(c) OVER (PARTITION BY g ORDER BY b RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING), 0) AS previous
        FROM past LEFT JOIN peers USING (kind, d)
    ),
    candidate AS (SELECT DISTINCT g FROM limits WHERE c + previous >= enough),
    value AS (
        SELECT g, time,
            lag(time) OVER (PARTITION BY g, v ORDER BY time) AS before,
            lead(time) OVER (PARTITION BY g, v ORDER BY time) AS next
        FROM base SEMI JOIN candidate USING (g)
    ),
    change AS (
        SELECT g, time AS t, CASE WHEN before IS NULL OR before < time - {window} THEN 1 ELSE 0 END AS x FROM value
        UNION ALL SELECT g, time + {window} + 1, -1 FROM value WHERE next IS NULL OR next > time + {window}
    ),
    level AS (SELECT g, t, x, t // {window} AS b, sum(x) OVER (PARTITION BY g ORDER BY t) AS level FROM change)
    SELECT DISTINCT g, t FROM level JOIN limits USING (g, b) WHERE level >= enough AND x >= 0  -- at an event, not at an end
    """
    hits = windowed("SELECT * FROM reading", fire, window)
    return Parts((By("reading", BASE.sql, "g"), Here("bucket", bucket), peers.known(window)), hits)


class Reader:
    """What a watch keeps of one principal: when it last read each thing in the window, and how much it read in earlier ones."""

    __slots__ = ("about", "bucket", "count", "enough", "held", "kind", "known", "last", "past", "values")

    def __init__(self, about: str, kind: str) -> None:
        self.about, self.kind = about, intern(kind)
        self.values: dict[str, int] | tuple[str, int] | None = None  # in the order of time; one alone is a pair
        self.bucket, self.count = -1, 0
        self.last: tuple[int, int] | None = None  # the bucket before, while it is none of those that are known
        self.past: dict[int, int] | None = None  # how much -> in how many buckets
        self.known = 0
        self.enough: float | None = None  # in this bucket; None: never, or not yet known
        self.held: list[tuple[int, int]] | None = None  # (how many, when), while peers are being learned

    def reads(self, value: str, time: int, begin: int) -> tuple[int, int]:
        """When it read this last, -1 for never since `begin`; and how much it has read since then."""
        values = self.values
        if values is None or isinstance(values, tuple):
            if values is None or values[0] == value or values[1] < begin:
                before = values[1] if values is not None and values[0] == value else -1
                self.values = (value, time)
                return before, 1
            values = self.values = {values[0]: values[1]}
        before = values.pop(value, -1)
        values[value] = time
        while values[oldest := next(iter(values))] < begin:
            del values[oldest]
        if len(values) > MOST:
            del values[next(iter(values))]
        return before, len(values)

    def idle(self, begin: int) -> None:
        """Let go what it has read if all of that was before."""
        values = self.values
        if values is not None and (values[1] if isinstance(values, tuple) else next(reversed(values.values()))) < begin:
            self.values = None

    def turn(self, bucket: int) -> None:
        """A bucket has begun: what had ended before the one before it is known now."""
        ended = [one for one in (self.last, (self.bucket, self.count)) if one is not None and one[1]]
        self.last = None
        for one in ended:
            if one[0] <= bucket - 2:
                if self.past is None:
                    self.past = {}
                self.past[one[1]] = self.past.get(one[1], 0) + 1
                self.known += 1
            else:
                self.last = one
        self.bucket, self.count = bucket, 0

    def own(self) -> int:
        """What was rare for it; 0 without a past."""
        return peers.rank(self.past.items(), RARE) if self.past else 0

    def spread(self) -> float:
        """What would be rare by how its windows differ."""
        if not self.past:
            return 0
        low, middle, high = (peers.rank(self.past.items(), part) for part in (25, 50, 75))
        return middle * math.pow(high / low, 3)


class Wide:
    """The fold of many documents or people in a window."""

    def __init__(self, window: int, floor: int) -> None:
        self.window, self.floor = window, floor
        self.peers = peers.Peers()
        self.readers: dict[str, Reader] = {}

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        _, time, g, about, kind, value = row
        fires = self.passed(time)
        reader = self.readers.get(g)
        if reader is None:
            reader = self.readers[g] = Reader(about, kind)
        bucket = time // self.window
        if bucket != reader.bucket:
            reader.turn(bucket)
            self.limit(reader)
        before, level = reader.reads(value, time, time - self.window)
        if before < bucket * self.window and reader.count < MOST:
            reader.count += 1
            self.learn(g, reader)
        if reader.enough is None:
            self.wait(reader, level, time)
        elif level >= reader.enough:
            return [*fires, Fire(about, time, level)]
        return fires

    def limit(self, reader: Reader) -> None:
        """What is enough in the bucket that has begun. On the first day of a kind that is known when the day is over."""
        if reader.known >= TEN:
            reader.enough = min(MOST, max(self.floor, OWN * reader.own(), reader.spread()))
        elif self.peers.learning(reader.kind):
            reader.enough = None
        else:
            reader.enough = self._by_peers(reader.kind)

    def _by_peers(self, kind: str) -> int:
        return min(MOST, max(self.floor, PEERS * self.peers.much.get(kind, 0)))

    def learn(self, g: str, reader: Reader) -> None:
        """There was one more in this bucket."""
        self.peers.note(reader.kind, g, reader.count)

    def wait(self, reader: Reader, level: int, time: int) -> None:
        """More than ever on this first day: by which of these it fires is known when it is over."""
        if level >= self.floor and (not reader.held or level > reader.held[-1][0]):
            reader.held = [*(reader.held or ()), (level, time)]

    def passed(self, time: int) -> Sequence[Fire]:
        """See `Fold`."""
        if not self.peers.turn(time // DAY):
            return ()
        fires = []
        for reader in self.readers.values():
            if reader.held:
                enough = self._by_peers(reader.kind)
                fires += [Fire(reader.about, when, level) for level, when in reader.held if level >= enough][:1]
                reader.held = None
            if reader.enough is None:
                self.limit(reader)
        return fires

    def tidy(self, time: int) -> None:
        """See `Fold`. What a principal did in earlier windows is kept."""
        begin = time - self.window
        for reader in self.readers.values():
            reader.idle(begin)

    def dump(self) -> Any:
        """See `Fold`."""
        readers = [[g, *(getattr(reader, name) for name in Reader.__slots__)] for g, reader in self.readers.items()]
        return [self.peers.dump(), readers]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        known, readers = kept
        self.peers.load(known)
        self.readers = {}
        for g, *values in readers:
            reader = self.readers[g] = Reader("", "")
            for name, value in zip(Reader.__slots__, values, strict=True):
                setattr(reader, name, tuple(value) if name == "values" and isinstance(value, list) else value)
