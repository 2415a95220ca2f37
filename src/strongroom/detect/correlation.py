"""SQL of Sigma's correlations: exact counts in windows that slide, by event time.

`base` is SQL that selects (event, time, g, about, which, v): an event's rowid, its time, the group it belongs to, whom it is
about, which of the correlation's rules it matches (counted from 0), and the field that is counted.

Counting (event_count, value_count, value_sum) goes in three steps, each plain SQL with window functions:
1. Groups that cannot reach the threshold in any window are dropped: all that they have, or two neighbouring buckets of a window's
   length, hold less.
2. Every event adds at its time and takes away when it has left the window; a value that is there already adds nothing
   (but its instant is looked at: it is one more event of a window that holds enough). The running sum is exact at every instant.
3. Hits are the events of windows in which the sum was reached.
What a running sum cannot tell (averages, percentiles, fewer than) is measured window by window, in whole numbers: sums and averages
of millionths, percentiles (nearest rank) by how many values are below the bound. So whoever adds them up, and in which order,
comes to the same.
"""

from typing import Final

from strongroom.clock import DAY
from strongroom.detect.detection import PLACE, SOURCE, Base, digest, simple
from strongroom.detect.parts import By, Here, Parts
from strongroom.sigma.rule import Correlation, Extended, Joined, Kind, Matched


def hits(correlation: Correlation, base: str) -> str:
    """SQL that selects (about, fired, event)."""
    return parts(correlation, base).sql


def parts(correlation: Correlation, base: str) -> Parts:
    """The same in parts: a group is judged by itself."""
    if correlation.kind in {Kind.TEMPORAL, Kind.TEMPORAL_ORDERED}:
        fire = _temporal(correlation)
    elif at_once(correlation):
        fire = _counting(correlation)
    else:
        fire = _compared(correlation)
    if correlation.kind not in {Kind.TEMPORAL, Kind.TEMPORAL_ORDERED}:
        # An event without the value that is counted is none of those that are.
        base = f"SELECT * FROM ({base}) WHERE v IS NOT NULL"
    ample = _ample(correlation) if at_once(correlation) else ""
    return together(base, fire, correlation.window, ample)


def together(base: str, fire: str, window: int, ample: str = "") -> Parts:
    """`windowed`, group by group. `ample`, if given, selects (g) from `together`: the groups that are worth looking at."""
    if not ample:
        return Parts((By("together", base, "g"),), windowed("SELECT * FROM together", fire, window))
    every = By("together", base, "g", kept=any(name in base for name in _DEAR))
    rows = Here("grouped", f"SELECT * FROM together SEMI JOIN ({ample}) USING (g)")
    return Parts((every, rows), windowed("SELECT * FROM grouped", fire, window))


APART: Final = DAY
"""Milliseconds without an event after which the next are another moment: a watch tells of them again."""


def windowed(base: str, fire: str, window: int) -> str:
    """The events of `base` in a window that ends at an instant of `fire` (g, t), with the first such instant of their moment: of
    events about the same between which there is never more than APART.

    `fire` may read `base` by this name. A group whose events are about several is told of each. The first instant from an event on
    is told by going back in time: a minimum from there on, which grows by itself; one over the window would be made anew for each,
    and so would a count with a filter.
    """
    return f"""
    WITH base AS ({base}),
    fire AS ({fire}),
    both_ AS (
        SELECT g, time, event, about, CAST(NULL AS BIGINT) AS t FROM base SEMI JOIN fire USING (g)
        UNION ALL SELECT g, t, NULL, NULL, t FROM fire
    ),
    seen AS (
        SELECT event, about, time, min(t) OVER (PARTITION BY g ORDER BY time DESC) AS ends FROM both_
    ),
    hit_ AS (
        SELECT *, time - lag(time) OVER (PARTITION BY about ORDER BY time) > {APART} AS apart FROM seen
        WHERE event IS NOT NULL AND ends <= time + {window}
    ),
    moment AS (SELECT *, count(CASE WHEN apart THEN 1 END) OVER (PARTITION BY about ORDER BY time) AS nth FROM hit_)
    SELECT about, min(ends) OVER (PARTITION BY about, nth) AS fired, event FROM moment
    """


