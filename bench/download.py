"""A guarded download over HTTP, against the same bytes from nginx (a file) and from a bare Starlette (memory).

Guarded means the whole way, in the processes of the product: token, context, decision, budgets, the durable entry, the
key, ciphertext from the object store, decryption chunk by chunk, and the word back on what was delivered. CPU is that
of all processes of a server together (app and keeper; nginx's worker; the Starlette process), for each request; clients
are not counted. One client process keeps `CONNECTIONS` connections alive to each server in turn.

The peers hold one document; the store holds one for each of `PEOPLE` patients, read by their own logins in new sessions
of `USES` downloads each.
"""

import asyncio
import http.client
import multiprocessing
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from bench import Scale
from bench.report import Figure, Goal
from bench.store import Store, cpu_seconds, open_store
from strongroom.errors import ConfigError
from strongroom.wiring.port import free_port

SIZE = 252_000
PIECE = 65_536
"""Bytes that the bare Starlette sends at once: the usual size of a file response's chunk."""
PEOPLE = 64
USES = 8
CONNECTIONS = 16
ROUNDS = 5
REQUESTS = {"small": 1_200, "full": 5_000}
"""Of each server in one round."""

NGINX = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


@dataclass(slots=True)
class Measured:
    """What the rounds of one server gave."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server listens, its processes, and what to ask it for."""

    port: int
    pids: tuple[int, ...]
    requests: list[bytes]


def run(scale: Scale) -> Iterable[Figure]:
    """All three, in turns."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        raise ConfigError("This bench needs nginx.", advice="apt-get install -y --no-install-recommends nginx-light")
    count = REQUESTS[scale]
    with open_store(80) as store, client() as pipe, peers(nginx) as (plain, bare):
        found = [Measured() for _ in range(3)]
        addresses = deposit(store)
        for seed in range(ROUNDS):
            guarded = Server(
                store.config.api.port, (store.pid("app"), store.pid("keeper")), asked(store, addresses, count, seed)
            )
            for server, into in zip((guarded, plain, bare), found, strict=True):
                measure(pipe, server, count, into)
    yield from figures(*found)


def figures(guarded: Measured, plain: Measured, bare: Measured) -> Iterator[Figure]:
    """Medians."""
    middle = statistics.median
    cpu = middle(guarded.cpu) * 1e6
    yield Figure("CPU a download, against nginx", cpu, "us", middle(plain.cpu) * 1e6, Goal("ratio", "<=", 3.0))
    yield Figure("CPU a download, against Starlette", cpu, "us", middle(bare.cpu) * 1e6, Goal("ratio", "<=", 1.7))
    yield Figure("downloads, against nginx", middle(guarded.rates), "1/s", middle(plain.rates))
    yield Figure("downloads, against Starlette", middle(guarded.rates), "1/s", middle(bare.rates))


# ---- the guarded store ----------------------------------------------------------------------------------------------


def deposit(store: Store) -> list[tuple[str, str]]:
    """(subject, path) of a document of `SIZE` bytes for each patient who has a login."""
    found = []
    for subject in store.owners[:PEOPLE]:
        body = b"%PDF-1.7\n" + os.urandom(SIZE - 9)
        connection = http.client.HTTPConnection("127.0.0.1", store.config.api.port)
        headers = {
            "Authorization": f"Bearer {store.token(subject)}", "Content-Type": "application/pdf",
            "X-Security-Context": f"Patient/{store.demo.own[subject]}",
        }  # fmt: skip
        connection.request("POST", "/fhir/Binary", body, headers)
        answer = connection.getresponse()
        told = answer.read()
        assert answer.status == http.client.CREATED, told
        ident = str(answer.headers["Location"]).split("/Binary/")[1].split("/")[0]
        found.append((subject, f"/fhir/Binary/{ident}"))
        connection.close()
    return found


def asked(store: Store, addresses: list[tuple[str, str]], count: int, seed: int) -> list[bytes]:
    """Requests of new sessions, mixed."""
    rng, found = random.Random(seed), []
    for _ in range(count // USES + 1):
        subject, path = rng.choice(addresses)
        found += [request(path, f"Authorization: Bearer {store.token(subject)}\r\n")] * USES
    rng.shuffle(found)
    return found[:count]


def request(path: str, headers: str = "") -> bytes:
    """A GET as a small client sends it."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n{headers}\r\n".encode()


# ---- the peers ------------------------------------------------------------------------------------------------------


@contextmanager
def peers(nginx: str) -> Iterator[tuple[Server, Server]]:
    """Nginx with one file, and a Starlette with the same bytes in memory."""
    folder = Path(tempfile.mkdtemp(prefix="strongroom-bench-"))
    folder.chmod(0o755)
    processes = []
    try:
        (folder / "document").write_bytes(os.urandom(SIZE))
        port, other = free_port(), free_port()
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
        processes.append(subprocess.Popen([nginx, "-p", folder, "-c", folder / "nginx.conf"]))
        processes.append(subprocess.Popen([sys.executable, "-m", "bench.download", str(other)]))
        for one in (port, other):
            wait_for(one)
        worker = [
            int(pid) for pid in Path(f"/proc/{processes[0].pid}/task/{processes[0].pid}/children").read_text().split()
        ]
        yield Server(port, tuple(worker), [request("/document")]), Server(other, (processes[1].pid,), [request("/")])
    finally:
        for process in processes:
            process.terminate()
            process.wait()
        shutil.rmtree(folder)


def wait_for(port: int) -> None:
    """Until somebody listens."""
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError


def serve_memory(port: int) -> None:
    """The bare Starlette, under the same HTTP server and settings as the app."""
    content = os.urandom(SIZE)

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, SIZE, PIECE):
            yield content[at : at + PIECE]

    async def document(_request: Request) -> StreamingResponse:
        return StreamingResponse(chunks(), media_type="application/pdf", headers={"Content-Length": str(SIZE)})

    app = Starlette(routes=[Route("/", document)])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="off")


# ---- the client -----------------------------------------------------------------------------------------------------


@contextmanager
def client() -> Iterator[Connection]:
    """A process that downloads; told what through a pipe."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve_rounds, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours
    finally:
        ours.send(None)
        process.join()


def measure(pipe: Connection, server: Server, count: int, into: Measured) -> None:
    """One round against one server."""
    before = cpu_seconds(*server.pids)
    pipe.send((server.port, server.requests, count))
    seconds = pipe.recv()
    into.cpu.append((cpu_seconds(*server.pids) - before) / count)
    into.rates.append(count / seconds)


def serve_rounds(pipe: Connection) -> None:
    """The client process."""
    while (told := pipe.recv()) is not None:
        pipe.send(asyncio.run(download_all(*told)))


async def download_all(port: int, requests: list[bytes], count: int) -> float:
    """Download `count` times over `CONNECTIONS` connections; gives the seconds it took."""
    following = iter(range(count))
    loop = asyncio.get_running_loop()
    start = loop.time()

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        for n in following:
            writer.write(requests[n % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            await reader.readexactly(SIZE)
        writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return loop.time() - start


if __name__ == "__main__":
    serve_memory(int(sys.argv[1]))
