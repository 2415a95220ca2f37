"""A store in a closed machine: real processes, a real HSM and bucket, the printed rules in the kernel. Whoever sits in the app's
place reaches what the app's row says, and nothing else; and `doctor` sees when that is no longer so.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from strongroom.border.process import REACHED, Seat, Tries, attempt, seat_of
from strongroom.border.table import Borders, declare
from strongroom.config import Config, Layout, parse
from strongroom.wiring.place import choose_users
from strongroom.wiring.reach import running
from tests.border.world import World
from tests.journeys.honest import PROGRAM
from tests.journeys.test_hsm_and_bucket import CONFIG, MAKE, MODULE

BUCKET, ISSUER, OUTSIDE = ("10.77.0.21", 8_333), ("10.77.0.22", 443), ("10.77.8.8", 443)
WAIT = 60.0
"""Seconds: nothing here is told apart by time."""

RELAY = """
import ctypes, json, os, select, socket, sys, threading
order = json.load(sys.stdin)
door = socket.create_server(tuple(order["tcp"][0]), backlog=64)
home = os.open(order["home"], os.O_RDONLY)
print("ready", flush=True)
libc = ctypes.CDLL(None, use_errno=True)

def serve(one):
    assert libc.setns(home, 0) == 0, ctypes.get_errno()  # of this thread alone
    other = socket.create_connection(("127.0.0.1", order["port"]))
    pair = {one: other, other: one}
    while True:
        for side in select.select([*pair], [], [])[0]:
            said = side.recv(65536)
            if not said:
                one.close(); other.close()
                return
            pair[side].sendall(said)

while True:
    threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()
"""
"""Makes the bucket of the test run reachable around the machine: listens there, connects at home."""

READ = """
import sys, time, httpx2
base, token = sys.argv[1:]

