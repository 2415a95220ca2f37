"""Asking in vain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.budget.probes import ELSEWHERE, Failures, Probes
from strongroom.clock import HOUR, MINUTE, Millis
from strongroom.ids import AccountId
from tests.budget.scenes import START

A, B = AccountId("A"), AccountId("B")


def at(later: int) -> Millis:
    """`later` milliseconds after the start."""
    return Millis(START + later)


def test_the_twentieth_different_id_is_one_too_many() -> None:
    """Nineteen mistakes pass; the twentieth freezes, and so does every denial after it."""
    probes = Probes()
    assert [probes.see(A, f"{number}", at(number)) for number in range(22)] == [False] * 19 + [True] * 3


def test_the_same_id_counts_once() -> None:
    """An old bookmark may be pressed a thousand times, and takes the memory of one id."""
    probes = Probes(limit=2)
    assert not any(probes.see(A, "bookmark", at(number)) for number in range(1_000))
    (window,) = probes._windows._windows.values()
    assert (len(window._events), len(window._last)) == (0, 1)


def test_each_login_has_its_own() -> None:
    """Nobody is frozen for what another login asked."""
    probes = Probes(limit=2)
    assert [probes.see(A, "x", at(0)), probes.see(B, "y", at(0)), probes.see(A, "y", at(0))] == [False, False, True]


def test_an_hour_to_the_millisecond() -> None:
    """An id leaves when it is an hour old, not before; there is no top of the hour."""
    probes = Probes(limit=2)
    probes.see(A, "x", at(30 * MINUTE))
    assert not probes.see(A, "y", at(90 * MINUTE))
    probes = Probes(limit=2)
    probes.see(A, "x", at(30 * MINUTE))
    assert probes.see(A, "y", at(90 * MINUTE - 1))


@given(st.lists(st.tuples(st.sampled_from([0, 1, HOUR // 2, HOUR]), st.integers(0, 5)), max_size=50))
def test_no_more_ids_are_kept_than_the_limit(denials: list[tuple[int, int]]) -> None:
    """A walker of a million ids costs no more memory than one of `limit`, and is seen from the limit on."""
    probes, now, since = Probes(limit=3), START, dict[int, int]()
    for delay, named in denials:
        now += delay
        since[named] = now
        frozen = probes.see(A, f"{named}", Millis(now))
        assert all(len(window._last) <= 3 for window in probes._windows._windows.values())
        if sum(t > now - HOUR for t in since.values()) < 3:
            assert not frozen


def test_idle_logins_are_forgotten() -> None:
    """Only logins that were denied something lately take memory."""
    probes = Probes()
    for number in range(200):
        probes.see(AccountId(f"{number}"), "x", at(number * HOUR))
    assert len(probes._windows) <= 3


def test_a_limit_of_nothing_is_refused() -> None:
    """The empty case: whoever mistypes once would be frozen."""
    with pytest.raises(ValueError, match="mistypes"):
        Probes(limit=0)
    assert Probes(limit=1).see(A, "x", at(0))


def test_a_denial_that_comes_late_counts_as_the_latest() -> None:
    """A denial that was timed before the last one does not turn the clock back."""
    probes = Probes(limit=2)
    probes.see(B, "x", at(10))
    probes.see(A, "x", at(0))
    assert probes.see(A, "y", at(HOUR + 9))


def test_failures_are_counted_by_network_and_hour() -> None:
    """Each network has its count; the hour before stays known, older ones do not."""
    failures = Failures()
    assert [failures.see("n", at(0)), failures.see("n", at(1)), failures.see("m", at(2))] == [1, 2, 1]
    assert failures.totals(at(3)) == (0, 3)
    assert failures.see("n", at(HOUR)) == 1
    assert failures.totals(at(HOUR)) == (3, 1)
    assert failures.totals(at(3 * HOUR)) == (0, 0)


def test_failures_are_bounded() -> None:
    """A million addresses share one counter after the first few, and none of them is lost from the total."""
    failures = Failures(most=10)
    for number in range(1_000):
        failures.see(f"{number}", at(0))
    assert len(failures._counts) == 11
    assert failures.see("yet another", at(0)) == failures._counts[ELSEWHERE] == 991
    assert failures.totals(at(0)) == (0, 1_001)
