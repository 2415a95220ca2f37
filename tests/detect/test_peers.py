"""What is much among peers, as a day knows it."""

import math
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.clock import DAY, HOUR
from strongroom.detect import peers
from strongroom.detect.duckdb import Engine

WEEK = 7 * DAY
BUCKETS = st.dictionaries(st.tuples(st.integers(0, 30), st.integers(0, 24 * 20)), st.integers(1, 40), max_size=400)
"""(principal, hour) -> how much."""


def by_hand(buckets: dict[tuple[int, int], int], unit: int, learn: int) -> dict[int, int]:
    """Day, or week -> the 95th percentile of what each had at most in a window of those before; in the first days, of that one too.

    Then, of those who had thrice as much, where they are enough to be a work of its own.
    """
    found: dict[int, int] = {}
    days = {bucket // unit for _, bucket in buckets}
    for day in days:
        most: dict[int, int] = {}
        for (who, hour), amount in buckets.items():
            if hour // unit < day + (unit > 1 and day < min(days) + learn):
                most[who] = max(most.get(who, 0), amount)
        if len(most) >= peers.CROWD:
            found[day] = nearly_all(most.values())
            apart = [amount for amount in most.values() if amount > 3 * found[day]]
            if day < min(days) + learn and len(apart) >= max(peers.CROWD, len(most) / 100):
                found[day] = nearly_all(apart)
    return found


def nearly_all(amounts: Iterable[int]) -> int:
    """The nearest rank of 95 per cent."""
    ordered = sorted(amounts)
    return ordered[math.ceil(len(ordered) * 95 / 100) - 1]


FEW_AMONG_MANY = st.builds(
    lambda many, few, days: {
        (who, who % days * 24 + 9): amount for who, amount in enumerate([1 + n % 3 for n in range(many)] + few)
    },
    st.integers(300, 600), st.lists(st.integers(5, 40), min_size=5, max_size=28), st.integers(1, 12),
)  # fmt: skip
"""Some have far more than all others, from one day or from many."""


@pytest.mark.parametrize(("window", "unit", "learn"), [(HOUR, DAY, peers.LEARN), (WEEK, WEEK, 4)])
@settings(max_examples=30)
@given(buckets=BUCKETS | FEW_AMONG_MANY)
def test_sql_and_a_count_by_hand_agree(
    one_engine: Engine, window: int, unit: int, learn: int, buckets: dict[tuple[int, int], int]
) -> None:
    """For every day on which there is something to judge, or every week, of which nobody waits for the end."""
    wide = 1 if unit == DAY else 24  # of what are hours else
    buckets = {(who, at // wide): amount for (who, at), amount in buckets.items()}
    rows = ", ".join(f"('p{who}', 'login', {at}::BIGINT, {amount})" for (who, at), amount in buckets.items())
    rows = rows or "('p', 'login', 0, 0)"
    bucket = f"bucket(g, kind, b, c) AS (VALUES {rows})"
    known = peers.known(window, unit, learn)
    tables = f"{bucket}, peers_share AS ({known.share}), peers AS ({known.whole})"
    found = one_engine.rows(f"WITH {tables} SELECT d, much, young FROM peers")  # noqa: S608  # numbers
    assert {d: much for d, much, _ in found if much is not None} == by_hand(buckets, unit // window, learn)
    first = min((at // (unit // window) for _, at in buckets), default=0)
    assert all(young == (d < first + learn) for d, _, young in found)
