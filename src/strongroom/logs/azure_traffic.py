"""Flows of Azure's Traffic Analytics as a CSV table, by "Schema and data aggregation" of Network Watcher's documentation.

Columns as in AzureNetworkAnalytics_CL (`SrcIP_s`, `FlowStartTime_t` …), with the ends that tell their kind or without. A flow with
the outside names the machine (`VMIP_s`) and the others (`PublicIPs_s`), the first of which stands for them all.
"""

import re
from collections.abc import Callable
from typing import Final

from strongroom.logs import network
from strongroom.logs.cells import MARK, below, cells
from strongroom.logs.moment import any_of
from strongroom.logs.record import NO_TIME, Read

FIELDS = network.FIELDS
_NEEDED: Final = frozenset({"FlowStartTime", "FlowDirection", "SrcIP", "DestIP", "L4Protocol"})
_ENDS: Final = re.compile(r"_[a-z]{1,2}\Z")
_FIRST: Final = re.compile(r"[0-9a-fA-F]*[.:][0-9a-fA-F:.]+")


def heading(first: bytes) -> Callable[[bytes], Read] | None:
    """How to read the lines below this first one; None when it is not the heading of such a table."""
    names = [_ENDS.sub("", name) for name in cells(first.removeprefix(MARK)) or ()]
    return below(first, names, _row) if set(names) >= _NEEDED else None


def _row(said: dict[str, str]) -> Read:
    time, end = (any_of(said.get(name, "")) for name in ("FlowStartTime", "FlowEndTime"))
    if time is None:
        return NO_TIME
    outward = said["FlowDirection"] == "O"
    machine = said.get("VMIP") or said.get("VMIPAddress") or ""
    others = _FIRST.search(said.get("PublicIPs") or said.get("AllExtIPs") or "")
    other = others[0] if others else ""
    source = said["SrcIP"] or (machine if outward else other)
    target = said["DestIP"] or (other if outward else machine)
    counts = {
        name: network.whole((said.get(name) or "").removesuffix(".0"))
        for name in ("DestPort", "OutboundBytes", "InboundBytes", "OutboundPackets", "InboundPackets", "DeniedInFlows",
                     "DeniedOutFlows", "AllowedInFlows", "AllowedOutFlows")
    }  # fmt: skip
    allowed = (counts["AllowedInFlows"] or 0) + (counts["AllowedOutFlows"] or 0)
    denied = not allowed and bool(counts["DeniedInFlows"] or counts["DeniedOutFlows"])
    mine, theirs = ("Outbound", "Inbound") if outward else ("Inbound", "Outbound")  # as the machine sees it
    return network.row(
        time=time, end=end, uid=None, source=source, source_port=None, target=target, target_port=counts["DestPort"],
        protocol=network.PROTOCOLS.get(said["L4Protocol"].lower()),
        direction=network.OUTBOUND if outward else network.INBOUND, action=network.DENIED if denied else network.ALLOWED,
        sent=counts[f"{mine}Bytes"], received=counts[f"{theirs}Bytes"], packets=counts[f"{mine}Packets"],
        packets_back=counts[f"{theirs}Packets"],
    )  # fmt: skip
