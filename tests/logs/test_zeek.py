"""Zeek's logs, in lines of the form that its documentation gives."""

import json

import pytest

from bench.fuzz.lines import FILES
from strongroom.logs import read, zeek
from strongroom.logs.formats import NAMES, recognise
from strongroom.logs.record import (
    BEYOND_64_BITS,
    NO_JSON,
    NO_TIME,
    NOT_THIS_FORMAT,
    NOT_THIS_LOG,
    Unreadable,
)

CONN: dict[str, object] = {
    "ts": 1_766_998_800.25, "uid": "C1", "id.orig_h": "192.0.2.10", "id.orig_p": 443, "id.resp_h": "2001:db8::7",
    "id.resp_p": 50_000, "proto": "udp", "duration": 2, "conn_state": "SF", "local_orig": True, "local_resp": False,
    "orig_ip_bytes": 5, "resp_ip_bytes": 7, "orig_pkts": 1, "resp_pkts": 2,
}  # fmt: skip
FILE: dict[str, object] = {"ts": "2025-12-29T09:00:00Z", "fuid": "F1", "seen_bytes": 9}


def rows(data: bytes, name: str) -> list[dict[str, object]]:
    """All rows of a file by column; nothing in it may be unreadable."""
    account, format_ = read.Account(), NAMES[name]
    found = [row[len(read.RECORD) :] for batch in read.rows([data], format_, 0, account) for row in batch]
    assert account.unreadable == {}
    return [dict(zip(format_.fields, row, strict=True)) for row in found]


def test_a_connection() -> None:
    """Bytes are those of the packets that were seen, whatever TCP's numbers claim."""
    (found,) = rows(FILES["zeek-conn"], "zeek-conn")
    assert found == {
        "time": 1_766_998_800_250, "end_time": 1_766_998_801_750, "metadata.log_name": "network",
        "metadata.uid": "CHhAvVGS1DHFjwGM9", "status_id": 1, "act": "other", "principal": "203.0.113.9",
        "principal.kind": "address", "src_endpoint.ip": "203.0.113.9", "src_endpoint.port": 50_000,
        "dst_endpoint.ip": "192.0.2.10", "dst_endpoint.port": 443, "connection_info.protocol_num": 6,
        "connection_info.direction_id": 1, "action_id": None, "traffic.bytes_out": 980, "traffic.bytes_in": 9104,
        "traffic.packets_out": 9, "traffic.packets_in": 12,
    }  # fmt: skip


def test_a_connection_in_json() -> None:
    """The same log as JSON lines, out of the network this time."""
    (found,) = rows(json.dumps(CONN).encode(), "zeek-conn")
    names = ("connection_info.direction_id", "traffic.bytes_out", "traffic.bytes_in", "end_time")
    assert [found[name] for name in names] == [2, 5, 7, 1_766_998_802_250]
    format_ = recognise(json.dumps(CONN).encode())
    assert format_ is not None
    assert format_.name == "zeek-conn"


def test_a_request() -> None:
    """A request is a web event like any other; whom a proxy asks for is who asks; escapes are undone."""
    (found,) = rows(FILES["zeek-http"], "zeek-http")
    expected = {
        "time": 1_766_998_800_250, "metadata.log_name": "web", "principal": "198.51.100.7", "src_endpoint.ip": "198.51.100.7",
        "actor.user.name": None, "act": "read", "http_request.url.path": "/documents/4711", "http_request.url.query_string": "x=1",
        "http_request.user_agent": "a\tb", "http_response.code": 200, "traffic.bytes_out": 252_000,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("proxied", "address"),
    [
        ("X-FORWARDED-FOR -> 198.51.100.1, 198.51.100.2", "198.51.100.2"),
        ("VIA -> 1.1 proxy,X-FORWARDED-FOR -> 2001:db8::1", "2001:db8::1"),
        ("X-FORWARDED-FOR -> unknown", "203.0.113.9"),
        ("VIA -> 1.1 proxy", "203.0.113.9"),
        (["VIA -> 1.1 proxy", "X-FORWARDED-FOR -> 198.51.100.1"], "198.51.100.1"),
        (7, "203.0.113.9"),
    ],
)
def test_whom_a_proxy_asks_for(proxied: object, address: str) -> None:
    """The last address is the one that the proxy saw; what is no address is none."""
    entry = {
        "ts": 1, "id.orig_h": "203.0.113.9", "id.resp_h": "192.0.2.1", "trans_depth": 1, "uri": "/", "proxied": proxied
    }  # fmt: skip
    found = zeek.HTTP.parse(json.dumps(entry).encode())
    assert isinstance(found, tuple)
    assert found[zeek.HTTP.fields.index("src_endpoint.ip")] == address


