"""Figures, goals and their two forms."""

import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench.report import Figure, Goal, Report

numbers = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize(
    ("sign", "below", "equal", "above"),
    [("<=", True, True, False), (">=", False, True, True), ("==", False, True, False)],
)
def test_goal_compares_with_its_bound(sign: str, below: bool, equal: bool, above: bool) -> None:
    """Each sign means what it says, on both sides of the bound and upon it."""
    goal = Goal("value", sign, 2.0)  # type: ignore[arg-type]  # parametrised over the literals
    assert [goal.met_by(number) for number in (1.0, 2.0, 3.0)] == [below, equal, above]


@given(st.sampled_from(["<=", ">=", "=="]), numbers)
def test_no_number_keeps_no_promise(sign: str, bound: float) -> None:
    """A figure that is missing, NaN or infinite never meets a goal."""
    goal = Goal("value", sign, bound)  # type: ignore[arg-type]  # as above
    assert not any(goal.met_by(number) for number in (None, math.nan, math.inf, -math.inf))


def test_a_goal_on_the_ratio_looks_at_the_ratio() -> None:
    """5,000 against 10,000 keeps "ratio >= 0.4" and breaks "ratio >= 0.6", whatever the value is."""
    assert Figure("releases", 5_000, "1/s", 10_000, Goal("ratio", ">=", 0.4)).holds is True
    assert Figure("releases", 5_000, "1/s", 10_000, Goal("ratio", ">=", 0.6)).holds is False


def test_a_ratio_without_a_peer_keeps_no_promise() -> None:
    """Where the peer was not measured, or did nothing, a goal on the ratio fails."""
    goal = Goal("ratio", ">=", 0.0)
    assert Figure("x", 1.0, "s", None, goal).holds is False
    assert Figure("x", 1.0, "s", 0.0, goal).holds is False


def test_a_bench_without_figures_does_not_hold() -> None:
    """A bench that measured nothing proved nothing."""
    assert not Report("empty", ()).holds


def test_one_missed_goal_fails_the_bench() -> None:
    """Figures without a goal are shown and judge nothing; one missed goal fails all."""
    shown = Figure("shown", 1.0, "s")
    missed = Figure("missed", 3.0, "s", goal=Goal("value", "<=", 2.0))
    assert Report("b", (shown,)).holds
    assert not Report("b", (shown, missed)).holds


def test_json_has_the_documented_shape() -> None:
    """One line, one object, exactly the documented fields."""
    report = Report("idor", (Figure("leaks", 0, "cases", goal=Goal("value", "==", 0)),))
    text = report.to_json()
    assert "\n" not in text
    assert json.loads(text) == {
        "bench": "idor",
        "figures": [
            {
                "name": "leaks",
                "value": 0,
                "unit": "cases",
                "against": None,
                "ratio": None,
                "goal": "value == 0",
                "holds": True,
            }
        ],
    }


@given(st.builds(Figure, st.text(), numbers, st.text(), st.none() | numbers, st.none()))
def test_json_is_json_whatever_was_measured(figure: Figure) -> None:
    """NaN and infinities never reach the output: a strict reader accepts every report."""
    shape = json.loads(Report("b", (figure,)).to_json(), parse_constant=pytest.fail)["figures"][0]
    assert shape["holds"] is None
    assert shape["value"] == (figure.value if math.isfinite(figure.value) else None)


def test_the_table_shows_a_missed_goal() -> None:
    """People see name, figures, goal and a loud NO."""
    out = io.StringIO()
    figure = Figure("p99", 12_345.6, "ms", 2.5, Goal("value", "<=", 5))
    Report("keeper", (figure,)).show(Console(file=out, width=120))
    for part in ("keeper", "p99", "12,346 ms", "2.500 ms", "4,938", "value <= 5", "NO"):
        assert part in out.getvalue()