def get(path):
    end = time.monotonic() + 60
    while True:
        answer = httpx2.get(base + path, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        if answer.status_code != 503 or time.monotonic() > end:
            return answer
        time.sleep(0.2)

found = get("/DocumentReference").json()["entry"][0]["resource"]
answer = get(f"/Binary/{found['id']}")
print(answer.status_code, len(answer.content) == found["content"][0]["attachment"]["size"])
"""
"""What a patient does. A store whose parts are slow, as on a machine with much to do, may say 503 before."""


@dataclass(frozen=True)
class Closed:
    """A machine with a served store in it."""

    world: World
    store: Path
    hsm: Path
    environment: dict[str, str]

    @property
    def layout(self) -> Layout:
        """Of the store."""
        return Layout(self.store)

    @property
    def config(self) -> Config:
        """As it is now."""
        return parse(self.layout.config.read_bytes())

    @property
    def borders(self) -> Borders:
        """The store's table."""
        return declare(self.config, self.layout)

    def pid(self, program: str) -> int:
        """The process of a program."""
        found = running(self.borders.row(program), self.store)
        assert found is not None, program
        return found

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """A command on the machine, as root."""
        inside = self.world.inside(self.world.machine, *command)
        return subprocess.run(inside, env=self.environment, capture_output=True, text=True, check=False)

    def strongroom(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Our own command on the machine."""
        return self.run(*PROGRAM, *arguments, "--store", str(self.store))

    def from_street(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """A command of somebody around."""
        return subprocess.run(
            self.world.inside(self.world.around, *command), capture_output=True, text=True, check=False
        )

    def reached(self) -> dict[str, dict[str, Any]]:
        """What `doctor` finds about reach, and its exit code as `code`."""
        done = self.strongroom("doctor", "--outside", f"{OUTSIDE[0]}:{OUTSIDE[1]}", "--json")
        told = {one["what"]: one for one in json.loads(done.stdout)["findings"] if one["what"].startswith("reach")}
        return {**told, "code": {"code": done.returncode}}

    def close(self) -> None:
        """Load the printed rules."""
        self.world.load(self.strongroom("network", "--format", "nftables").stdout)


@pytest.fixture(scope="module")
def closed(s3_port: int) -> Iterator[Closed]:
    """Served, its object store around the machine, its HSM's token the keeper's own, the rules loaded."""
    if os.geteuid() != 0:
        pytest.skip("users, namespaces and rules need root")
    if not MODULE.exists():
        pytest.skip("needs SoftHSM (Debian's softhsm2; ./up check installs it)")
    folder = Path(tempfile.mkdtemp(prefix="strongroom-test-"))
    folder.chmod(0o755)
    store, hsm = folder / "store", folder / "hsm"
    users = choose_users(store)
    environment = {**os.environ, "SOFTHSM2_CONF": f"{folder}/softhsm.conf"}
    hsm.mkdir(mode=0o700)
    (folder / "softhsm.conf").write_text(f"directories.tokendir = {hsm}\n")
    make = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        "strongroom",
        "--so-pin",
        "12345678",
        "--pin",
        "87654321",
    ]
    subprocess.run(make, env=environment, check=True, capture_output=True)
    for name, content, owner in (("pin", "87654321", users.keeper), ("s3key", "key\nsecret\n", users.app)):
        (folder / name).write_text(content)
        (folder / name).chmod(0o600)
        os.chown(folder / name, owner, owner)
    text = CONFIG.format(module=MODULE, folder=folder, s3=BUCKET[1], port=8441, signin=8442)
    text = (
        text.replace("[store]\n", "[store]\npatience_seconds = 30\n")
        .replace("127.0.0.1", BUCKET[0])
        .replace("[objects]", f'paths = ["{hsm}"]\n\n[objects]')
    )
    text += f'\n[[issuer]]\nurl = "https://{ISSUER[0]}"\njwks_uri = "https://{ISSUER[0]}/keys"\n'  # away: it hangs up
    text += '\n[gateway]\nenabled = true\nhost = "0.0.0.0"\nwaf = "off"\n'  # the WAF has journeys of its own
    (folder / "strongroom.toml").write_text(
        text + "\n[users]\n" + "".join(f"{name} = {getattr(users, name)}\n" for name in users.__struct_fields__)
    )
    with ExitStack() as stack:
        world = stack.enter_context(World())
        machine = Closed(world, store, hsm, environment)
        world.addresses(world.around, [BUCKET[0], ISSUER[0], OUTSIDE[0]])
        home = {"home": f"/proc/{os.getpid()}/ns/net", "port": s3_port}
        world.listen(world.around, 0, [BUCKET], program=RELAY, more=home)
        world.listen(world.around, 0, [ISSUER, OUTSIDE])
        made = machine.run(sys.executable, "-c", MAKE, store, folder / "strongroom.toml")
        assert made.returncode == 0, made.stderr
        for path in (hsm, *hsm.rglob("*")):
            os.chown(path, users.keeper, users.keeper)
        machine.close()
        serve = world.inside(world.machine, *PROGRAM, "serve", "--store", str(store))
        served = subprocess.Popen(serve, env=environment, stdout=subprocess.PIPE)
        stack.callback(served.wait, 60)
        stack.callback(served.terminate)
        assert served.stdout is not None
        stack.callback(served.stdout.close)
        assert b"Serving" in served.stdout.readline()
        yield machine
    shutil.rmtree(folder)


def test_within_its_borders_everything_works(closed: Closed) -> None:
    """The street reads a document through gateway, app, keeper, HSM and bucket; each process reaches its row, and nothing else."""
    token = closed.strongroom("token", "--as", "patient1").stdout.strip()
    read = closed.from_street(sys.executable, "-c", READ, "http://10.77.0.1:8440/fhir", token)
    assert read.stdout.split() == ["200", "True"], read.stderr
    found = closed.reached()
    assert {name: one["state"] for name, one in found.items() if name.startswith("reach of")} == {
        f"reach of {name}": "ok" for name in ("gateway", "app", "keeper", "signin", "courier")
    }, found


def test_the_street_reaches_the_gateway_and_nothing_else(closed: Closed) -> None:
    """Of all that listens on the machine one port answers to the outside; the others refuse at once."""
    ends = tuple(("10.77.0.1", port) for port in (8440, 8441, 8442, 22))
    found = attempt(Seat(0, (), (closed.world.path(closed.world.around),)), Tries(tcp=ends), WAIT)
    assert [name for name, end in found.items() if end == REACHED] == ["tcp 10.77.0.1 8440"]


def test_whoever_sits_in_the_apps_place_is_shut_in(closed: Closed) -> None:
    """Not the HSM, nor the keeper's database and keys, nor another process's memory, nor an outside address; but its bucket."""
    app = closed.borders.row("app")
    others = [closed.pid("keeper"), closed.pid("signin"), os.getpid()]
    secret = [
        closed.layout.database,
        closed.layout.life,
        closed.hsm,
        closed.borders.files["pin"][0],
        closed.layout.signin,
    ]
    secret += [one for one in closed.hsm.rglob("*") if one.is_file()]
    assert len(secret) > 6
    tries = Tries(
        tcp=(BUCKET, OUTSIDE, ("127.0.0.1", 8442)),
        sockets=(str(closed.layout.socket), str(closed.layout.admin_socket), str(closed.layout.courier_socket)),
        files=tuple(map(str, secret)), memory=tuple(others),
    )  # fmt: skip
    seat = seat_of(closed.pid("app"), app.uid, app.groups)
    assert {Path(one).name for one in seat.namespaces} == {"net", "mnt"}
    found = attempt(seat, tries, WAIT)
    assert {name for name, end in found.items() if end == REACHED} == {
        f"tcp {BUCKET[0]} {BUCKET[1]}", f"socket {closed.layout.socket}",
    }  # fmt: skip
    # Each border holds by itself: the user outside the namespace, and root inside it.
    files = Tries(files=tries.files)
    assert set(attempt(Seat(app.uid, app.groups), replace(files, sockets=tries.sockets[1:])).values()) == {"EACCES"}
    assert (
        REACHED
        not in attempt(Seat(0, (), seat.namespaces), Tries(files=tuple(map(str, (secret[0], secret[-1]))))).values()
    )
    assert set(attempt(Seat(0), files).values()) == {REACHED}


def test_the_hsm_shows_its_token_to_the_keeper_alone(closed: Closed) -> None:
    """The HSM's own program, run in each place: the token is there for the keeper and for nobody else."""
    seen = {}
    for row in (closed.borders.row(name) for name in ("keeper", "app", "signin")):
        command = ["nsenter", "-t", str(closed.pid(row.name)), "-n", "-m", "--", "setpriv", f"--reuid={row.uid}",
                   f"--regid={row.uid}", "--clear-groups", "softhsm2-util", "--show-slots"]  # fmt: skip
        done = subprocess.run(command, env=closed.environment, capture_output=True, text=True, check=False)
        seen[row.name] = bool(re.search(r"Label:\s+strongroom", done.stdout))
    assert seen == {"keeper": True, "app": False, "signin": False}


def test_doctor_sees_a_border_that_is_open(closed: Closed) -> None:
    """Without rules, or with a socket that others may open, a store that is no demonstration is not well: exit code 1, and why."""
    text = closed.layout.config.read_text()
    closed.layout.config.write_text(text.replace("demonstration = true", "demonstration = false"))
    try:
        closed.layout.socket.chmod(0o666)
        found = closed.reached()
        assert (found["reach of signin"]["state"], found["reach of app"]["state"]) == ("bad", "ok")
        assert f"socket {closed.layout.socket}" in found["reach of signin"]["said"]
        closed.layout.socket.chmod(0o660)
        closed.world.load("flush ruleset")
        found = closed.reached()
        assert found["code"]["code"] == 1
        assert {found[f"reach of {name}"]["state"] for name in ("app", "signin")} == {"bad"}
        assert found["reach of keeper"]["state"] == "ok"  # which has no network, whatever rules there are
        assert "strongroom network" in found["reach of app"]["advice"]
        assert f"outside {OUTSIDE[0]}:{OUTSIDE[1]}" in found["reach of app"]["said"]
    finally:
        closed.layout.config.write_text(text)
        closed.close()
