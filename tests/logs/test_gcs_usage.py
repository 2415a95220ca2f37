"""Cloud Storage's usage logs, in lines of the form that its documentation gives."""

import pytest

from bench.fuzz.lines import FILES
from strongroom.logs import gcs_usage
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Unreadable
from tests.logs.rows import rows, some

HEADING, LINE, _ = FILES["gcs-usage"].split(b"\n")


def test_a_line() -> None:
    """Every field that is kept lands in its column."""
    (found,) = rows(FILES["gcs-usage"], "gcs-usage")
    names = ("time", "metadata.uid", "act", "principal", "principal.kind", "http_response.code", "traffic.bytes_out", "document",
             "number", "api.operation")  # fmt: skip
    assert some(found, *names) == [
        1_766_998_800_250, "r-1", "read", "203.0.113.9", "address", 200, 252_000, "letters/letter-00417.pdf", 417, "GET_Object",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "act"),
    [
        (b'"letters","letter-00417.pdf"', b'"letters",""', "list"), (b'"GET"', b'"PUT"', "write"),
        (b'"GET"', b'"DELETE"', "delete"), (b'"GET"', b'"HEAD"', "other"),
    ],
)  # fmt: skip
def test_what_was_done(old: bytes, new: bytes, act: str) -> None:
    """A bucket without an object is listed."""
    assert rows(HEADING + b"\n" + LINE.replace(old, new) + b"\n" + HEADING, "gcs-usage")[0]["act"] == act


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"", NOT_THIS_FORMAT),
        (LINE[:30], NOT_THIS_FORMAT),
        (LINE.replace(b"1766998800250000", b"soon"), NO_TIME),
        (LINE.replace(b"1766998800250000", b"9" * 20), NO_TIME),
        (LINE.replace(b'"252000"', b'"%d"' % 2**63), BEYOND_64_BITS),
        (LINE.replace(b'"200"', b'"ok"'), BEYOND_64_BITS),
    ],
)
def test_what_cannot_be_read_has_a_reason(line: bytes, expected: Unreadable) -> None:
    """Half lines, times that are none, numbers that are too large."""
    parse = gcs_usage.heading(HEADING)
    assert parse is not None
    assert parse(line) == expected


def test_other_tables_are_none() -> None:
    """By their first line."""
    assert gcs_usage.heading(b"a,b") is None
