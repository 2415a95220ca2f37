"""The attacker's plan, on paper."""

import random

from hypothesis import given
from hypothesis import strategies as st

from strongroom.ids import is_ours, new_id
from strongroom.rehearse.attack import MISSES, Haul, address, walk


@given(st.integers(0, 2**32), st.integers(0, 40))
def test_every_true_id_is_walked_once_in_ascending_order(seed: int, begin: int) -> None:
    """From where the thief begins, around, with invented ids of the same form between."""
    documents = [new_id() for _ in range(40)]
    walked = list(walk(documents, random.Random(seed), begin=begin))
    true = [one for one in walked if one in documents]
    ordered = sorted(documents)
    assert true == ordered[begin:] + ordered[:begin]
    assert all(is_ours(one) for one in walked)


def test_the_share_of_misses_is_as_promised() -> None:
    """15 to 40 % of a long walk are invented ids; none without misses."""
    documents = [new_id() for _ in range(2_000)]
    for seed in range(5):
        walked = list(walk(documents, random.Random(seed)))
        share = 1 - len(documents) / len(walked)
        assert MISSES[0] - 0.03 <= share <= MISSES[1] + 0.03
    assert list(walk(documents, random.Random(1), misses=False)) == sorted(documents)


def test_addresses_rotate_through_two_hundred_of_loopback() -> None:
    """All different, all on 127/8."""
    found = {address(n) for n in range(1_000)}
    assert len(found) == 200
    assert all(one.startswith("127.") for one in found)


def test_a_haul_counts_a_document_once_and_remembers_the_last_new_one() -> None:
    """Reading the same document again is not a new find."""
    haul = Haul()
    haul.got("d", 1.0, foreign=True, listing=False)
    haul.got("d", 2.0, foreign=True, listing=False)
    haul.got("e", 3.0, foreign=False, listing=True)
    assert (haul.documents, haul.last_new, haul.last_release) == ({"d", "e"}, 3.0, 2.0)
