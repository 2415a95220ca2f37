"""The gateway against nginx with libmodsecurity, same rules and settings of bodies; the guard alone against nginx as a proxy.

One worker each, before the same portal (an nginx that says the same to everything). The peer has the rules as they are installed,
with our settings, our own rules, and without the files that we leave out. A second peer has them as the gateway loads them, text
for text (without tags, without what lies above the paranoia level, with bodies looked at field by field and not once more as one
text), and tcmalloc, where it is installed, as the gateway has it: what the first peer could gain by being told. CPU is user and
system time of all processes of a server, for each request; clients and the portal are not counted. Rounds go by turns, figures are
medians. In comparisons of the WAF the guard is off: nginx has none.

GET: a document by its UUID with a search term that differs each time, so that no verdict is remembered. Cached GET: without the
term. JSON: 14 values, some 500 bytes. Upload: a PDF of 250 KB and two fields, as a browser sends them. Guard alone: 2,000 sessions
that read what is theirs, WAF off, rules in force. At half load: as many requests a second as half of what our gateway alone did.
"""

import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import uvloop

from bench import Scale
from bench.download import wait_for
from bench.report import Figure, Goal
from bench.store import cpu_seconds
from strongroom.errors import ConfigError
from strongroom.gateway import crs, rules
from strongroom.wiring.memory import TCMALLOC
from strongroom.wiring.port import free_port

MODULE = Path("/usr/lib/nginx/modules/ngx_http_modsecurity_module.so")
INSTALL = "apt-get install -y --no-install-recommends nginx-light libnginx-mod-http-modsecurity"
CONNECTIONS = 8
ROUNDS = {"small": 3, "full": 7}
COUNTS = {"GET": 200, "JSON": 100, "upload": 30, "cached GET": 400}
"""Requests of one round, for each server."""
MORE = {"cached GET": 20}
"""So many times as many for our gateway: the clock of CPU time ticks a hundred times a second."""
ALONE = 4_000
"""Requests of one round of the guard alone."""
PACED = 3.0
"""Seconds of one round at half load."""
GOALS = {"GET": (1.0, 1.1), "JSON": (0.8, 1.5), "upload": (0.15, 7.0), "cached GET": (0.05, 15.0)}
"""Ratios of CPU, at most, and of requests a second, at least."""
LARGE = json.dumps({f"{number:05d}": 1 for number in range(10_000)}).encode()[:99_990] + b"}"

NGINX = """\
{load}
worker_processes 1;
daemon off;
pid {folder}/{name}.pid;
error_log {folder}/{name}.log error;
events {{ worker_connections 512; }}
http {{
  access_log off;
  keepalive_requests 10000000;
  client_body_temp_path {folder}/{name}-body;
  proxy_temp_path {folder}/{name}-proxy;
  client_body_buffer_size 512k;
  client_max_body_size 20m;
  {more}
}}
"""
PORTAL = """
  server {{
    listen 127.0.0.1:{port};
    location / {{ default_type application/json; return 200 '{{"resourceType": "Binary", "id": "4711", "text": "%s"}}'; }}
  }}
""" % ("x" * 1_900)
PROXY = """
  upstream portal {{ server 127.0.0.1:{upstream}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port};
    {waf}
    location / {{ proxy_pass http://portal; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }}
  }}
"""
SETTINGS = """
[gateway]
workers = 1
port = {port}

[person]
by = "cookie"
name = "sid"

[guard]
mode = "{guard}"

[waf]
mode = "{waf}"

[[route]]
name = "document"
path = "/documents/{{document:uuid}}"
query = {{ q = "text" }}

[[route]]
name = "message"
path = "/messages"
methods = ["POST"]
content_types = ["application/json"]
max_body = 200_000

[[route]]
name = "upload"
path = "/upload"
methods = ["POST"]
content_types = ["multipart/form-data"]
max_body = 10_000_000
"""
_RAW = re.compile(r"(?m)^SecRule REQUEST_HEADERS:Content-Type \\\n.*\\\n.*id:9400007.*\n")
"""The rule that keeps bodies from being looked at twice."""
_HEADERS = (
    "Host: portal.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: application/json, text/plain, */*\r\nAccept-Language: en-NZ,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\n"
)


