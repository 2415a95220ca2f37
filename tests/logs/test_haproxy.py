"""HAProxy's log, in lines of the form that its manual gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.lines import FILES
from strongroom.logs import haproxy
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Unreadable
from tests.logs.rows import reason, rows, some

LINE = FILES["haproxy"].strip()
NAMES = ("time", "src_endpoint.ip", "http_request.http_method", "http_request.url.path", "http_request.url.query_string",
         "http_response.code", "traffic.bytes_out")  # fmt: skip
EXPECTED = [1_766_998_800_250, "203.0.113.9", "GET", "/documents/4711", "x=1", 200, 252_000]
BARE = LINE[LINE.index(b"203.") :]


@pytest.mark.parametrize(
    "line",
    [
        LINE, BARE, b"<134>Dec 29 09:00:00 haproxy[1]: " + BARE, BARE.replace(b"{portal.example} ", b""),
        BARE.replace(b"{portal.example}", b"{a|b} {c}"), BARE.replace(b"1/1/1/1/0", b"1/1/1/1/+2"),
        BARE.replace(b"10/0/30/69/109", b"10/0/-1/-1/+109"), BARE.replace(b"GET /", b"GET https://portal.example/"),
    ],
    ids=range(8),
)  # fmt: skip
def test_a_line(line: bytes) -> None:
    """With syslog's words and without, with captured headers and without, with retries and what never came about."""
    assert some(rows(line, "haproxy")[0], *NAMES) == EXPECTED


def test_what_is_no_request() -> None:
    """And has no answer."""
    line = BARE.replace(b'"GET /documents/4711?x=1 HTTP/1.1"', b'"<BADREQ>"').replace(b" 200 ", b" -1 ")
    assert some(rows(line, "haproxy")[0], "http_request.url.path", "http_response.code") == ["<BADREQ>", 0]
    assert some(rows(BARE.replace(b"GET /documents/4711?x=1", b"GET https://a"), "haproxy")[0], *NAMES[3:5]) == [
        "/",
        None,
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"", NOT_THIS_FORMAT),
        (LINE[:80], NOT_THIS_FORMAT),
        (LINE.replace(b"29/Dec", b"31/Feb"), NO_TIME),
        (LINE.replace(b"252000", b"%d" % 2**63), BEYOND_64_BITS),
    ],
)
def test_what_cannot_be_read_has_a_reason(line: bytes, expected: Unreadable) -> None:
    """Half lines, times that are none, numbers that are too large."""
    assert reason(line, "haproxy") == expected


@given(st.integers(0, len(LINE)), st.binary(max_size=8))
def test_nothing_raises(place: int, junk: bytes) -> None:
    """Junk in any place."""
    haproxy.parse(LINE[:place] + junk + LINE[place:])
