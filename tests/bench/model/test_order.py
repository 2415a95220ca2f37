"""Finding an order: what overlapped may have happened in any, what did not may not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from bench.model.order import Call, Unexplained, explain
from bench.model.spec import Contradiction, Op, Seen, Spec
from bench.model.state import Memo, State


@dataclass
class Register(Spec):
    """A model of one cell in place of the door: `set` writes its number when it goes on, `get` says what is there."""

    town: Any = None
    rules: Any = None
    network: str = ""
    glass: int = 0
    cells: dict[str, int] = field(default_factory=dict)

    def begin(self, s: State, op: Op, seen: Seen) -> None:
        """See `Spec`."""
        if op.kind == "get" and seen.until != s.now:
            raise Contradiction
        self._keep(s, op, Memo("written", s.now) if op.kind == "set" else None)

    def go_on(self, s: State, op: Op, seen: Seen, choice: int = 0) -> None:
        """See `Spec`."""
        s.now = op.number
        s.pending.pop(op.number)
        s.done.add(op.number)

    def choices(self, memo: Memo, seen: Seen) -> int:
        """See `Spec`."""
        return 1


def found(*calls: Call) -> State | Unexplained:
    """What comes of it, beginning with nothing in the cell."""
    return explain(cast("Spec", Register()), State(0, {}, {}), calls, lambda _: True)


def put(number: int, asked: int, answered: int) -> Call:
    """Write `number`."""
    return Call(Op(number, "set"), Seen("ok"), asked, answered)


def got(value: int, asked: int, answered: int) -> Call:
    """Read `value`."""
    return Call(Op(100 + asked, "get"), Seen("ok", until=value), asked, answered)


def test_what_was_seen_in_order_is_explained() -> None:
    """One after the other."""
    assert isinstance(found(put(1, 0, 1), got(1, 2, 3), put(2, 4, 5), got(2, 6, 7)), State)


def test_what_overlapped_may_have_come_first() -> None:
    """A write that was answered late was seen by a read before; and two writes the other way round."""
    assert isinstance(found(put(1, 0, 9), got(1, 1, 2), got(1, 3, 4)), State)
    assert isinstance(found(put(1, 0, 5), put(2, 1, 6), got(1, 7, 8)), State)


def test_what_did_not_overlap_may_not() -> None:
    """A read before the write was asked for, or of what was written over since, is explained by nothing."""
    early = found(got(1, 0, 1), put(1, 2, 3))
    assert isinstance(early, Unexplained)
    assert early.last.op.kind == "get"
    assert isinstance(found(put(1, 0, 1), put(2, 2, 3), got(1, 4, 5)), Unexplained)
    assert isinstance(found(put(1, 0, 9), got(1, 1, 2), got(0, 3, 4)), Unexplained)


def ends_with(number: int) -> Callable[[State], bool]:
    """Whether this is in the cell."""
    return lambda s: s.now == number


def test_an_order_must_end_where_the_store_is() -> None:
    """Answers alone do not do: the last state is compared too."""
    calls = [put(1, 0, 5), put(2, 1, 6)]
    for last in (1, 2):
        state = explain(cast("Spec", Register()), State(0, {}, {}), calls, ends_with(last))
        assert isinstance(state, State)
        assert state.now == last
    assert isinstance(explain(cast("Spec", Register()), State(0, {}, {}), calls, ends_with(3)), Unexplained)
