"""Correlations that more events only bring nearer: what their windows hold, and whom they tell of. Their verdicts: `test_folds`."""

from typing import Any

from strongroom.detect import packed, sliding
from strongroom.detect.sliding import Window


def test_whoever_was_in_the_window_is_told_of() -> None:
    """A group whose events are about several, and whoever comes while it still holds enough; not who left it."""
    fold = sliding.Events(5_000, 2)
    rows = [(0, "a"), (3_000, "b"), (9_000, "c"), (10_000, "c"), (10_000, "d")]
    told = [[fire.about for fire in fold.feed((0, time, "g", about, 0, "1"))] for time, about in rows]
    assert told == [[], ["a", "b"], [], ["c"], ["c", "d"]]


def test_a_window_holds_what_its_threshold_needs() -> None:
    """A million events of one group are three times, three values and two amounts."""
    events, values, amounts = (
        sliding.Events(10**9, 3),
        sliding.Values(10**9, 3),
        sliding.Amounts(10**9, 10, above=False),
    )
    for at in range(5_000):
        for fold, value in ((events, "1"), (values, at), (amounts, 6.0)):
            fold.feed((0, at, "g", "a", 0, value))
    assert len(held(events)) == 3
    assert packed.size(held(values)) == 3
    assert len(held(amounts)) == 5 * 8  # their sum, and two with their times
    for fold in (events, values, amounts):
        fold.tidy(5_000 + 10**9)
        assert not list(fold.groups.values())


def held(fold: Window) -> Any:
    """What its only group holds."""
    (group,) = fold.groups.values()
    return group.held


def test_however_many_a_group_is_about_each_event_costs_the_same() -> None:
    """Whoever was told of and has no event more is not told of again."""
    fold, many = sliding.Events(10**9, 1_000), 3_000
    told = [one.about for at in range(many) for one in fold.feed((0, at, "", f"p{at}", 0, "1"))]
    assert sorted(told) == sorted(f"p{at}" for at in range(many))
