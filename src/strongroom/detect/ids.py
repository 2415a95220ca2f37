"""What `walk` and `relay` find, as one fold: ids that are asked for in a row, by one alone or by several who take turns.

Both hang on who asked for an id in this week and in the one before. That is kept of ids that lie together at once, in a few bytes
for each.
"""

from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import Any, Final, Literal

from strongroom.clock import DAY, HOUR
from strongroom.detect.detection import Fire
from strongroom.detect.met import digest
from strongroom.detect.shelf import Column, Shelf, Thing

WEEK: Final = 7 * DAY
STRIDE: Final = 10
RUN: Final = 10
"""Ids in a row. Ten draws at random from a thousand documents make a run with a chance of 0.02 to the power of 9."""
FEW: Final = 3
"""Principals that ask for one patient's document: the patient, somebody who cares for them, and a thief."""
TURNS: Final = 3
"""Requests back. With a thousand ids, each drawn by chance, a run has a chance of 0.17 to the power of 9."""
SEVERAL: Final = 3
NARROW: Final = 50
"""Near is a fiftieth of all that ids are within: an id by chance is near to one of the last TURNS with a chance of 0.12."""
BLOCK: Final = 256
"""Ids of one kind of address that are kept together."""
_NOTHING: Final[Sequence[Fire]] = ()


@lru_cache(4_096)
def _way(route: str) -> tuple[bytes, str]:
    """By what a route is known: a digest, and the same as a text."""
    known = digest(route)
    return known.to_bytes(8, "big"), f" {known:x}"


class Askers(Thing):
    """Who asked for the ids of one block in a week and in the week before: at most one more than FEW for each id, for then it is
    what many ask for. People are known by digests of eight bytes.
    """

    __slots__ = ("before", "now", "week")

    def __init__(self) -> None:
        self.week = 0
        self.now = self.before = b""  # of each asker the id that they asked for; and then, of each, who they are

    def turn(self, week: int) -> None:
        """A week has begun."""
        self.before = self.now if week == self.week + 1 else b""
        self.now = b""
        self.week = week

    def asks(self, nth: int, who: bytes) -> int:
        """Somebody asks for the id of this place; how many have, or 0 when they had in these weeks, or it is what many ask for."""
        askers, earlier = _of(self.now, nth), _of(self.before, nth)
        if who in askers or len(askers) > FEW:
            return 0
        place = len(self.now) // _ASKER
        self.now = self.now[:place] + _BYTES[nth] + self.now[place:] + who
        many = len(askers) + 1 + sum(one not in askers for one in earlier)
        return 0 if who in earlier or many > FEW else many

    def dump(self) -> list[Any]:
        """As numbers and bytes."""
        return [self.week, self.now, self.before]

    @classmethod
    def loaded(cls, kept: list[Any]) -> "Askers":
        """The way back."""
        one = cls()
        one.week, one.now, one.before = kept
        return one


_BYTES: Final = [bytes((nth,)) for nth in range(BLOCK)]
_ASKER: Final = 9
"""Bytes of an asker: one of the id, eight of who it is."""


def _of(askers: bytes, nth: int) -> list[bytes]:
    """Those of one id."""
    many = len(askers) // _ASKER
    found, at = [], askers.find(nth, 0, many)
    while at >= 0:
        found.append(askers[many + 8 * at : many + 8 * at + 8])
        at = askers.find(nth, at + 1, many)
    return found


_RUN: Final = Struct(">8sqqqI??")
"""Where a principal is on one route: a digest of the route, when it was there last, at which number, by which step, for how many
steps, whether anything of this run was given out, and whether the step says something."""
_TIME: Final = Struct(">q").unpack_from
_WHO: Final = 8
RUNS: Final = 1_000
"""Runs of one principal, each on a route of its own. Of more the one that stood still for longest is let go."""
_MOST: Final = _WHO + (RUNS - 1) * _RUN.size
_LONG, _FAR = 2**32 - 1, 2**63


def walked(walker: bytes, route: bytes, number: int, time: int, *, served: bool) -> tuple[bytes, int, bool]:
    """A principal (a digest of its name, and its runs, nearly always one alone) with a step more on this route; how long the run is
    now, and whether anything of it was given out.

    Runs that are too old for another step are let go. Of two steps that are too far for 64 bits the second goes back, and is not as
    far as the first: neither has to be known.
    """
    step, length, left = None, 1, served
    at = walker.find(route, _WHO)
    while at >= 0 and (at - _WHO) % _RUN.size:
        at = walker.find(route, at + 1)
    if at >= 0:
        _, then, last, before, long, gave, known = _RUN.unpack_from(walker, at)
        walker = walker[:at] + walker[at + _RUN.size :]
        if time - then <= WEEK:
            step = number - last
            if abs(step) <= STRIDE or (known and step == before):
                length, left = min(long + 1, _LONG), gave or served
            if abs(step) >= _FAR:
                step = None
    while len(walker) > _WHO and (len(walker) > _MOST or time - _TIME(walker, _WHO + 8)[0] > WEEK):
        walker = walker[:_WHO] + walker[_WHO + _RUN.size :]
    return walker + _RUN.pack(route, time, number, step or 0, length, left, step is not None), length, left


def _until(walker: bytes) -> int:
    """When all of them are too old."""
    return max((int(one[1]) for one in _RUN.iter_unpack(walker[_WHO:])), default=-WEEK) + WEEK


def _same(walker: bytes) -> bytes:
    return walker


