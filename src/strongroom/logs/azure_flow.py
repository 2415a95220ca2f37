"""Azure's flow logs: of network security groups (versions 1 and 2) and of virtual networks (version 4), by Network Watcher's
documentation. One record of the document holds many flows, as tuples in nested arrays.

    NSG     1766998800,10.0.0.4,203.0.113.9,443,50000,T,O,A,E,20,24928,9,980        seconds, T or U, I or O, A or D, state …
    VNet    1766998800599,10.0.0.4,203.0.113.9,443,50000,6,O,E,NX,20,24928,9,980    milliseconds, protocol, I or O, state …

Packets and bytes are those since the tuple before: sums over a flow's tuples are its totals. A tuple that begins a flow has none.
"""

from collections.abc import Iterator
from typing import Final

from strongroom.logs import members, network
from strongroom.logs.members import Members, inner, objects, word
from strongroom.logs.moment import epoch
from strongroom.logs.record import NO_TIME, NOT_THIS_FORMAT, Read, Row, Unreadable

FIELDS = network.FIELDS
_DIRECTIONS: Final = {"I": network.INBOUND, "O": network.OUTBOUND}
_NSG, _VNET = range(8, 14), range(13, 15)
_COUNTED: Final = 13


def parse(unit: bytes) -> Read:
    """One record: its flows. A tuple that cannot be read is counted by itself."""
    entry = members.decode(unit)
    if isinstance(entry, Unreadable):
        return entry
    tuples = _tuples(entry)
    return NOT_THIS_FORMAT if tuples is None else [_row(written, virtual=virtual) for written, virtual in tuples]


def _tuples(entry: Members) -> Iterator[tuple[str, bool]] | None:
    """Each tuple, and whether it is a virtual network's."""
    category = word(entry, "category")
    if category == "NetworkSecurityGroupFlowEvent":
        groups = [flow for rule in objects(inner(entry, "properties"), "flows") for flow in objects(rule, "flows")]
    elif category == "FlowLogFlowEvent":
        groups = [
            group for flow in objects(inner(entry, "flowRecords"), "flows") for group in objects(flow, "flowGroups")
        ]
    else:
        return None
    return (
        (one if isinstance(one, str) else "", category == "FlowLogFlowEvent")
        for group in groups
        for one in members.items(group, "flowTuples")
    )


def _row(written: str, *, virtual: bool) -> Row | Unreadable:
    cells = written.split(",")
    if len(cells) not in (_VNET if virtual else _NSG):
        return NOT_THIS_FORMAT
    stamp, source, target, source_port, target_port, protocol, direction, *rest = cells
    at = network.whole(stamp)
    time = None if at is None else epoch(at)
    if time is None:
        return NO_TIME
    counts = [network.whole(cell) for cell in cells[9:_COUNTED]]
    packets, sent, back, received = counts if len(counts) == 4 else (None,) * 4  # noqa: PLR2004  # of either way two
    denied = rest[0] == "D"
    return network.row(
        time=time, end=None, uid=None, source=source, source_port=network.whole(source_port), target=target,
        target_port=network.whole(target_port),
        protocol=network.whole(protocol) if virtual else network.PROTOCOLS.get(protocol.lower()),
        direction=_DIRECTIONS.get(direction), action=network.DENIED if denied else network.ALLOWED,
        sent=sent, received=received, packets=packets, packets_back=back,
    )  # fmt: skip
