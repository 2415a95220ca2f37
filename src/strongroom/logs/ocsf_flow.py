"""Flows as OCSF's Network Activity, a line of JSON each: what `ocsf` reads as the same flow, and any program that knows OCSF."""

from typing import Any, Final

import msgspec

from strongroom.logs import network
from strongroom.logs.ocsf import NETWORK
from strongroom.logs.record import Row

VERSION: Final = "1.8.0"
_TRAFFIC: Final = 6  # activity_id: a report of what went by
_HEAD: Final = {
    "category_uid": NETWORK // 1000, "class_uid": NETWORK, "activity_id": _TRAFFIC, "type_uid": NETWORK * 100 + _TRAFFIC,
    "severity_id": 1,
}  # fmt: skip
_TOLD: Final = tuple(
    (place, tuple(name.split(".")))
    for place, name in enumerate(network.FIELDS)
    if name not in {"metadata.log_name", "act", "principal", "principal.kind"}
)


def line(row: Row, exporter: str) -> bytes:
    """One flow, of the columns `network.FIELDS`, that an exporter at this address told of."""
    event: dict[str, Any] = {
        **_HEAD,
        "metadata": {"version": VERSION, "product": {"name": "Strongroom"}, "reporter": {"ip": exporter}},
    }
    for place, (first, *last) in _TOLD:
        if row[place] is None:
            continue
        if last:
            event.setdefault(first, {})[last[0]] = row[place]
        else:
            event[first] = row[place]
    return msgspec.json.encode(event) + b"\n"
