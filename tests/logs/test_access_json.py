"""Access logs in JSON lines."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import access_json
from strongroom.logs.record import BEYOND_64_BITS, NO_JSON, NO_TIME, NOT_THIS_FORMAT, Unreadable

NGINX = {
    "time_iso8601": "2025-12-29T22:00:00+13:00", "remote_addr": "203.0.113.9", "remote_user": "ann",
    "request_method": "GET", "request_uri": "/documents/4711?x=1", "status": "200", "body_bytes_sent": "252000",
    "http_user_agent": "Mozilla/5.0", "http_referer": "",
}  # fmt: skip
TRAEFIK = {
    "ClientHost": "203.0.113.9", "ClientUsername": "ann", "RequestMethod": "GET", "RequestPath": "/documents/4711?x=1",
    "DownstreamStatus": 200, "DownstreamContentSize": 252_000, "StartUTC": "2025-12-29T09:00:00.000000001Z",
    "request_User-Agent": "Mozilla/5.0", "time": "2025-12-29T09:00:09Z",
}  # fmt: skip
CADDY = {
    "ts": 1_766_998_800.0, "status": 200, "size": 252_000, "user_id": "ann",
    "request": {"remote_ip": "203.0.113.9", "method": "GET", "uri": "/documents/4711?x=1",
                "headers": {"User-Agent": ["Mozilla/5.0"]}},
}  # fmt: skip
ENVOY = {
    "start_time": "2025-12-29T09:00:00.000Z", "method": "GET", "x-envoy-origin-path": "/documents/4711?x=1",
    "response_code": 200, "bytes_sent": 252_000, "user-agent": "Mozilla/5.0", "user": "ann",
    "downstream_remote_address": "203.0.113.9:40000",
}  # fmt: skip


NESTED = {
    "@timestamp": "2025-12-29T09:00:00Z", "source": {"ip": "203.0.113.9"}, "destination": {"ip": "10.0.0.1"},
    "user": {"name": "ann"},
    "http": {"request": {"method": "GET"}, "response": {"status_code": 200, "body": {"bytes": 252_000}}},
    "url": {"original": "/documents/4711?x=1"}, "user_agent": {"original": "Mozilla/5.0"},
}  # fmt: skip
OTEL = {
    "time": "2025-12-29T09:00:00Z",
    "attributes": {"http.method": "GET", "http.target": "/documents/4711?x=1", "http.status_code": 200, "enduser.id": "ann",
                   "http.client_ip": "203.0.113.9", "http.response_content_length": 252_000, "http.user_agent": "Mozilla/5.0"},
}  # fmt: skip
GIVEN_BACK = {"_index": "nginx", "_source": {**NGINX, "request": "/documents/4711?x=1", "request_uri": ""}}
BALANCED = {
    "timestamp": "2025-12-29T09:00:00Z", "user": "ann",
    "httpRequest": {"requestMethod": "GET", "requestUrl": "https://portal.example/documents/4711?x=1", "status": 200,
                    "responseSize": "252000", "userAgent": "Mozilla/5.0", "remoteIp": "203.0.113.9"},
}  # fmt: skip


@pytest.mark.parametrize("entry", [NESTED, OTEL, GIVEN_BACK, BALANCED], ids=["ecs", "otel", "elastic", "google"])
def test_names_inside_objects(entry: dict[str, object]) -> None:
    """Are the same names."""
    test_every_server_says_the_same(entry, b"")


@pytest.mark.parametrize(
    "entry",
    [
        {**NGINX, "remote_addr": "10.0.3.7", "http_x_forwarded_for": "198.51.100.7, 203.0.113.9"},
        {**TRAEFIK, "ClientHost": "10.0.3.7", "request_X-Forwarded-For": "203.0.113.9"},
        {**CADDY, "request": {**CADDY["request"], "remote_ip": "10.0.3.7",  # type: ignore[dict-item]  # an object
                              "headers": {"X-Forwarded-For": ["203.0.113.9"]}}},
        {**ENVOY, "downstream_remote_address": "10.0.3.7:443", "x_forwarded_for": "203.0.113.9,10.0.3.9"},
        {**ENVOY, "x_forwarded_for": "198.51.100.7"},
    ],
    ids=["nginx", "traefik", "caddy", "envoy", "claimed"],
)  # fmt: skip
def test_who_asked_through_a_proxy_of_ones_own(entry: dict[str, object]) -> None:
    """The last public address, as in logs that are no JSON; nobody's word against an address that is public itself."""
    found = access_json.parse(json.dumps(entry).encode())
    assert isinstance(found, tuple)
    assert dict(zip(access_json.FIELDS, found, strict=True))["src_endpoint.ip"] == "203.0.113.9"


