"""Correlations: the SQL finds the instants that a count by hand finds, in windows that slide."""

import operator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.detect import correlation
from strongroom.detect.detection import Detection
from strongroom.sigma.rule import Correlation, Extended, Head, Joined, Kind, Matched, Sign
from tests.detect.conftest import Scene

HEAD = Head("c", "C", "high", "", (), (), ())
WINDOW = 5_000
BASE = """
SELECT rowid AS event, time, principal AS g, principal AS about, number AS which, document AS v FROM event
"""
EVENTS = st.lists(
    st.tuples(st.integers(0, 14), st.sampled_from("pq"), st.integers(0, 2), st.sampled_from("123")), max_size=14
)


def hits(
    scene: Scene, kind: Kind, at_least: float, events: list[tuple[int, str, int, str]], **more: Any
) -> set[tuple[str, int, int]]:
    """What the SQL hits: (about, fired, time)."""
    scene.clear()
    scene.add(*({"time": at * 1_000, "principal": g, "number": which, "document": v} for at, g, which, v in events))
    rule = Correlation(HEAD, kind, ("a", "b", "c"), ("g",), WINDOW, at_least, ("v",), **{"percentile": 80, **more})
    return set(scene.hits(Detection(HEAD, correlation.hits(rule, BASE))))


def by_hand(
    kind: Kind, at_least: float, events: list[tuple[int, str, int, str]], sign: Sign = ">="
) -> set[tuple[str, int, int]]:
    """The same by trying every instant."""
    found: set[tuple[str, int, int]] = set()
    for group in "pq":
        mine = [(at * 1_000, which, v) for at, g, which, v in events if g == group]
        instants = [
            t
            for t, _, _ in mine
            if reached(kind, at_least, [one for one in mine if t - WINDOW <= one[0] <= t], t, sign)
        ]
        for at, _, _ in mine:
            if any(at <= t <= at + WINDOW for t in instants):
                found.add((group, min(instants), at))
    return found


def reached(kind: Kind, at_least: float, inside: list[tuple[int, int, str]], now: int, sign: Sign) -> bool:
    """Whether a window with these events fires at its end."""
    numbers = sorted(int(v) for _, _, v in inside)
    if kind is Kind.TEMPORAL:
        return {which for _, which, _ in inside} == {0, 1, 2}
    if kind is Kind.TEMPORAL_ORDERED:
        last = any(at == now and which == 2 for at, which, _ in inside)
        return last and any(
            a <= b for a, first, _ in inside if first == 0 for b, second, _ in inside if second == 1
        )  # fmt: skip
    measured = {
        Kind.EVENT_COUNT: len(inside),
        Kind.VALUE_COUNT: len({v for _, _, v in inside}),
        Kind.VALUE_SUM: sum(numbers),
        Kind.VALUE_AVG: sum(numbers) / len(numbers),
        Kind.VALUE_MEDIAN: ranked(numbers, 50),
        Kind.VALUE_PERCENTILE: ranked(numbers, 80),
    }[kind]
    signs = {
        ">=": operator.ge,
        ">": operator.gt,
        "<=": operator.le,
        "<": operator.lt,
        "=": operator.eq,
        "<>": operator.ne,
    }
    return bool(signs[sign](measured, at_least))


def ranked(numbers: list[int], percentile: int) -> int:
    """The value of the nearest rank: the smallest that so many of them are at most."""
    return next(one for one in numbers if 100 * sum(other <= one for other in numbers) >= percentile * len(numbers))


@given(kind=st.sampled_from(Kind), at_least=st.integers(1, 5), events=EVENTS)
def test_sql_and_a_count_by_hand_agree(
    scene: Scene, kind: Kind, at_least: int, events: list[tuple[int, str, int, str]]
) -> None:
    """Of every kind, in any order of records, with twins, at edges of windows."""
    assert hits(scene, kind, at_least, events) == by_hand(kind, at_least, events)


@given(
    kind=st.sampled_from([kind for kind in Kind if not kind.startswith("temporal")]),
    bound=st.sampled_from([1, 2, 3, 1.5, 2.5, 4]),
    sign=st.sampled_from([">", "<=", "<", "=", "<>"]),
    events=EVENTS,
)
def test_every_comparison(
    scene: Scene, kind: Kind, bound: float, sign: Sign, events: list[tuple[int, str, int, str]]
) -> None:
    """Below, equal, different, more than: of the window that each event ends."""
    assert hits(scene, kind, bound, events, sign=sign) == by_hand(kind, bound, events, sign)


