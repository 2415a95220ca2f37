"""docs/policy.md says what the code does."""

from collections.abc import Callable
from pathlib import Path

import pytest

from strongroom.authz.facts import Action
from strongroom.authz.policy import Basis
from strongroom.authz.space import cases
from tests.authz import cedar, summary

PAGE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text("utf-8")


@pytest.mark.parametrize(("name", "draw"), [("who", summary.who_may_do_what), ("reasons", summary.reasons)])
def test_the_page_holds_the_tables_as_they_are(name: str, draw: Callable[[], str]) -> None:
    """A changed policy without a changed page fails here; `python -m tests.authz.summary` prints what belongs there."""
    printed = PAGE.split(f"<!-- {name} -->\n")[1].split(f"<!-- end of {name} -->")[0]
    assert printed == draw()


def test_the_page_explains_every_basis() -> None:
    """By its word in the log."""
    assert [basis.value for basis in Basis if f"`{basis.value}`" not in PAGE] == []


def test_the_page_has_the_figures_right() -> None:
    """The size of the space and the number of rules."""
    questions = sum(1 for action in Action for _ in cases(action))
    assert f"there are {questions:,} questions in all" in PAGE
    assert f"each of the {len(cedar.annotations())} rules" in PAGE
