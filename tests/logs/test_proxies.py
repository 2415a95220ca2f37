"""Addresses that ask for others. Invariant: what a client wrote itself names nobody."""

from ipaddress import ip_address, ip_network

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import ConfigError
from strongroom.logs import access, access_columns, access_json, formats, proxies, web
from strongroom.logs.batch import table as as_columns
from strongroom.logs.record import Unreadable

KNOWN = proxies.read(["192.0.2.0/24", "2001:db8:9::/48", "198.51.100.7"])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"), ("1.1.1.1, 203.0.113.9", "203.0.113.9"), ("203.0.113.9, 198.51.100.7", "203.0.113.9"),
        ("203.0.113.9, 10.0.0.4, 192.0.2.3", "203.0.113.9"), ("2001:db8:1::5, 2001:db8:9::1", "2001:db8:1::5"),
        ("203.0.113.9:4711", "203.0.113.9"), ("203.0.113.9, ::ffff:192.0.2.8", "203.0.113.9"),
        ("203.0.113.9, unknown", "192.0.2.1"), ("203.0.113.9, unknown, 10.0.0.1", "192.0.2.1"), ("", "192.0.2.1"),
        ("192.0.2.9", "192.0.2.1"), ("-", "192.0.2.1"),
    ],
)  # fmt: skip
def test_the_client_is_the_last_that_is_no_proxy(said: str, expected: str) -> None:
    """What stands before it, or before something that is no address, is anybody's word."""
    assert KNOWN.client("192.0.2.1", said) == expected


@given(st.lists(st.ip_addresses().map(str), max_size=6), st.ip_addresses(network="203.0.113.0/24").map(str))
def test_nobody_chooses_who_they_are(claimed: list[str], client: str) -> None:
    """Whatever a client claims, the proxy adds whom it saw."""
    assert KNOWN.client("192.0.2.1", ", ".join([*claimed, client])) == client


@given(st.ip_addresses())
def test_networks_hold_what_they_say(address: object) -> None:
    """An address is among them where a network has it."""
    asked = ip_address(str(address))
    bare = getattr(asked, "ipv4_mapped", None) or asked
    held = ("192.0.2.0/24", "2001:db8:9::/48", "198.51.100.7/32")
    assert KNOWN.among(str(address)) is any(bare in ip_network(one) for one in held)


LINE = '{} - {} [29/Dec/2025:22:00:00 +1300] "GET /documents/4711 HTTP/1.1" 200 5 "-" "Mozilla/5.0" "{}"'


def table(*lines: str) -> pa.Table:
    """Lines as a hunt has them."""
    rows = [row for line in lines if not isinstance(row := access.parse(line.encode()), Unreadable)]
    assert len(rows) == len(lines)
    return as_columns(access.FIELDS, rows)


def test_who_asked_through_one_is_told() -> None:
    """An address that is no proxy is not believed, and a login stays one."""
    events = table(
        LINE.format("192.0.2.1", "-", "9.9.9.9, 203.0.113.9"), LINE.format("203.0.113.50", "-", "8.8.8.8"),
        LINE.format("192.0.2.1", "ann", "203.0.113.9"), LINE.format("192.0.2.1", "-", "-"),
        LINE.format("10.0.0.1", "-", "203.0.113.9, 192.0.2.2"),
    )  # fmt: skip
    found = KNOWN.changed(events)
    assert found["src_endpoint.ip"].to_pylist() == [
        "203.0.113.9", "203.0.113.50", "203.0.113.9", "192.0.2.1", "203.0.113.9",
    ]  # fmt: skip
    assert found["principal"].to_pylist() == ["203.0.113.9", "203.0.113.50", "ann", "192.0.2.1", "203.0.113.9"]
    assert KNOWN.changed(events.drop_columns(["principal"])).num_rows == len(events)


def test_columns_keep_what_was_claimed_as_lines_do() -> None:
    """Both ways of reading say the same."""
    lines = [LINE.format("192.0.2.1", "-", said) for said in ("203.0.113.9", "-", "x", "1.1.1.1, 203.0.113.9:80")]
    place = web.FIELDS.index("http_request.x_forwarded_for")
    read_ = access_columns.columns("\n".join(lines).encode() + b"\n")
    each = [access.parse(line.encode()) for line in lines]
    assert read_.values[place].to_pylist() == [row[place] for row in each if not isinstance(row, Unreadable)]


def test_a_header_of_a_content_network_is_one() -> None:
    """In JSON, by its name."""
    entry = b'{"ts":1766998800,"remote_addr":"192.0.2.1","cf-connecting-ip":"203.0.113.9","uri":"/d/4711","status":200}'
    row = access_json.parse(entry)
    assert not isinstance(row, Unreadable)
    assert row[web.FIELDS.index("http_request.x_forwarded_for")] == "203.0.113.9"


@pytest.mark.parametrize("written", ["192.0.2.1/24", "cloudflare", "0.0.0.0/0", "::/0", ""])
def test_what_is_no_network_is_refused(written: str) -> None:
    """And so is the whole internet, by the proxy's name."""
    with pytest.raises(ConfigError, match="proxy"):
        proxies.read([written])


def test_their_number_is_bounded() -> None:
    """Far beyond what any content network has."""
    with pytest.raises(ConfigError, match="More than"):
        proxies.read(["192.0.2.1"] * (proxies.MOST + 1))


@pytest.mark.parametrize(
    ("said", "expected"),
    [(["203.0.113.9"] * 9, True), (["203.0.113.9"] * 3 + ["-"] * 6, False), (["-"] * 9, False)],
)
def test_claims_are_noticed(said: list[str], expected: bool) -> None:
    """Where most requests come from outside and say that they are somebody else's."""
    sample = "".join(LINE.format("192.0.2.1", "-", one) + "\n" for one in said).encode()
    assert proxies.claimed(sample, formats.NAMES["access"]) is expected
    inside = "".join(LINE.format("10.0.0.1", "-", one) + "\n" for one in said).encode()
    assert proxies.claimed(inside, formats.NAMES["access"]) is False


def test_logs_without_claims_have_none() -> None:
    """Formats that have no such field, and such whose first line is a heading."""
    assert proxies.claimed(b"x", formats.NAMES["cloudtrail"]) is False
    heading = b"#Fields: date time c-ip cs-method cs-uri-stem sc-status x-forwarded-for\n"
    line = b"2025-12-29 09:00:00 192.0.2.1 GET /d/4711 200 203.0.113.9\n"
    assert proxies.claimed(heading + line * 3, formats.NAMES["w3c"]) is True
