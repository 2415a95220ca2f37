"""The books of one portal do not agree: the application's, the web server's and the stores' tell of the same readings.

Readings are set against each other by the number of the document, within LATE. Those without a counterpart are few and always
about as many; when they are far more, something went past a book: an address that asks nobody's leave, a key used beside the
application, an export, a log that was thinned out. Only kinds of addresses and stores count of which most readings had one in the
hours before, and a reading is missed only once the other book has gone on after it.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from strongroom.clock import HOUR
from strongroom.detect.detection import PLACE, SERVED, SOURCE, Detection, Fire, simple
from strongroom.detect.parts import By, Here, Known, Parts, Step
from strongroom.sigma.rule import Head

FLOOR: Final = 10
"""Readings without a counterpart in an hour."""
PART: Final = 100
"""And one of so many in the hour."""
DEVIATIONS: Final = 6
AGE: Final = 24
"""Hours by which it is learned what is usual."""
LATE: Final = HOUR // 4
"""Between a reading and its counterpart, whichever comes first."""
HELD: Final = 200_000
"""Readings of a book that may wait for another to go on; the oldest go when there are more."""
_DEVIATION: Final = (
    1.4826  # of a normal distribution: its deviation against the median of the distances from the median
)
_ODD: Final = DEVIATIONS * _DEVIATION

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b0f",
    title="One book tells of readings that another does not",
    level="high",
    description="Of the logs of application, web server and stores, one has many more readings in an hour than ever that another "
    "lacks.",
    honest=(
        "a job that reads from a store by itself: a backup, a scan, an export that was agreed upon",
        "a part of a log that was not given to the hunt, or that its source delivered late",
    ),
    tags=("attack.t1213", "attack.t1530", "attack.t1562.008", "d3fend.d3-dam"),
    by=(),
)


_WEB, _APP, _STORES = BOOKS = ("web server", "application", "stores")


def detection() -> Detection:
    """One finding a pair of books."""
    near = f"OVER (PARTITION BY number ORDER BY time RANGE BETWEEN {LATE} PRECEDING AND {LATE} FOLLOWING)"
    there = ", ".join(f"bool_or(book = '{book}') {near} AS there{at}" for at, book in enumerate(BOOKS))
    matched = " ".join(f"WHEN '{book}' THEN there{at}" for at, book in enumerate(BOOKS))
    before = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    held = f"""
    WITH reading AS (SELECT *, {there} FROM every),
    pair AS (
        SELECT one.book AS book, other.book AS other, greatest(one.since, other.since) AS since, other.until AS until
        FROM kept AS one, kept AS other WHERE one.book <> other.book
    )
    SELECT reading.*, time // {HOUR} AS h, other, CASE other {matched} END AS matched
    FROM reading JOIN pair ON pair.book = reading.book AND time >= since + {HOUR} AND time + {LATE} < until
    """
    comparable = f"""
    WITH kinds AS (SELECT book, other, kind, h, sum(c)::BIGINT AS c, sum(m)::BIGINT AS m FROM comparable_share GROUP BY ALL)
    SELECT book, other, kind, h FROM kinds
    WINDOW earlier AS (PARTITION BY book, other, kind ORDER BY h {before})
    QUALIFY 2 * sum(m) OVER earlier >= sum(c) OVER earlier
    """
    odd = f"""
    WITH hour AS (SELECT book, other, h, sum(u)::BIGINT AS u FROM odd_share GROUP BY ALL),
    usual AS (
        SELECT *, count(*) OVER earlier AS known, median(u) OVER earlier AS usual FROM hour
        WINDOW earlier AS (PARTITION BY book, other ORDER BY h {before})
    ),
    spread AS (
        SELECT *, coalesce(median(abs(u - usual)) OVER (PARTITION BY book, other ORDER BY h {before}), 0) AS spread FROM usual
    )
    SELECT book, other, h, greatest({FLOOR}, usual + {_ODD!r}::DOUBLE * spread) AS enough FROM spread
    WHERE known >= {AGE} AND u >= enough
    """
    due = f"""
    WITH compared AS (
        SELECT *, count(*) OVER w AS c, count(CASE WHEN NOT matched THEN 1 END) OVER w AS u FROM due_share
        WINDOW w AS (PARTITION BY book, other, h ORDER BY time, source, place, event ROWS UNBOUNDED PRECEDING)
    )
    SELECT book, other, h, min(time) AS time FROM compared JOIN odd USING (book, other, h)
    WHERE NOT matched AND u >= enough AND {PART} * u >= c GROUP BY ALL
    """
    went = f"""
    SELECT due.book, other, h, min(every.time) AS fired FROM due
    JOIN every ON every.book = other AND every.time > due.time + {LATE} GROUP BY ALL
    """
    hits = """
    SELECT 'books: ' || book || ' without ' || other AS about, min(fired) OVER (PARTITION BY book, other) AS fired, event
    FROM compared JOIN late USING (book, other, h) WHERE NOT matched
    """
    steps: tuple[Step, ...] = (
        Known(
            "kept",
            f"SELECT book, min(time) AS since, max(time) AS until FROM ({_BASE.sql}) GROUP BY book",
            "SELECT book, min(since) AS since, max(until) AS until FROM kept_share GROUP BY book",
        ),
        By("every", f"SELECT * FROM ({_BASE.sql}) WHERE (SELECT count(*) FROM kept) > 1", "number"),
        Here("held", held),
        Known(
            "comparable",
            "SELECT book, other, kind, h, count(*) AS c, count(*) FILTER (matched) AS m FROM held GROUP BY ALL",
            comparable,
        ),
        Here("compared", "SELECT * FROM held SEMI JOIN comparable USING (book, other, kind, h)"),
        Known("odd", "SELECT book, other, h, count(*) FILTER (NOT matched) AS u FROM compared GROUP BY ALL", odd),
        Known(
            "due",
            "SELECT book, other, h, time, source, place, event, matched FROM compared SEMI JOIN odd USING (book, other, h)",
            due,
        ),
        Known("late", went, "SELECT book, other, h, min(fired) AS fired FROM late_share GROUP BY ALL"),
    )
    parts = Parts(steps, hits)
    note = f"at least {FLOOR} readings in an hour, one in {PART} of all, and {DEVIATIONS} deviations"
    return Detection(HEAD, parts.sql, note=note, bases=(_BASE,), fold=Books, parts=parts)


_BOOK: Final = {
    _WEB: ("web",), _APP: ("table", "strongroom", "fhir"), _STORES: ("cloudtrail", "s3-access", "azure-storage", "gcp"),
}  # fmt: skip
_LOGS: Final = tuple(log for logs in _BOOK.values() for log in logs)
_CASES: Final = " ".join(f"""WHEN "metadata.log_name" IN {(*logs, "")} THEN '{book}'""" for book, logs in _BOOK.items())
_BASE: Final = simple(
    f"""{SERVED} AND number IS NOT NULL AND "principal.kind" <> 'service' AND "metadata.log_name" IN {_LOGS}""", _LOGS,
    book=f"CASE {_CASES} END", number="number", kind="coalesce(store, route)", source=SOURCE, place=PLACE,
)  # fmt: skip


class Median:
    """Of numbers that are counted by their values."""

    def __init__(self, counts: dict[float, int] | None = None) -> None:
        self.counts = counts or {}

    def add(self, value: float) -> None:
        """One more."""
        self.counts[value] = self.counts.get(value, 0) + 1

    def get(self) -> float | None:
        """The mean of the middle two where there is no middle one; None of nothing."""
        ordered = sorted(self.counts)
        if not ordered:
            return None
        upto, total = [], 0
        for value in ordered:
            total += self.counts[value]
            upto.append(total)
        low, high = (ordered[bisect_right(upto, at)] for at in ((total - 1) // 2, total // 2))
        return (low + high) / 2


class Pair:
    """One book as seen from another: what waits until the other has gone on, and what is usual."""

    __slots__ = ("c", "distances", "enough", "hour", "kinds", "known", "missed", "today", "u", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[tuple[int, int, str]] = deque()  # time, number, kind
        self.hour, self.c, self.u = -1, 0, 0
        self.kinds: dict[str, list[int]] = {}  # readings, and those with a counterpart, in hours before
        self.today: dict[str, list[int]] = {}  # in this one
        self.missed, self.distances, self.known = Median(), Median(), 0
        self.enough: float | None = None

    def turn(self, hour: int) -> None:
        """An hour has begun: the one before is known."""
        usual = self.missed.get()
        if self.c:
            if usual is not None:
                self.distances.add(abs(self.u - usual))
            self.missed.add(self.u)
            self.known += 1
            usual = self.missed.get()
        for kind, (c, m) in self.today.items():
            counts = self.kinds.setdefault(kind, [0, 0])
            counts[0] += c
            counts[1] += m
        self.hour, self.c, self.u, self.today = hour, 0, 0, {}
        if self.known >= AGE and usual is not None:
            self.enough = max(FLOOR, usual + _ODD * (self.distances.get() or 0))

    def judge(self, time: int, kind: str, *, matched: bool) -> bool:
        """A reading has a counterpart or has none; whether that makes too many of them."""
        if time // HOUR != self.hour:
            self.turn(time // HOUR)
        counts = self.today.setdefault(kind, [0, 0])
        counts[0] += 1
        counts[1] += matched
        c, m = self.kinds.get(kind, (0, 0))
        if not c or 2 * m < c:
            return False
        self.c += 1
        if matched:
            return False
        self.u += 1
        return self.enough is not None and self.u >= self.enough and PART * self.u >= self.c


class Books:
    """The fold."""

    def __init__(self) -> None:
        self.since: dict[str, int] = {}  # when each book began
        self.last: dict[str, dict[int, int]] = {}  # of each, when a number was read last
        self.pairs: dict[tuple[str, str], Pair] = {}

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        _, time, book, number, kind = row[:5]
        began = self.since.setdefault(book, time)
        if len(self.since) == 1:
            return ()
        fires = []
        for other, since in self.since.items():
            if other == book:
                continue
            fires += self._decide(other, book, time)
            if time >= max(began, since) + HOUR:
                pair = self.pairs.get((book, other))
                if pair is None:
                    pair = self.pairs[book, other] = Pair()
                pair.waiting.append((time, number, kind))
                if len(pair.waiting) > HELD:
                    pair.waiting.popleft()
        self.last.setdefault(book, {})[number] = time
        return fires

    def _decide(self, book: str, other: str, now: int) -> list[Fire]:
        """The other book goes on: what it lacks of what was read long enough ago, it lacks."""
        pair, fires = self.pairs.get((book, other)), []
        if pair is None:
            return []
        last = self.last.get(other, {})
        while pair.waiting and pair.waiting[0][0] + LATE < now:
            time, number, kind = pair.waiting.popleft()
            if pair.judge(time, kind, matched=last.get(number, -LATE - 1) >= time - LATE):
                fires.append(Fire(f"books: {book} without {other}", now, pair.u))
        return fires

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return ()

    def tidy(self, time: int) -> None:
        """See `Fold`. A counterpart is asked for as long as readings wait."""
        oldest = min([time, *(pair.waiting[0][0] for pair in self.pairs.values() if pair.waiting)]) - LATE
        for book, last in self.last.items():
            self.last[book] = {number: then for number, then in last.items() if then >= oldest}

    def dump(self) -> Any:
        """See `Fold`. Numbers are no keys of every form in which a state may be written."""
        pairs = [
            [*key, [*one.waiting], one.hour, one.c, one.u, one.kinds, one.today, [*one.missed.counts.items()],
             [*one.distances.counts.items()], one.known, one.enough]
            for key, one in self.pairs.items()
        ]  # fmt: skip
        return [self.since, [[book, [*last.items()]] for book, last in self.last.items()], pairs]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.since, lasts, pairs = kept
        self.last = {book: dict(last) for book, last in lasts}
        self.pairs = {}
        for book, other, waiting, hour, c, u, kinds, today, missed, distances, known, enough in pairs:
            one = self.pairs[book, other] = Pair()
            one.waiting = deque((time, number, kind) for time, number, kind in waiting)
            one.hour, one.c, one.u, one.kinds, one.today = hour, c, u, kinds, today
            one.missed, one.distances, one.known, one.enough = (
                Median(dict(missed)),
                Median(dict(distances)),
                known,
                enough,
            )
