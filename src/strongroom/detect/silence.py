"""A log is silent for far longer than it ever was: switched off, filtered, or taken away for some hours.

The longest silence so far tells nights, weekends and how busy a service is. It needs a week of log. One that is TIMES as long,
and in which at least ENOUGH events would have come at the pace of the whole log so far, is a finding; an outage is one too. A hunt
tells of it when the log has gone on; a watch as soon as the clock says so.
"""

from collections.abc import Sequence
from typing import Any, Final

from strongroom.clock import DAY, HOUR, MINUTE
from strongroom.detect.detection import Base, Detection, Fire
from strongroom.detect.parts import Known, Parts
from strongroom.sigma.rule import Head

TIMES: Final = 3
ENOUGH: Final = 100
LEAST: Final = HOUR // 4
AGE: Final = 7 * DAY

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b0e",
    title="A log was silent for far longer than ever before",
    level="medium",
    description="Between two events of a log lies a time in which, by its past, many were to be expected.",
    honest=("an outage of the service itself", "logs of that time are kept elsewhere, or were not given to the hunt"),
    tags=("attack.t1562.008", "attack.t1070", "d3fend.d3-pm"),
    by=(),
)


def detection() -> Detection:
    """One finding a kind of log; its events are those before and after."""
    silent = f"""
    WITH minute AS (
        SELECT log, min(time) AS time, max(until) AS until, sum(n)::BIGINT AS n, arg_min(event, (time, event)) AS event,
            arg_max(last, (until, last)) AS last
        FROM silent_share GROUP BY log, time // {MINUTE}
    ),
    gap AS (
        SELECT log, time, event, sum(n) OVER earlier AS so_far, min(time) OVER earlier AS first,
            lag(until) OVER w AS since, lag(last) OVER w AS before, time - lag(until) OVER w AS long
        FROM minute WINDOW w AS (PARTITION BY log ORDER BY time),
            earlier AS (PARTITION BY log ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    past AS (
        SELECT *, max(long) OVER (PARTITION BY log ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS longest
        FROM gap
    ),
    silent AS (
        SELECT log, before, event,
            since + greatest({TIMES} * longest, {LEAST}, {ENOUGH} * (since - first) // so_far)::BIGINT AS fired
        FROM past WHERE since >= first + {AGE} AND time >= fired
    )
    SELECT 'log ' || log AS about, min(fired) OVER (PARTITION BY log) AS fired, unnest([before, event]) AS edge FROM silent
    """
    hits = "SELECT about, fired, event.rowid AS event FROM event JOIN silent ON event.rowid = edge"
    minutes = f"SELECT log, event, time, until, n, last FROM ({_BASE})"
    parts = Parts((Known("silent", minutes, silent),), hits)
    note = f"{TIMES} times the longest before, and {ENOUGH} events were to be expected"
    return Detection(HEAD, parts.sql, note=note, bases=(Base(_BASE),), fold=Silence, parts=parts)


_BASE: Final = f"""
    SELECT arg_min(rowid, (event.time, rowid)) AS event, min(time) AS time, "metadata.log_name" AS log, NULL AS about,
        max(time) AS until, count(*) AS n, arg_max(rowid, (event.time, rowid)) AS last
    FROM event GROUP BY log, event.time // {MINUTE}
"""
"""The events of each minute. Those of a minute may come in several batches: counts, beginnings and ends add up."""


class Log:
    """One kind of log: its first event and its last, the minute that is under way, how many there were, the longest silence."""

    __slots__ = ("first", "longest", "minute", "n", "now", "until")

    def __init__(self, first: int) -> None:
        self.first = self.until = first
        self.minute, self.now = first // MINUTE, 0
        self.n, self.longest = 0, 0  # but for the present minute

    def fires(self) -> int | None:
        """When its silence, which goes on, is too long. None: never."""
        if self.until < self.first + AGE:
            return None
        so_far = self.n + self.now
        return self.until + max(TIMES * self.longest, LEAST, ENOUGH * (self.until - self.first) // so_far)


class Silence:
    """The fold."""

    def __init__(self) -> None:
        self.logs: dict[str, Log] = {}

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        _, time, name, _, until, n, _ = row
        log = self.logs.get(name)
        if log is None:
            log = self.logs[name] = Log(time)
        fires = []
        if time // MINUTE > log.minute:
            fired = log.fires()
            if fired is not None and fired <= time:
                fires.append(_fire(name, log, fired))
            log.longest = max(log.longest, time - log.until)
            log.n, log.now, log.minute = log.n + log.now, 0, time // MINUTE
        log.now += n
        log.until = max(log.until, until)
        return fires

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return ()

    def clock(self, now: int) -> Sequence[Fire]:
        """What goes on at this moment, by the clock."""
        fired = ((name, log, log.fires()) for name, log in self.logs.items())
        return [_fire(name, log, at) for name, log, at in fired if at is not None and at <= now]

    def tidy(self, time: int) -> None:
        """See `Fold`."""

    def dump(self) -> Any:
        """See `Fold`."""
        return [[name, *(getattr(log, slot) for slot in Log.__slots__)] for name, log in self.logs.items()]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.logs = {}
        for name, *values in kept:
            log = self.logs[name] = Log(0)
            for slot, value in zip(Log.__slots__, values, strict=True):
                setattr(log, slot, value)


def _fire(name: str, log: Log, fired: int) -> Fire:
    """How much was to be expected is what it fires by."""
    return Fire(f"log {name}", fired, (fired - log.until) * (log.n + log.now) // max(log.until - log.first, 1))