@dataclass(slots=True)
class Server:
    """One server, its processes, and what was measured of it: kind of request -> values of rounds."""

    name: str
    port: int
    pid: int
    cpu: dict[str, list[float]] = field(default_factory=dict)
    rate: dict[str, list[float]] = field(default_factory=dict)
    late: list[float] = field(default_factory=list)
    """Medians of the answers' times at half load, in seconds."""

    def cpu_by_process(self) -> dict[int, float]:
        """Seconds of CPU of all its processes that there are now: the gateway's WAF has some that come and go."""
        found = {}
        for pid in (self.pid, *_children(self.pid)):
            with contextlib.suppress(OSError):  # it went meanwhile
                found[pid] = cpu_seconds(pid)
        return found


def run(scale: Scale) -> Iterable[Figure]:
    """All of it."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None or not MODULE.exists():
        raise ConfigError("This bench needs nginx with libmodsecurity.", advice=INSTALL)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="strongroom-bench-")))
        folder.chmod(0o755)
        start = Starter(stack, folder, nginx)
        portal = start.nginx("portal", PORTAL)
        found = crs.read(crs.FOLDER, (rules.BASE,))
        changed = "\n".join(text for _, text in rules.texts(found))
        files = tuple(crs.RuleFile(one.name, f"Include {crs.FOLDER / one.name}\n") for one in found.files)
        installed = _RAW.sub("", "\n".join(text for _, text in rules.texts(replace(found, files=files))))
        assert installed.count("Include") == len(files) > 10
        assert len(installed) < len(changed) - 100_000
        peer = start.waf("nginx-waf", portal.port, installed)
        tuned = start.waf("nginx-waf-changed", portal.port, changed, preload=str(TCMALLOC) if TCMALLOC.exists() else "")
        plain = start.nginx("nginx-plain", PROXY, upstream=portal.port)
        ours = start.gateway("gateway", portal.port, guard="off", waf="block")
        alone = start.gateway("guard-alone", portal.port, guard="enforce", waf="off")
        blocked(peer, tuned, ours)
        for number in range(ROUNDS[scale]):
            for kind, count in COUNTS.items():
                for server in (ours, peer, tuned):
                    many = count * (MORE.get(kind, 1) if server is ours else 1)
                    measure(server, kind, _MAKE[kind](many, number), CONNECTIONS)
            for server in (alone, plain):
                measure(server, "alone", reads(ALONE, number), CONNECTIONS)
            pace = statistics.median(alone.rate["alone"]) / 2
            for server in (alone, plain):
                server.late.append(asyncio.run(paced(server.port, reads(int(pace * PACED), number + 100), pace)))
        refused = [
            cpu_of(ours, [_post("/messages", "application/json", LARGE)] * 10, 1, b"400") for _ in range(ROUNDS[scale])
        ]
    yield from figures(ours, peer, tuned, alone, plain, statistics.median(refused))


def figures(
    ours: Server, peer: Server, tuned: Server, alone: Server, plain: Server, refused: float
) -> Iterator[Figure]:
    """Medians, and what was promised of them."""
    middle = statistics.median
    for kind, (most, least) in GOALS.items():
        cpu, rate = middle(ours.cpu[kind]) * 1e6, middle(ours.rate[kind])
        yield Figure(
            f"CPU a {kind}, against nginx",
            cpu,
            "us",
            middle(peer.cpu[kind]) * 1e6,
            Goal("ratio", "<=", most),
        )
        yield Figure(
            f"CPU a {kind}, against nginx with our changes to the rules", cpu, "us", middle(tuned.cpu[kind]) * 1e6
        )
        yield Figure(f"{kind}s a second", rate, "1/s", middle(peer.rate[kind]), Goal("ratio", ">=", least))
    yield Figure(
        "guard alone, against nginx: requests",
        middle(alone.rate["alone"]),
        "1/s",
        middle(plain.rate["alone"]),
        Goal("ratio", ">=", 0.4),
    )
    yield Figure(
        "guard alone, against nginx: CPU", middle(alone.cpu["alone"]) * 1e6, "us", middle(plain.cpu["alone"]) * 1e6
    )
    yield Figure("guard alone at half load: p50", middle(alone.late) * 1e3, "ms", middle(plain.late) * 1e3)
    added = (middle(alone.late) - middle(plain.late)) * 1e3
    yield Figure("guard alone at half load: added p50", added, "ms", None, Goal("value", "<=", 1.5))
    yield Figure("JSON of 99 KB with 10,000 keys, refused: CPU", refused * 1e3, "ms", None, Goal("value", "<=", 20))


def blocked(*servers: Server) -> None:
    """Both must do what they are compared at."""
    attack = f"GET /documents/{uuid.UUID(int=1)}?q=1%27%20OR%201=1--%20- HTTP/1.1\r\n{_HEADERS}Cookie: sid=a\r\n\r\n".encode()
    for server in servers:
        cpu_of(server, [attack], 1, b"403")


# ---- servers --------------------------------------------------------------------------------------------------------


class Starter:
    """Starts what is ended with the stack."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path, nginx: str) -> None:
        self._stack, self._folder, self._nginx = stack, folder, nginx

    def nginx(
        self, name: str, more: str, *, upstream: int = 0, waf: str = "", load: str = "", preload: str = ""
    ) -> Server:
        """An nginx."""
        port, path = free_port(), self._folder / f"{name}.conf"
        text = NGINX.format(
            folder=self._folder, name=name, load=load, more=more.format(port=port, upstream=upstream, waf=waf)
        )
        path.write_text(text, "utf-8")
        return self._started(name, port, [self._nginx, "-p", str(self._folder), "-c", str(path)], preload)

    def waf(self, name: str, upstream: int, text: str, preload: str = "") -> Server:
        """An nginx with libmodsecurity and these rules."""
        path = self._folder / f"{name}-rules.conf"
        path.write_text(text, "utf-8")
        told = f"modsecurity on; modsecurity_rules_file {path};"
        return self.nginx(name, PROXY, upstream=upstream, waf=told, load=f"load_module {MODULE};", preload=preload)

    def gateway(self, name: str, upstream: int, *, guard: str, waf: str) -> Server:
        """A gateway of ours, by its command."""
        port, folder = free_port(), self._folder / name
        folder.mkdir()
        (folder / "gateway.toml").write_text(SETTINGS.format(port=port, guard=guard, waf=waf), "utf-8")
        words = [
            str(Path(sys.executable).with_name("strongroom")),
            "gateway",
            "--upstream",
            f"http://127.0.0.1:{upstream}",
        ]
        return self._started(name, port, [*words, "--config", str(folder / "gateway.toml")])

    def _started(self, name: str, port: int, words: list[str], preload: str = "") -> Server:
        with (self._folder / f"{name}.err").open("wb") as said:
            process = subprocess.Popen(words, stderr=said, env={**os.environ, "LD_PRELOAD": preload})
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        wait_for(port)
        asyncio.run(_ask_all(port, _cached(CONNECTIONS, 0), CONNECTIONS, b"200"))  # its workers are there
        return Server(name, port, process.pid)


