"""Requests as columns."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs.web_columns import aims, cut

REQUESTS = [
    "GET /documents/{n}/content HTTP/1.1",
    "GET /v2/x?id={n}&page=3",
    "-",
    "GET /2015/0{n}/x",
    "POST /p/ZAA{n}",
    "GET /é",
]
NAMES = ("method", "act", "path", "query", "route", "document", "number")


@given(st.lists(st.tuples(st.sampled_from(REQUESTS), st.integers(1, 99)), max_size=60))
def test_how_many_are_read_at_once_does_not_matter(drawn: list[tuple[str, int]]) -> None:
    """Many of one outline, or one by one: the same, in the same order; also of a part of an array."""
    requests = pa.array(["GET /before", *(request.format(n=number) for request, number in drawn)], pa.string())
    whole = aims(requests[1:])
    for name in NAMES:
        single = [getattr(aims(requests[at : at + 1]), name)[0].as_py() for at in range(1, len(requests))]
        assert getattr(whole, name).to_pylist() == single


def test_text_is_cut_from_either_end() -> None:
    """Of each value."""
    assert cut(pa.array(["0123456", "abc"]), 1, 3).to_pylist() == ["12", "bc"]
    assert cut(pa.array(["0123456", "abc"]), 0, -2).to_pylist() == ["01234", "a"]
