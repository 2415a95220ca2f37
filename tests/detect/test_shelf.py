"""Shelves: few in memory, all on disk, and whoever comes back is as they were."""

import pytest

from strongroom.detect import shelf
from strongroom.detect.shelf import Column, Rows, Shelf, Shelves, Thing
from strongroom.detect.state import State
from tests.detect.conftest import away


class Counted(Thing):
    """How often, and when last."""

    def __init__(self, kept: tuple[int, int]) -> None:
        self.many, self.time = kept


def counters(state: State) -> tuple[Shelf[Counted], Shelves]:
    """A shelf of counters."""
    of = Shelf[Counted](lambda one: (one.many, one.time), Counted, lambda one: one.time)
    return of, Shelves(state, [("counters", of)])


def count(of: Shelf[Counted], name: str, time: int = 0) -> int:
    """One more."""
    one = of.get(name)
    if one is None:
        one = of.add(name, Counted((0, time)))
    one.many, one.time = one.many + 1, time
    return one.many


def save(shelves: Shelves, now: int = 0) -> None:
    """Everything at once."""
    shelves.begin([], now)
    assert shelves.go_on()


def kept(state: State) -> dict[str, int]:
    """How far another would find all of them counted."""
    of, _ = counters(state)
    names = {*of.all, *away(state, state.shelf("counters"))}
    return {name: found.many for name in sorted(names) if (found := of.get(name)) is not None}


@pytest.mark.parametrize("most", [0, 10])
def test_a_saving_keeps_one_instant_whatever_goes_on(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """What is changed while it is written in pieces is kept as it was when it began, and as it is by the next one."""
    monkeypatch.setattr(shelf, "PIECE", 1)
    monkeypatch.setattr(shelf, "LOOKED", 1)
    monkeypatch.setattr(shelf, "MOST", most)
    state = State(None)
    of, shelves = counters(state)
    for name in "abc":
        count(of, name)
    shelves.begin([], 0)
    assert not shelves.go_on(0)
    for name in "abcd":
        count(of, name)
    assert shelves.go_on()
    assert kept(state) == {"a": 1, "b": 1, "c": 1}
    save(shelves)
    assert kept(state) == {"a": 2, "b": 2, "c": 2, "d": 1}
    state.close()


def test_only_what_changed_is_written_until_it_is_twice_what_there_is() -> None:
    """Then everything is, and what was written before goes."""
    state = State(None)
    of, shelves = counters(state)
    for at in range(100):
        count(of, f"n{at}")
    save(shelves)
    lots = []
    for _ in range(10):
        for nth in range(40):
            count(of, f"n{nth}")
        save(shelves)
        lots.append(state.many())
    assert lots == [100 + 40 * at for at in range(1, 10)] + [100]
    assert kept(state) == {f"n{at}": 11 if at < 40 else 1 for at in range(100)}
    state.close()


def test_what_is_asked_for_before_everything_is_written_anew_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written first, and is none of what goes."""
    monkeypatch.setattr(shelf, "PIECE", 1)
    state = State(None)
    of, shelves = counters(state)
    for _ in range(4):
        count(of, "a")
        save(shelves)
    assert state.many() == 4
    shelves.begin([], 0)
    count(of, "a")
    assert shelves.go_on()
    assert (state.many(), kept(state)) == (1, {"a": 4})
    state.close()


def test_there_is_a_bound_on_what_lies_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who came last stay; whoever comes back goes on where they were."""
    monkeypatch.setattr(shelf, "MOST", 10)
    monkeypatch.setattr(shelf, "FULL", 12)
    state = State(None)
    of, shelves = counters(state)
    for at in range(40):
        count(of, f"n{at}")
        if shelves.crowded():
            save(shelves)
        assert len(of) <= 11
    assert not shelves.full()
    assert "n39" in of.all
    assert [count(of, f"n{at}") for at in range(40)] == [2] * 40
    assert shelves.full()
    save(shelves)
    assert kept(state) == {f"n{at}": 2 for at in range(40)}
    state.close()


def test_what_does_not_matter_any_more_goes_from_memory_and_from_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is left does not."""
    monkeypatch.setattr(shelf, "MOST", 4)
    state = State(None)
    of, shelves = counters(state)
    for at in range(9):
        count(of, f"n{at}", at)
    save(shelves)
    assert away(state, 1) == ["n0", "n1", "n2", "n3", "n4"]
    of.tidy(7)
    assert len(of) == 2
    save(shelves, 3)
    assert away(state, 1) == ["n3", "n4"]
    state.close()


def columns(state: State, *names: str) -> tuple[list[Column[int]], Shelves]:
    """Columns of the same rows: what is the time of each cell matters for five more."""
    made = [Column[int](lambda one: one, lambda one: one, lambda one: one + 5) for _ in names]
    Rows("people", made)
    return made, Shelves(state, list(zip(names, made, strict=True)))


@pytest.mark.parametrize("most", [0, 10])
def test_what_is_kept_of_the_same_is_one_thing(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """One place in memory and on disk, for who comes later too; and a column that went is another than one that comes."""
    monkeypatch.setattr(shelf, "MOST", most)
    state = State(None)
    (one, two), shelves = columns(state, "one", "two")
    one.add("ann", 1)
    two.row("ann")[two.at] = 2
    two.add("eve", 3)
    save(shelves)
    assert len(shelves) == min(most, 2)
    (two, three), shelves = columns(state, "two", "three")
    assert [(two.get(name), three.get(name)) for name in ("ann", "eve", "zoe")] == [(2, None), (3, None), (None, None)]
    three.add("ann", 4)
    save(shelves)
    (one, two, three), shelves = columns(state, "one", "two", "three")
    assert [column.get("ann") for column in (one, two, three)] == [None, 2, 4]
    state.close()


def test_a_row_goes_with_its_last_cell() -> None:
    """Each cell goes when it does not matter any more, but not while it is still to be written."""
    state = State(None)
    (one, two), shelves = columns(state, "one", "two")
    one.add("ann", 1)
    two.add("ann", 3)
    shelves.begin([], 0)
    one.tidy(7)
    assert list(one.values()) == [1]
    shelves.go_on()
    one.tidy(7)
    assert (list(one.values()), list(two.values()), len(one.rows)) == ([], [3], 1)
    two.tidy(9)
    assert len(two.rows) == 0
    state.close()
