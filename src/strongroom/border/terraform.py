"""The table as security groups of AWS, in Terraform's JSON syntax. Pure.

A security group is around a machine and knows no processes: what it lets out is what all processes of that machine may reach
together. There are two, so that the gateway may have a machine of its own; on one machine both are attached.
"""

import ipaddress
import json
from collections.abc import Iterable
from typing import Any

from strongroom.border.table import FACES, Book, Borders, End, addresses

GATEWAY, STORE = "strongroom_gateway", "strongroom_store"
SERVED = ("app", "signin")
RULE = "aws_vpc_security_group_%s_rule"


def render(borders: Borders, book: Book) -> dict[str, str]:
    """File name -> text."""
    front = [end for end in borders.row(FACES).connects if end.place not in SERVED]
    back = [end for row in borders.rows if row.name != FACES for end in row.connects]
    inner = [end for place in SERVED for end in borders.places[place]]
    ingress, egress = _Rules(), _Rules()
    for end in borders.places[FACES]:
        for network in ("0.0.0.0/0", "::/0"):
            ingress.add(GATEWAY, "street", end.port, **_network(network))
    for end in inner:
        ingress.add(STORE, f"gateway_{end.place}", end.port, referenced_security_group_id=_id(GATEWAY))
        egress.add(GATEWAY, end.place, end.port, referenced_security_group_id=_id(STORE))
        for one in borders.gateways:
            ingress.add(STORE, f"gateways_{end.place}", end.port, **_network(one))
    for group in (GATEWAY, STORE):
        for one in borders.admin:
            ingress.add(group, "admin", borders.admin_port, **_network(one))
    _outward(egress, GATEWAY, front, book)
    _outward(egress, STORE, back, book)
    shape = {
        "//": f"Printed by `strongroom network --format terraform` for the store {borders.store}; made again, not edited.",
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": ">= 5.0"}}},
        "variable": {"strongroom_vpc_id": {"type": "string", "description": "The VPC of these machines."}},
        "resource": {
            "aws_security_group": {
                group: {
                    "name_prefix": f"{group.replace('_', '-')}-{borders.store}-",
                    "description": f"{said} of the store {borders.store}",
                    "vpc_id": "${var.strongroom_vpc_id}",
                    "lifecycle": {"create_before_destroy": True},
                }
                for group, said in ((GATEWAY, "The gateway"), (STORE, "Everything but the gateway"))
            },
            RULE % "ingress": ingress.found,
            RULE % "egress": egress.found,
        },
    }
    return {"strongroom-network.tf.json": json.dumps(shape, indent=2) + "\n"}


class _Rules:
    """Rules of one direction, by names that do not repeat."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}

    def add(self, group: str, place: str, port: int, protocol: str = "tcp", **other: str) -> None:
        """One port of one peer; once, however often it is asked for."""
        rule = {
            "security_group_id": _id(group), "description": place, "ip_protocol": protocol, "from_port": port,
            "to_port": port, **other,
        }  # fmt: skip
        if rule not in self.found.values():
            number = sum(name.startswith(f"{group}_{place}_") for name in self.found) + 1
            self.found[f"{group}_{place}_{number}"] = rule


def _outward(rules: _Rules, group: str, ends: Iterable[End], book: Book) -> None:
    for end in ends:
        for one in addresses(end, book):
            if ipaddress.ip_address(one).is_loopback:
                continue  # never leaves the machine
            for protocol in end.protocols:
                rules.add(group, end.place, end.port, protocol, **_network(one))


def _network(network: str) -> dict[str, str]:
    found = ipaddress.ip_network(network)
    return {f"cidr_ipv{found.version}": str(found)}


def _id(group: str) -> str:
    return f"${{aws_security_group.{group}.id}}"