def distinct(window: int, least: int) -> str:
    """Instants of `base` (g, time, v) at which `least` different values of a group are within a window. For `windowed`."""
    return f"""
    WITH value AS (
        SELECT g, time,
            lag(time) OVER (PARTITION BY g, v ORDER BY time) AS before,
            lead(time) OVER (PARTITION BY g, v ORDER BY time) AS next
        FROM base
    ),
    change AS (
        SELECT g, time AS t, CASE WHEN before IS NULL OR before < time - {window} THEN 1 ELSE 0 END AS x FROM value
        UNION ALL SELECT g, time + {window} + 1, -1 FROM value WHERE next IS NULL OR next > time + {window}
    ),
    level AS (SELECT g, t, x, sum(x) OVER (PARTITION BY g ORDER BY t) AS level FROM change)
    SELECT DISTINCT g, t FROM level WHERE level >= {least} AND x >= 0
    """


_AMOUNT: Final = "CASE WHEN try_cast(v AS DOUBLE) BETWEEN 0 AND 1e300 THEN try_cast(v AS DOUBLE) ELSE 0 END"
"""What a text adds to a sum: what is no number, or below nothing, adds nothing."""

_DEAR: Final = ("regexp_", "json_")
"""Functions that take longer to ask again than to write their answer down."""

NAMES: Final = ("g", "about", "which", "v")
"""What a base selects besides an event and its time."""
_ADDED: Final = {Kind.EVENT_COUNT, Kind.VALUE_COUNT, Kind.VALUE_SUM}
"""What a running sum tells."""
_RANKED: Final = {Kind.VALUE_MEDIAN, Kind.VALUE_PERCENTILE}

MOST: Final = 10**15
"""A number beyond this, or as far below nothing, is none that is measured."""
SUMS: Final = 10**30
"""No sum of them is further from nothing."""
MILLION: Final = 1_000_000
_NUMBER: Final = f"CASE WHEN try_cast(v AS DOUBLE) BETWEEN -{MOST} AND {MOST} THEN try_cast(v AS DOUBLE) END"
_MILLIONTHS: Final = f"round({_NUMBER} * {MILLION})"


def at_once(correlation: Correlation) -> bool:
    """Whether more events can only bring it nearer: then an event is judged as it comes, else when its instant is over."""
    if correlation.kind in {Kind.TEMPORAL, Kind.TEMPORAL_ORDERED}:
        return correlation.condition is None
    return correlation.kind in _ADDED and correlation.sign in {">", ">="}


def never(correlation: Correlation) -> bool:
    """Whether only a window in which nothing happened could meet it: windows end at an event."""
    if correlation.kind not in {Kind.EVENT_COUNT, Kind.VALUE_COUNT}:
        return False
    bound = correlation.at_least
    return {"<": bound <= 1, "<=": bound < 1, "=": bound < 1}.get(correlation.sign, False)


def weighed(correlation: Correlation, part: Base) -> Base:
    """How a watch asks a part of the base: for what it adds up, where it adds up; for numbers that stand for what differs, and for
    groups of several fields, which may be long: of a million groups two share one with a chance of some hundred-millionths. What is
    judged when its instant is over brings its place along.
    """
    value, kind, now = part.columns[-1], correlation.kind, at_once(correlation)
    amount = "'1'"
    if kind is Kind.VALUE_COUNT:
        amount = digest(value)
    elif kind is Kind.VALUE_SUM and now:
        amount = _of(_AMOUNT, value)
    elif kind in {Kind.VALUE_SUM, Kind.VALUE_AVG}:
        amount = _of(_MILLIONTHS, value)
    elif kind in _RANKED:
        amount = _of(_NUMBER, value)
    g, *told = part.columns[2:-1]
    group = f"CAST({digest(g)} AS VARCHAR)" if len(correlation.group_by) > 1 else g
    columns = dict(zip(NAMES, (group, *told, amount), strict=True))
    place = {} if now else {"source": SOURCE, "place": PLACE, "length": '"record.length"'}
    return simple(f"({part.where}) AND ({value}) IS NOT NULL", part.logs, **columns, **place)


