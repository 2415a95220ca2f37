"""The load balancer's logs, in lines of the form that AWS' user guide gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import alb
from strongroom.logs.formats import recognise
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Unreadable

LINE = (
    "https 2025-12-29T09:00:00.186641Z app/portal/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 "
    '57000 "GET https://www.example.com:443/documents/4711?x=a HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 '
    'arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2 "Root=1-58337281" "www.example.com" "arn" 1 '
    '2025-12-29T08:59:59.364000Z "authenticate,forward" "-" "-" "10.0.0.1:80" "200" "-" "-"'
)


def row(line: str) -> dict[str, object]:
    """A readable line, by column."""
    found = alb.parse(line.encode())
    assert not isinstance(found, Unreadable), found
    return dict(zip(alb.FIELDS, found, strict=True))


def test_a_line() -> None:
    """Every field that is kept lands in its column, and the file is recognised."""
    found = row(LINE)
    expected = {
        "time": 1_766_998_800_186, "principal": "192.168.131.39", "principal.kind": "address", "act": "read", "status_id": 1,
        "http_request.url.path": "/documents/4711", "http_request.url.query_string": "x=a", "http_response.code": 200,
        "traffic.bytes_out": 57_000, "http_request.user_agent": "curl/7.46.0", "number": 4_711,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    format_ = recognise(LINE.encode() + b"\n")
    assert format_ is not None
    assert format_.name == "alb"


@pytest.mark.parametrize(
    ("old", "new", "column", "expected"),
    [
        ("https://www.example.com:443/documents/4711?x=a", "http://www.example.com:80/", "http_request.url.path", "/"),
        ("GET https://www.example.com:443/documents/4711?x=a HTTP/1.1", "- http://www.example.com:80- ",
         "http_request.http_method", None),
        ("192.168.131.39", "[2001:db8::1]", "principal", "2001:db8::1"),
        ("0.086 0.048 0.037 200", "-1 -1 -1 504", "http_response.code", 504),
        ("curl/7.46.0", 'a \\"b\\" c', "http_request.user_agent", 'a \\"b\\" c'),
        ("https://www.example.com:443/documents/4711?x=a", "https://[/x", "http_request.url.path", "https://[/x"),
    ],
)  # fmt: skip
def test_variants(old: str, new: str, column: str, expected: object) -> None:
    """Roots, requests that are none, IPv6, timeouts, escapes, and addresses that do not parse."""
    assert row(LINE.replace(old, new, 1))[column] == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", NOT_THIS_FORMAT),
        (LINE[:150], NOT_THIS_FORMAT),
        (LINE.replace("2025-12-29T09", "2025-13-29T09"), NO_TIME),
        (LINE.replace("57000", "9" * 19), BEYOND_64_BITS),
    ],
)
def test_what_cannot_be_read_has_a_reason(line: str, reason: Unreadable) -> None:
    """Half lines, times that are none, numbers that are too large."""
    assert alb.parse(line.encode()) == reason


@given(st.integers(0, len(LINE)), st.binary(max_size=5))
def test_nothing_raises(place: int, junk: bytes) -> None:
    """Junk in any place."""
    raw = LINE.encode()
    alb.parse(raw[:place] + junk + raw[place:])
