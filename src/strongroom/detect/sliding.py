"""Sigma's rules and correlations as folds: the verdicts of `correlation`, out of a state that is bounded.

A window holds only what its threshold needs: the latest values, or times, that suffice to reach it. Whoever had an event of the
group in the window is told of, as in the SQL. What is not monotone (averages, fewer than, `not`) is in `ending`.
"""

import math
from array import array
from collections import deque
from collections.abc import Sequence
from struct import Struct
from sys import intern
from typing import Any, Final

from strongroom.detect import packed
from strongroom.detect.detection import Fire
from strongroom.detect.packed import Packed
from strongroom.detect.shelf import Shelf, Thing

_NOTHING: Final[Sequence[Fire]] = ()
_FEW: Final = 16
"""Times and amounts that are held as what cannot grow, which is smaller."""
_ONE: Final = Struct("=ddd")
"""A sum of one amount, its time and itself."""


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


class Group(Thing):
    """One group: when each was last seen whom it is about (nearly always one alone), and what is counted of it.

    Of several those are `new` who had an event since it last fired: whoever had none is told of already, and everybody's part in it
    costs the same, however many they are.
    """

    __slots__ = ("about", "held", "new", "others", "time")

    def __init__(self, about: str, held: Any) -> None:
        self.about, self.time = about, -1
        self.others: dict[str, int] | None = None  # who had the last event before this one is last
        self.new: set[str] | None = None
        self.held = held

    def see(self, about: str) -> None:
        """Somebody else has an event of it now, or one of several."""
        if about != self.about:
            if self.others is None or self.new is None:
                self.others, self.new = {}, {self.about}
            self.others.pop(about, None)
            self.others[self.about] = self.time
            self.about = about
        if self.new is not None:
            self.new.add(self.about)

    def forget(self, begin: int) -> None:
        """Who had none since then."""
        others = self.others
        if others is not None:
            while others and others[first := next(iter(others))] < begin:
                del others[first]
            if not others:
                self.others = self.new = None

    def told(self, begin: int) -> list[str]:
        """It fires: who is to be told of, of those who had an event since then."""
        if self.new is None:
            return [self.about] if self.time >= begin else []
        self.forget(begin)
        others, new = self.others or {}, self.new or {self.about}
        if self.new is not None:
            self.new = set()
        return [one for one in sorted(new) if one in others or (one == self.about and self.time >= begin)]


class Window:
    """A correlation. What it counts is said by the functions that subclasses give."""

    stays = False

    def __init__(self, window: int) -> None:
        self.window = window
        self.groups = Shelf(self._flat, self._group, lambda group: group.time + window, stays=self.stays)

    def new(self) -> Any:
        """What a group holds at first."""
        raise NotImplementedError

    def count(self, group: Group, row: Sequence[Any]) -> int:
        """Take one row; how much there is in the window that it ends, or 0 where that is not enough."""
        raise NotImplementedError

    def plain(self, held: Any) -> Any:
        """What is held, as lists and bytes."""
        return held

    def revived(self, kept: Any) -> Any:
        """The way back."""
        return kept

    def group(self, row: Sequence[Any]) -> Group:
        """The group of a row, which has an event of whom the row is about now."""
        g, about = row[2], row[3]
        group = self.groups.get(g)
        if group is None:
            group = self.groups.add(g, Group(about, self.new()))
        elif about != group.about or group.others is not None:
            group.see(about)
        group.time = row[1]
        return group

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        group, time = self.group(row), row[1]
        count = self.count(group, row)
        return [Fire(one, time, count) for one in group.told(time - self.window)] if count else _NOTHING

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return _NOTHING

    def tidy(self, time: int) -> None:
        """See `Fold`."""
        self.groups.tidy(time)
        for group in self.groups.values():
            if group.others is not None:
                group.forget(time - self.window)

    def shelves(self) -> Sequence[Shelf[Any]]:
        """See `Shelved`."""
        return (self.groups,)

    def dump(self) -> Any:
        """See `Fold`."""
        return None

    def load(self, kept: Any) -> None:
        """See `Fold`."""

    def _flat(self, group: Group) -> Any:
        new = None if group.new is None else list(group.new)
        return [group.about, group.time, group.others, new, self.plain(group.held)]

    def _group(self, kept: Any) -> Group:
        about, time, others, new, held = kept
        group = Group(intern(about), self.revived(held))
        group.time, group.others, group.new = time, others, None if new is None else set(new)
        return group


