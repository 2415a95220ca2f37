"""Envoy's and Istio's logs, in lines of the forms that their documentations give; Traefik's, which is Apache's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.lines import FILES
from strongroom.logs import envoy
from strongroom.logs.formats import recognise
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Unreadable
from tests.logs.rows import reason, rows, some

LINE = FILES["envoy"].strip()
ISTIO = (
    b'[2025-12-29T09:00:00.250Z] "GET /documents/4711?x=1 HTTP/1.1" 200 - via_upstream - "-" 0 252000 24 23 "-" "curl/8" "r-1" '
    b'"portal.example" "10.0.0.1:80" inbound|80|| 127.0.0.6:1 10.0.0.1:80 203.0.113.9:50000 - default'
)
NAMES = ("time", "src_endpoint.ip", "http_request.url.path", "http_request.url.query_string", "http_response.code",
         "traffic.bytes_out", "http_request.user_agent")  # fmt: skip
EXPECTED = [1_766_998_800_250, "203.0.113.9", "/documents/4711", "x=1", 200, 252_000, "curl/8"]


@pytest.mark.parametrize(
    "line", [LINE, ISTIO, LINE.replace(b"203.0.113.9", b"192.0.2.1, 203.0.113.9")], ids=["envoy", "istio", "forwarded"]
)
def test_a_line(line: bytes) -> None:
    """The client is the last that was forwarded for, or the one that Istio names."""
    (found,) = rows(line, "envoy")
    assert some(found, *NAMES) == EXPECTED
    format_ = recognise(line + b"\n")
    assert format_ is not None
    assert format_.name == "envoy"


def test_nobody() -> None:
    """A line without a client names none, and what is no request is kept as its address."""
    (found,) = rows(LINE.replace(b"203.0.113.9", b"-").replace(b"GET /documents/4711?x=1 HTTP/1.1", b"- - -"), "envoy")
    assert some(found, "principal", "http_request.http_method", "http_request.url.path") == ["nobody", None, "-"]
    assert (
        rows(LINE.replace(b"GET /documents/4711?x=1 HTTP/1.1", b"\\x16"), "envoy")[0]["http_request.url.path"]
        == "\\x16"
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"", NOT_THIS_FORMAT),
        (LINE[:80], NOT_THIS_FORMAT),
        (LINE.replace(b"2025-12-29T", b"2025-13-29T"), NO_TIME),
        (LINE.replace(b"252000", b"%d" % 2**63), BEYOND_64_BITS),
    ],
)
def test_what_cannot_be_read_has_a_reason(line: bytes, expected: Unreadable) -> None:
    """Half lines, times that are none, numbers that are too large."""
    assert reason(line, "envoy") == expected


@given(st.integers(0, len(LINE)), st.binary(max_size=8))
def test_nothing_raises(place: int, junk: bytes) -> None:
    """Junk in any place."""
    envoy.parse(LINE[:place] + junk + LINE[place:])


def test_traefiks_text_is_read_as_apaches() -> None:
    """Its fields behind the program's name are more of the same."""
    line = (
        b'203.0.113.9 - ann [29/Dec/2025:09:00:00 +0000] "GET /documents/4711?x=1 HTTP/1.1" 200 252000 "-" "curl/8" 113 '
        b'"portal@docker" "http://10.0.0.1:80" 24ms\n'
    )
    format_ = recognise(line)
    assert format_ is not None
    assert format_.name == "access"
    assert some(rows(line, "access")[0], *NAMES[1:]) == EXPECTED[1:]
