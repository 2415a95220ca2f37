"""docs/budgets.md says what the rules say."""

import tomllib
from pathlib import Path

import pytest

from strongroom.budget.bound import people_bound
from strongroom.budget.describe import amount, table
from strongroom.budget.table import DEFAULTS, GIB, MIB
from strongroom.budget.window import Dimension
from strongroom.clock import DAY, HOUR, MONTH
from strongroom.errors import ConfigError

PAGE = (Path(__file__).parents[2] / "docs" / "budgets.md").read_text()


def test_the_page_holds_the_table_as_it_is() -> None:
    """Every rule stands in the page, as the code has it; a changed rule without a changed page fails here."""
    printed = PAGE.split("<!-- rules -->\n")[1].split("<!-- end of rules -->")[0]
    assert printed == table(DEFAULTS)


@pytest.mark.parametrize(
    ("dimension", "number", "words"),
    [
        (Dimension.PEOPLE, 1, "1 person"),
        (Dimension.PEOPLE, 2_500, "2,500 people"),
        (Dimension.DOCUMENTS, 1, "1 document"),
        (Dimension.OPENINGS, 1, "1 opening"),
        (Dimension.OPENINGS, 0, "0 openings"),
        (Dimension.BYTES, 20 * GIB, "20 GiB"),
        (Dimension.BYTES, 10 * MIB, "10 MiB"),
        (Dimension.BYTES, 1_500, "1,500 bytes"),
        (Dimension.BYTES, 0, "0 bytes"),
    ],
)
def test_amounts_have_their_unit(dimension: Dimension, number: int, words: str) -> None:
    """One person, two people; bytes in the largest unit that divides them."""
    assert amount(dimension, number) == words


def test_the_example_override_works() -> None:
    """The lines of configuration in the page are accepted, and do what the page says."""
    lines = PAGE.split("```toml\n")[1].split("```")[0]
    changed = DEFAULTS.with_limits(tomllib.loads(lines)["budget"])
    limits = {rule.name: rule.limit for rule in changed.all}
    assert limits["practice-stranger-people-1h"] == 300
    assert "network-care-people-1h-alarm" not in limits


def test_the_example_of_a_refused_override_is_refused() -> None:
    """And the one that the page says is refused is refused."""
    lines = PAGE.split("```toml\n")[2].split("```")[0]
    with pytest.raises(ConfigError):
        DEFAULTS.with_limits(tomllib.loads(lines)["budget"])


@pytest.mark.parametrize(
    ("logins", "span", "says"),
    [
        (1, DAY - 1, "| 1 | a day | 3 |"),
        (1, MONTH, "| 1 | 30 days | 5 |"),
        (20, MONTH, "| 20 | 30 days | 100 |"),
        (5_000, HOUR - 1, "| 5,000 | an hour | 600 |"),
        (20_000, DAY - 1, "| 20,000 | a day | 14,400 |"),
    ],
)
def test_the_bounds_in_the_page_are_the_real_ones(logins: int, span: int, says: str) -> None:
    """The loss that the page promises is the loss that the rules bound."""
    assert f"| {people_bound(DEFAULTS, logins, span):,} |" in says
    assert says in PAGE
