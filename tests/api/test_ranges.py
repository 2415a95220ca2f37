"""A range is the bytes it names, cut to what there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.api.ranges import Range, parse_range

_NUMBER = st.integers(0, 12)


@given(st.binary(max_size=10), st.none() | _NUMBER, st.none() | _NUMBER)
def test_a_range_is_what_the_rfc_says(content: bytes, first: int | None, last: int | None) -> None:
    """Oracle: Python's slices."""
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    wanted = parse_range(header)
    if first is None:
        expected = content[-last:] if last else None
    elif last is not None and last < first:
        expected = None
    else:
        expected = content[first : None if last is None else last + 1]
    if expected is None:
        assert wanted is None
        return
    assert wanted is not None
    found = wanted.of(len(content))
    assert (content[found[0] : found[0] + found[1]] if found else b"") == expected
    assert (found is None) == (expected == b"")


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=-", "bytes=1", "bytes=1-2,3-4", "bytes=a-", "x=0-1", "bytes=" + "9" * 19 + "-",
     "bytes=-0", "bytes=2-1", "bytes=0-1\n-"],
)  # fmt: skip
def test_what_is_no_single_range_is_none(header: str | None) -> None:
    """The whole is sent instead."""
    assert parse_range(header) is None


def test_units_are_case_insensitive() -> None:
    """RFC 9110, section 14.1."""
    assert parse_range("Bytes=0-0") == Range(0, 1)
