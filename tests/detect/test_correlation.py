"""Correlations: the SQL finds the instants that a count by hand finds, in windows that slide."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.detect import correlation
from strongroom.detect.detection import Detection
from strongroom.sigma.rule import Correlation, Head, Kind
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
    scene: Scene, kind: Kind, at_least: float, events: list[tuple[int, str, int, str]]
) -> set[tuple[str, int, int]]:
    """What the SQL hits: (about, fired, time)."""
    scene.clear()
    scene.add(*({"time": at * 1_000, "principal": g, "number": which, "document": v} for at, g, which, v in events))
    rule = Correlation(HEAD, kind, ("a", "b", "c"), ("g",), WINDOW, at_least, "v")
    return set(scene.hits(Detection(HEAD, correlation.hits(rule, BASE))))


def by_hand(kind: Kind, at_least: float, events: list[tuple[int, str, int, str]]) -> set[tuple[str, int, int]]:
    """The same by trying every instant."""
    found: set[tuple[str, int, int]] = set()
    for group in "pq":
        mine = [(at * 1_000, which, v) for at, g, which, v in events if g == group]
        instants = [
            t for t, _, _ in mine if reached(kind, at_least, [one for one in mine if t - WINDOW <= one[0] <= t], t)
        ]
        for at, _, _ in mine:
            if any(at <= t <= at + WINDOW for t in instants):
                found.add((group, min(instants), at))
    return found


def reached(kind: Kind, at_least: float, inside: list[tuple[int, int, str]], now: int) -> bool:
    """Whether a window with these events fires at its end."""
    match kind:
        case Kind.EVENT_COUNT:
            return len(inside) >= at_least
        case Kind.VALUE_COUNT:
            return len({v for _, _, v in inside}) >= at_least
        case Kind.VALUE_SUM:
            return sum(int(v) for _, _, v in inside) >= at_least
        case Kind.TEMPORAL:
            return {which for _, which, _ in inside} == {0, 1, 2}
        case Kind.TEMPORAL_ORDERED:
            last = any(at == now and which == 2 for at, which, _ in inside)
            return last and any(
                a <= b for a, first, _ in inside if first == 0 for b, second, _ in inside if second == 1
            )  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(Kind), at_least=st.integers(1, 5), events=EVENTS)
def test_sql_and_a_count_by_hand_agree(
    scene: Scene, kind: Kind, at_least: int, events: list[tuple[int, str, int, str]]
) -> None:
    """Of every kind, in any order of records, with twins, at edges of windows."""
    assert hits(scene, kind, at_least, events) == by_hand(kind, at_least, events)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(kind=st.sampled_from(Kind), events=EVENTS, seed=st.randoms(use_true_random=False))
def test_order_of_records_does_not_matter(
    scene: Scene, kind: Kind, events: list[tuple[int, str, int, str]], seed: Any
) -> None:
    """Time is the event's own: late records give the same verdicts."""
    shuffled = events.copy()
    seed.shuffle(shuffled)
    assert hits(scene, kind, 3, events) == hits(scene, kind, 3, shuffled)


def test_a_value_that_is_no_number_adds_nothing(scene: Scene) -> None:
    """A sum over texts is over those that are numbers."""
    events = [(0, "p", 0, "x"), (1, "p", 0, "7")]
    assert hits(scene, Kind.VALUE_SUM, 7, events) == {("p", 1_000, 0), ("p", 1_000, 1_000)}