def _of(amount: str, value: str) -> str:
    return amount.replace("v AS", f"({value}) AS")


def millionths(bound: float, most: int) -> int:
    """A bound in millionths, no further from nothing than what is compared with it can be (`most`) and a little."""
    return round(max(-most - 1, min(most + 1, bound)) * MILLION)


def rank(percentile: int, many: str) -> str:
    """SQL of the nearest rank, of so many."""
    return f"greatest(1, least({many}, ({percentile} * {many} + 99) // 100))"


def _compared(correlation: Correlation) -> str:
    """Every event ends a window: what is in it is measured, and compared. A window in which nothing happened is not looked at."""
    kind, sign, bound = correlation.kind, correlation.sign, correlation.at_least
    if kind in _RANKED:
        weight, measured = (
            _NUMBER,
            {"below": f"count(*) FILTER (w < {bound!r})", "upto": f"count(*) FILTER (w <= {bound!r})"},
        )
        place = rank(correlation.ranked, "many")
        met = {
            ">=": f"below < {place}", ">": f"upto < {place}", "<": f"below >= {place}", "<=": f"upto >= {place}",
            "=": f"below < {place} AND upto >= {place}", "<>": f"NOT (below < {place} AND upto >= {place})",
        }[sign]  # fmt: skip
    elif kind in {Kind.VALUE_SUM, Kind.VALUE_AVG}:
        weight, measured = f"CAST({_MILLIONTHS} AS HUGEINT)", {"amount": "sum(w)"}
        met = (
            f"amount {sign} {millionths(bound, SUMS)}"
            if kind is Kind.VALUE_SUM
            else f"amount {sign} many * {millionths(bound, MOST)}::HUGEINT"
        )
    else:
        weight, measured = "1", {"amount": "count(*)" if kind is Kind.EVENT_COUNT else "count(DISTINCT v)"}
        met = f"amount {sign} {bound!r}"
    frame = f"OVER (PARTITION BY g ORDER BY time RANGE BETWEEN {correlation.window} PRECEDING AND CURRENT ROW)"
    levels = ", ".join(f"{sql} {frame} AS {name}" for name, sql in {**measured, "many": "count(*)"}.items())
    return f"""
    WITH weighed AS (SELECT *, {weight} AS w FROM base WHERE v IS NOT NULL),
    level AS (SELECT g, time AS t, {levels} FROM weighed WHERE w IS NOT NULL)
    SELECT DISTINCT g, t FROM level WHERE {met}
    """


def _ample(correlation: Correlation) -> str:
    """Groups that may reach the threshold, at little cost. Of most rules nearly no group does."""
    kind, enough = correlation.kind, correlation.at_least
    if kind is Kind.VALUE_COUNT:
        return f"SELECT g FROM (SELECT DISTINCT g, v FROM together) GROUP BY g HAVING count(*) >= {enough!r}"
    if kind in _ADDED:
        amount = f"sum({_AMOUNT})" if kind is Kind.VALUE_SUM else "count(*)"
        bucket = f"SELECT g, {amount} AS c FROM together GROUP BY g, time // {correlation.window}"
        return f"SELECT g FROM ({bucket}) GROUP BY g HAVING 2 * max(c) >= {enough!r}"
    every = " AND ".join(f"bool_or(which = {rule})" for rule in range(len(correlation.rules)))
    return f"SELECT g FROM together GROUP BY g HAVING {every}"


