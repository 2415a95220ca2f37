"""The printed rules: as they are kept in `golden/`, and as far as each format's own reader can be asked without its system."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import pytest
import yaml

from strongroom.border import kubernetes, nftables, systemd, terraform
from strongroom.border.table import TABLE, Book, Borders, declare, look_up
from strongroom.config import Config, Layout, Users, parse
from strongroom.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parent / "golden"
CONFIG = parse((GOLDEN / "strongroom.toml").read_bytes())
BOOK = {
    "id.example.org": ("203.0.113.7",),
    "objects.example.org": ("203.0.113.8",),
    "second.s3.us-east-1.amazonaws.com": ("203.0.113.10", "2001:db8::10"),
    "w.example.net": ("203.0.113.9",),
}
SBIN = {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
EVERY = frozenset(row.name for row in TABLE)


def borders(config: Config = CONFIG) -> Borders:
    """The table of a store in the usual place."""
    return declare(config, Layout(Path("/var/lib/strongroom")))


def printed(
    form: str, table: Borders, book: Book = BOOK, program: Path = Path("/opt/strongroom/bin/strongroom")
) -> dict[str, str]:
    """The files of one format."""
    render: dict[str, Callable[[], dict[str, str]]] = {
        "nftables": lambda: nftables.render(table, book),
        "systemd": lambda: systemd.render(table, book, program, EVERY),
        "k8s": lambda: kubernetes.render(table, book, EVERY),
        "terraform": lambda: terraform.render(table, book),
    }
    return render[form]()


@pytest.mark.parametrize("form", ["nftables", "systemd", "k8s", "terraform"])
def test_what_is_printed_is_what_was_read_and_kept(form: str) -> None:
    """A change of the rules is a change of a file that somebody reads."""
    for name, text in printed(form, borders()).items():
        assert text == (GOLDEN / name).read_text(), (
            f"{name}: look at the difference; if it is meant, write the file anew"
        )


def test_every_name_is_looked_up_once_and_what_is_given_is_believed() -> None:
    """Addresses come from whoever prints, or from the name service, and from nowhere else."""
    asked: list[str] = []

    def ask(host: str) -> tuple[str, ...]:
        asked.append(host)
        return BOOK[host]

    given = {"w.example.net": ("192.0.2.1",)}
    assert look_up(borders(), ask, given) == {**BOOK, **given}
    assert asked == ["id.example.org", "objects.example.org", "second.s3.us-east-1.amazonaws.com"]


@pytest.mark.parametrize("plain", [True, False])
def test_the_kernel_reads_the_nftables_rules(plain: bool) -> None:
    """`nft` parses and type-checks them, with everything configured and with as little as there can be."""
    table = borders(parse(f"[store]\nname = 'x'\n[users]\n{USERS}".encode())) if plain else borders()
    text = printed("nftables", table)["strongroom.nft"]
    if os.geteuid() != 0:
        pytest.skip("nft asks the kernel, which answers root alone")
    done = subprocess.run(["nft", "-c", "-f", "-"], input=text, text=True, capture_output=True, check=False, env=SBIN)
    assert done.returncode == 0, done.stderr


USERS = "\n".join(f"{name} = {61_000 + number}" for number, name in enumerate(Users.__struct_fields__))


def test_nftables_needs_users_that_differ() -> None:
    """Where two processes are one user no rule could tell them apart: that is said, and nothing is printed."""
    for users in ("", USERS.replace("app = 61001", "app = 61000")):
        with pytest.raises(ConfigError, match="users of their own"):
            printed("nftables", borders(parse(f"[store]\nname = 'x'\n[users]\n{users}".encode())))


def test_systemd_reads_the_units(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say about any unit, and rates none of them exposed."""
    program = tmp_path / "with space" / "strongroom"
    program.parent.mkdir()
    shutil.copy("/bin/true", program)
    units = printed("systemd", borders(), program=program)
    for name, text in units.items():
        (tmp_path / name).write_text(text)
    paths = [str(tmp_path / name) for name in units]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *paths], text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=30", *paths],
        text=True,
        capture_output=True,
        check=False,
    )
    assert rated.returncode == 0, rated.stdout[-2000:]


def test_the_keeper_of_a_file_root_key_has_no_network() -> None:
    """Where nothing of the keeper's is on the network, its unit has none."""
    unit = printed("systemd", borders(parse(b"[store]\nname = 'x'")))["strongroom-keeper.service"]
    assert {"PrivateNetwork=yes", "RestrictAddressFamilies=AF_UNIX"} <= set(unit.splitlines())


