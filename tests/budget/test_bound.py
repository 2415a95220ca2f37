"""The promised loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.budget.bound import people_bound
from strongroom.budget.ledger import Charge, Ledger
from strongroom.budget.scope import Kind
from strongroom.budget.table import DEFAULTS
from strongroom.clock import DAY, HOUR, MONTH, YEAR
from tests.budget.scenes import PERMIT, START, listing, scopes


@pytest.mark.parametrize(
    ("logins", "span", "people"),
    [
        (0, YEAR, 0),
        (1, 0, 3),
        (1, DAY - 1, 3),
        (1, MONTH, 5),
        (1, YEAR - 1, 5),
        (1, YEAR, 10),
        (20, MONTH, 100),
        (1_000, HOUR - 1, 600),
        (1_000, HOUR, 1_200),
        (20_000, DAY - 1, 14_400),
    ],
)
def test_the_figures_that_the_documents_name(logins: int, span: int, people: int) -> None:
    """Five a year and login, six hundred an hour in all; the least of them holds."""
    assert people_bound(DEFAULTS, logins, span) == people


@given(st.lists(st.tuples(st.sampled_from([0, HOUR, DAY, 30 * DAY, YEAR]), st.sampled_from("ABC")), max_size=60))
def test_no_thief_beats_the_bound(attempts: list[tuple[int, str]]) -> None:
    """Whatever the timing, no more people are met than is promised for that many logins and that long."""
    ledger, now, met = Ledger(), START, set()
    for number, (delay, account) in enumerate(attempts):
        now += delay
        if isinstance(ledger.charge(PERMIT, listing(now, Kind.STRANGER, scopes(account), f"{number}")), Charge):
            met.add(number)
    assert len(met) <= people_bound(DEFAULTS, len({account for _, account in attempts}), now - START)


@pytest.mark.parametrize(("logins", "span"), [(-1, 0), (1, -1)])
def test_refuses_less_than_nothing(logins: int, span: int) -> None:
    """There is no bound for fewer than no logins."""
    with pytest.raises(ValueError, match="fewer"):
        people_bound(DEFAULTS, logins, span)
