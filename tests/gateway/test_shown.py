"""What was shown to whom: exact within its bounds, and bounded."""

from hypothesis import given
from hypothesis import strategies as st

from strongroom.gateway.shown import FRESH, ShownTo

KEY = bytes(32)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.lists(st.integers(0, 2_000), max_size=FRESH + 40)), max_size=8))
def test_it_knows_what_it_was_told(acts: list[tuple[str, list[int]]]) -> None:
    """As a plain set would, for each person by themselves."""
    shown, naive = ShownTo(KEY), {"a": set[int](), "b": set[int]()}
    for person, documents in acts:
        shown.add(person, [("d", str(one)) for one in documents])
        naive[person].update(documents)
    assert len(shown) == sum(map(len, naive.values()))
    some = set(range(0, 2_001, 7))
    for person, known in naive.items():
        assert {one for one in some if shown.knows(person, "d", str(one))} == known & some
    assert not shown.knows("a", "other", "0")
    assert not shown.knows("c", "d", "0")


def test_one_person_is_bounded() -> None:
    """Who was shown too many begins anew, with the latest."""
    shown = ShownTo(KEY, each=1_000)
    for start in range(0, 5_000, 500):
        shown.add("a", [("d", str(one)) for one in range(start, start + 500)])
        assert len(shown) <= 1_000
    assert shown.knows("a", "d", "4999")
    shown.add("a", [("d", f"x{one}") for one in range(5_000)])
    assert len(shown) == 1_000


def test_all_are_bounded() -> None:
    """Who was shown nothing for the longest time is forgotten first."""
    shown = ShownTo(KEY, most=100)
    for person in range(20):
        shown.add(str(person), [("d", str(one)) for one in range(10)])
    assert len(shown) == 100
    assert [person for person in range(20) if shown.knows(str(person), "d", "1")] == list(range(10, 20))


def test_ids_are_kept_small() -> None:
    """Ten thousand ids of one person in some hundred kilobytes: eight bytes each, and a few that are new."""
    shown = ShownTo(KEY)
    for start in range(0, 10_000, 100):
        shown.add("a", [("d", str(one)) for one in range(start, start + 100)])
    known = shown._people["a"]
    assert known.sorted.itemsize * len(known.sorted) + 100 * len(known.fresh) < 110_000
