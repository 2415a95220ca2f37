"""Different ids are counted in windows that slide, those under way with them."""

from hypothesis import given
from hypothesis import strategies as st

from strongroom.clock import HOUR, MINUTE
from strongroom.gateway.rule import Rule, Rung, Scope, What
from strongroom.gateway.tally import Tally

RULE = Rule(Scope.PERSON, What.DOCUMENTS, HOUR, 5, Rung.NOTE, "Test.")
WHERE = (Scope.PERSON, "ann")


@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "begin", "settle"]), st.sampled_from("abcdef"), st.integers(0, 20)),
        max_size=60,
    )
)
def test_it_counts_as_a_child_would(acts: list[tuple[str, str, int]]) -> None:
    """Against a list of everything that ever was."""
    tally, added, under_way, now = Tally(), list[tuple[int, str]](), list[str](), 0
    for act, one, minutes in acts:
        now += minutes * MINUTE
        inside = {name for at, name in added if at > now - HOUR}
        assert tally.count(WHERE, RULE, now) == len(inside)
        assert tally.with_this(WHERE, RULE, one, now) == len(inside | {one, *under_way})
        if act == "add":
            added.append((now, one))
            assert tally.add(WHERE, RULE, one, now) == len(inside | {one})
        elif act == "begin":
            under_way.append(one)
            tally.begin(WHERE, RULE, one)
        elif one in under_way:
            under_way.remove(one)
            tally.settle(WHERE, RULE, one)


def test_it_is_bounded_and_forgets_what_is_empty() -> None:
    """The window that was not used for the longest time goes first; empty ones go when swept."""
    tally = Tally(most=10)
    for person in range(20):
        tally.add((Scope.PERSON, str(person)), RULE, "a", 0)
    assert [person for person in range(20) if tally.count((Scope.PERSON, str(person)), RULE, 0)] == list(range(10, 20))
    tally.sweep(2 * HOUR)
    assert not tally._windows