def test_an_agent_that_was_not_named_is_told_from_one_that_is_not_logged() -> None:
    """Only the first is a program's doing."""
    place = access_json.FIELDS.index("http_request.user_agent")
    for entry, expected in (
        ({**NGINX, "http_user_agent": ""}, ""),
        (ENVOY, "Mozilla/5.0"),
        ({**NGINX, "http_user_agent": None}, None),
    ):
        found = access_json.parse(json.dumps(entry).encode())
        assert isinstance(found, tuple)
        assert found[place] == expected


@pytest.mark.parametrize("entry", [NGINX, TRAEFIK, CADDY, ENVOY], ids=["nginx", "traefik", "caddy", "envoy"])
@pytest.mark.parametrize("prefix", [b"", b"2025-12-29T22:00:00.000000100+13:00 stdout F "], ids=["bare", "container"])
def test_every_server_says_the_same(entry: dict[str, object], prefix: bytes) -> None:
    """Four servers' own words for one request give one row, with a container runtime's prefix and without."""
    found = access_json.parse(prefix + json.dumps(entry).encode())
    assert not isinstance(found, Unreadable), found
    row = dict(zip(access_json.FIELDS, found, strict=True))
    names = (
        "time", "principal", "src_endpoint.ip", "http_request.url.path", "http_response.code", "traffic.bytes_out",
        "http_request.user_agent",
    )  # fmt: skip
    expected = [1_766_998_800_000, "ann", "203.0.113.9", "/documents/4711", 200, 252_000, "Mozilla/5.0"]
    assert [row[name] for name in names] == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": None}, NOT_THIS_FORMAT),
        ({"remote_addr": 7}, NOT_THIS_FORMAT),
        ({"time_iso8601": "soon"}, NO_TIME),
        ({"body_bytes_sent": "9" * 25}, BEYOND_64_BITS),
        ({"body_bytes_sent": 2**63}, BEYOND_64_BITS),
        ({"status": 70_000}, BEYOND_64_BITS),
    ],
)
def test_what_cannot_be_read_has_a_reason(change: dict[str, object], reason: Unreadable) -> None:
    """A missing field, a time that is none, a number that is too large."""
    assert access_json.parse(json.dumps({**NGINX, **change}).encode()) == reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [(b"{", NO_JSON), (b"[1]", NOT_THIS_FORMAT), (b'{"a":"\xff"}', NO_JSON), (b'{"a":' * 100_000, NO_JSON)],
)
def test_what_is_no_json_is_said_to_be(line: bytes, reason: Unreadable) -> None:
    """Half an object, another value, bytes that are no UTF-8, and depth without end."""
    assert access_json.parse(line) == reason


@given(st.binary(max_size=200))
def test_nothing_raises(line: bytes) -> None:
    """Whatever the bytes."""
    access_json.parse(line)


@given(st.dictionaries(st.sampled_from(sorted(NGINX)), st.none() | st.integers() | st.text() | st.lists(st.text())))
def test_nothing_raises_for_values_of_other_kinds(change: dict[str, object]) -> None:
    """Whatever stands in the fields, lone surrogates included; what is read can be stored."""
    found = access_json.parse(json.dumps({**NGINX, **change}).encode())
    if not isinstance(found, Unreadable):
        for value in found:
            assert not isinstance(value, str) or isinstance(value.encode(), bytes)
