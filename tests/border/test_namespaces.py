"""The nftables rules, in a kernel: every pair of the table connects, and no other pair does. Tried by users of a real machine."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from strongroom.border import nftables
from strongroom.border.process import REACHED, Seat, Tries, attempt
from strongroom.border.table import FACES, TABLE, Borders, End, Process, declare
from strongroom.config import Config, Layout, parse
from tests.border.world import AROUND, MACHINE, World

CONFIG = parse(b"""
[store]
name = "northland"
[keeper]
root = "pkcs11"
[keeper.pkcs11]
module = "/usr/lib/hsm.so"
token = "t"
pin_file = "pin"
addresses = ["10.77.0.20:1792"]
[objects]
kind = "s3"
endpoint = "https://objects.example.org:8333"
access_key_file = "key"
[[issuer]]
url = "https://id.example.org"
jwks_uri = "https://id.example.org/keys"
[[witness]]
vkey = "w"
url = "https://w.example.net/a"
[copy]
bucket = "b"
endpoint = "https://copy.example.net"
access_key_file = "k"
[reach]
resolvers = ["10.77.0.53"]
siem = ["10.77.0.25:6514"]
admin = ["10.77.9.0/24"]
gateways = ["10.77.5.5"]
[users]
keeper = 61000
app = 61001
signin = 61002
courier = 61003
gateway = 61004
""")
LAYOUT = Layout(Path("/srv/store"))
BOOK = {
    "objects.example.org": ("10.77.0.21", "fd77::21"),
    "id.example.org": ("10.77.0.22",),
    "w.example.net": ("10.77.0.23",),
    "copy.example.net": ("10.77.0.24", "fd77::24"),
}
OUTSIDE = End("outside", "10.77.8.8", 443)
"""Somebody on the internet, whom nobody here has business with; with a name server, by which much could be carried out."""
BESIDE = End("beside", "10.77.0.21", 8334)
"""Another port of the object store's machine."""
ROGUE = End("rogue", "127.0.0.1", 9_999)
"""A port that somebody opened on the machine, on all its addresses; no process of the table."""
SHELL = 4_444
"""A port that a process of the table opened, and should not have: what an attacker in the app's place does."""
SSH = End("ssh", "127.0.0.1", 22)
NOBODY = 65_534
HERE = ("gateway", "app", "signin")
COMERS = {"street": AROUND, "gateways": "10.77.5.5", "admin": "10.77.9.9"}
WAIT = 60.0
"""Seconds: every end answers or is refused at once, however busy the machine; nothing is told apart by time."""

Pair = tuple[str, str]
"""Who, and `place address port`."""


@dataclass(frozen=True)
class Scene:
    """The world, and the table that it is held to."""

    world: World
    borders: Borders

    def outward(self) -> set[Pair]:
        """Every pair of a user of the machine, and something that listens there or around, that connects now."""
        found: set[Pair] = set()
        machine = (self.world.path(self.world.machine),)
        tcp, udp = targets(self.borders)
        for uid in (*self.borders.uids(), NOBODY):
            ends = attempt(Seat(uid, (), machine), Tries(tcp=tuple(tcp), udp=tuple(udp)), WAIT)
            found |= {(str(uid), name) for name, end in ends.items() if end == REACHED}
        return found

    def inward(self) -> set[Pair]:
        """Every pair of somebody around, and a port of the machine, that connects now."""
        found: set[Pair] = set()
        ports = (*(end.port for place in HERE for end in self.borders.places.get(place, ())), ROGUE.port, SSH.port)
        for who, address in COMERS.items():
            self.world.come_from(address)
            to = (MACHINE[0], MACHINE[1]) if who == "street" else MACHINE[:1]
            tries = Tries(tcp=tuple((one, port) for one in to for port in ports))
            ends = attempt(Seat(0, (), (self.world.path(self.world.around),)), tries, WAIT)
            found |= {(who, name) for name, end in ends.items() if end == REACHED}
        return found


def targets(borders: Borders) -> tuple[dict[tuple[str, int], str], dict[tuple[str, int], str]]:
    """TCP and UDP ends by address and port, each with the name of its place."""
    every = [end for ends in borders.places.values() for end in ends] + [OUTSIDE, BESIDE, ROGUE, SSH]
    tcp: dict[tuple[str, int], str] = {}
    for end in every:
        for address in at(end):
            tcp[address, end.port] = end.place
    udp = {(end.host, end.port): end.place for end in every if end.place in {"resolvers", "siem"}}
    return tcp, {**udp, (OUTSIDE.host, 53): OUTSIDE.place}


def at(end: End) -> tuple[str, ...]:
    """An end's addresses."""
    return ("127.0.0.1",) if end.place == FACES else BOOK.get(end.host, (end.host,))


def wanted(borders: Borders) -> set[Pair]:
    """What the table says, pair by pair: written again here, from rows alone."""
    found: set[Pair] = set()
    for row in borders.rows:
        for end in row.connects:
            for address in at(end):
                found.add((str(row.uid), f"tcp {address} {end.port}"))
                if end.place in {"resolvers", "siem"}:
                    found.add((str(row.uid), f"udp {address} {end.port}"))
    # Whoever is nobody's process is bound only where something is one process's alone.
    free, (tcp, udp) = {"objects", "hsm", "app", "signin"}, targets(borders)
    found |= {(str(NOBODY), f"tcp {address} {port}") for (address, port), place in tcp.items() if place not in free}
    return found | {(str(NOBODY), f"udp {address} {port}") for address, port in udp}