CONDITIONS = st.recursive(
    st.sampled_from([Matched(0), Matched(1), Matched(2)]),
    lambda inner: st.one_of(
        st.builds(lambda one: Joined("not", (one,)), inner),
        st.builds(Joined, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)


def met(condition: Extended, there: set[int]) -> bool:
    """Whether it holds of a window in which these rules matched."""
    match condition:
        case Matched(rule):
            return rule in there
        case Joined("not", (part,)):
            return not met(part, there)
        case Joined("and", parts):
            return all(met(part, there) for part in parts)
        case Joined(_, parts):
            return any(met(part, there) for part in parts)


@given(condition=CONDITIONS, events=EVENTS)
def test_extended_conditions(scene: Scene, condition: Extended, events: list[tuple[int, str, int, str]]) -> None:
    """Of the window that each event of any of the rules ends."""
    expected: set[tuple[str, int, int]] = set()
    for group in "pq":
        mine = [(at * 1_000, which) for at, g, which, _ in events if g == group]
        instants = [t for t, _ in mine if met(condition, {which for at, which in mine if t - WINDOW <= at <= t})]
        expected |= {(group, min(instants), at) for at, _ in mine if any(at <= t <= at + WINDOW for t in instants)}
    assert hits(scene, Kind.TEMPORAL, 1, events, condition=condition) == expected


@settings(max_examples=20)
@given(kind=st.sampled_from(Kind), events=EVENTS, seed=st.randoms(use_true_random=False))
def test_order_of_records_does_not_matter(
    scene: Scene, kind: Kind, events: list[tuple[int, str, int, str]], seed: Any
) -> None:
    """Time is the event's own: late records give the same verdicts."""
    shuffled = events.copy()
    seed.shuffle(shuffled)
    assert hits(scene, kind, 3, events) == hits(scene, kind, 3, shuffled)


def test_a_value_that_is_no_number_adds_nothing(scene: Scene) -> None:
    """A sum over texts is over those that are numbers and not below nothing."""
    events = [(0, "p", 0, "x"), (1, "p", 0, "7"), (1, "p", 0, "-5"), (1, "p", 0, "nan"), (1, "p", 0, "inf")]
    assert hits(scene, Kind.VALUE_SUM, 8, events) == set()
    assert hits(scene, Kind.VALUE_SUM, 7, events) == {("p", 1_000, 0), ("p", 1_000, 1_000)}


def test_an_event_without_the_value_is_none_of_those_that_are_counted(scene: Scene) -> None:
    """It neither counts nor is told of."""
    scene.add(
        {"time": 0, "principal": "p", "number": 0, "document": "1"}, {"time": 1_000, "principal": "p", "number": 0}
    )
    rule = Correlation(HEAD, Kind.VALUE_COUNT, ("a", "b", "c"), ("g",), WINDOW, 1, ("v",))
    assert scene.hits(Detection(HEAD, correlation.hits(rule, BASE))) == [("p", 0, 0)]


def test_sums_are_exact(scene: Scene) -> None:
    """In whichever order ten tenths are added up, they are one; beyond what a number may be, there is none."""
    tenths = [(at, "p", 0, value) for at, value in enumerate(["0.1", "0.1", "0.1", "nan", "1e300", "-inf", "x"])]
    assert hits(scene, Kind.VALUE_SUM, 0.3, tenths, sign="=") == {("p", 2_000, at * 1_000) for at in range(3)}
    assert hits(scene, Kind.VALUE_AVG, 0.1, tenths, sign="<>") == set()
    assert hits(scene, Kind.VALUE_PERCENTILE, 0.1, tenths, sign="<>") == set()


@pytest.mark.parametrize(
    ("kind", "sign", "bound", "only"),
    [
        (Kind.EVENT_COUNT, "<", 1, True),
        (Kind.EVENT_COUNT, "<", 2, False),
        (Kind.VALUE_COUNT, "<=", 0, True),
        (Kind.VALUE_COUNT, "<=", 1, False),
        (Kind.EVENT_COUNT, "=", 0, True),
        (Kind.EVENT_COUNT, "<>", 0, False),
        (Kind.VALUE_SUM, "<", 0, False),
    ],
)
def test_what_only_an_empty_window_would_meet(kind: Kind, sign: Sign, bound: float, only: bool) -> None:
    """It is no rule that can fire: windows end at an event."""
    assert correlation.never(Correlation(HEAD, kind, ("a",), (), WINDOW, bound, sign=sign)) is only
