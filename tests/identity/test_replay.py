from hypothesis import given
from hypothesis import strategies as st

from strongroom.clock import Millis
from strongroom.identity.replay import Replay

_steps = st.lists(st.tuples(st.integers(0, 30), st.sampled_from("ab"), st.sampled_from("xyz")), max_size=60)


@given(_steps)
def test_against_the_naive_memory(steps: list[tuple[int, str, str]]) -> None:
    """Something counts again only when `window` has passed since it counted."""
    replay = Replay(50)
    counted: dict[tuple[str, str], int] = {}
    now = 0
    for by, owner, name in steps:
        now += by
        last = counted.get((owner, name))
        expected = last is None or now - last > 50
        assert replay.first_use(owner, name, Millis(now)) is expected
        if expected:
            counted[owner, name] = now


def test_the_same_occasion() -> None:
    """What was used on an occasion may be used on it again, and on no other; without one, not at all."""
    replay = Replay(50)
    assert [replay.first_use("a", "x", Millis(0), occasion=one) for one in ("p", "q", "p", "")] == [
        True,
        False,
        True,
        False,
    ]
    assert [replay.first_use("a", "y", Millis(0), occasion=one) for one in ("", "", "p")] == [True, False, False]


def test_an_owner_fills_their_own_share() -> None:
    """Who used up their share is refused until it empties; others are not."""
    replay = Replay(50, per_owner=2)
    assert [replay.first_use("a", name, Millis(0)) for name in "xyz"] == [True, True, False]
    assert replay.first_use("b", "x", Millis(0))
    assert replay.first_use("a", "z", Millis(51))


def test_the_memory_is_bounded() -> None:
    """When the memory is full, nothing more counts: it fails closed, and forgets in time."""
    replay = Replay(50, total=3)
    assert [replay.first_use(owner, "x", Millis(0)) for owner in "abcd"] == [True, True, True, False]
    assert len(replay) == 3
    assert replay.first_use("d", "x", Millis(51))
    assert len(replay) == 1
