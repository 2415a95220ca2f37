"""W3C extended logs, in lines of the forms that CloudFront's guide and IIS' documentation give."""

import msgspec
import pytest

from bench.fuzz.lines import FILES
from strongroom.logs import w3c
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Unreadable
from tests.logs.rows import one, reason, rows, some

CELLS = dict.fromkeys(w3c.CLOUDFRONT, "-") | {
    "date": "2025-12-29", "time": "09:00:00", "sc-bytes": "252000", "c-ip": "203.0.113.9", "cs-method": "GET",
    "cs-uri-stem": "/documents/4711", "sc-status": "200", "cs(User-Agent)": "Mozilla/5.0%20(X11)",
}  # fmt: skip
IIS = (
    b"#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2025-12-29 09:00:00\n"
    b"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status "
    b"sc-substatus sc-win32-status sc-bytes time-taken\n"
    b"2025-12-29 09:00:00 10.0.0.1 GET /documents/4711 x=1 443 EXAMPLE\\ann 203.0.113.9 Mozilla/5.0+(X11) - 200 0 0 252000 15\n"
)


def line(**change: str) -> bytes:
    """A line of CloudFront's without headings."""
    return "\t".join({**CELLS, **change}.values()).encode()


def test_cloudfront() -> None:
    """Every field that is kept lands in its column; what was escaped twice is as it was sent."""
    (found,) = rows(FILES["w3c"], "w3c")
    names = ("time", "src_endpoint.ip", "http_request.url.path", "http_request.url.query_string", "http_response.code",
             "traffic.bytes_out", "http_request.user_agent", "principal.kind")  # fmt: skip
    expected = [
        1_766_998_800_000,
        "192.0.2.202",
        "/documents/4711",
        "id=9",
        200,
        2_390_282,
        "Mozilla/5.0 (X11)",
        "address",
    ]
    assert some(found, *names) == expected


def test_iis() -> None:
    """Blanks between fields, + for a blank in them, and a login."""
    (found,) = rows(IIS, "w3c")
    assert some(found, "principal", "http_request.user_agent", "traffic.bytes_out", "http_request.url.query_string") == [
        "EXAMPLE\\ann", "Mozilla/5.0 (X11)", 252_000, "x=1",
    ]  # fmt: skip


def test_iis_behind_a_proxy_of_ones_own() -> None:
    """Who asked is in the column that was added for it."""
    behind = IIS.replace(b"time-taken\n", b"time-taken X-Forwarded-For\n").replace(b"203.0.113.9", b"10.0.0.2")
    (found,) = rows(behind.replace(b" 15\n", b" 15 198.51.100.7,+203.0.113.9:5123\n"), "w3c")
    assert found["src_endpoint.ip"] == "203.0.113.9"


def test_a_server_that_begins_anew_tells_its_fields_anew() -> None:
    """Joined files may have other fields each."""
    found = rows(IIS + FILES["w3c"], "w3c")
    assert [row["src_endpoint.ip"] for row in found] == ["203.0.113.9", "192.0.2.202"]


def test_without_headings() -> None:
    """CloudFront's own fields are meant; an answer that never began has no status."""
    (found,) = rows(line(), "w3c")
    assert some(found, "http_request.url.path", "http_request.user_agent") == ["/documents/4711", "Mozilla/5.0 (X11)"]
    assert rows(line(**{"sc-status": "000"}), "w3c")[0]["http_response.code"] == 0


@pytest.mark.parametrize(
    "entry",
    [
        {"date": "2025-12-29", "time": "09:00:00", "c-ip": "203.0.113.9", "cs-uri-stem": "/a", "sc-status": "200"},
        {
            "timestamp": "1766998800",
            "c_ip": "203.0.113.9",
            "cs_uri_stem": "/a",
            "sc_status": "200",
            "cs_user_agent": "b",
        },
        {"timestamp": 1_766_998_800, "c-ip": "203.0.113.9", "cs-uri-stem": "/a", "sc-status": 200},
        {"timestamp(ms)": "1766998800000", "c-ip": "203.0.113.9", "cs-uri-stem": "/a", "sc-status": 200},
    ],
)
def test_in_json(entry: dict[str, object]) -> None:
    """The same names, values as text or numbers, and either way of telling the time."""
    assert some(one(entry, "w3c"), "time", "http_response.code") == [1_766_998_800_000, 200]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        (b"", NOT_THIS_FORMAT),
        (line()[:40], NOT_THIS_FORMAT),
        (line(date="yesterday"), NOT_THIS_FORMAT),
        (line(**{"sc-status": "ok"}), NOT_THIS_FORMAT),
        (line(**{"c-ip": "-"}), NOT_THIS_FORMAT),
        (line(time="25:00:00"), NO_TIME),
        (line(**{"sc-bytes": str(2**63)}), BEYOND_64_BITS),
        (msgspec.json.encode({"c-ip": "203.0.113.9"}), NOT_THIS_FORMAT),
        (b'{"c-ip":"203.0.113.9","cs-uri-stem":"/a","sc-status":200,"timestamp":"x"}', NO_TIME),
    ],
)
def test_what_cannot_be_read_has_a_reason(unit: bytes, expected: Unreadable) -> None:
    """Half lines, times that are none, numbers that are too large."""
    assert reason(unit, "w3c") == expected


def test_a_line_of_other_fields_is_counted() -> None:
    """Than the headings say."""
    parse = w3c.heading(b"#Fields: date time c-ip cs-uri-stem sc-status")
    assert parse is not None
    assert parse(b"2025-12-29 09:00:00 203.0.113.9") == NOT_THIS_FORMAT
    assert w3c.heading(b"# a comment") is None
