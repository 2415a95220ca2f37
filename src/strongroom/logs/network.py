"""What all flow records have in common: the columns, and how a flow becomes a row. OCSF's Network Activity.

`src_endpoint` is who began, where the source tells who did, and else whose packets are counted; `traffic.bytes_out` goes from it to
`dst_endpoint`. A record that counts one way only leaves the other way null: that is not nothing, it is not said.
"""

import re
from typing import Final

from strongroom.logs.record import BEYOND_64_BITS, INT64_MAX, NOT_THIS_FORMAT, Act, Kind, Log, Row, Unreadable

FIELDS: Final = (
    "time", "end_time", "metadata.log_name", "metadata.uid", "status_id", "act", "principal", "principal.kind",
    "src_endpoint.ip", "src_endpoint.port", "dst_endpoint.ip", "dst_endpoint.port", "connection_info.protocol_num",
    "connection_info.direction_id", "action_id", "traffic.bytes_out", "traffic.bytes_in", "traffic.packets_out",
    "traffic.packets_in",
)  # fmt: skip
"""The columns that a flow fills."""

INBOUND, OUTBOUND, LATERAL = 1, 2, 3
ALLOWED, DENIED = 1, 2
PROTOCOLS: Final = {"icmp": 1, "tcp": 6, "udp": 17, "icmp6": 58, "sctp": 132, "t": 6, "u": 17}
_ADDRESS: Final = re.compile(r"[0-9a-fA-F:.]{2,45}")
_PORTS, _BYTE = 65_535, 255


def row(
    *, time: int, end: int | None, uid: str | None, source: str, source_port: int | None, target: str, target_port: int | None,
    protocol: int | None, direction: int | None, action: int | None, sent: int | None, received: int | None,
    packets: int | None, packets_back: int | None,
) -> Row | Unreadable:  # fmt: skip
    """One flow. None means that the record does not tell."""
    if not _ADDRESS.fullmatch(source) or not _ADDRESS.fullmatch(target):
        return NOT_THIS_FORMAT
    if not all(port is None or 0 <= port <= _PORTS for port in (source_port, target_port)):
        return NOT_THIS_FORMAT
    if protocol is not None and not 0 <= protocol <= _BYTE:
        return NOT_THIS_FORMAT
    if not all(count is None or 0 <= count <= INT64_MAX for count in (sent, received, packets, packets_back)):
        return BEYOND_64_BITS
    return (
        *(time, end, Log.NETWORK.value, uid, 2 if action == DENIED else 1, Act.OTHER.value, source, Kind.ADDRESS.value),
        *(source, source_port, target, target_port, protocol, direction, action, sent, received, packets, packets_back),
    )


def whole(written: object) -> int | None:
    """A count as logs write it, a number or digits; None for what is none. Not bounded: `row` bounds."""
    if isinstance(written, str):  # as most logs have it
        return int(written) if written.isascii() and written.isdigit() and len(written) <= 40 else None  # noqa: PLR2004  # a bound
    if isinstance(written, int) and not isinstance(written, bool):
        return written
    return int(written) if isinstance(written, float) and written.is_integer() else None
