"""Who walks along numbers is known to walk, whichever of two numbers it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.gateway.numbers import LATELY, decimal, near, onward

SHORT = st.integers(0, 10**18 - 1).map(str)


def walks(*documents: str) -> list[bool]:
    """Of each, whether it is near to one of those before it."""
    found, walk = [], tuple[int, ...]()
    for one in documents:
        found.append(near(one, walk))
        walk = onward(walk, one)
    return found


@pytest.mark.parametrize(
    ("documents", "found"),
    [
        (("7", "8", "11", "15"), [False, True, True, False]),
        (("7", "7"), [False, False]),
        (("7/1", "7/2", "7/5", "7/9"), [False, True, True, False]),
        (("7/1", "8/1", "11/1", "15/1"), [False, True, True, False]),
        (("7/1", "7/2", "8/1", "8/2", "9/3"), [False, True, True, True, True]),
        (("7/1", "7/1", "700/1", "7/100"), [False, False, False, False]),
        (("7/1", "7", "1", "8"), [False, False, False, True]),
        (("ann/1", "ann/2", "bob/1", "ann/3"), [False, True, False, True]),
        (("a/b/1", "a/b/2", "1/x", "x"), [False, True, False, False]),
        (("0/1", "1/1", "0", "1"), [False, True, False, True]),
        (("1" * 18, "1" * 19, "1" * 17 + "2", "1" * 19 + "/2"), [False, False, True, False]),
    ],
)
def test_neighbours_are_near_in_both(documents: tuple[str, ...], found: list[bool]) -> None:
    """One patient's numbers, one number of many patients, both by turns; what has one number is no neighbour of what has two."""
    assert walks(*documents) == found


@given(SHORT, SHORT, SHORT, SHORT)
def test_two_documents_are_two_numbers(one: str, two: str, three: str, four: str) -> None:
    """Only the same pair is the same number, and no pair is a single one."""
    pairs = [f"{int(one)}/{int(two)}", f"{int(three)}/{int(four)}"]
    assert (decimal(pairs[0]) == decimal(pairs[1])) == (pairs[0] == pairs[1])
    assert decimal(pairs[0]) != decimal(three)


def test_a_walk_is_as_long_as_it_was() -> None:
    """Of two numbers as of one."""
    walk = tuple[int, ...]()
    for number in range(20):
        walk = onward(walk, f"7/{number}")
    assert len(walk) == LATELY
    assert onward(walk, "7/x") is walk
