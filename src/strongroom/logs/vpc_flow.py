"""AWS VPC flow logs, by "Flow log records" of the VPC user guide: version 2 and custom formats up to version 5 and later.

Blank-separated. Files in S3 begin with the names of their fields; lines without that heading are in the default format. The same
names stand in Parquet files (there with underscores). Each record counts one way: from srcaddr to dstaddr.
"""

from collections.abc import Callable
from typing import Any, Final

from strongroom.logs import members, network
from strongroom.logs.record import LEFT_OUT, NO_TIME, NOT_THIS_FORMAT, Read, Unreadable, text

DEFAULT: Final = (
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes",
    "start", "end", "action", "log-status",
)  # fmt: skip
NEEDED: Final = frozenset({"srcaddr", "dstaddr", "start", "bytes"})
_SECONDS: Final = 253_402_300_800  # the year 10000
_DIRECTIONS: Final = {"ingress": network.INBOUND, "egress": network.OUTBOUND}
_ACTIONS: Final = {"ACCEPT": network.ALLOWED, "REJECT": network.DENIED}
_EMPTY: Final = frozenset({"-", "", None})


def heading(first: bytes) -> Callable[[bytes], Read] | None:
    """How to read the lines below this first one; None when it names no fields of flows."""
    names = tuple(text(first).split())
    if not set(names) >= NEEDED:
        return None

    def parse(unit: bytes) -> Read:
        """One line; where files were joined the heading comes again."""
        if unit == first:
            return []
        words = text(unit).split()
        return _row(dict(zip(names, words, strict=True))) if len(words) == len(names) else NOT_THIS_FORMAT

    return parse


def parse(unit: bytes) -> Read:
    """One line without a heading before it: in the default format, or a row of a Parquet file."""
    if unit.startswith(b"{"):
        entry = members.decode(unit)
        return entry if isinstance(entry, Unreadable) else _row({name.replace("_", "-"): entry[name] for name in entry})
    words = text(unit).split()
    if len(words) != len(DEFAULT) or not words[0].isdecimal():
        return NOT_THIS_FORMAT
    return _row(dict(zip(DEFAULT, words, strict=True)))


def _row(said: dict[str, Any]) -> Read:
    if not set(said) >= NEEDED:
        return NOT_THIS_FORMAT
    if said.get("log-status") == "NODATA":
        return []
    if said.get("log-status") == "SKIPDATA":
        return LEFT_OUT
    time, end = (network.whole(said.get(name)) for name in ("start", "end"))
    if time is None or not 0 <= time < _SECONDS or (end is not None and not 0 <= end < _SECONDS):
        return NO_TIME
    numbers = {name: network.whole(said.get(name)) for name in ("srcport", "dstport", "protocol", "bytes", "packets")}
    if any(number is None and said.get(name) not in _EMPTY for name, number in numbers.items()):
        return NOT_THIS_FORMAT
    return network.row(
        time=time * 1000, end=None if end is None else end * 1000, uid=None,
        source=str(said["srcaddr"]), source_port=numbers["srcport"],
        target=str(said["dstaddr"]), target_port=numbers["dstport"], protocol=numbers["protocol"],
        direction=_DIRECTIONS.get(str(said.get("flow-direction"))), action=_ACTIONS.get(str(said.get("action"))),
        sent=numbers["bytes"], received=None, packets=numbers["packets"], packets_back=None,
    )  # fmt: skip
