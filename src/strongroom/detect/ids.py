"""What `walk` and `relay` find, as one fold: ids that are asked for in a row, by one alone or by several who take turns.

Both hang on who asked for an id in this week and in the one before. That is kept of ids that lie together at once, in a few bytes
for each.
"""

from collections.abc import Sequence
from sys import intern
from typing import Any, Final, Literal

from strongroom.clock import DAY, HOUR
from strongroom.detect.detection import Fire
from strongroom.detect.met import digest
from strongroom.detect.shelf import Shelf, Thing

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


class Askers(Thing):
    """Who asked for the ids of one block in a week and in the week before: at most one more than FEW for each id, for then it is
    what many ask for. People are known by digests of eight bytes.
    """

    __slots__ = ("before", "ids", "ids_before", "now", "week")

    def __init__(self) -> None:
        self.week = 0
        self.ids = self.ids_before = b""  # of each asker the id that they asked for
        self.now = self.before = b""  # and who they are

    def turn(self, week: int) -> None:
        """A week has begun."""
        known = week == self.week + 1
        self.ids_before, self.before = (self.ids, self.now) if known else (b"", b"")
        self.ids = self.now = b""
        self.week = week

    def asks(self, nth: int, who: bytes) -> int:
        """Somebody asks for the id of this place; how many have, or 0 when they had in these weeks, or it is what many ask for."""
        askers, earlier = _of(self.ids, self.now, nth), _of(self.ids_before, self.before, nth)
        if who in askers or len(askers) > FEW:
            return 0
        self.ids += _BYTES[nth]
        self.now += who
        many = len(askers) + 1 + sum(one not in askers for one in earlier)
        return 0 if who in earlier or many > FEW else many

    def dump(self) -> list[Any]:
        """As numbers and bytes."""
        return [self.week, self.ids, self.now, self.ids_before, self.before]

    @classmethod
    def loaded(cls, kept: list[Any]) -> "Askers":
        """The way back."""
        one = cls()
        one.week, one.ids, one.now, one.ids_before, one.before = kept
        return one


_BYTES: Final = [bytes((nth,)) for nth in range(BLOCK)]


def _of(ids: bytes, who: bytes, nth: int) -> list[bytes]:
    """Those of one id."""
    found, at = [], ids.find(nth)
    while at >= 0:
        found.append(who[8 * at : 8 * at + 8])
        at = ids.find(nth, at + 1)
    return found


class Run(Thing):
    """Where a principal is on one route."""

    __slots__ = ("left", "length", "number", "step", "time")

    def __init__(self) -> None:
        self.time, self.number, self.length = 0, 0, 0
        self.step: int | None = None
        self.left = False  # whether anything of this run was given out

    def steps(self, number: int, time: int, *, served: bool) -> int:
        """To this id; how long the run is now."""
        step = number - self.number if self.length and time - self.time <= WEEK else None
        if step is not None and (abs(step) <= STRIDE or step == self.step):
            self.length += 1
            self.left = self.left or served
        else:
            self.length, self.left = 1, served
        self.time, self.number, self.step = time, number, step
        return self.length


class Walker(Run):
    """A principal: its digest, and its runs, nearly always one alone, which is itself."""

    __slots__ = ("more", "route", "who")

    def __init__(self, who: bytes) -> None:
        super().__init__()
        self.who, self.route = who, ""
        self.more: dict[str, Run] | None = None  # by their routes

    def on(self, route: str) -> Run:
        """Its run on this route, which may be new."""
        if route == self.route:
            return self
        if not self.route:
            self.route = intern(route)
            return self
        if self.more is None:
            self.more = {}
        run = self.more.get(route)
        if run is None:
            run = self.more[intern(route)] = Run()
        return run

    def runs(self) -> list[tuple[str, Run]]:
        """All of them."""
        return [(self.route, self), *(self.more or {}).items()]

    def forget(self, begin: int) -> None:
        """Runs that ended before."""
        if self.more is not None:
            self.more = {route: run for route, run in self.more.items() if run.time >= begin} or None

    def until(self) -> int:
        """When its runs are too old for another step."""
        return max(run.time for _, run in self.runs()) + WEEK

    def dump(self) -> list[Any]:
        """As texts, numbers and bytes."""
        return [
            self.who,
            [[route, run.time, run.number, run.length, run.step, run.left] for route, run in self.runs() if route],
        ]

    @classmethod
    def loaded(cls, kept: list[Any]) -> "Walker":
        """The way back."""
        one = cls(kept[0])
        for route, *values in kept[1]:
            run = one.on(route)
            run.time, run.number, run.length, run.step, run.left = values
        return one


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
        self.walkers = Shelf(Walker.dump, Walker.loaded, Walker.until)
        self.routes: dict[str, Route] = {}

    def serve(self, id_: str, what: Literal["alone", "turns"]) -> None:
        """See `Joint`."""
        setattr(self, what, id_)

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        _, time, g, _, route, number, served = row[:7]
        block, week, nth = f"{number // BLOCK} {route}", time // WEEK, number % BLOCK
        walker, askers = self.walkers.get(g), self.askers.get(block)
        if walker is None:
            walker = self.walkers.add(g, Walker(digest(g).to_bytes(8, "big")))
        if askers is None:
            askers = self.askers.add(block, Askers())
        if week != askers.week:
            askers.turn(week)
        now, before = nth in askers.ids, nth in askers.ids_before
        fires = _NOTHING
        if now or before:
            many = askers.asks(nth, walker.who)
        else:
            many = 1
            askers.ids += _BYTES[nth]
            askers.now += walker.who
        if many and self.alone:
            run = walker.on(route)
            length = run.steps(number, time, served=served)
            if length >= RUN:
                fires = (Fire(g, time, length, run.left, of=self.alone),)
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
        for walker in self.walkers.values():
            walker.forget(time - WEEK)
        self.routes = {name: route for name, route in self.routes.items() if route.week >= time // WEEK - 1}

    def shelves(self) -> Sequence[Shelf[Any]]:
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
