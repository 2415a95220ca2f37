"""Correlations that another event can also take further from their bound, as folds: fewer than, averages, percentiles, `not`.

They say something about the whole of a window that ends at an instant. So an instant is judged when it is over: when a later event
comes, or time has passed; and the alert names the last event of it. How many is decided by as many times or values as the bound
needs, as in `sliding`. Sums, averages and percentiles need whole windows, of each instant some numbers:

* of a sum or an average, how much there was, in millionths, and how often: the sums of these are exact, whatever comes and goes;
* of a percentile, how many values are below the bound, and how many are at most it: that decides how its rank stands to the bound.

A window of one group may hold `MOST` instants and all of a rule `ROOM`; the earlier half is let go then, and `short` counts how
often: so nobody can fill the memory, and who fills a window fills first of all the one they are judged by.
"""

import operator
import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from statistics import median_low
from typing import Any, Final

from strongroom.detect import packed
from strongroom.detect.correlation import MOST as LARGEST
from strongroom.detect.correlation import SUMS, millionths
from strongroom.detect.detection import Fire
from strongroom.detect.packed import Packed
from strongroom.detect.sliding import Group, Window
from strongroom.sigma.rule import Extended, Joined, Matched, Sign

MOST: Final = 100_000
"""Instants of one group's window: a log that tells seconds has fewer in a day."""
ROOM: Final = 2_000_000
"""Instants of all windows of one rule: some 60 MB."""
_EXACT: Final = 2**53
"""Whole numbers up to this are what they are in an array of floating-point numbers."""
_NOTHING: Final[Sequence[Fire]] = ()
SIGNS: Final[dict[Sign, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}


class Ending(Window):
    """A correlation that is judged at the end of an instant. Its rows tell, after the value, the place: source, offset, length."""

    def __init__(self, window: int) -> None:
        super().__init__(window)
        self.now = -1
        self.open: dict[
            str, tuple[int, int, int]
        ] = {}  # groups whose window ends now, with the place of their last event

    def take(self, group: Group, row: Sequence[Any]) -> bool:
        """Let the window hold one row more; whether it is one at which a window ends."""
        raise NotImplementedError

    def reached(self, held: Any, begin: int, now: int) -> int | None:
        """How much the window from `begin` to `now` holds, where that meets the condition."""
        raise NotImplementedError

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        fires = self._judged() if row[1] > self.now and self.open else _NOTHING
        self.now = row[1]
        group = self.group(row)
        if self.take(group, row):
            self.open[row[2]] = tuple(row[6:9])
        return fires

    def passed(self, time: int) -> Sequence[Fire]:
        """See `Fold`."""
        return self._judged() if time > self.now and self.open else _NOTHING

    def _judged(self) -> Sequence[Fire]:
        """All whose window ended at this instant, which is over."""
        fires: list[Fire] = []
        begin = self.now - self.window
        for g, place in self.open.items():
            group = self.groups.get(g)
            amount = None if group is None else self.reached(group.held, begin, self.now)
            if group is not None and amount is not None:
                fires += [Fire(one, self.now, amount, place=place) for one in group.told(begin)]
        self.open = {}
        return fires

    def dump(self) -> Any:
        """See `Fold`."""
        return [self.now, [[g, *place] for g, place in self.open.items()]]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.now, waiting = kept
        self.open = {g: (source, offset, length) for g, source, offset, length in waiting}


class Fewer(Ending):
    """event_count against any bound: the times of the latest events, as many as decide."""

    def __init__(self, window: int, sign: Sign, bound: float) -> None:
        super().__init__(window)
        self.met, self.bound, self.most = SIGNS[sign], bound, deciding(bound)

    def new(self) -> Any:
        """See `Window`."""
        return deque(maxlen=self.most)

    def take(self, group: Group, row: Sequence[Any]) -> bool:
        """See `Ending`."""
        group.held.append(row[1])
        return True

    def reached(self, held: Any, begin: int, now: int) -> int | None:  # noqa: ARG002  # of all of them
        """See `Ending`."""
        while held[0] < begin:
            held.popleft()
        return len(held) if self.met(len(held), self.bound) else None

    def plain(self, held: Any) -> list[int]:
        """See `Window`."""
        return list(held)

    def revived(self, kept: list[int]) -> Any:
        """See `Window`."""
        return deque(kept, self.most)


class FewerValues(Ending):
    """value_count against any bound: when each of the latest different values was last there, as many as decide."""

    def __init__(self, window: int, sign: Sign, bound: float) -> None:
        super().__init__(window)
        self.met, self.bound, self.most = SIGNS[sign], bound, deciding(bound)

    def new(self) -> Packed:
        """See `Window`."""
        return b""

    def take(self, group: Group, row: Sequence[Any]) -> bool:
        """See `Ending`. What has left the window goes now: then all that is held is in it."""
        held, _ = packed.renew(group.held, row[5], row[1], row[1] - self.window)
        group.held = packed.drop(held) if packed.size(held) > self.most else held
        return True

    def reached(self, held: Packed, begin: int, now: int) -> int | None:  # noqa: ARG002  # of all of them
        """See `Ending`."""
        many = packed.size(held)
        return many if self.met(many, self.bound) else None

    def plain(self, held: Packed) -> bytes:
        """See `Window`."""
        return packed.dump(held)

    def revived(self, kept: bytes) -> Packed:
        """See `Window`."""
        return packed.load(kept)


class Met(Ending):
    """temporal with an extended condition: when each rule last matched."""

    def __init__(self, window: int, rules: int, condition: Extended) -> None:
        super().__init__(window)
        self.rules, self.condition = rules, condition

    def new(self) -> list[int]:
        """See `Window`."""
        return [-1] * self.rules

    def take(self, group: Group, row: Sequence[Any]) -> bool:
        """See `Ending`."""
        group.held[row[4]] = row[1]
        return True

    def reached(self, held: list[int], begin: int, now: int) -> int | None:  # noqa: ARG002  # of all of them
        """See `Ending`. A time below nothing is no event's."""
        there = [last >= max(begin, 0) for last in held]
        return sum(there) if _holds(self.condition, there) else None


class Measured(Ending):
    """Of whole windows. A value is said by some whole numbers (`numbers`), and a window by their sums (`measure`)."""

    wide = 2
    stays = True

    def __init__(self, window: int) -> None:
        super().__init__(window)
        self.size = self.short = 0

    def numbers(self, value: float) -> tuple[int, ...]:
        """What a value adds to the sums."""
        raise NotImplementedError

    def measure(self, sums: Sequence[int]) -> int | None:
        """What is told of a window with these sums, where it meets the condition. Their last is how many values there are."""
        raise NotImplementedError

    def new(self) -> "Held":
        """See `Window`."""
        return Held(self.wide)

    def take(self, group: Group, row: Sequence[Any]) -> bool:
        """See `Ending`. What is no number is no end of a window."""
        if row[5] is None:
            return False
        held: Held = group.held
        self.size += held.add(row[1], self.numbers(row[5]))
        if len(held) > MOST:
            self.short += 1
            self.size -= held.drop(median_low(held.times()) + 1)
        if self.size > ROOM:
            self.short += 1
            middle = median_low(time for group in self.groups.values() for time in group.held.times())
            self.size -= sum(group.held.drop(middle + 1) for group in self.groups.values())
        return True

    def reached(self, held: "Held", begin: int, now: int) -> int | None:  # noqa: ARG002  # of all of them
        """See `Ending`."""
        self.size -= held.drop(begin)
        return self.measure(held.sums) if held.sums[-1] else None

    def tidy(self, time: int) -> None:
        """See `Fold`."""
        super().tidy(time)
        for group in self.groups.values():
            group.held.drop(time - self.window)
        self.size = sum(len(group.held) for group in self.groups.values())

    def plain(self, held: "Held") -> list[float]:
        """See `Window`."""
        return list(held.entries())

    def revived(self, kept: list[float]) -> "Held":
        """See `Window`."""
        return Held(self.wide, kept)

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        super().load(kept)
        self.size = sum(len(group.held) for group in self.groups.values())


class Sums(Measured):
    """value_sum and value_avg: millionths, and how many values."""

    def __init__(self, window: int, sign: Sign, bound: float, *, average: bool) -> None:
        super().__init__(window)
        self.met, self.average = SIGNS[sign], average
        self.bound = millionths(bound, LARGEST if average else SUMS)

    def numbers(self, value: float) -> tuple[int, ...]:
        """See `Measured`."""
        return int(value), 1

    def measure(self, sums: Sequence[int]) -> int | None:
        """See `Measured`."""
        amount, many = sums
        shares = many if self.average else 1
        return amount // (shares * 1_000_000) if self.met(amount, self.bound * shares) else None


class Ranks(Measured):
    """value_percentile and value_median: how many are below the bound, at most it, and there. Tells how many are there."""

    wide = 3

    def __init__(self, window: int, sign: Sign, bound: float, percentile: int) -> None:
        super().__init__(window)
        self.sign, self.bound, self.percentile = sign, bound, percentile

    def numbers(self, value: float) -> tuple[int, ...]:
        """See `Measured`."""
        return value < self.bound, value <= self.bound, 1

    def measure(self, sums: Sequence[int]) -> int | None:
        """See `Measured`. The value of the nearest rank is below the bound, or above it, or neither."""
        below, upto, many = sums
        rank = max(1, min(many, -(-self.percentile * many // 100)))
        stands = -1 if below >= rank else 0 if upto >= rank else 1
        return many if SIGNS[self.sign](stands, 0) else None


class Held:
    """What a window holds: time and numbers of each instant, the earliest first, and what these numbers come to together."""

    __slots__ = ("_first", "_rows", "_width", "sums")

    def __init__(self, wide: int, kept: Iterable[float] = ()) -> None:
        """`wide`: how many numbers an instant has."""
        self._width, self._first, self._rows = wide + 1, 0, array("d", kept)
        self.sums = [sum(map(int, self._rows[at :: self._width])) for at in range(1, self._width)]

    def __len__(self) -> int:
        return (len(self._rows) - self._first) // self._width

    def times(self) -> Sequence[float]:
        """Of its instants."""
        return self._rows[self._first :: self._width]

    def entries(self) -> Sequence[float]:
        """All of it, for another to begin with."""
        return self._rows[self._first :]

    def add(self, time: int, numbers: Sequence[int]) -> int:
        """At this time, the latest; how many entries that made more. An instant has a second one where numbers grow too large."""
        for at, number in enumerate(numbers):
            self.sums[at] += number
        rows = self._rows
        if len(self) and rows[-self._width] == time:
            last = [int(one) + number for one, number in zip(rows[1 - self._width :], numbers, strict=True)]
            if all(-_EXACT <= one <= _EXACT for one in last):
                rows[1 - self._width :] = array("d", last)
                return 0
        rows.append(time)
        rows.extend(numbers)
        return 1

    def drop(self, begin: float) -> int:
        """Without those before `begin`; how many they were."""
        rows, first, width = self._rows, self._first, self._width
        while first < len(rows) and rows[first] < begin:
            for at in range(width - 1):
                self.sums[at] -= int(rows[first + 1 + at])
            first += width
        gone = (first - self._first) // width
        if 2 * first >= len(rows):
            del rows[:first]
            first = 0
        self._first = first
        return gone


def deciding(bound: float) -> int:
    """Of how many it is enough to know that there are so many, to know how all of them stand to the bound."""
    return max(1, min(int(bound), sys.maxsize - 1) + 1)


def _holds(condition: Extended, there: Sequence[bool]) -> bool:
    match condition:
        case Matched(rule):
            return there[rule]
        case Joined("not", (part,)):
            return not _holds(part, there)
        case Joined("and", parts):
            return all(_holds(part, there) for part in parts)
        case Joined(_, parts):
            return any(_holds(part, there) for part in parts)