# ---- Kubernetes: the part of networking.k8s.io/v1 that is used, with no field that is not in it ------------------------


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    pass


Label = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\Z")]
Name = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")]


class Selector(_Strict):
    matchLabels: dict[str, Label]  # noqa: N815  # Kubernetes' own name


class Block(_Strict):
    cidr: str


class Peer(_Strict):
    podSelector: Selector | None = None  # noqa: N815  # as above
    ipBlock: Block | None = None  # noqa: N815  # as above


class PortOf(_Strict):
    protocol: Literal["TCP", "UDP"]
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)]


class Egress(_Strict):
    to: list[Peer]
    ports: list[PortOf]


class Ingress(_Strict):
    ports: list[PortOf]
    from_: list[Peer] | None = msgspec.field(default=None, name="from")


class Spec(_Strict):
    podSelector: Selector  # noqa: N815  # as above
    policyTypes: list[Literal["Ingress", "Egress"]]  # noqa: N815  # as above
    ingress: list[Ingress] = []
    egress: list[Egress] = []


class Meta(_Strict):
    name: Name
    labels: dict[str, Label]


class Policy(_Strict):
    apiVersion: Literal["networking.k8s.io/v1"]  # noqa: N815  # as above
    kind: Literal["NetworkPolicy"]
    metadata: Meta
    spec: Spec


def policies(table: Borders) -> dict[str, Spec]:
    """The printed policies by the pod they are about."""
    text = printed("k8s", table)["strongroom-network.yaml"]
    found = msgspec.convert(list(yaml.safe_load_all(text)), list[Policy])
    return {one.spec.podSelector.matchLabels.get(kubernetes.COMPONENT, ""): one.spec for one in found}


def test_kubernetes_closes_everything_and_opens_what_the_table_lists() -> None:
    """One policy closes all pods both ways; one for each process opens its row; only the gateway is open to everybody."""
    found = policies(borders(parse(b"[store]\nname = 'x.-'\n[reach]\nresolvers = ['10.0.0.2']")))
    assert set(found) == {"", *EVERY}
    assert (found[""].ingress, found[""].egress) == ([], [])
    assert all(one.policyTypes == ["Ingress", "Egress"] for one in found.values())
    assert [name for name, one in found.items() if any(rule.from_ is None for rule in one.ingress)] == ["gateway"]
    assert (found["keeper"].ingress, found["keeper"].egress) == ([], [])
    callers = found["app"].ingress[0].from_
    assert callers is not None
    assert [peer.podSelector.matchLabels[kubernetes.COMPONENT] for peer in callers if peer.podSelector] == ["gateway"]
    peers = [peer.ipBlock for one in found["courier"].egress for peer in one.to]
    assert [block.cidr for block in peers if block] == ["10.0.0.2/32"]


# ---- Terraform: parsed, references that lead somewhere, and the same pairs as the table -------------------------------


def test_terraform_has_two_groups_and_one_rule_for_each_end() -> None:
    """Each rule refers to a group there is; the street reaches the gateway alone; what goes out is the table's, no more."""
    table = borders()
    shape = json.loads(printed("terraform", table)["strongroom-network.tf.json"])
    groups = {f"${{aws_security_group.{name}.id}}": name for name in shape["resource"]["aws_security_group"]}
    incoming = shape["resource"]["aws_vpc_security_group_ingress_rule"].values()
    outgoing = shape["resource"]["aws_vpc_security_group_egress_rule"].values()
    assert {rule["security_group_id"] for rule in (*incoming, *outgoing)} == set(groups)
    wide = [rule for rule in incoming if {"0.0.0.0/0", "::/0"} & {rule.get("cidr_ipv4"), rule.get("cidr_ipv6")}]
    assert {(groups[rule["security_group_id"]], rule["from_port"]) for rule in wide} == {("strongroom_gateway", 8440)}
    ends = {
        (address, end.port)
        for row in table.rows
        for end in row.connects
        if end.place not in {"app", "signin"}
        for address in BOOK.get(end.host, (end.host,))
    }
    told = {
        ((rule.get("cidr_ipv4") or rule.get("cidr_ipv6")).partition("/")[0], rule["to_port"])
        for rule in outgoing
        if "referenced_security_group_id" not in rule
    }
    assert told == ends
