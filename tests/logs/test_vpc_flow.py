"""VPC flow logs, in lines of the forms that AWS' user guide gives."""

import json

import pytest

from bench.fuzz.lines import FILES
from strongroom.logs import network, read, vpc_flow
from strongroom.logs.formats import NAMES, recognise
from strongroom.logs.record import BEYOND_64_BITS, LEFT_OUT, NO_JSON, NO_TIME, NOT_THIS_FORMAT, Unreadable

DEFAULT = "2 123456789010 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK"
SIX = DEFAULT.replace("172.31.16.139", "2001:db8:1234:a100:8d6e:3477:df66:f105").replace("ACCEPT", "REJECT")


def row(line: str) -> dict[str, object]:
    """A readable line, by column."""
    found = vpc_flow.parse(line.encode())
    assert isinstance(found, tuple), found
    return dict(zip(network.FIELDS, found, strict=True))


def test_a_line_in_the_default_format() -> None:
    """Every field that is kept lands in its column; what goes back is another record, and not told here."""
    assert row(DEFAULT) == {
        "time": 1_418_530_010_000, "end_time": 1_418_530_070_000, "metadata.log_name": "network", "metadata.uid": None,
        "status_id": 1, "act": "other", "principal": "172.31.16.139", "principal.kind": "address",
        "src_endpoint.ip": "172.31.16.139", "src_endpoint.port": 20_641, "dst_endpoint.ip": "172.31.16.21",
        "dst_endpoint.port": 22, "connection_info.protocol_num": 6, "connection_info.direction_id": None, "action_id": 1,
        "traffic.bytes_out": 4_249, "traffic.bytes_in": None, "traffic.packets_out": 20, "traffic.packets_in": None,
    }  # fmt: skip
    format_ = recognise(DEFAULT.encode() + b"\n")
    assert format_ is not None
    assert format_.name == "vpc-flow"


def test_what_was_refused() -> None:
    """A refusal is a failure; IPv6 is an address."""
    found = row(SIX)
    assert (found["status_id"], found["action_id"]) == (2, 2)
    assert found["src_endpoint.ip"] == "2001:db8:1234:a100:8d6e:3477:df66:f105"


def test_a_format_of_ones_own() -> None:
    """The first line names the fields, in any order; it may come again where files were joined."""
    account, format_ = read.Account(), NAMES["vpc-flow"]
    data = FILES["vpc-flow"] * 2
    found = [row[len(read.RECORD) :] for batch in read.rows([data], format_, 0, account) for row in batch]
    assert account.unreadable == {}
    assert len(found) == 2
    named = dict(zip(format_.fields, found[0], strict=True))
    expected = {
        "connection_info.direction_id": 2, "traffic.bytes_out": 24_928, "src_endpoint.port": 443, "action_id": 1,
    }  # fmt: skip
    assert {name: named[name] for name in expected} == expected


def test_a_row_of_a_parquet_file() -> None:
    """The same names with underscores, numbers as numbers."""
    entry = {
        "srcaddr": "10.0.1.5",
        "dstaddr": "203.0.113.9",
        "start": 1_766_998_800,
        "bytes": 5,
        "flow_direction": "ingress",
    }
    found = row(json.dumps(entry))
    assert (found["connection_info.direction_id"], found["traffic.bytes_out"], found["end_time"]) == (1, 5, None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2 123456789010 eni-1235b8ca - - - - - - - 1431280876 1431280934 - NODATA", []),
        ("2 123456789010 eni-1235b8ca - - - - - - - 1431280876 1431280934 - SKIPDATA", LEFT_OUT),
        ("", NOT_THIS_FORMAT),
        (DEFAULT[:-10], NOT_THIS_FORMAT),
        (DEFAULT.replace("172.31.16.21", "here"), NOT_THIS_FORMAT),
        (DEFAULT.replace(" 22 ", " 70000 "), NOT_THIS_FORMAT),
        (DEFAULT.replace(" 22 6 ", " 22 300 "), NOT_THIS_FORMAT),
        (DEFAULT.replace(" 4249 ", " many "), NOT_THIS_FORMAT),
        (DEFAULT.replace(" 4249 ", f" {2**63} "), BEYOND_64_BITS),
        (DEFAULT.replace("1418530010", "-"), NO_TIME),
        (DEFAULT.replace("1418530070", "9" * 15), NO_TIME),
        ("{", NO_JSON),
        ('{"srcaddr":"10.0.1.5"}', NOT_THIS_FORMAT),
    ],
)
def test_what_is_no_flow_has_a_reason(line: str, expected: Unreadable | list[object]) -> None:
    """Intervals without flows are none; what AWS left out, half lines, and numbers that are too large are counted."""
    assert vpc_flow.parse(line.encode()) == expected


def test_a_line_of_other_columns_is_counted() -> None:
    """Below a heading each line has as many words as it."""
    parse = vpc_flow.heading(b"srcaddr dstaddr start bytes")
    assert parse is not None
    assert parse(b"10.0.1.5 203.0.113.9 1766998800") == NOT_THIS_FORMAT