def _counting(correlation: Correlation) -> str:
    window, enough = correlation.window, correlation.at_least
    amount = {Kind.EVENT_COUNT: "count(*)", Kind.VALUE_COUNT: "count(DISTINCT v)", Kind.VALUE_SUM: "sum(w)"}
    weighed = _AMOUNT if correlation.kind is Kind.VALUE_SUM else "1"
    return f"""
    WITH weighed AS (SELECT *, {weighed} AS w FROM base),
    bucket AS (SELECT g, time // {window} AS b, {amount[correlation.kind]} AS c FROM weighed GROUP BY ALL),
    pair AS (
        SELECT g, c + coalesce(sum(c) OVER (PARTITION BY g ORDER BY b RANGE BETWEEN 1 FOLLOWING AND 1 FOLLOWING), 0) AS c
        FROM bucket
    ),
    candidate AS (SELECT DISTINCT g FROM pair WHERE c >= {enough!r}),
    {_changes(correlation.kind, window)},
    level AS (SELECT g, t, sum(x) OVER (PARTITION BY g ORDER BY t) AS level FROM change)
    SELECT DISTINCT g, t FROM level WHERE level {correlation.sign} {enough!r}
    """


def _changes(kind: Kind, window: int) -> str:
    if kind is not Kind.VALUE_COUNT:
        return f"""
        change AS (
            SELECT g, time AS t, w AS x FROM weighed SEMI JOIN candidate USING (g)
            UNION ALL SELECT g, time + {window} + 1, -w FROM weighed SEMI JOIN candidate USING (g)
        )"""
    return f"""
    value AS (
        SELECT g, time,
            lag(time) OVER (PARTITION BY g, v ORDER BY time) AS before,
            lead(time) OVER (PARTITION BY g, v ORDER BY time) AS next
        FROM weighed SEMI JOIN candidate USING (g)
    ),
    change AS (
        SELECT g, time AS t, CASE WHEN before IS NULL OR before < time - {window} THEN 1 ELSE 0 END AS x FROM value
        UNION ALL SELECT g, time + {window} + 1, -1 FROM value WHERE next IS NULL OR next > time + {window}
    )"""


def _temporal(correlation: Correlation) -> str:
    """Instants by which all rules have matched within the window, in their order where that is asked.

    `start0` is the latest match of the first rule so far, `start1` that of the first rule when the second matched last, and
    so on: the latest beginning of a chain that is complete. Events of one instant count as in order.
    """
    rules, window = len(correlation.rules), correlation.window
    if correlation.kind is Kind.TEMPORAL:
        latest = ", ".join(
            f"max(CASE WHEN which = {rule} THEN time END) OVER (PARTITION BY g ORDER BY time) AS start{rule}"
            for rule in range(rules)
        )
        met = _met(correlation.condition or Joined("and", tuple(map(Matched, range(rules)))), window)
        return (
            f"WITH latest AS (SELECT g, time, {latest} FROM base) SELECT DISTINCT g, time AS t FROM latest WHERE {met}"
        )
    text = (
        "WITH chain0 AS (SELECT g, time, which, "
        "max(CASE WHEN which = 0 THEN time END) OVER (PARTITION BY g ORDER BY time) AS start FROM base)"
    )
    for rule in range(1, rules):
        text += (
            f", chain{rule} AS (SELECT g, time, which, "
            f"max(CASE WHEN which = {rule} THEN start END) OVER (PARTITION BY g ORDER BY time) AS start FROM chain{rule - 1})"
        )
    last = rules - 1
    return f"{text} SELECT DISTINCT g, time AS t FROM chain{last} WHERE which = {last} AND time - start <= {window}"


def _met(condition: Extended, window: int) -> str:
    """Whether it holds of the window that ends at `time`."""
    match condition:
        case Matched(rule):
            return f"coalesce(time - start{rule} <= {window}, false)"
        case Joined("not", (part,)):
            return f"(NOT {_met(part, window)})"
        case Joined(by, parts):
            return "(" + f" {by.upper()} ".join(_met(part, window) for part in parts) + ")"
