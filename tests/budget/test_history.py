"""What the module breaker learns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.budget.history import DAYS, FACTOR, History
from strongroom.budget.scope import Kind
from strongroom.clock import DAY, HOUR
from tests.budget.scenes import START

NOON = START + 12 * HOUR


def test_three_times_the_same_hour_of_the_busiest_day() -> None:
    """The most of 28 days counts, at the same hour only."""
    history = History()
    for day, documents in ((0, 300), (1, 500), (2, 200)):
        history.add(Kind.CARE, NOON + day * DAY, documents)
    assert history.limit(NOON + 3 * DAY, 600) == FACTOR * 500
    assert history.limit(NOON + 3 * DAY - 2 * HOUR, 600) == 600
    assert history.limit(NOON + 3 * DAY + 2 * HOUR, 600) == 600


def test_never_below_the_floor() -> None:
    """A young store, and a quiet one, has the floor."""
    history = History()
    assert history.limit(NOON, 600) == 600
    history.add(Kind.CARE, NOON, 100)
    assert history.limit(NOON + DAY, 600) == 600


def test_the_hour_that_goes_on_teaches_nothing_yet() -> None:
    """What is read today does not raise today's limit."""
    history = History()
    history.add(Kind.CARE, NOON, 10_000)
    assert history.limit(NOON + 1, 600) == 600
    assert history.limit(NOON + HOUR, 600) == 600


def test_the_evening_after_a_busy_hour_is_not_cut() -> None:
    """The window of the last hour still holds the hour before, so its limit does too."""
    history = History()
    history.add(Kind.CARE, NOON, 1_000)
    assert history.limit(NOON + DAY + HOUR, 600) == FACTOR * 1_000
    assert history.limit(NOON + DAY + 2 * HOUR, 600) == 600


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.CARE])
def test_only_care_teaches(kind: Kind) -> None:
    """Thieves, however patient, do not raise the limit that stops them."""
    history = History()
    history.add(kind, NOON, 10_000)
    assert history.limit(NOON + DAY, 600) == 600
    assert history.dump(NOON) == {}


def test_forgets_after_four_weeks() -> None:
    """Day 28 still counts, day 29 does not; and what does not count is not kept."""
    history = History()
    history.add(Kind.CARE, NOON, 1_000)
    assert history.limit(NOON + DAYS * DAY, 600) == FACTOR * 1_000
    assert history.limit(NOON + (DAYS + 1) * DAY, 600) == 600
    history.add(Kind.CARE, NOON + (DAYS + 1) * DAY, 1)
    assert list(history._hours.values()) == [1]


def test_keeps_exactly_what_a_limit_can_ask_for() -> None:
    """The oldest hour kept is the one before this hour, 28 days ago."""
    assert (DAYS, FACTOR) == (28, 3)
    history, edge = History(), NOON + 28 * DAY + HOUR
    history.add(Kind.CARE, NOON - HOUR, 7)
    history.add(Kind.CARE, NOON, 1_000)
    history.add(Kind.CARE, edge, 1)
    assert list(history._hours.values()) == [1_000, 1]
    assert history.limit(edge, 600) == 3_000


@given(st.lists(st.tuples(st.sampled_from([0, HOUR - 1, HOUR, DAY, 29 * DAY]), st.integers(0, 3)), max_size=30))
def test_taking_back_is_the_inverse(adds: list[tuple[int, int]]) -> None:
    """Whatever was learned and taken back in reverse order leaves nothing, however long it took."""
    history, now, done = History(), START, []
    for delay, documents in adds:
        now += delay
        history.add(Kind.CARE, now, documents)
        done.append((now, documents))
    for t, documents in reversed(done):
        history.take_back(Kind.CARE, t, documents)
    assert history.dump(now) == {}


def test_taking_back_leaves_the_rest_of_the_hour() -> None:
    """Of two reads in one hour one is taken back: the other still teaches."""
    history = History()
    history.add(Kind.CARE, NOON, 1_000)
    history.add(Kind.CARE, NOON + 1, 5)
    history.take_back(Kind.CARE, NOON + 1, 5)
    assert history.dump(NOON) == {NOON // HOUR: 1_000}


def test_a_dump_is_read_back() -> None:
    """The hours survive a restart."""
    history = History()
    history.add(Kind.CARE, NOON, 1_000)
    assert History(history.dump(NOON)).limit(NOON + DAY, 600) == FACTOR * 1_000
