"""Sigma's rules and correlations as folds: the verdicts of `correlation`, out of a state that is bounded.

A window holds only what its threshold needs: the latest values, or times, that suffice to reach it. Whoever had an event of the
group in the window is told of, as in the SQL. What is not monotone (averages, fewer than, `not`) is no fold yet.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from strongroom.detect.detection import Fire, Fold
from strongroom.sigma.rule import Correlation, Kind

_NOTHING: Final[Sequence[Fire]] = ()


class Single:
    """A rule about one event."""

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        return (Fire(row[3], row[1], 1),)

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return _NOTHING

    def tidy(self, time: int) -> None:
        """See `Fold`."""

    def dump(self) -> Any:
        """See `Fold`."""
        return None

    def load(self, kept: Any) -> None:
        """See `Fold`."""


class _Group:
    """One group: when each was last seen whom it is about (nearly always one alone), and what is counted of it."""

    __slots__ = ("about", "held", "others", "time")

    def __init__(self, held: Any) -> None:
        self.about, self.time = "", -1
        self.others: dict[str, int] | None = None
        self.held = held

    def see(self, about: str, time: int) -> None:
        """Somebody had an event of it."""
        if about == self.about or self.time < 0:
            self.about = about
        else:
            self.others = {**(self.others or {}), self.about: self.time}
            self.others.pop(about, None)
            self.about = about
        self.time = time

    def within(self, begin: int) -> list[str]:
        """Who had one since then."""
        if self.others is not None:
            self.others = {about: time for about, time in self.others.items() if time >= begin} or None
        return [*(self.others or ()), *([self.about] if self.time >= begin else [])]


class Window:
    """A correlation. What it counts is said by the three functions that subclasses give."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.groups: dict[str, _Group] = {}

    def new(self) -> Any:
        """What a group holds at first: lists, dicts, deques, numbers."""
        raise NotImplementedError

    def count(self, held: Any, row: Sequence[Any]) -> int:
        """Take one row; how much there is in the window that it ends, or 0 where that is not enough."""
        raise NotImplementedError

    def plain(self, held: Any) -> Any:
        """What is held, as lists and dicts."""
        return held

    def revived(self, kept: Any) -> Any:
        """The way back."""
        return kept

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        _, time, g, about = row[:4]
        group = self.groups.get(g)
        if group is None:
            group = self.groups[g] = _Group(self.new())
        if about != group.about or group.others is not None:
            group.see(about, time)
        else:
            group.time = time
        count = self.count(group.held, row)
        return [Fire(one, time, count) for one in group.within(time - self.window)] if count else _NOTHING

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return _NOTHING

    def tidy(self, time: int) -> None:
        """See `Fold`."""
        begin = time - self.window
        for g in [g for g, group in self.groups.items() if not group.within(begin)]:
            del self.groups[g]

    def dump(self) -> Any:
        """See `Fold`."""
        return [[g, group.about, group.time, group.others, self.plain(group.held)] for g, group in self.groups.items()]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.groups = {}
        for g, about, time, others, held in kept:
            group = self.groups[g] = _Group(self.revived(held))
            group.about, group.time, group.others = about, time, others


class Events(Window):
    """event_count: the times of the latest events, as many as are needed."""

    def __init__(self, window: int, least: int) -> None:
        super().__init__(window)
        self.least = least

    def new(self) -> list[int]:
        """See `Window`. A list is smaller than a deque, and few are long."""
        return []

    def count(self, held: list[int], row: Sequence[Any]) -> int:
        """See `Window`."""
        held.append(row[1])
        if len(held) > self.least:
            del held[0]
        return self.least if len(held) == self.least and held[0] >= row[1] - self.window else 0


class Values(Window):
    """value_count: when each of the latest different values was last there, as many as are needed."""

    def __init__(self, window: int, least: int) -> None:
        super().__init__(window)
        self.least = least

    def new(self) -> dict[str, int]:
        """See `Window`."""
        return {}

    def count(self, held: dict[str, int], row: Sequence[Any]) -> int:
        """See `Window`."""
        value = row[5]
        held.pop(value, None)
        held[value] = row[1]
        if len(held) < self.least:
            return 0
        oldest = next(iter(held))
        if len(held) > self.least:
            del held[oldest]
            oldest = next(iter(held))
        return self.least if held[oldest] >= row[1] - self.window else 0


