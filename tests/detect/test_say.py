"""Findings in sentences, and text from logs made harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.detect import say


@given(st.text(max_size=400))
def test_nothing_from_a_log_moves_a_terminal(text: str) -> None:
    """Whatever it holds, what is shown is printable, on one line, and bounded."""
    shown = say.harmless(text)
    assert shown.isprintable()
    assert len(shown) <= 201


def test_escapes_are_shown_and_not_sent() -> None:
    """An analyst sees that somebody tried."""
    assert say.harmless("a\x1b[2Jb\u202ec\nd") == "a\\x1b[2Jb\\u202ec\\nd"


@pytest.mark.parametrize(
    ("t", "expected"),
    [
        (0, "1970-01-01 00:00:00"),
        (253_402_300_799_000, "9999-12-31 23:59:59"),
        (253_402_343_999_000, "253402343999000 ms"),
        (-(10**20), "-100000000000000000000 ms"),
    ],
)
def test_times_of_all_years(t: int, expected: str) -> None:
    """What no calendar has is said as a number."""
    assert say.when(t) == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (0, "1970-01-01 00:00:00"),
        (3_600_000, "1970-01-01 00:00:00 to 01:00:00"),
        (86_400_000, "1970-01-01 00:00:00 to 1970-01-02 00:00:00"),
        (253_402_343_999_000, "1970-01-01 00:00:00 to 253402343999000 ms"),
    ],
)
def test_spans_of_time(last: int, expected: str) -> None:
    """The day is said once where it is the same."""
    assert say.between(0, last) == expected


@pytest.mark.parametrize(
    ("size", "expected"), [(999, "999 B"), (1_000, "1.0 kB"), (108e9, "108.0 GB"), (5e15, "5000.0 TB")]
)
def test_sizes(size: float, expected: str) -> None:
    """In the unit that fits."""
    assert say.size(size) == expected


def test_counts() -> None:
    """One and many."""
    assert (say.count(1, "document"), say.count(1_168, "document")) == ("1 document", "1,168 documents")
    assert say.count(2, "person", "people") == "2 people"
