"""nginx' and Apache's access logs. Invariant: every line is a row or a reason, and never an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import access
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Unreadable

COMBINED = (
    b'203.0.113.9 - ann [29/Dec/2025:22:00:00 +1300] "GET /documents/4711?x=1 HTTP/1.1" 200 252000 '
    b'"https://portal.example/list" "Mozilla/5.0 (X11)"'
)


def row(line: bytes) -> dict[str, object]:
    """A readable line, by column."""
    found = access.parse(line)
    assert not isinstance(found, Unreadable), found
    return dict(zip(access.FIELDS, found, strict=True))


def test_a_combined_line() -> None:
    """Every field of the documented format lands in its column."""
    assert row(COMBINED) == {
        "time": 1_766_998_800_000, "metadata.log_name": "web", "status_id": 1, "act": "read", "principal": "ann",
        "principal.kind": "login", "actor.user.name": "ann", "src_endpoint.ip": "203.0.113.9",
        "http_request.http_method": "GET", "http_request.url.path": "/documents/4711",
        "http_request.url.query_string": "x=1", "http_request.user_agent": "Mozilla/5.0 (X11)",
        "http_request.referrer": "https://portal.example/list", "http_response.code": 200, "traffic.bytes_out": 252_000,
        "route": "/documents/{int}", "document": "/documents/4711", "number": 4711, "patient": None,
        "http_request.x_forwarded_for": None,
    }  # fmt: skip


REST = b'ann [29/Dec/2025:22:00:00 +1300] "GET /documents/4711 HTTP/1.1" 200 5 "-" "-"'


@pytest.mark.parametrize(
    ("line", "address", "principal"),
    [
        (b"198.51.100.7, 10.0.0.3 10.0.0.3 - " + REST, "198.51.100.7", "ann"),
        (b'"203.0.113.5, 198.51.100.7" 10.0.0.3 - ' + REST, "198.51.100.7", "ann"),
        (b"198.51.100.7 10.0.0.3 - " + REST, "198.51.100.7", "ann"),
        (b"- 10.0.0.3 - " + REST, "10.0.0.3", "ann"),
        (b"10.0.0.3 - " + REST + b' "203.0.113.5, 198.51.100.7, 10.9.9.9"', "198.51.100.7", "ann"),
        (b"10.0.0.3 - " + REST + b' "198.51.100.7:40000" rt=0.1', "198.51.100.7", "ann"),
        (b"fd00::3 - " + REST + b' "2001:db8::7"', "2001:db8::7", "ann"),
        (b"203.0.113.9 - " + REST + b' "198.51.100.7"', "203.0.113.9", "ann"),
        (b"10.0.0.3 - " + REST + b' "198.51.100.7"x', "10.0.0.3", "ann"),
        (b"10.0.0.3 - " + REST + b' "unknown"', "10.0.0.3", "ann"),
        (b"10.0.0.3 - - " + REST[4:] + b' "198.51.100.7"', "198.51.100.7", "198.51.100.7"),
        (b"203.0.113.9:40000 - " + REST, "203.0.113.9", "ann"),
        (b"[2001:db8::7]:40000 - " + REST, "2001:db8::7", "ann"),
    ],
)
def test_who_is_behind_a_proxy(line: bytes, address: str, principal: str) -> None:
    """The last public address of those that a proxy of one's own tells; a stranger's word for somebody else is not believed."""
    found = row(line)
    assert (found["src_endpoint.ip"], found["principal"]) == (address, principal)


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        (COMBINED.replace(b":00 +", b":00.250123 +"), "time", 1_766_998_800_250),
        (COMBINED.replace(b"29/Dec/2025:22:00:00 +1300", b"2025-12-29T22:00:00+13:00"), "time", 1_766_998_800_000),
        (COMBINED.replace(b"Mozilla/5.0 (X11)", b"-"), "http_request.user_agent", ""),
        (COMBINED.split(b' "https')[0], "http_request.user_agent", None),
        (COMBINED.split(b' "https')[0], "http_response.code", 200),  # common
        (COMBINED.split(b' "https')[0].replace(b"252000", b"-"), "traffic.bytes_out", 0),
        (COMBINED.replace(b"- ann", b"- Ann of  the North"), "principal", "Ann of  the North"),
        (COMBINED.replace(b"- ann", b"- -"), "principal", "203.0.113.9"),
        (COMBINED.replace(b"- ann", b"- -"), "principal.kind", "address"),
        (b"portal.example:443 " + COMBINED, "src_endpoint.ip", "203.0.113.9"),
        (COMBINED.replace(b"203.0.113.9", b"2001:db8::7"), "src_endpoint.ip", "2001:db8::7"),
        (
            COMBINED.replace(b"(X11)", b'\\"quoted\\" (X11)'),
            "http_request.user_agent",
            'Mozilla/5.0 \\"quoted\\" (X11)',
        ),
        (COMBINED + b' 0.004 "10.0.0.1"', "http_request.user_agent", "Mozilla/5.0 (X11)"),
        (COMBINED.replace(b"GET /documents/4711?x=1 HTTP/1.1", b"\\x16\\x03\\x01"), "http_request.http_method", None),
        (COMBINED.replace(b"/4711", b"/\xff\xfe"), "http_request.url.path", "/documents/\\xff\\xfe"),
        (COMBINED.replace(b"/4711", b"/a b"), "http_request.url.path", "/documents/a b"),
        (COMBINED.replace(b"GET", b"DELETE"), "act", "delete"),
        (COMBINED.replace(b" 200 ", b" 404 "), "status_id", 2),
    ],
)
def test_variants(line: bytes, column: str, expected: object) -> None:
    """Common, virtual hosts, names with blanks, IPv6, escapes, more fields at the end, and requests that are none."""
    assert row(line)[column] == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", NOT_THIS_FORMAT),
        (b"\x00\xff\x00", NOT_THIS_FORMAT),
        (COMBINED[:70], NOT_THIS_FORMAT),
        (COMBINED.replace(b"29/Dec", b"31/Feb"), NO_TIME),
        (COMBINED.replace(b"252000", b"9" * 19), BEYOND_64_BITS),
        (COMBINED.replace(b"252000", b"9" * 5_000), BEYOND_64_BITS),
    ],
)
def test_what_cannot_be_read_has_a_reason(line: bytes, reason: Unreadable) -> None:
    """The reason says what is wrong, and holds nothing of the line."""
    assert access.parse(line) == reason


def test_every_beginning_of_a_line_is_answered() -> None:
    """Fed byte by byte, a line is a row or a reason at each length, and is the whole row only when it is whole."""
    for end in range(len(COMBINED) + 1):
        access.parse(COMBINED[:end])
    assert row(COMBINED)


def test_a_quote_cannot_be_smuggled_in() -> None:
    """What a client says stays in its field: servers escape quotes, and an escaped one ends nothing."""
    agent = b'x\\" 200 1 \\"y\\" [29/Dec/2025:23:00:00 +1300] \\"GET /other'
    assert row(COMBINED.replace(b"Mozilla/5.0 (X11)", agent))["http_request.url.path"] == "/documents/4711"


@given(st.binary(max_size=400))
def test_nothing_raises(line: bytes) -> None:
    """Whatever the bytes."""
    access.parse(line)


@given(
    user=st.from_regex(r"[A-Za-z][A-Za-z .@-]{0,20}[A-Za-z]", fullmatch=True),
    path=st.from_regex(r"/[a-z0-9/._~-]{0,40}", fullmatch=True),
    status=st.integers(100, 599),
    size=st.integers(0, 2**63 - 1),
)
def test_what_a_server_writes_is_read_back(user: str, path: str, status: int, size: int) -> None:
    """The round trip over users, paths, answers and sizes."""
    line = f'10.0.0.1 - {user} [29/Dec/2025:22:00:00 +1300] "GET {path} HTTP/2.0" {status} {size} "-" "-"'
    found = row(line.encode())
    names = ("actor.user.name", "http_request.url.path", "http_response.code", "traffic.bytes_out")
    assert [found[name] for name in names] == [user, path, status, size]
