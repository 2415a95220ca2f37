"""Correlations that are judged when an instant is over: what their windows hold, and what is said of it."""

from typing import Any

import pytest

from strongroom.detect import ending
from strongroom.detect.ending import Ending, Fewer, FewerValues, Held, Measured, Ranks, Sums
from strongroom.detect.sliding import Window


def fed(fold: Ending, *rows: tuple[int, object]) -> list[tuple[int, int]]:
    """Values of one group at these times: when it fired, and the amounts."""
    fires = [fire for time, value in rows for fire in fold.feed((0, time, "g", "a", 0, value, 3, time + 1, 9))]
    fires += fold.passed(10**12)
    assert all(fire.place == (3, fire.time + 1, 9) for fire in fires)  # that of the event, not of the one after it
    return [(fire.time, fire.amount) for fire in fires]


def test_an_instant_is_judged_when_it_is_over() -> None:
    """Three at once are not fewer than three, whichever of them came first."""
    assert fed(Fewer(5_000, "<", 3), (0, "1"), (0, "1"), (0, "1"), (9_000, "1")) == [(9_000, 1)]
    assert fed(FewerValues(5_000, "<", 2), (0, 1), (0, 2), (9_000, 1), (9_000, 1)) == [(9_000, 1)]


def test_what_is_told_of_a_window() -> None:
    """A sum and an average in whole units, of a percentile how many values there are."""
    assert fed(Sums(5_000, "<", 9, average=False), (0, 7_900_000.0)) == [(0, 7)]
    assert fed(Sums(5_000, ">", 2, average=True), (0, 1e6), (1, 9e6)) == [(1, 5)]
    assert fed(Ranks(5_000, ">", 2, 50), (0, 1.0), (1, 9.0), (2, 9.0)) == [(2, 3)]


def test_what_is_no_number_ends_no_window() -> None:
    """It is of the group all the same: who sent it is told of."""
    fold = Sums(5_000, ">", 2, average=True)
    fold.feed((0, 0, "g", "a", 0, None, 0, 0, 1))
    fold.feed((0, 1, "g", "b", 0, 9e6, 0, 1, 1))
    assert [fire.about for fire in fold.passed(2)] == ["a", "b"]


def test_who_comes_after_an_instant_is_not_told_of_by_it() -> None:
    """It is judged before the next event is looked at."""
    fold = Fewer(5_000, "<", 2)
    assert fold.feed((0, 0, "g", "a", 0, "1", 0, 0, 1)) == ()
    assert [fire.about for fire in fold.feed((0, 1, "g", "b", 0, "1", 0, 1, 1))] == ["a"]


def test_a_window_holds_what_its_bound_needs() -> None:
    """Thousands of events of one group are three times, three values; of whole windows an entry for each instant."""
    fewer, values = Fewer(10**9, "<", 2), FewerValues(10**9, "<=", 2)
    sums, ranks = Sums(10**9, "<", 2, average=True), Ranks(10**9, "<", 2, 90)
    folds: list[Ending] = [fewer, values, sums, ranks]
    for at in range(5_000):
        for fold in folds:
            fold.feed((0, at // 50, "g", "a", 0, at, 0, 0, 1))
    assert [len(held(fewer)), len(held(values)) // 16] == [3, 3]
    assert [len(held(sums)), sums.size, ranks.size] == [100, 100, 100]
    for fold in folds:
        fold.passed(5_000)
        fold.tidy(5_000 + 10**9)
        assert not list(fold.groups.values())
    assert sums.size == 0


def held(fold: Window) -> Any:
    """What its only group holds."""
    (group,) = fold.groups.values()
    return group.held


@pytest.mark.parametrize("many", [1, 10])
def test_windows_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    """One group's, and all of them together: the earlier half goes, and it is said. The event that comes counts, as ever."""
    monkeypatch.setattr(ending, "MOST", 20)
    monkeypatch.setattr(ending, "ROOM", 50)
    fold: Measured = Sums(10**9, ">=", 1, average=False)
    fires = 0
    for at in range(400):
        fires += len(fold.feed((0, at, f"g{at % many}", f"a{at % many}", 0, 1e6, 0, 0, 1)))
        assert fold.size == sum(len(group.held) for group in fold.groups.values()) <= 50
        assert all(len(group.held) <= 20 for group in fold.groups.values())
    assert fold.short > 0
    assert fires > 300


def test_many_at_one_instant_are_let_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No half of them is the earlier one; looking for it at every event would take all the time there is."""
    monkeypatch.setattr(ending, "ROOM", 50)
    fold = Ranks(10**9, ">", 0, 50)
    for at in range(400):
        fold.feed((0, 5, f"g{at}", f"a{at}", 0, 1.0, 0, 0, 1))
    assert fold.short == 400 // 51
    assert len(fold.passed(6)) == 400 - 51 * fold.short


def test_a_sum_of_any_size_is_exact() -> None:
    """Where an instant has more than a number of 53 bits can say, it has a second entry."""
    held = Held(2)
    assert [held.add(0, (2**53 - 1, 1)), held.add(0, (1, 1)), held.add(0, (1, 1)), held.add(4, (5, 1))] == [1, 0, 1, 1]
    assert held.sums == [2**53 + 6, 4]
    assert Held(2, held.entries()).sums == held.sums
    assert (held.drop(4), held.sums, len(held)) == (2, [5, 1], 1)


def test_a_bound_beyond_all_numbers() -> None:
    """It is never reached, and always undercut."""
    assert fed(Fewer(5_000, "<", 1e308), (0, "1")) == [(0, 1)]
    assert fed(Sums(5_000, ">", 1e308, average=True), (0, 1e6)) == []
    assert fed(Sums(5_000, "<>", -1e308, average=False), (0, 1e6)) == [(0, 1)]
