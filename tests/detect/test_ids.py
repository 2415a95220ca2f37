"""What a watch keeps of walks: runs packed, of one route or of several, say what one walk of each says."""

from hypothesis import given
from hypothesis import strategies as st

from strongroom.clock import DAY
from strongroom.detect.ids import RUNS, STRIDE, WEEK, walked

STEPS = st.lists(
    st.tuples(
        st.sampled_from([b"route  a", b"route  b", b"\0" * 8]),
        st.sampled_from([0, 1, 2, 12, 500, 1_000, 1_500, -(2**63), 2**63 - 1]),
        st.sampled_from([0, 1, DAY, 4 * DAY]),
        st.booleans(),
    ),
    max_size=60,
)


@given(steps=STEPS)
def test_runs_are_as_those_of_each_route_alone(steps: list[tuple[bytes, int, int, bool]]) -> None:
    """Near, or as far as the step before; not after a week; also where ids lie as far from each other as can be."""
    walker, alone, now = b"somebody", dict[bytes, list[tuple[int, int, int | None, int, bool]]](), 0
    for route, number, later, served in steps:
        now += later
        walker, length, left = walked(walker, route, number, now, served=served)
        then, last, before, long, gave = (alone.get(route) or [(0, 0, None, 0, False)])[-1]
        step = number - last if long and now - then <= WEEK else None
        goes = step is not None and (abs(step) <= STRIDE or step == before)
        expected = (now, number, step, long + 1 if goes else 1, gave or served if goes else served)
        alone.setdefault(route, []).append(expected)
        assert (length, left) == expected[3:]


def test_nobody_has_more_runs_than_are_looked_through_quickly() -> None:
    """The one that stood still for longest goes."""
    walker = b"somebody"
    for route in range(3 * RUNS):
        walker, _, _ = walked(walker, route.to_bytes(8, "big"), 1, route, served=True)
    assert len(walker) == len(walked(b"somebody", b"\0" * 8, 1, 1, served=True)[0]) * RUNS - 8 * (RUNS - 1)
    assert walked(walker, (2 * RUNS).to_bytes(8, "big"), 2, 3 * RUNS, served=True)[1] == 2
    assert walked(walker, (2 * RUNS - 1).to_bytes(8, "big"), 2, 3 * RUNS, served=True)[1] == 1
