"""The application behind its real server, over its real store and catalogue, with clients that misbehave."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import uvicorn

from strongroom.api.app import create_app
from strongroom.api.settings import Settings
from strongroom.clock import ManualClock
from strongroom.documents.local import local_blobs
from strongroom.documents.sqlite import Catalogue
from strongroom.keeper import protocol as p
from strongroom.secret import Secret
from tests.api.conftest import BASE, OWNER, PATIENT, PDF, build, issue, reference, sign
from tests.api.standins import MemoryDoor

LONG = PDF + b"x" * 9_000_000
"""More than the kernel keeps for a client that does not take it (the third number of net.ipv4.tcp_wmem)."""


@dataclass
class Running:
    """A server in a thread."""

    port: int
    server: uvicorn.Server
    door: MemoryDoor
    objects: Path
    client: httpx2.Client

    def files(self) -> list[Path]:
        """Objects in the store."""
        return [path for path in self.objects.rglob("*") if path.is_file()]

    def talk(self, head: str, body: bytes = b"", take: int = 0) -> bytes:
        """Raw bytes over a connection that is closed after `take` bytes of the answer."""

        async def go() -> bytes:
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # else the kernel may take all at once
            connection.connect(("127.0.0.1", self.port))
            reader, writer = await asyncio.open_connection(sock=connection)
            writer.write(head.replace("\n", "\r\n").encode() + b"\r\n" + body)
            await writer.drain()
            got = await reader.read(take) if take else b""
            writer.transport.abort()
            return got

        return asyncio.run(go())

    def wait_for(self, kind: type, count: int = 1) -> None:
        """Until the door has heard it. The minute is only there so that a broken build ends."""
        for _ in range(12_000):
            if len(self.door.words(kind)) >= count:
                return
            threading.Event().wait(0.005)
        pytest.fail(f"The door never heard {kind.__name__}.")

    def wait_until_idle(self) -> None:
        """Until no request is under way."""
        for _ in range(12_000):
            if not self.server.server_state.tasks:
                return
            threading.Event().wait(0.005)
        pytest.fail("A request never ended.")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Started, and stopped again."""
    objects = tmp_path / "objects"
    objects.mkdir()
    Catalogue.create(tmp_path / "catalogue.db")
    catalogue = Catalogue.open(tmp_path / "catalogue.db")
    clock = ManualClock()
    door = MemoryDoor(clock, own={"owner": (PATIENT,)})
    settings = Settings(base=BASE, page_key=Secret(b"k" * 32))
    app = create_app(door, local_blobs(objects), catalogue, sign, clock, settings)
    config = uvicorn.Config(app, port=0, lifespan="off", log_level="critical", http="httptools", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=OWNER, timeout=60.0) as client:
        yield Running(port, server, door, objects, client)
    server.should_exit = True
    thread.join()
    catalogue.close()


def test_the_whole_way(running: Running) -> None:
    """A long document goes in, is found, comes out whole and in part, is changed and taken away."""
    headers = {"X-Security-Context": f"Patient/{PATIENT}", "Content-Type": "application/pdf"}
    answer = running.client.post("/fhir/Binary", content=LONG, headers=headers)
    one = answer.headers["location"].removeprefix(f"{BASE}/Binary/").partition("/")[0]
    assert running.client.get(f"/fhir/Binary/{one}").content == LONG
    assert running.client.get(f"/fhir/Binary/{one}", headers={"Range": "bytes=2000000-2000009"}).content == b"x" * 10
    found = running.client.get("/fhir/DocumentReference").json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [one]
    changed = {**found["entry"][0]["resource"], "description": "A letter"}
    put = running.client.put(f"/fhir/DocumentReference/{one}", json=changed, headers={"If-Match": 'W/"1"'})
    assert put.status_code == 200
    assert running.client.get(f"/fhir/Binary/{one}").content == LONG
    assert running.client.delete(f"/fhir/DocumentReference/{one}").status_code == 204
    assert running.client.get(f"/fhir/Binary/{one}").status_code == 404
    assert LONG[:1_000] not in b"".join(path.read_bytes() for path in running.files())


def test_a_download_that_is_dropped(running: Running) -> None:
    """The door hears that not all of it went out."""
    one = running.client.post("/fhir/DocumentReference", json=reference(LONG)).json()["id"]
    head = f"GET /fhir/Binary/{one} HTTP/1.1\nHost: x\nAuthorization: Bearer owner\n"
    assert running.talk(head, take=1_000).startswith(b"HTTP/1.1 200")
    running.wait_for(p.Delivered)
    word = running.door.words(p.Delivered)[0]
    assert word.complete is False
    assert word.bytes < len(LONG)


def test_an_upload_that_is_dropped(running: Running) -> None:
    """Less than was announced is nothing: no object stays, and no last word is said."""
    head = (f"POST /fhir/Binary HTTP/1.1\nHost: x\nAuthorization: Bearer owner\nContent-Type: application/pdf\n"
            f"X-Security-Context: Patient/{PATIENT}\nContent-Length: 1000000\n")  # fmt: skip
    running.talk(head, PDF * 1_000)
    running.wait_for(p.Deposit)
    running.wait_until_idle()
    assert running.door.words(p.Deposited) == []
    assert running.files() == []


ASKING = "Host: x\nAuthorization: Bearer owner\n"
UPLOAD = f"POST /fhir/Binary HTTP/1.1\n{ASKING}Content-Type: text/plain\n"
HOSTILE = [
    (f"GET /fhir/DocumentReference HTTP/1.1\n{ASKING}Authorization: Bearer owner\n", b"400"),
    (f"GET /fhir/DocumentReference/%2e%2e%2f%2e%2e HTTP/1.1\n{ASKING}", b"404"),
    (f"GET /fhir/DocumentReference/%00 HTTP/1.1\n{ASKING}", b"404"),
    (f"GET /fhir/DocumentReference/\u00e9 HTTP/1.1\n{ASKING}", b"400"),
    (f"{UPLOAD}Content-Length: 1\nContent-Length: 2\n", b"400"),
    (f"{UPLOAD}X-Security-Context: Patient/{PATIENT}\nContent-Length: 999999999999\n", b"413"),
    ("BREW /fhir/metadata HTTP/1.1\nHost: x\n", b"4"),
    ("GET /fhir/metadata HTTP/9.9\nHost: x\n", b"4"),
]


@pytest.mark.parametrize(("head", "status"), HOSTILE)
def test_hostile_requests(running: Running, head: str, status: bytes) -> None:
    """Answered with a 4xx, by the server or by us; the next request is served as ever."""
    answer = running.talk(head, take=20)
    assert answer.split(b" ")[1].startswith(status)
    assert running.client.get("/healthz").status_code == 200


def test_browsers_of_other_origins() -> None:
    """No origin may call by default; one that is named may."""
    headers = {"Origin": "https://portal.example", "Access-Control-Request-Method": "GET"}
    refused = build().client.options("/fhir/metadata", headers=headers)
    assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (405, False)
    assert issue(refused)["code"] == "not-supported"
    allowed = build(origins=("https://portal.example",)).client.options("/fhir/metadata", headers=headers)
    assert allowed.headers["access-control-allow-origin"] == "https://portal.example"
    other = build(origins=("https://other.example",)).client.options("/fhir/metadata", headers=headers)
    assert "access-control-allow-origin" not in other.headers
