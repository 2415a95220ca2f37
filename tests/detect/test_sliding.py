"""Correlations as folds: out of a bounded state, the verdicts of a count by hand that knows everything."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.detect import packed, sliding
from strongroom.sigma.rule import Correlation, Kind, Matched, Sign
from tests.detect.test_correlation import EVENTS, HEAD, WINDOW, by_hand

FOLDED = [Kind.EVENT_COUNT, Kind.VALUE_COUNT, Kind.VALUE_SUM, Kind.TEMPORAL, Kind.TEMPORAL_ORDERED]


def rule(kind: Kind, bound: float, sign: Sign = ">=", **more: Any) -> Correlation:
    """Of three rules, over the window of the tests of the SQL."""
    return Correlation(HEAD, kind, ("a", "b", "c"), ("g",), WINDOW, bound, ("v",), sign=sign, **more)


@given(
    kind=st.sampled_from(FOLDED),
    bound=st.sampled_from([1, 2, 3, 2.5, 5]),
    sign=st.sampled_from([">", ">="]),
    events=EVENTS,
    shuffled=st.randoms(use_true_random=False),
)
def test_a_fold_and_a_count_by_hand_agree(
    kind: Kind, bound: float, sign: Sign, events: list[tuple[int, str, int, str]], shuffled: Any
) -> None:
    """Whatever stands first within an instant, and over restarts."""
    make = sliding.fold_of(rule(kind, bound, sign))
    assert make is not None
    fold = make()
    fired: dict[str, int] = {}
    shuffled.shuffle(events)
    for at, g, which, v in sorted(events, key=lambda event: event[0]):
        value: object = {Kind.VALUE_SUM: float(v), Kind.VALUE_COUNT: int(v)}.get(kind, v)
        for fire in fold.feed((0, at * 1_000, g, g, which, value)):
            fired.setdefault(fire.about, fire.time)
        if shuffled.random() < 0.3:
            fold.tidy(at * 1_000)
            kept, fold = msgspec.msgpack.encode(fold.dump()), make()
            fold.load(msgspec.msgpack.decode(kept))
    assert fired == {about: instant for about, instant, _ in by_hand(kind, bound, events, sign)}


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
    assert len(events.groups["g"].held) == 3
    assert packed.size(values.groups["g"].held) == 3
    assert len(amounts.groups["g"].held) == 5  # their sum, and two with their times
    for fold in (events, values, amounts):
        fold.tidy(5_000 + 10**9)
        assert fold.groups == {}


@pytest.mark.parametrize(
    "what",
    [
        rule(Kind.EVENT_COUNT, 3, "<"),
        rule(Kind.VALUE_AVG, 3),
        rule(Kind.TEMPORAL, 3, condition=Matched(0)),
    ],
    ids=["fewer", "average", "extended"],
)
def test_what_is_no_fold_is_none(what: Correlation) -> None:
    """It is said to be missing, and not done wrongly."""
    assert sliding.fold_of(what) is None
