"""Seals of streams."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs.seal import STRETCH, Seal


@given(cuts=st.lists(st.integers(0, 3 * STRETCH), max_size=5), size=st.sampled_from([0, 1, STRETCH, 2 * STRETCH + 7]))
def test_how_a_stream_is_cut_does_not_matter(cuts: list[int], size: int) -> None:
    """Its stretches are known again; others, altered ones and those that are not there are not."""
    data = bytes(number % 251 for number in range(size))
    seal = Seal()
    places = [0, *sorted(min(cut, size) for cut in cuts), size]
    for start, stop in itertools.pairwise(places):
        seal.add(data[start:stop])
    whole = size // STRETCH
    for number in range(whole + 1):
        stretch = data[number * STRETCH : (number + 1) * STRETCH]
        assert seal.holds(number, stretch)
        assert not stretch or not seal.holds(number, bytes([stretch[0] ^ 1]) + stretch[1:])
        assert not stretch or not seal.holds(number, stretch[:-1])
    assert not seal.holds(whole + 1, b"")
    again = Seal.again(*seal.kept())
    assert all(again.holds(number, data[number * STRETCH : (number + 1) * STRETCH]) for number in range(whole + 1))
    assert again.kept() == seal.kept()
    assert not again.holds(0, b"x" + data[1:STRETCH]) or not data


def test_the_last_stretch_may_grow() -> None:
    """A log that is written on is still the one that was read."""
    seal = Seal()
    seal.add(b"first\n")
    assert seal.holds(0, b"first\nsecond\n")
