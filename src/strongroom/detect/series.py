"""The numbers behind a report's drawings, counted from the events and the hits as everything else is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from strongroom.clock import DAY, HOUR
from strongroom.detect.detection import ABOUT, SERVED
from strongroom.detect.duckdb import Engine
from strongroom.detect.forecast import Band, bands
from strongroom.sigma.sql import literal

BINS: Final = 1_500
"""Bins of a drawing at most: above it they are days, months, or ten years."""
WIDTHS: Final = (HOUR, DAY, 30 * DAY, 3_650 * DAY)
READERS: Final = 20
POINTS: Final = 1_000
"""Points of a walk that are drawn: every second, third … of more."""

What = Literal["bytes", "documents", "events"]


@dataclass(frozen=True, slots=True)
class Bin:
    """An hour (or more): what went in it, and how much of that to those whom findings are about."""

    t: int
    amount: int
    found: int
    expected: Band | None


@dataclass(frozen=True, slots=True)
class Flow:
    """What left over time. `outside` events lie so far from the others that a drawing with them would show nothing."""

    what: What
    width: int  # milliseconds of a bin
    bins: tuple[Bin, ...]
    outside: int


@dataclass(frozen=True, slots=True)
class Reader:
    """A principal and how many different people or documents it read."""

    about: str
    count: int
    found: bool


@dataclass(frozen=True, slots=True)
class Readers:
    """Those who read most, among `principals` of whom half read at most `median`, and 95 of 100 at most `much`."""

    what: Literal["people", "documents"]
    top: tuple[Reader, ...]
    principals: int
    median: int
    much: int


@dataclass(frozen=True, slots=True)
class Walk:
    """Ids in the order of time: (milliseconds, number, whether it left). `asked` events, of which these are drawn."""

    route: str
    points: tuple[tuple[int, int, bool], ...]
    asked: int


@dataclass(frozen=True, slots=True)
class Pictures:
    """All of a report's. None where the logs tell nothing to draw."""

    flow: Flow | None
    readers: Readers | None
    walks: dict[str, Walk]  # by whom the finding is about


def pictures(engine: Engine, walkers: Iterable[str], walk: str) -> Pictures:
    """Those of a hunt. `walk` is the id of the detection by which `walkers` were found."""
    return Pictures(flow(engine), readers(engine), {about: _walk(engine, about, walk) for about in walkers})


def flow(engine: Engine) -> Flow | None:
    """Bytes by hour; documents where no bytes are logged; events where neither is."""
    span = "SELECT approx_quantile(time, [0.001, 0.999]), min(time), max(time), count(*) FROM event"
    middle, first, last, events = engine.rows(span)[0]
    if not events:
        return None
    # One record of the year 1970 must not make a day of everything else; what is near the others is drawn with them.
    low, high = (first, last) if last - first <= BINS * HOUR else (int(middle[0]), int(middle[1]))
    width = next((width for width in WIDTHS if (high - low) // width < BINS), WIDTHS[-1])
    low, high = low // width, min(high // width, low // width + BINS - 1)
    rows = engine.rows(f"""
    SELECT time // {width} AS b, count(*), coalesce(sum("traffic.bytes_out") FILTER (status_id = 1), 0)::BIGINT,
        count(*) FILTER ({SERVED}), count(*) FILTER (hit),
        coalesce(sum("traffic.bytes_out") FILTER (status_id = 1 AND hit), 0)::BIGINT, count(*) FILTER ({SERVED} AND hit)
    FROM (SELECT *, rowid IN (SELECT event FROM hit) AS hit FROM event) WHERE b BETWEEN {low} AND {high} GROUP BY b
    """)
    what: What = "bytes" if any(row[2] for row in rows) else "documents" if any(row[3] for row in rows) else "events"
    column = {"events": 1, "bytes": 2, "documents": 3}[what]
    amounts = {row[0]: (row[column], row[column + 3]) for row in rows}
    every = [amounts.get(at, (0, 0)) for at in range(low, high + 1)]
    expected = bands([amount for amount, _ in every], width)
    bins = tuple(Bin((low + at) * width, *every[at], expected[at]) for at in range(len(every)))
    return Flow(what, width, bins, events - sum(row[1] for row in rows))


def readers(engine: Engine) -> Readers | None:
    """People where the logs or the mapping tell whose documents are, else documents."""
    told = engine.rows(f"SELECT count(*) FROM event WHERE patient IS NOT NULL AND {SERVED}")[0][0]
    value = "patient" if told else "document"
    rows = engine.rows(f"""
    WITH reader AS (
        SELECT {ABOUT} AS about, count(DISTINCT {value}) AS c FROM event
        WHERE {SERVED} AND {value} IS NOT NULL AND "principal.kind" <> 'service' AND principal IS NOT NULL GROUP BY ALL
    )
    SELECT about, c, about IN (SELECT about FROM hit), count(*) OVER (), quantile_disc(c, 0.5) OVER (),
        quantile_disc(c, 0.95) OVER ()
    FROM reader ORDER BY c DESC, about LIMIT {READERS}
    """)
    if not rows:
        return None
    top = tuple(Reader(about, count, bool(found)) for about, count, found, *_ in rows)
    return Readers("people" if told else "documents", top, *rows[0][3:])


def _walk(engine: Engine, about: str, walk: str) -> Walk:
    """The route on which most ids were asked for."""
    hits = f"SELECT DISTINCT event FROM hit WHERE about = {literal(about)} AND detection = {literal(walk)}"
    rows = engine.rows(f"""
    WITH asked AS (
        SELECT time, number, {SERVED} AS gone, route, count(*) OVER (PARTITION BY route) AS n
        FROM ({hits}) JOIN event ON event.rowid = event WHERE number IS NOT NULL
    ),
    one AS (SELECT *, row_number() OVER (ORDER BY time, number) AS place FROM asked
        WHERE route = (SELECT arg_max(route, n) FROM asked))
    SELECT time, number, gone, route, n FROM one WHERE (place - 1) % ((n + {POINTS} - 1) // {POINTS}) = 0 ORDER BY place
    """)
    points: Sequence[tuple[int, int, bool]] = [(time, number, bool(gone)) for time, number, gone, *_ in rows]
    return Walk(rows[0][3] if rows else "", tuple(points), rows[0][4] if rows else 0)
