"""Our own store behind our own gateway, as `./up` starts it: real processes, the WAF and the guard in force."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from strongroom.config import parse
from strongroom.wiring.port import free_port
from tests.journeys.honest import PROGRAM
from tests.journeys.test_processes import Running, unhurried

LONG = 60.0


@pytest.fixture
def fronted() -> Iterator[tuple[Running, int]]:
    """A demonstration store behind its gateway; and the port of its app."""
    folder = Path(tempfile.mkdtemp(prefix="strongroom-test-"))
    folder.chmod(0o755)
    store, street, app = folder / "store", free_port(), free_port()
    ports = ["--port", str(app), "--signin-port", str(free_port()), "--gateway-port", str(street)]
    subprocess.run([*PROGRAM, "demo", "--store", str(store), "--make-only", "--patients", "12", *ports], check=True)
    unhurried(store)
    with subprocess.Popen([*PROGRAM, "serve", "--store", str(store)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert f"at http://127.0.0.1:{street}/fhir".encode() in process.stdout.readline()
        yield Running(store, f"http://127.0.0.1:{street}/fhir", process), app
        process.terminate()
        assert process.wait(LONG) == 0
    shutil.rmtree(folder)


def programs(name: str, store: Path) -> list[tuple[int, int]]:
    """(process, user) of everything that runs as this program of this store."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if b"run" in line and name.encode() in line and str(store).encode() in line:
                found.append((int(entry.name), entry.stat().st_uid))
    return found


def test_a_store_is_served_through_its_gateway(fronted: tuple[Running, int], tmp_path: Path) -> None:
    """Searched, read and written as without one; what came around the gateway, or claims to have come through it, opens nothing;
    what is not described, and what looks like an attack, does not reach the app; and whoever is killed comes back.
    """
    running, app = fronted
    token = running.token("patient1")
    headers = {"Authorization": f"Bearer {token}"}

    def get(path: str, base: str = running.base, **more: str) -> httpx2.Response:
        return httpx2.get(f"{base}{path}", headers={**headers, **more}, timeout=LONG)

    entries = get("/DocumentReference").json()["entry"]
    first = entries[0]["resource"]
    content = get(f"/Binary/{first['id']}", **{"Strongroom-Context": "gateway.made.up"})
    assert (content.status_code, len(content.content)) == (200, first["content"][0]["attachment"]["size"])
    assert get(f"/Binary/{first['id']}", Range="bytes=3-7").content == content.content[3:8]

    health = httpx2.get(f"{running.base[:-5]}/.strongroom/health", timeout=LONG).json()
    assert health == {"status": "ok", "routes": "enforce", "guard": "enforce", "waf": "block"}

    around = f"http://127.0.0.1:{app}/fhir"
    assert get("/DocumentReference", around).status_code == 503
    assert get(f"/Binary/{first['id']}", around, **{"Strongroom-Context": "gateway.made.up"}).status_code == 503
    taken = content.request.headers.get("strongroom-context", "")
    assert taken == "gateway.made.up"  # what the client sent; the app was told another one, or it would have refused

    note = tmp_path / "note.txt"
    note.write_text("a note of my own")
    put = subprocess.run(
        [*PROGRAM, "put", str(note), "--title", "Mine", "--type", "51855-5", "--content-type", "text/plain", "--json",
         "--store", str(running.store)],
        env={**os.environ, "STRONGROOM_TOKEN": token}, capture_output=True, text=True, timeout=LONG, check=False,
    )  # fmt: skip
    assert put.returncode == 0, put.stderr
    made = json.loads(put.stdout)
    assert get(f"/Binary/{made.get('document') or made['id']}").text == "a note of my own"

    assert get("/Group").status_code == 404
    assert get("/DocumentReference?type=1%27%20UNION%20SELECT%20password%20FROM%20users--").status_code == 403

    if os.geteuid() == 0:
        seats = {uid for pid, uid in programs("gateway", running.store) if pid != running.pid("gateway")}
        assert seats == {parse((running.store / "strongroom.toml").read_bytes()).users.gateway}
        assert 0 not in seats

    before = {pid for pid, _ in programs("gateway", running.store)}
    os.kill(running.pid("gateway"), signal.SIGKILL)
    end, again = time.monotonic() + 2 * LONG, 0
    while again != 200 and time.monotonic() < end:
        gone = before.isdisjoint(pid for pid, _ in programs("gateway", running.store))
        with contextlib.suppress(httpx2.HTTPError):  # the port is opened anew when the last worker of before has ended
            again = get("/DocumentReference").status_code if gone else 0
        time.sleep(0.1)
    assert get(f"/Binary/{first['id']}").content == content.content