class Events(Window):
    """event_count: the times of the latest events, as many as are needed."""

    def __init__(self, window: int, least: int) -> None:
        super().__init__(window)
        self.least = least

    def new(self) -> tuple[int, ...]:
        """See `Window`. Nearly always there are few."""
        return ()

    def count(self, group: Group, row: Sequence[Any]) -> int:
        """See `Window`."""
        time, held = row[1], group.held
        if len(held) < _FEW:
            held = group.held = (*held, time)
        else:
            if isinstance(held, tuple):
                held = group.held = deque(held)
            held.append(time)
        if len(held) > self.least:
            if isinstance(held, tuple):
                held = group.held = held[1:]
            else:
                held.popleft()
        return self.least if len(held) == self.least and held[0] >= time - self.window else 0

    def plain(self, held: Any) -> list[int]:
        """See `Window`."""
        return list(held)

    def revived(self, kept: list[int]) -> Any:
        """See `Window`."""
        return tuple(kept) if len(kept) < _FEW else deque(kept)


class Values(Window):
    """value_count: when each of the latest different values was last there, as many as are needed. They are numbers (`digest`)."""

    def __init__(self, window: int, least: int) -> None:
        super().__init__(window)
        self.least = least

    def new(self) -> Packed:
        """See `Window`."""
        return b""

    def count(self, group: Group, row: Sequence[Any]) -> int:
        """See `Window`."""
        held = packed.put(group.held, row[5], row[1])
        many = packed.size(held)
        if many > self.least:
            held = packed.drop(held)
        group.held = held
        return self.least if many >= self.least and packed.oldest(held) >= row[1] - self.window else 0

    def plain(self, held: Packed) -> bytes:
        """See `Window`."""
        return packed.dump(held)

    def revived(self, kept: bytes) -> Packed:
        """See `Window`."""
        return packed.load(kept)


class Amounts(Window):
    """value_sum: the latest amounts that suffice, which are never below nothing."""

    def __init__(self, window: int, bound: float, *, above: bool) -> None:
        super().__init__(window)
        self.bound, self.above = bound, above

    def new(self) -> Any:
        """See `Window`. The sum, and time and amount of each: as bytes while there are few."""
        return b""

    def count(self, group: Group, row: Sequence[Any]) -> int:
        """See `Window`. Amounts of one instant are held as one."""
        time, amount, held = row[1], float(row[5]), group.held
        begin, gone = time - self.window, 1
        if isinstance(held, bytes):
            _, last, known = _ONE.unpack(held) if len(held) == _ONE.size else (0, -1, 0)
            if not held or last == time or 0 <= last < begin:
                total = known + amount if last == time else amount
                group.held = _ONE.pack(total, time, total)
                return self._count(total)
            held = array("d", held)
        if len(held) > 1 and held[-2] == time:
            held[-1] += amount
        else:
            held.extend((time, amount))
        total = held[0] + amount
        while held[gone] < begin or (len(held) > gone + 2 and self._enough(total - held[gone + 1])):
            total -= held[gone + 1]
            gone += 2
        if len(held) == gone + 2:
            total = held[-1]
        del held[1:gone]
        held[0] = total
        group.held = held if len(held) > 2 * _FEW else held.tobytes()
        return self._count(total)

    def plain(self, held: Any) -> bytes:
        """See `Window`. In the order of this machine."""
        return bytes(held)

    def revived(self, kept: bytes) -> Any:
        """See `Window`."""
        return array("d", kept) if len(kept) > 2 * _FEW * 8 else kept

    def _count(self, total: float) -> int:
        return max(1, math.floor(total)) if self._enough(total) else 0

    def _enough(self, total: float) -> bool:
        return total > self.bound if self.above else total >= self.bound


class Together(Window):
    """temporal: when each rule last matched."""

    def __init__(self, window: int, rules: int) -> None:
        super().__init__(window)
        self.rules = rules

    def new(self) -> list[int | None]:
        """See `Window`."""
        return [None] * self.rules

    def count(self, group: Group, row: Sequence[Any]) -> int:
        """See `Window`."""
        held = group.held
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

    def count(self, group: Group, row: Sequence[Any]) -> int:
        """See `Window`."""
        time, which, held = row[1], row[4], group.held
        held[which][0] = time
        for place in range(which, self.rules):
            if held[place][0] != time:
                break
            start = held[place - 1][1] if place else time
            if start is not None:
                held[place][1] = start
        last, start = held[-1]
        return self.rules if last == time and start is not None and time - start <= self.window else 0