class _Sum:
    """Amounts of a group, by time, and what they add up to."""

    __slots__ = ("amounts", "total")

    def __init__(self) -> None:
        self.amounts: list[list[float]] = []
        self.total = 0.0


class Amounts(Window):
    """value_sum: the latest amounts that suffice, which are never below nothing."""

    def __init__(self, window: int, bound: float, *, above: bool) -> None:
        super().__init__(window)
        self.bound, self.above = bound, above

    def new(self) -> _Sum:
        """See `Window`."""
        return _Sum()

    def count(self, held: _Sum, row: Sequence[Any]) -> int:
        """See `Window`. Amounts of one instant are held as one."""
        time, amount, amounts = row[1], float(row[5]), held.amounts
        if amounts and amounts[-1][0] == time:
            amounts[-1][1] += amount
        else:
            amounts.append([time, amount])
        held.total += amount
        gone = 0
        while amounts[gone][0] < time - self.window or (
            len(amounts) > gone + 1 and self._enough(held.total - amounts[gone][1])
        ):
            held.total -= amounts[gone][1]
            gone += 1
        if gone:
            del amounts[:gone]
        return max(1, math.floor(held.total)) if self._enough(held.total) else 0

    def _enough(self, total: float) -> bool:
        return total > self.bound if self.above else total >= self.bound

    def plain(self, held: _Sum) -> list[list[float]]:
        """See `Window`."""
        return held.amounts

    def revived(self, kept: list[list[float]]) -> _Sum:
        """See `Window`."""
        held = _Sum()
        held.amounts, held.total = kept, math.fsum(amount for _, amount in kept)
        return held


class Together(Window):
    """temporal: when each rule last matched."""

    def __init__(self, window: int, rules: int) -> None:
        super().__init__(window)
        self.rules = rules

    def new(self) -> list[int | None]:
        """See `Window`."""
        return [None] * self.rules

    def count(self, held: list[int | None], row: Sequence[Any]) -> int:
        """See `Window`."""
        held[row[4]] = row[1]
        begin = row[1] - self.window
        return self.rules if all(last is not None and last >= begin for last in held) else 0


class Chain(Window):
    """temporal_ordered: of each rule when it last matched, and the latest beginning of a chain that was complete up to it then.

    Events of one instant count as in order, whichever comes first.
    """

    def __init__(self, window: int, rules: int) -> None:
        super().__init__(window)
        self.rules = rules

    def new(self) -> list[list[int | None]]:
        """See `Window`."""
        return [[None, None] for _ in range(self.rules)]

    def count(self, held: list[list[int | None]], row: Sequence[Any]) -> int:
        """See `Window`."""
        time, which = row[1], row[4]
        held[which][0] = time
        for place in range(which, self.rules):
            if held[place][0] != time:
                break
            start = held[place - 1][1] if place else time
            if start is not None:
                held[place][1] = start
        last, start = held[-1]
        return self.rules if last == time and start is not None and time - start <= self.window else 0


def fold_of(rule: Correlation) -> Callable[[], Fold] | None:
    """How a watch does this correlation; None where it cannot yet."""
    window, rules, bound, above = rule.window, len(rule.rules), rule.at_least, rule.sign == ">"
    if rule.kind is Kind.TEMPORAL:
        return (lambda: Together(window, rules)) if rule.condition is None else None
    if rule.kind is Kind.TEMPORAL_ORDERED:
        return lambda: Chain(window, rules)
    if rule.sign not in {">", ">="}:
        return None
    least = max(1, math.floor(bound) + 1 if above else math.ceil(bound))
    if rule.kind is Kind.EVENT_COUNT:
        return lambda: Events(window, least)
    if rule.kind is Kind.VALUE_COUNT:
        return lambda: Values(window, least)
    if rule.kind is Kind.VALUE_SUM:
        return lambda: Amounts(window, bound, above=above)
    return None
