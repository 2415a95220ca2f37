"""Writes MMDB files for tests: MaxMind DB 2.0, records of 32 bits, maps, texts and numbers, nothing else."""

import ipaddress
import struct
from collections.abc import Mapping
from typing import Any

Value = str | int | Mapping[str, "Value"] | list[str]


def mmdb(networks: Mapping[str, Mapping[str, Value]], kind: str = "Test-City") -> bytes:
    """A file that tells `networks` (IPv4 or IPv6 in CIDR) what is given for them."""
    root: list[Any] = [None, None]
    for network, told in networks.items():
        block = ipaddress.ip_network(network)
        node, bits, length = root, int(block.network_address), block.prefixlen
        if block.version == 4:  # below ::/96
            length += 96
        for depth in range(length - 1):
            side = bits >> (127 - depth) & 1
            if not isinstance(node[side], list):
                node[side] = [None, None]
            node = node[side]
        node[bits >> (128 - length) & 1] = told
    nodes: list[list[Any]] = [root]
    for one in nodes:
        nodes += [side for side in one if isinstance(side, list)]
    order = {id(node): place for place, node in enumerate(nodes)}
    tree, data = b"", b""
    for one in nodes:
        for branch in one:
            if isinstance(branch, list):
                tree += struct.pack(">I", order[id(branch)])
            elif branch is None:
                tree += struct.pack(">I", len(nodes))  # nothing is told
            else:
                tree += struct.pack(">I", len(nodes) + 16 + len(data))
                data += _value(branch)
    about: dict[str, Value] = {
        "node_count": len(nodes), "record_size": 32, "ip_version": 6, "database_type": kind, "languages": ["en"],
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1, "description": {"en": "made"},
    }  # fmt: skip
    return tree + b"\0" * 16 + data + b"\xab\xcd\xefMaxMind.com" + _value(about)


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        raw = value.encode()
        return bytes([2 << 5 | len(raw)]) + raw
    if isinstance(value, int):
        raw = value.to_bytes(4, "big").lstrip(b"\0")
        return bytes([6 << 5 | len(raw)]) + raw
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(map(_value, value))
    return bytes([7 << 5 | len(value)]) + b"".join(_value(name) + _value(one) for name, one in value.items())