def _children(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):  # it went meanwhile
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            yield child
            yield from _children(child)


# ---- requests -------------------------------------------------------------------------------------------------------


def _get(path: str, session: str = "4f1c") -> bytes:
    return f"GET {path} HTTP/1.1\r\n{_HEADERS}Cookie: sid={session}\r\n\r\n".encode()


def _post(path: str, kind: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\n{_HEADERS}Cookie: sid=4f1c\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _documents(count: int, seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    return (f"/documents/{uuid.UUID(int=rng.getrandbits(128), version=4)}" for _ in range(count))


def _searches(count: int, seed: int) -> list[bytes]:
    return [_get(f"{path}?q=knee%20{seed}%20{number}") for number, path in enumerate(_documents(count, seed))]


def _messages(count: int, seed: int) -> list[bytes]:
    body = {
        "resourceType": "Communication",
        "status": "completed",
        "sent": "2026-11-28T09:30:00+13:00",
        "priority": "routine",
        "subject": {"reference": f"Patient/{seed}", "display": "Ann Example"},
        "sender": {"reference": "Practitioner/12"},
        "topic": {"text": "Results of the blood test"},
        "payload": [{"contentString": "Your results are in. " * 6}],
        "language": "en-NZ",
        "category": [{"text": "notification"}],
        "note": [{"text": "Please call if you have questions."}],
        "received": "2026-11-28T09:31:00+13:00",
    }
    return [
        _post("/messages", "application/json", json.dumps(body | {"id": str(number)}).encode())
        for number in range(count)
    ]


def _uploads(count: int, seed: int) -> list[bytes]:
    pdf, mark = b"%PDF-1.7\n" + random.Random(seed).randbytes(250_000), b"----geckoformboundary4f1c"
    parts = (
        (b'name="title"', b"", b"Discharge summary"),
        (b'name="note"', b"", b"From the hospital, please file."),
        (b'name="file"; filename="scan 12.pdf"', b"\r\nContent-Type: application/pdf", pdf),
    )
    body = (
        b"".join(b"--%b\r\nContent-Disposition: form-data; %b%b\r\n\r\n%b\r\n" % (mark, *part) for part in parts)
        + b"--%b--\r\n" % mark
    )
    return [_post("/upload", f"multipart/form-data; boundary={mark.decode()}", body)] * count


def reads(count: int, seed: int) -> list[bytes]:
    """Of 2,000 sessions."""
    rng = random.Random(seed)
    return [_get(path, f"s{rng.randrange(2_000)}") for path in _documents(count, seed)]


def _cached(count: int, seed: int) -> list[bytes]:
    return [_get(path) for path in _documents(count, seed)]


_MAKE: dict[str, Callable[[int, int], list[bytes]]] = {
    "GET": _searches,
    "JSON": _messages,
    "upload": _uploads,
    "cached GET": _cached,
}


# ---- the client -----------------------------------------------------------------------------------------------------


def measure(server: Server, kind: str, requests: list[bytes], connections: int) -> None:
    """One round."""
    began = time.monotonic()
    server.cpu.setdefault(kind, []).append(cpu_of(server, requests, connections))
    server.rate.setdefault(kind, []).append(len(requests) / (time.monotonic() - began))


def cpu_of(server: Server, requests: list[bytes], connections: int, status: bytes = b"200") -> float:
    """Seconds of CPU for each of the requests, all of which must be answered so."""
    before = server.cpu_by_process()
    uvloop.run(_ask_all(server.port, requests, connections, status))
    spent = sum(seconds - before.get(pid, 0.0) for pid, seconds in server.cpu_by_process().items())
    return spent / len(requests)


async def _ask_all(port: int, requests: list[bytes], connections: int, status: bytes) -> None:
    loop, following = asyncio.get_running_loop(), iter(requests)

    async def one() -> None:
        ended = False
        while not ended:  # a connection that ends with an answer is followed by another one
            asker = Asker(following, status, loop.create_future())
            await loop.create_connection(lambda: asker, "127.0.0.1", port)  # noqa: B023  # called at once
            ended = await asker.done

    await asyncio.gather(*(one() for _ in range(connections)))


class Asker(asyncio.Protocol):
    """Asks one request after the other on one connection. `done`: whether there are no more."""

    def __init__(self, following: Iterator[bytes], status: bytes, done: "asyncio.Future[bool]") -> None:
        self._following, self._status, self.done = following, b"http/1.1 " + status, done
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def _next(self) -> None:
        request = next(self._following, None)
        if request is not None:
            self._transport.write(request)
            return
        self.done.set_result(True)
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._heard += data
        head, end, body = self._heard.partition(b"\r\n\r\n")
        if not end:
            return
        head = head.lower() + b"\r\n"
        assert head.startswith(self._status), head
        if len(body) < int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        self._heard = b""
        if b"\r\nconnection: close\r\n" in head:
            self.done.set_result(False)
            self._transport.close()
        else:
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionAbortedError())


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, status: bytes) -> bool:
    """Whether the connection ends with the answer."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 " + status), head
    await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    return b"\r\nconnection: close\r\n" in head


async def paced(port: int, requests: list[bytes], rate: float) -> float:
    """Seconds that the middle one of the answers takes, at `rate` requests a second, each at its time."""
    took: list[float] = []
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    loop = asyncio.get_running_loop()
    start = loop.time()

    async def one(number: int, request: bytes) -> None:
        await asyncio.sleep(max(0.0, start + number / rate - loop.time()))
        reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        began = loop.time()
        await _ask(reader, writer, request, b"200")
        took.append(loop.time() - began)
        idle.append((reader, writer))

    await asyncio.gather(*(one(number, request) for number, request in enumerate(requests)))
    for _, writer in idle:
        writer.close()
    return statistics.median(took)
