"""Logs of web application firewalls: AWS', Cloudflare's and ModSecurity's, in the forms that their documentation gives."""

from typing import Any

import msgspec
import pytest

from bench.fuzz.lines import FILES
from strongroom.logs.record import BEYOND_64_BITS, NO_JSON, NO_TIME, NOT_THIS_FORMAT, Unreadable
from tests.logs.rows import one, reason, rows, some

AWS: dict[str, Any] = msgspec.json.decode(FILES["aws-waf"])
CLOUDFLARE: dict[str, Any] = msgspec.json.decode(FILES["cloudflare"].split(b"\n")[0])
MODSECURITY: dict[str, Any] = msgspec.json.decode(FILES["modsecurity"])
COMMON = (
    "metadata.log_name",
    "time",
    "src_endpoint.ip",
    "http_request.url.path",
    "http_request.url.query_string",
    "act",
    "http_request.user_agent",
    "http_response.code",
    "status_id",
    "action_id",
    "firewall_rule.uid",
    "metadata.uid",
)
NOON = 1_766_998_800_000


def test_aws() -> None:
    """What was blocked was not given out, and there is no answer."""
    assert some(one(AWS, "aws-waf"), *COMMON) == [
        "waf", NOON + 250, "203.0.113.9", "/documents/4711", "x=1", "read", "curl/8", None, 2, 2, "BlockBots", "r-1",
    ]  # fmt: skip


@pytest.mark.parametrize(("action", "action_id"), [("ALLOW", 1), ("COUNT", 1), ("CAPTCHA", 2), ("CHALLENGE", 2)])
def test_aws_lets_through_or_not(action: str, action_id: int) -> None:
    """A puzzle is no answer."""
    assert some(one({**AWS, "action": action}, "aws-waf"), "status_id", "action_id") == [action_id, action_id]


def test_cloudflare() -> None:
    """Requests are web events with their answers; decisions are a guard's."""
    request, decision = rows(FILES["cloudflare"], "cloudflare")
    assert some(request, *COMMON) == [
        "web", NOON + 250, "203.0.113.9", "/documents/4711", "x=1", "read", "Mozilla/5.0", 200, 1, None, None, "r-1",
    ]  # fmt: skip
    assert some(decision, *COMMON) == [
        "waf", NOON, "203.0.113.9", "/documents/4711", "x=1", "read", None, 403, 2, 2, "q-1", "r-2 q-1",
    ]  # fmt: skip


@pytest.mark.parametrize("time", [1_766_998_800, 1_766_998_800_000, 1_766_998_800_000_000_000, "2025-12-29T09:00:00Z"])
def test_cloudflare_tells_times_as_it_was_told(time: object) -> None:
    """Seconds, milliseconds, nanoseconds, or RFC 3339."""
    assert one({**CLOUDFLARE, "EdgeStartTimestamp": time}, "cloudflare")["time"] == NOON


def test_modsecurity_3() -> None:
    """A refusal with the rule that spoke."""
    assert some(one(MODSECURITY, "modsecurity"), *COMMON) == [
        "waf", NOON, "203.0.113.9", "/documents/4711", "x=1", "read", "sqlmap", 403, 2, 2, "942100", "u-1",
    ]  # fmt: skip


def test_modsecurity_2() -> None:
    """Its request stands in one line, its time has a zone, and it says whether it stepped in."""
    entry = {
        "transaction": {
            "time": "29/Dec/2025:22:00:00.123456 +1300", "transaction_id": "u-2", "remote_address": "203.0.113.9",
        },
        "request": {"request_line": "GET /documents/4711?x=1 HTTP/1.1", "headers": {"Referer": "https://a.example/"}},
        "response": {"protocol": "HTTP/1.1", "status": 200},
        "audit_data": {"messages": ["Warning."], "action": {"intercepted": True, "phase": 2}},
    }  # fmt: skip
    assert some(one(entry, "modsecurity"), *COMMON) == [
        "waf", NOON, "203.0.113.9", "/documents/4711", "x=1", "read", None, 200, 2, 2, None, "u-2",
    ]  # fmt: skip


def test_coraza() -> None:
    """Nanoseconds, lists of headers, messages beside the transaction."""
    entry = {
        "transaction": {
            "timestamp": "2025/12/29 09:00:00", "unix_timestamp": NOON * 1_000_000, "id": "u-3", "client_ip": "203.0.113.9",
            "request": {"method": "GET", "uri": "/documents/4711", "headers": {"user-agent": ["curl"]}}, "is_interrupted": False,
            "response": {"status": 200},
        },
        "messages": ["text", {"data": {"id": 920350}}],
    }  # fmt: skip
    assert some(one(entry, "modsecurity"), *COMMON) == [
        "waf", NOON, "203.0.113.9", "/documents/4711", None, "read", "curl", 200, 1, 1, "920350", "u-3",
    ]  # fmt: skip
    del entry["transaction"]["unix_timestamp"]  # type: ignore[attr-defined]  # a test's own entry
    assert one(entry, "modsecurity")["time"] == NOON


@pytest.mark.parametrize(
    ("name", "entry", "expected"),
    [
        ("aws-waf", {**AWS, "httpRequest": {}}, NOT_THIS_FORMAT),
        ("aws-waf", {**AWS, "timestamp": "x"}, NO_TIME),
        ("aws-waf", {**AWS, "responseCodeSent": 1000}, BEYOND_64_BITS),
        ("aws-waf", b"{", NO_JSON),
        ("cloudflare", {**CLOUDFLARE, "ClientIP": 7}, NOT_THIS_FORMAT),
        ("cloudflare", {"ClientIP": "203.0.113.9", "ClientRequestPath": "/a"}, NOT_THIS_FORMAT),
        ("cloudflare", {"ClientIP": "203.0.113.9", "ClientRequestPath": "/a", "Action": "block"}, NO_TIME),
        ("cloudflare", {**CLOUDFLARE, "EdgeResponseBytes": 2**63}, BEYOND_64_BITS),
        ("cloudflare", b"{", NO_JSON),
        ("modsecurity", {"transaction": {"client_ip": "203.0.113.9"}}, NOT_THIS_FORMAT),
        ("modsecurity", {"transaction": {**MODSECURITY["transaction"], "time_stamp": "soon"}}, NO_TIME),
        (
            "modsecurity",
            {"transaction": {**MODSECURITY["transaction"], "response": {"http_code": 1000}}},
            BEYOND_64_BITS,
        ),
        ("modsecurity", b"{", NO_JSON),
    ],
)
def test_what_cannot_be_read_has_a_reason(name: str, entry: object, expected: Unreadable) -> None:
    """Other entries, times that are none, numbers that are too large."""
    assert reason(entry, name) == expected