def wanted_inward(borders: Borders) -> set[Pair]:
    """Who comes from where: the street to the gateway, gateways elsewhere to what is behind, administrators to one port."""
    face, ssh = borders.places[FACES][0].port, f"tcp {MACHINE[0]} {SSH.port}"
    inner = [f"tcp {MACHINE[0]} {borders.places[place][0].port}" for place in ("app", "signin")]
    found = {(who, f"tcp {MACHINE[0]} {face}") for who in COMERS} | {("street", f"tcp {MACHINE[1]} {face}")}
    return found | {("gateways", one) for one in inner} | {("admin", ssh)}


def replace_reach(config: Config, **fields: tuple[str, ...]) -> Config:
    """The configuration with another `[reach]`."""
    return msgspec.structs.replace(config, reach=msgspec.structs.replace(config.reach, **fields))


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """Everything listens: what the table names, and what nobody should reach."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    borders = declare(CONFIG, LAYOUT)
    tcp, udp = targets(borders)
    here = {*HERE, "rogue", "ssh"}
    around = [one for one, place in tcp.items() if place not in here]
    with World() as world:
        world.addresses(world.around, sorted({address for address, _ in around} | {*COMERS.values()} - {AROUND}))
        world.listen(world.around, 0, around, udp)
        for place in HERE:
            uid, end = borders.row(place).uid, borders.places[place][0]
            world.listen(world.machine, uid, [("::", end.port), *([("::", SHELL)] if place == "app" else [])])
        world.listen(world.machine, NOBODY, [("::", ROGUE.port)])
        world.listen(world.machine, 0, [("::", SSH.port)])
        yield Scene(world, borders)


def rules(config: Config = CONFIG, table: tuple[Process, ...] = TABLE) -> str:
    """What would be printed for this configuration, if this were the table."""
    return nftables.render(declare(config, LAYOUT, table), BOOK)["strongroom.nft"]


def test_without_rules_everybody_reaches_everything(scene: Scene) -> None:
    """Nothing but the rules is what refuses below: all that listens can be reached by all."""
    scene.world.load("flush ruleset")
    tcp, udp = targets(scene.borders)
    every = {(str(uid), f"{kind} {address} {port}") for uid in (*scene.borders.uids(), NOBODY)
             for kind, ends in (("tcp", tcp), ("udp", udp)) for address, port in ends}  # fmt: skip
    assert scene.outward() == every
    assert {who for who, _ in scene.inward()} == set(COMERS)


def test_each_pair_of_the_table_connects_and_no_other(scene: Scene) -> None:
    """Of every user with everything that listens anywhere, and of everybody around with every port of the machine."""
    scene.world.load(rules())
    assert scene.outward() == wanted(scene.borders)
    assert scene.inward() == wanted_inward(scene.borders)


def test_a_table_that_opens_or_closes_a_pair_is_found_out(scene: Scene) -> None:
    """Each single pair is looked at: all that a mutant opens is seen as more, all that it closes as less."""
    tcp, _ = targets(scene.borders)
    places = tuple({place: None for place in tcp.values() if place in scene.borders.places and place != FACES})
    scene.world.load(rules(table=tuple(replace(one, connects=places) for one in TABLE)))
    opened = scene.outward() - wanted(scene.borders)
    ours = {str(uid) for uid in scene.borders.uids()}
    lacking = {
        (uid, f"tcp {address} {port}") for uid in ours for (address, port), place in tcp.items() if place in places
    }
    assert {pair for pair in opened if pair[1].startswith("tcp")} == lacking - wanted(scene.borders)
    scene.world.load(rules(table=tuple(replace(one, connects=()) for one in TABLE)))
    assert {pair for pair in wanted(scene.borders) - scene.outward() if pair[0] in ours} == {
        pair for pair in wanted(scene.borders) if pair[0] in ours
    }
    wide = replace_reach(CONFIG, gateways=("0.0.0.0/0",), admin=("0.0.0.0/0",))
    scene.world.load(rules(wide))
    assert {("street", f"tcp {MACHINE[0]} {port}") for port in (8441, 8442, 22)} <= scene.inward() - wanted_inward(
        scene.borders
    )


def test_a_door_that_the_app_opens_itself_answers_nobody(scene: Scene) -> None:
    """Somebody in the app's place listens on a port of their own: what they answer is refused, and counted."""
    scene.world.load(rules())
    tries = Tries(tcp=(("127.0.0.1", SHELL),))
    before = scene.world.refused("app")
    ends = attempt(Seat(NOBODY, (), (scene.world.path(scene.world.machine),)), tries, 1.0)
    assert REACHED not in ends.values()
    assert scene.world.refused("app") > before


def test_nobody_goes_out_by_the_port_of_their_own_door(scene: Scene) -> None:
    """An answer comes from the app's port, and so could a call: only what answers somebody may leave by it."""
    free = msgspec.structs.replace(CONFIG, api=msgspec.structs.replace(CONFIG.api, port=8_451))
    scene.world.load(rules(free))
    call = f"import socket; one = socket.socket(); one.bind(('', 8451)); print(one.connect_ex(('{OUTSIDE.host}', {OUTSIDE.port})))"
    user = ["/usr/bin/setpriv", "--reuid=61001", "--regid=61001", "--clear-groups", sys.executable, "-S", "-c", call]
    done = subprocess.run(scene.world.inside(scene.world.machine, *user), capture_output=True, text=True, check=True)
    assert int(done.stdout) == errno.ECONNREFUSED


def test_who_tries_is_counted(scene: Scene) -> None:
    """The operator sees in the kernel's counters that the keeper tried to call somebody."""
    scene.world.load(rules())
    attempt(Seat(61000, (), (scene.world.path(scene.world.machine),)), Tries(tcp=((OUTSIDE.host, OUTSIDE.port),)), WAIT)
    assert scene.world.refused("keeper") == 1