class Route:
    """One kind of address: the walk that is under way."""

    __slots__ = ("high", "latest", "left", "level", "low", "near", "nth", "open", "since", "week", "who")

    def __init__(self) -> None:
        self.week = 0  # in which something was asked for last that had not been
        self.latest: list[tuple[int, int]] = []  # the last steps, with their times
        self.nth = 0  # how many there were
        self.low, self.high = 0, 0  # of all of them
        self.near, self.since = -TURNS - 1, 0  # which of them was close to others last, and when
        self.level, self.left = 0, False
        self.who: list[str] = []
        self.open: dict[int, tuple[int, list[str]]] = {}  # id -> when it was a step, and who asked for it since

    def asks(self, number: int, g: str, time: int) -> None:
        """Somebody asks again for what was a step."""
        step = self.open[number]
        if g in step[1]:
            return
        if time - step[0] <= HOUR:
            step[1].append(g)
            if len(step[1]) <= FEW:
                return
            self.level -= 1
        del self.open[number]

    def steps(self, number: int, g: str, time: int) -> bool:
        """Somebody asks for what nobody had asked for; whether that is a step of a walk."""
        self.nth += 1
        near = self._near(number, time)
        self.low, self.high = (min(self.low, number), max(self.high, number)) if self.latest else (number, number)
        self.latest = [*self.latest, (number, time)][-TURNS:]
        if not near:
            return False
        if self.nth - self.near > TURNS or time - self.since > WEEK:
            self.level, self.left, self.who, self.open = 0, False, [], {}
        self.near, self.since = self.nth, time
        self.level += 1
        if len(self.who) < SEVERAL and g not in self.who:
            self.who.append(g)
        while self.open and self.open[first := next(iter(self.open))][0] < time - HOUR:
            del self.open[first]
        self.open[number] = (time, [g])
        return True

    def _near(self, number: int, time: int) -> bool:
        """Whether this is so near to one of the last, or to the end of all, as chance would hardly bring it."""
        if not self.latest or time - self.latest[-1][1] > WEEK:
            return False
        if self.high <= number <= self.high + STRIDE or self.low - STRIDE <= number <= self.low:
            return True
        reach = max(1, min(STRIDE, (self.high - self.low) // NARROW))
        return any(abs(number - one) <= reach and time - then <= WEEK for one, then in self.latest)


class Ids:
    """The fold."""

    def __init__(self) -> None:
        self.alone = self.turns = ""  # the detections that it serves
        self.askers = Shelf(Askers.dump, Askers.loaded, lambda one: (one.week + 2) * WEEK)
        self.walkers = Column[bytes](_same, _same, _until)
        self.routes: dict[str, Route] = {}
        self.week = -1  # one number for all askers

    def serve(self, id_: str, what: Literal["alone", "turns"]) -> None:
        """See `Joint`."""
        setattr(self, what, id_)

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        _, time, g, _, route, number, served = row[:7]
        (way, named), nth = _way(route), number % BLOCK
        known, at = self.walkers.row(g), self.walkers.at
        walker = known[at]
        if walker is None:
            walker = known[at] = digest(g).to_bytes(8, "big")
        who = walker[:_WHO]
        block = f"{number // BLOCK}{named}"
        askers = self.askers.get(block)
        if askers is None:
            askers = self.askers.add(block, Askers())
        if time // WEEK != self.week:
            self.week = time // WEEK
        if self.week != askers.week:
            askers.turn(self.week)
        held, earlier = askers.now, askers.before
        now = held.find(nth, 0, len(held) // _ASKER) >= 0
        before = bool(earlier) and earlier.find(nth, 0, len(earlier) // _ASKER) >= 0
        fires = _NOTHING
        if now or before:
            many = askers.asks(nth, who)
        else:
            many, place = 1, len(held) // _ASKER
            askers.now = held[:place] + _BYTES[nth] + held[place:] + who
        if many and self.alone:
            known[at], length, left = walked(walker, way, number, time, served=served)
            if length >= RUN:
                fires = (Fire(g, time, length, left, of=self.alone),)
        return [*fires, *self._turns(row, now=now, before=before)] if self.turns else fires

    def _turns(self, row: Sequence[Any], *, now: bool, before: bool) -> Sequence[Fire]:
        """The same of all together; whether the id was asked for in this week, or in the one before."""
        _, time, g, _, name, number, served = row[:7]
        route = self.routes.get(name)
        if route is None:
            route = self.routes[name] = Route()
        if number in route.open:
            route.asks(number, g, time)
        if now:
            return _NOTHING
        route.week = time // WEEK
        if before or not route.steps(number, g, time):
            return _NOTHING
        route.left = route.left or served
        if route.level < RUN - 1 or len(route.who) < SEVERAL:
            return _NOTHING
        return (Fire(f"walk on {name}", time, route.level + 1, route.left, of=self.turns),)

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return _NOTHING

    def tidy(self, time: int) -> None:
        """See `Fold`."""
        self.askers.tidy(time)
        self.walkers.tidy(time)
        self.routes = {name: route for name, route in self.routes.items() if route.week >= time // WEEK - 1}

    def shelves(self) -> Sequence[Shelf[Any] | Column[Any]]:
        """See `Shelved`."""
        return self.askers, self.walkers

    def dump(self) -> Any:
        """See `Fold`. Numbers are no keys of every form in which a state may be written."""
        return [
            [name, [*one.open.items()], *(getattr(one, slot) for slot in _PLAIN)] for name, one in self.routes.items()
        ]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.routes = {}
        for name, open_, *values in kept:
            one = self.routes[name] = Route()
            one.open = {number: (time, askers) for number, (time, askers) in open_}
            for slot, value in zip(_PLAIN, values, strict=True):
                setattr(one, slot, value)
            one.latest = [(number, time) for number, time in one.latest]


_PLAIN: Final = ("week", "latest", "nth", "low", "high", "near", "since", "level", "left", "who")
"""What a route has besides the steps that are open."""
