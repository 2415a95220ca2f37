"""Denials: all are counted, the first of each hour are told one by one."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from strongroom.audit.denials import SINGLE, Collapsed, DenialCollapser
from strongroom.clock import HOUR, Millis
from strongroom.ids import AccountId

ANNA, BOB = AccountId("anna"), AccountId("bob")


def test_the_first_twenty_of_an_hour_are_written_singly() -> None:
    """Twenty entries, then one count that points to the first of them."""
    collapser = DenialCollapser()
    told = [collapser.see(ANNA, Millis(at)) for at in range(50)]
    for index in (100, 101):
        collapser.written(ANNA, index)
    assert told == [True] * SINGLE + [False] * 30
    assert collapser.due(Millis(HOUR - 1)) == ()
    assert collapser.due(Millis(HOUR)) == (Collapsed(ANNA, 30, 100),)
    assert collapser.due(Millis(HOUR)) == ()


def test_each_account_has_its_own_hour() -> None:
    """One account's flood hides no other's first denial, and an hour begins with the first denial in it."""
    collapser = DenialCollapser(single=1)
    assert [collapser.see(ANNA, Millis(0)), collapser.see(ANNA, Millis(1)), collapser.see(BOB, Millis(2))] == [
        True,
        False,
        True,
    ]
    assert collapser.see(ANNA, Millis(HOUR)) is True
    assert collapser.due(Millis(HOUR)) == (Collapsed(ANNA, 1, None),)


def test_flush_tells_open_windows_too() -> None:
    """Before an orderly stop nothing is left uncounted."""
    collapser = DenialCollapser(single=1)
    for _ in range(3):
        collapser.see(ANNA, Millis(0))
    collapser.see(BOB, Millis(0))
    assert collapser.flush() == (Collapsed(ANNA, 2, None),)
    assert collapser.flush() == ()


def test_memory_is_bounded() -> None:
    """When too many accounts are denied at once, the oldest window is closed early, and its count told."""
    collapser = DenialCollapser(single=1, most=2)
    for account in ("a", "a", "b", "c"):
        collapser.see(AccountId(account), Millis(0))
    assert collapser.due(Millis(0)) == (Collapsed(AccountId("a"), 1, None),)
    collapser.written(AccountId("a"), 5)  # its window is gone; nothing happens
    assert collapser.flush() == ()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, HOUR // 2)), max_size=120), st.integers(1, 5))
def test_nothing_is_lost(steps: list[tuple[str, int]], single: int) -> None:
    """Entries written singly and counts together are exactly the denials there were, whatever the order of time."""
    collapser = DenialCollapser(single=single, most=2)
    now, seen, told = 0, Counter[str](), Counter[str]()
    for name, step in steps:
        now += step
        seen[name] += 1
        told[name] += collapser.see(AccountId(name), Millis(now))
        for one in collapser.due(Millis(now)):
            told[one.account] += one.count
    for one in collapser.flush():
        told[one.account] += one.count
    assert told == seen
