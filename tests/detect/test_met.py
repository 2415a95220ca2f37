"""What is remembered of millions."""

from hypothesis import given
from hypothesis import strategies as st

from strongroom.detect.met import Met, digest


@given(st.lists(st.sets(st.text(max_size=4))))
def test_it_is_a_set_also_after_it_was_kept(batches: list[set[str]]) -> None:
    """Whatever was added is there, and nothing else; eight bytes each."""
    met, names = Met(), set[str]()
    for batch in batches:
        met.add(digest(name) for name in batch - names)
        names |= batch
        met = Met(met.dump())
    assert len(met) == len(names) == len(met.dump()) // 8
    assert all(digest(name) in met for name in names)
    assert digest("another name") not in met
