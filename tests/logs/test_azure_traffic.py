"""Traffic Analytics' table, in rows of the form that Network Watcher's documentation gives."""

import pytest

from bench.fuzz.lines import FILES
from strongroom.logs import azure_traffic
from strongroom.logs.record import NO_TIME, NOT_THIS_FORMAT, Unreadable
from tests.logs.rows import rows, some

HEADING = (
    b"FlowStartTime,FlowEndTime,SrcIP,DestIP,VMIPAddress,PublicIPs,DestPort,L4Protocol,FlowDirection,DeniedInFlows"
)
NAMES = ("src_endpoint.ip", "dst_endpoint.ip", "dst_endpoint.port", "connection_info.direction_id", "action_id")


def test_a_flow_with_the_outside() -> None:
    """The machine and the first of the others; bytes as the machine saw them go and come."""
    (found,) = rows(FILES["azure-traffic"], "azure-traffic")
    assert some(found, *NAMES) == ["10.0.0.4", "203.0.113.9", 443, 2, 1]
    assert some(found, "traffic.bytes_out", "traffic.bytes_in", "time", "end_time") == [
        24_928, 980, 1_766_998_800_000, 1_767_001_500_000,
    ]  # fmt: skip


def test_columns_without_their_ends() -> None:
    """A flow that came in and was denied; its numbers may be written as fractions."""
    line = b"2025-12-29 09:00:00.000,,,,10.0.0.4,\"['203.0.113.9', '203.0.113.10']\",22.0,T,I,4.0"
    (found,) = rows(HEADING + b"\n" + line, "azure-traffic")
    assert some(found, *NAMES) == ["203.0.113.9", "10.0.0.4", 22, 1, 2]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"soon,,10.0.0.1,10.0.0.2,,,22,T,I,0", NO_TIME),
        (b"2025-12-29,,,,,,22,T,I,0", NOT_THIS_FORMAT),
        (b"2025-12-29", NOT_THIS_FORMAT),
        (b'2025-12-29,"', NOT_THIS_FORMAT),
    ],
)
def test_what_cannot_be_read_has_a_reason(line: bytes, expected: Unreadable) -> None:
    """Times that are none, flows without an end, half lines."""
    parse = azure_traffic.heading(HEADING)
    assert parse is not None
    assert parse(line) == expected


def test_other_tables_are_none() -> None:
    """By their first line."""
    assert azure_traffic.heading(b"a,b") is None
    assert azure_traffic.heading(b'a,"') is None
