"""The table as Kubernetes NetworkPolicies: one pod for each process, found by its labels. Pure.

The sockets of the keeper are files: its pod, the app's and the courier's share the volume of `run/` on one node. Names are
looked up when this is printed, because a NetworkPolicy knows addresses only.
"""

import ipaddress
from collections.abc import Iterable
from typing import Any

import yaml

from strongroom.border.table import FACES, Book, Borders, End, Row, addresses

PART_OF = "app.kubernetes.io/part-of"
COMPONENT = "app.kubernetes.io/component"
INSTANCE = "app.kubernetes.io/instance"


def render(borders: Borders, book: Book, running: frozenset[str]) -> dict[str, str]:
    """File name -> text: everything closed first, then what each process may."""
    labels = {PART_OF: "strongroom", INSTANCE: borders.store.rstrip("-.")}
    closed = _policy("strongroom-closed", labels, {"policyTypes": ["Ingress", "Egress"]})
    policies = [closed, *(_of(borders, row, book, labels) for row in borders.rows if row.name in running)]
    head = (
        f"# Printed by `strongroom network --format k8s` for the store {borders.store}; made again, not edited.\n"
        "# It binds where the cluster's network plugin enforces NetworkPolicy, and only pods with these labels.\n"
    )
    return {"strongroom-network.yaml": head + yaml.safe_dump_all(policies, sort_keys=False)}


def _policy(name: str, labels: dict[str, str], spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {"podSelector": {"matchLabels": dict(labels)}, **spec},
    }


def _of(borders: Borders, row: Row, book: Book, labels: dict[str, str]) -> dict[str, Any]:
    callers = [other for other in borders.rows if row.process.listens in other.process.connects and row.process.listens]
    spec: dict[str, Any] = {"policyTypes": ["Ingress", "Egress"]}
    if row.name == FACES:
        spec["ingress"] = [{"ports": _ports(row.listens)}]
    elif callers or (row.listens and borders.gateways):
        peers = [_pod(labels, other.name) for other in callers] + [_block(one) for one in borders.gateways]
        spec["ingress"] = [{"from": peers, "ports": _ports(row.listens)}]
    egress = [_egress(borders, end, book, labels) for end in row.connects]
    if egress:
        spec["egress"] = egress
    return _policy(f"strongroom-{row.name}", {**labels, COMPONENT: row.name}, spec)


def _egress(borders: Borders, end: End, book: Book, labels: dict[str, str]) -> dict[str, Any]:
    inner = [row for row in borders.rows if row.process.listens == end.place]
    to = [_pod(labels, row.name) for row in inner] or [_block(one) for one in addresses(end, book)]
    return {"to": to, "ports": _ports([end])}


def _pod(labels: dict[str, str], name: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": {**labels, COMPONENT: name}}}


def _block(network: str) -> dict[str, Any]:
    return {"ipBlock": {"cidr": str(ipaddress.ip_network(network))}}


def _ports(ends: Iterable[End]) -> list[dict[str, Any]]:
    return [{"protocol": protocol.upper(), "port": end.port} for end in ends for protocol in end.protocols]
