"""Azure's flow logs, in records of the forms that Network Watcher's documentation gives."""

from typing import Any

import pytest

from bench.fuzz.lines import FILES
from strongroom.logs.record import BEYOND_64_BITS, NO_JSON, NO_TIME, NOT_THIS_FORMAT, Unreadable
from tests.logs.rows import reason, rows, some

NAMES = ("time", "src_endpoint.ip", "dst_endpoint.ip", "dst_endpoint.port", "connection_info.protocol_num",
         "connection_info.direction_id", "action_id", "traffic.bytes_out", "traffic.bytes_in", "traffic.packets_in")  # fmt: skip


def group(tuple_: object) -> dict[str, Any]:
    """A record of a security group with one flow."""
    flows = [{"rule": "r", "flows": [{"mac": "m", "flowTuples": [tuple_]}]}]
    return {"category": "NetworkSecurityGroupFlowEvent", "properties": {"Version": 2, "flows": flows}}


def test_every_tuple_is_a_flow() -> None:
    """Of a security group and of a virtual network; what begins has no counts yet."""
    began, ended, denied = rows(FILES["azure-flow"], "azure-flow")
    assert some(began, *NAMES) == [
        1_766_998_800_000, "10.0.0.4", "203.0.113.9", 50_000, 6, 2, 1, None, None, None,
    ]  # fmt: skip
    assert some(ended, "time", "traffic.bytes_out", "traffic.bytes_in", "traffic.packets_in") == [
        1_766_998_860_000,
        24_928,
        980,
        9,
    ]
    assert some(denied, *NAMES) == [1_766_998_800_599, "203.0.113.9", "10.0.0.4", 443, 6, 1, 2, 0, 0, 0]


def test_version_1_has_no_counts() -> None:
    """Eight cells."""
    (found,) = rows(
        b'{"records":[%s]}' % str(group("1766998800,10.0.0.4,203.0.113.9,1,53,U,I,D")).replace("'", '"').encode(),
        "azure-flow",
    )
    assert some(found, "connection_info.protocol_num", "action_id", "traffic.bytes_out") == [17, 2, None]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"category": "Other"}, NOT_THIS_FORMAT),
        (group("1,2,3"), NOT_THIS_FORMAT),
        (group(7), NOT_THIS_FORMAT),
        (group("soon,10.0.0.4,203.0.113.9,1,53,U,I,D"), NO_TIME),
        (group(f"1766998800,10.0.0.4,203.0.113.9,1,53,U,I,A,E,1,{2**63},1,1"), BEYOND_64_BITS),
        (b"{", NO_JSON),
    ],
)
def test_what_cannot_be_read_has_a_reason(entry: object, expected: Unreadable) -> None:
    """One tuple that is none is seen."""
    assert reason(entry, "azure-flow") == expected


def test_a_record_without_flows() -> None:
    """Is no event and no loss."""
    assert rows(b'{"records":[{"category":"FlowLogFlowEvent","flowRecords":{"flows":[]}}]}', "azure-flow") == []
