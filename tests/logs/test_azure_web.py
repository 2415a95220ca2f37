"""Front Door's and Application Gateway's logs, in records of the forms that Microsoft's references give."""

from typing import Any

import msgspec
import pytest

from bench.fuzz.lines import FILES
from strongroom.logs.record import BEYOND_64_BITS, NO_JSON, NO_TIME, NOT_THIS_FORMAT, Unreadable
from tests.logs.rows import one, reason, rows, some

ACCESS: dict[str, Any] = msgspec.json.decode(FILES["azure-web"])["records"][0]
GATEWAY: dict[str, Any] = {
    "timeStamp": "2025-12-29T09:00:00+00:00", "category": "ApplicationGatewayAccessLog", "properties": {
        "clientIP": "203.0.113.9", "httpMethod": "GET", "requestUri": "/documents/4711", "requestQuery": "x=1",
        "httpStatus": 200, "sentBytes": 252_000, "transactionId": "t-1", "userAgent": "Mozilla/5.0",
    },
}  # fmt: skip


def test_the_document_of_an_archive() -> None:
    """An access log's record is a web request; a firewall's says what it did, and no answer."""
    access, guard = rows(FILES["azure-web"], "azure-web")
    names = ("metadata.log_name", "time", "http_request.url.path", "http_request.url.query_string", "http_response.code",
             "traffic.bytes_out", "metadata.uid", "action_id")  # fmt: skip
    assert some(access, *names) == ["web", 1_766_998_800_250, "/documents/4711", "x=1", 200, 252_000, "t-1", None]
    judged = ("metadata.log_name", "status_id", "action_id", "firewall_rule.uid", "http_response.code", "act")
    assert some(guard, *judged) == ["waf", 2, 2, "942130", None, "other"]


def test_application_gateway() -> None:
    """Its address and its query stand apart, unless the query is something else."""
    found = one(GATEWAY, "azure-web")
    assert some(found, "http_request.url.query_string", "traffic.bytes_out", "time") == [
        "x=1",
        252_000,
        1_766_998_800_000,
    ]
    routed = {
        **GATEWAY,
        "properties": {**GATEWAY["properties"], "requestQuery": "X-AzureApplicationGateway=1&SERVER-ROUTED=a"},
    }
    assert one(routed, "azure-web")["http_request.url.query_string"] is None


@pytest.mark.parametrize(
    ("action", "action_id"), [("Block", 2), ("Log", 1), ("Matched", 1), ("Allow", 1), ("JSChallenge", 2)]
)
def test_what_a_guard_did(action: str, action_id: int) -> None:
    """What it only noticed was let through."""
    entry = {
        "time": "2025-12-29T09:00:00Z", "category": "FrontDoorWebApplicationFirewallLog",
        "properties": {"clientIP": "203.0.113.9", "requestUri": "https://portal.example:443/a", "ruleName": "r", "action": action},
    }  # fmt: skip
    assert some(one(entry, "azure-web"), "action_id", "status_id") == [action_id, action_id]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"category": "AuditEvent"}, NOT_THIS_FORMAT),
        ({"properties": {"requestUri": "/a"}}, NOT_THIS_FORMAT),
        ({"properties": {"clientIp": "203.0.113.9", "requestUri": "/a"}}, NOT_THIS_FORMAT),
        ({"time": 7.5e300}, NO_TIME),
        ({"properties": {"clientIp": "a", "requestUri": "/a", "httpStatusCode": 1000}}, BEYOND_64_BITS),
        (
            {"properties": {"clientIp": "a", "requestUri": "/a", "httpStatusCode": 200, "responseBytes": 2**63}},
            BEYOND_64_BITS,
        ),
    ],
)
def test_what_cannot_be_read_has_a_reason(change: dict[str, object], expected: Unreadable) -> None:
    """Other records, times that are none, numbers that are too large."""
    assert reason({**ACCESS, **change}, "azure-web") == expected
    assert reason(b"{", "azure-web") == NO_JSON


@pytest.mark.parametrize(("uri", "path"), [("https://portal.example", "/"), ("https://[/x", "https://[/x")])
def test_addresses(uri: str, path: str) -> None:
    """Of a server alone, and one that is none."""
    entry = {**ACCESS, "properties": {**ACCESS["properties"], "requestUri": uri}}
    assert one(entry, "azure-web")["http_request.url.path"] == path
