"""The window, held against a recount of everything."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.budget.window import Dimension, Window
from strongroom.errors import Malformed

LENGTH = 10


@dataclass
class Recount:
    """Keeps everything that ever happened, and counts it again each time."""

    events: list[tuple[int, int, int, str]] = field(default_factory=list)

    def look(self, now: int) -> tuple[int, int, int, int]:
        """By the definition: t <= now < t + length."""
        live = [event for event in self.events if event[0] <= now < event[0] + LENGTH]
        return sum(e[1] for e in live), sum(e[2] for e in live), len({e[3] for e in live}), len(live)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 6), st.integers(0, 1), st.integers(0, 100), st.sampled_from("abcd")),
        st.just("undo"),
        st.just("reload"),
    ),
    max_size=60,
)


@given(STEPS)
def test_equals_a_naive_recount(steps: list[tuple[int, int, int, str] | str]) -> None:
    """After any sequence of events, undos and reloads the window counts what a recount of everything counts."""
    window, people, recount, now = Window(LENGTH), Window(LENGTH, sums=False), Recount(), 0
    undo: list[tuple[str, int | None, int | None]] = []
    for step in steps:
        if step == "undo":
            if undo:
                patient, one, two = undo.pop()
                window.pop_last(patient, one)
                people.pop_last(patient, two)
                recount.events.pop()
        elif step == "reload":
            window.look(now)
            people.look(now)
            window = Window.load(LENGTH, *window.dump())
            people = Window.load(LENGTH, *people.dump(), sums=False)
        elif isinstance(step, tuple):
            delay, documents, size, patient = step
            now += delay
            window.look(now)
            undo.append((patient, window.add(now, documents, size, patient), people.add(now, documents, size, patient)))
            recount.events.append((now, documents, size, patient))
        assert window.look(now) == recount.look(now)
        assert people.look(now) == (0, 0, recount.look(now)[2], 0)
        assert {one for one in "abcd" if window.knows(one)} == {e[3] for e in recount.events if now < e[0] + LENGTH}


@given(STEPS)
def test_foretells_exactly(steps: list[tuple[int, int, int, str] | str]) -> None:
    """`until` is the first millisecond at which so much has left, for every dimension and every amount."""
    window, now = Window(LENGTH), 0
    for step in steps:
        if isinstance(step, tuple):
            now += step[0]
            window.look(now)
            window.add(now, *step[1:])
    used = window.look(now)
    for dimension in Dimension:
        for need in {1, used[dimension] // 2, used[dimension]} - {0}:
            if need > used[dimension]:
                continue
            until = window.until(dimension, need)
            assert Window.load(LENGTH, *window.dump()).look(until)[dimension] <= used[dimension] - need
            assert Window.load(LENGTH, *window.dump()).look(until - 1)[dimension] > used[dimension] - need


def test_leaves_exactly_when_it_is_as_old_as_the_window() -> None:
    """An event counts for `length` milliseconds and not for one more."""
    window = Window(1_000)
    window.add(5, 1, 7, "a")
    assert window.look(1_004) == (1, 7, 1, 1)
    assert window.look(1_005) == (0, 0, 0, 0)


def test_meeting_again_prolongs() -> None:
    """A patient who is met again stays until the last meeting is old; the first one's document leaves on time."""
    window = Window(1_000)
    window.add(0, 1, 7, "a")
    window.add(900, 1, 5, "a")
    assert window.look(1_000) == (1, 5, 1, 1)
    assert window.look(1_900) == (0, 0, 0, 0)


def test_a_window_of_people_keeps_one_entry_a_person() -> None:
    """A year of reading the same two people takes no more memory than their two names."""
    window = Window(1_000_000, sums=False)
    for t in range(10_000):
        window.add(t, 1, 100, "ab"[t % 2])
    assert (len(window._events), len(window._last), len(window._order)) == (0, 2, 2)


def test_undo_after_everything_left() -> None:
    """Undoing what has already left by itself changes nothing."""
    window = Window(10)
    window.add(0, 1, 1, "a")
    previous = window.add(1, 1, 1, "a")
    assert window.look(50) == (0, 0, 0, 0)
    window.pop_last("a", previous)
    assert window.look(50) == (0, 0, 0, 0)
    assert not window.knows("a")


def test_undoing_leaves_no_heap_behind() -> None:
    """However often a charge is made and undone, memory is that of those who are in the window."""
    window = Window(1_000_000)
    window.add(0, 1, 1, "a")
    for now in range(1, 2_000):
        window.pop_last("a", window.add(now, 1, 1, "a"))
        window.pop_last("b", window.add(now, 1, 1, "b"))
    assert window.look(2_000) == (1, 1, 1, 1)
    assert len(window._order) < 100
    assert window.look(1_000_000) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("events", "meetings", "sums"),
    [
        ([(5, 1, 1), (4, 1, 1)], [("a", 5)], True),
        ([(5, -1, 1)], [("a", 5)], True),
        ([(5, 1, -1)], [("a", 5)], True),
        ([(5, 1, 1)], [], True),
        ([(5, 1, 1)], [("a", 5)], False),
    ],
)
def test_refuses_a_dump_that_no_window_wrote(
    events: list[tuple[int, int, int]], meetings: list[tuple[str, int]], sums: bool
) -> None:
    """Backwards, negative or nobody's: not loaded."""
    with pytest.raises(Malformed):
        Window.load(10, events, meetings, sums=sums)


def test_has_a_length() -> None:
    """The empty case refuses: a window of no time would never count anything."""
    with pytest.raises(ValueError, match="length"):
        Window(0)
    assert Window(1).look(0) == (0, 0, 0, 0)
