"""Tables and times."""

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.cli.show import millis, table, when
from strongroom.clock import iso


@given(st.integers(min_value=1, max_value=253_402_300_799_000))
def test_times_are_read_back(t: int) -> None:
    """What `when` shows, `millis` reads."""
    assert millis(when(t)) == pytest.approx(t, abs=1)
    assert when(t) == iso(t)


def test_times_without_a_zone_are_utc() -> None:
    """A date begins at midnight UTC; what is no time is refused."""
    assert millis("2026-01-01") == millis("2026-01-01T00:00") == millis("2026-01-01T13:00+13:00") == 1_767_225_600_000
    with pytest.raises(click.BadParameter):
        millis("1 January")
    assert when(None) == when(0) == "-"


def test_a_table_keeps_its_lines() -> None:
    """Columns are aligned, nothing is `-`, and no title moves the cursor or starts a line."""
    text = table(("a", "long_name"), [{"a": "x\x1b[2J\ny", "long_name": 1}, {"a": None}], "2 rows.")
    assert text.splitlines() == ["A        LONG NAME", "x?[2J?y  1", "-        -", "2 rows."]
    assert table(("a",), [], "0 rows.") == "0 rows."
