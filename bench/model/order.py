"""Whether what was answered can be explained by some order in which the model gives exactly these answers.

Operations that overlapped may have happened in any order, each of their steps too; one that was answered before another
was asked came before it. The order in which things were seen to happen is tried first, and nearly always will do; where it
does not, orders that depart from it once are tried, then those that depart from it twice, and so on until there are no
others, or `MOST` steps were tried: limited discrepancy search (Harvey and Ginsberg 1995). Where the seen order is wrong it
is so in one or two places, and often in an early one, which a search depth first reaches last.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count

from bench.model.spec import Contradiction, Op, Seen, Spec
from bench.model.state import State

MOST = 40_000


@dataclass(slots=True)
class Wait:
    """One wait for the log: when it began, when it was decided (committed, or undone), and when it was over."""

    called: int
    settled: int = 0
    returned: int = 0

    def __post_init__(self) -> None:
        self.settled = self.returned = self.called


@dataclass(frozen=True, slots=True)
class Call:
    """One operation as it was seen. Moments are places in one sequence."""

    op: Op
    seen: Seen
    asked: int
    answered: int
    waits: tuple[Wait, ...] = ()
    """A hint where to look first: no order is believed because of it."""

    def moment(self, stage: str) -> int:
        """When it seems to have gone on from this stage of the model."""
        if not self.waits:
            return self.answered
        if stage == "queue":  # break-glass looks up its facts when its turn has come
            return self.waits[0].called
        if stage in SETTLED:
            return self.waits[0].settled
        return self.waits[-1 if stage in LAST else 0].returned


SETTLED = frozenset({"written", "opened", "deposited", "lifted"})
"""Stages that end with the commit, or with what is done when it failed; all others when the wait is over."""
LAST = frozenset({"told", "spent-told", "ticked"})
"""Stages that end with the last wait; a snapshot of the budgets is noted as one."""


@dataclass(frozen=True, slots=True)
class Unexplained:
    """No order was found. `last`: the operation that the longest attempt could not explain."""

    last: Call
    tried: int


def explain(spec: Spec, state: State, calls: Sequence[Call], agrees: Callable[[State], bool]) -> State | Unexplained:
    """The model's state after all of `calls`, in an order that gives these answers and ends in a state that `agrees`."""
    straight = _straight(spec, state.copy(), calls)
    if straight is not None and agrees(straight):
        return straight
    return _Search(spec, calls, agrees).run(state)


def _straight(spec: Spec, s: State, calls: Sequence[Call]) -> State | None:
    """The order in which it was seen."""
    moments = [(call.asked, call.op.number, call) for call in calls]
    heapify(moments)
    try:
        while moments:
            _, number, call = heappop(moments)
            if number in s.pending:
                spec.go_on(s, call.op, call.seen, _likelier(spec, s, call))
            else:
                spec.begin(s, call.op, call.seen)
            if number in s.pending:
                heappush(moments, (call.moment(s.pending[number].stage), number, call))
    except Contradiction:
        return None
    return s


def _likelier(spec: Spec, s: State, call: Call) -> int:
    """Which of two ways to go on: who waited twice got past the first time."""
    memo = s.pending[call.op.number]
    return int(len(call.waits) > 1) if spec.choices(memo, call.seen) > 1 else 0


class _Search:
    def __init__(self, spec: Spec, calls: Sequence[Call], agrees: Callable[[State], bool]) -> None:
        self._spec = spec
        self._calls = sorted(calls, key=lambda one: one.asked)
        self._agrees = agrees
        self._tried = 0
        self._deepest = (-1, self._calls[0])
        self._cut = False

    def run(self, state: State) -> State | Unexplained:
        """The orders with the fewest departures first."""
        for departures in count():
            self._cut = False
            found = self._within(state, departures)
            if found is not None:
                return found
            if not self._cut or self._tried >= MOST:
                break
        return Unexplained(self._deepest[1], self._tried)

    def _within(self, state: State, departures: int) -> State | None:
        """Depth first, with a stack of its own: rounds may be longer than Python's."""
        stack = [(self._moves(state), departures)]
        while stack and self._tried < MOST:
            moves, left = stack.pop()
            found = next(moves, None)
            if found is None:
                continue
            if left:
                stack.append((moves, left - 1))
            else:
                self._cut = self._cut or next(moves, None) is not None
            if len(found.done) == len(self._calls) and self._agrees(found):
                return found
            stack.append((self._moves(found), left))
        return None

    def _moves(self, s: State) -> Iterator[State]:
        """Every state that is one step further, the likeliest first."""
        waiting = [one for one in self._calls if one.op.number not in s.done]
        if not waiting:
            return
        first_answer = min(one.answered for one in waiting)
        begun = [one for one in waiting if one.op.number in s.pending]
        fresh = [one for one in waiting if one.op.number not in s.pending and one.asked < first_answer]
        moments = [(one.asked, one) for one in fresh]
        moments += [(one.moment(s.pending[one.op.number].stage), one) for one in begun]
        for _, call in sorted(moments, key=lambda moment: moment[0]):
            yield from self._tries(s, call)

    def _tries(self, s: State, call: Call) -> Iterator[State]:
        memo = s.pending.get(call.op.number)
        choices = [0]
        if memo is not None and self._spec.choices(memo, call.seen) > 1:
            likelier = _likelier(self._spec, s, call)
            choices = [likelier, 1 - likelier]
        for choice in choices:
            self._tried += 1
            further = s.copy()
            try:
                if memo is None:
                    self._spec.begin(further, call.op, call.seen)
                else:
                    self._spec.go_on(further, call.op, call.seen, choice)
            except Contradiction:
                if len(s.done) > self._deepest[0]:
                    self._deepest = (len(s.done), call)
                continue
            yield further