@pytest.mark.parametrize(
    ("hosts", "giver", "taker"),
    [
        ({"tx_hosts": ["192.0.2.1"], "rx_hosts": ["203.0.113.9"]}, "192.0.2.1", "203.0.113.9"),
        ({"tx_hosts": "192.0.2.1,192.0.2.2", "rx_hosts": "203.0.113.9"}, "192.0.2.1", "203.0.113.9"),
        ({"id.orig_h": "203.0.113.9", "id.resp_h": "192.0.2.1", "is_orig": False}, "192.0.2.1", "203.0.113.9"),
        ({"id.orig_h": "203.0.113.9", "id.resp_h": "192.0.2.1", "is_orig": True}, "203.0.113.9", "192.0.2.1"),
        ({"tx_hosts": [], "rx_hosts": 7}, None, None),
    ],
)
def test_a_file(hosts: dict[str, object], giver: str | None, taker: str | None) -> None:
    """From whom, to whom and how much, as older and newer versions write it."""
    found = zeek.FILES.parse(json.dumps({**FILE, **hosts}).encode())
    assert isinstance(found, tuple)
    row = dict(zip(zeek.FILES.fields, found, strict=True))
    assert (row["src_endpoint.ip"], row["dst_endpoint.ip"], row["traffic.bytes_out"]) == (giver, taker, 9)
    assert row["time"] == 1_766_998_800_000


def test_a_file_has_a_name_where_one_was_sent() -> None:
    """It is the document."""
    (found,) = rows(FILES["zeek-files"], "zeek-files")
    assert (found["document"], found["route"], found["number"]) == ("letter-00417.pdf", "letter-{int}.pdf", 417)


@pytest.mark.parametrize(
    ("log", "change", "reason"),
    [
        (zeek.CONN, {"id.orig_h": None}, NOT_THIS_FORMAT),
        (zeek.CONN, {"id.resp_p": 70_000}, NOT_THIS_FORMAT),
        (zeek.CONN, {"ts": "-"}, NO_TIME),
        (zeek.CONN, {"resp_ip_bytes": 2**63}, BEYOND_64_BITS),
        (zeek.CONN, {"_path": "dns"}, NOT_THIS_LOG),
        (zeek.HTTP, {}, NOT_THIS_FORMAT),
        (zeek.HTTP, {"trans_depth": 1, "ts": None}, NO_TIME),
        (zeek.HTTP, {"trans_depth": 1, "status_code": 1000}, BEYOND_64_BITS),
        (zeek.FILES, {}, NOT_THIS_FORMAT),
        (zeek.FILES, {**FILE, "ts": -1}, NO_TIME),
        (zeek.FILES, {**FILE, "seen_bytes": 2**63}, BEYOND_64_BITS),
    ],
)
def test_what_cannot_be_read_has_a_reason(log: zeek.Zeek, change: dict[str, object], reason: Unreadable) -> None:
    """Other entries, times that are none, numbers that are too large."""
    assert log.parse(json.dumps({**CONN, **change}).encode()) == reason


def test_what_is_no_json_is_said_to_be() -> None:
    """Half an object."""
    assert zeek.CONN.parse(b"{") == NO_JSON


def test_files_that_were_joined() -> None:
    """Headings come again, with other columns perhaps; a log of another kind between them is counted."""
    other = FILES["zeek-http"].replace(b"#path\thttp", b"#path\tdns")
    account = read.Account()
    data = FILES["zeek-conn"] + other + FILES["zeek-conn"]
    assert sum(len(batch) for batch in read.rows([data], NAMES["zeek-conn"], 0, account)) == 2
    assert account.unreadable == {"of a kind of log that is not read": 2}  # its #path, and its row


def test_other_signs_for_nothing() -> None:
    """What stands for unset and empty is told by the headings."""
    data = FILES["zeek-files"].replace(b"#unset_field\t-", b"#unset_field\tnone").replace(b"letter-00417.pdf", b"none")
    data = data.replace(b"#empty_field\t(empty)", b"#empty_field\tHTTP")
    (found,) = rows(data, "zeek-files")
    assert found["document"] is None


def test_a_line_of_other_columns_is_counted() -> None:
    """Half a line."""
    account = read.Account()
    data = FILES["zeek-conn"] + b"1766998800.250000\tC1\n"
    assert sum(len(batch) for batch in read.rows([data], NAMES["zeek-conn"], 0, account)) == 1
    assert account.unreadable == {"not written in this format": 1}
