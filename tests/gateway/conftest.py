"""A gateway on a socket, before real portals and before one that says whatever a test wants it to say."""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import uvicorn

from strongroom.gateway.counts import Counts
from strongroom.gateway.proxy import Event
from strongroom.gateway.settings import parse
from strongroom.gateway.waf import Waf
from strongroom.wiring.described import DESCRIBED
from strongroom.wiring.gateway import open_gateway, serving

LONG = 60.0
"""Seconds for what must happen."""


@dataclass
class Served:
    """A gateway. `events`: what became of requests, in the order in which they ended."""

    port: int
    events: list[Event] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def connect(self) -> socket.socket:
        """One client."""
        return socket.create_connection(("127.0.0.1", self.port), LONG)

    def says(self, request: bytes) -> bytes:
        """All that is answered until the connection ends."""
        with self.connect() as client:
            client.sendall(request)
            return everything(client)

    def gets(
        self, path: str, *headers: str, method: str = "GET", body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of an answer."""
        lines = [f"{method} {path} HTTP/1.1", "Host: portal", "Connection: close", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return read(self.says("\r\n".join([*lines, "", ""]).encode() + body))

    def event(self, number: int) -> Event:
        """What became of that request, counted from 0, once it has ended."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.events) > number, LONG)
            return self.events[number]

    def hear(self, event: Event) -> None:
        """Called by the gateway."""
        with self.news:
            self.events.append(event)
            self.news.notify_all()


class Scripted:
    """A portal that answers each connection's request with the next script, whatever it says; and keeps what it was told.

    A script is bytes to send, after which the connection ends, or a function of the connection.
    """

    def __init__(self, *scripts: bytes | Callable[[socket.socket], None]) -> None:
        self.heard: list[bytes] = []
        self._scripts = list(scripts)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        for script in self._scripts:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            with connection:
                connection.settimeout(LONG)
                self.heard.append(b"")
                while b"\r\n\r\n" not in self.heard[-1]:
                    piece = connection.recv(1)  # no more than the head: the rest is the script's
                    if not piece:
                        break
                    self.heard[-1] += piece
                with contextlib.suppress(OSError):
                    if callable(script):
                        script(connection)
                    else:
                        connection.sendall(script)
                        connection.shutdown(socket.SHUT_WR)
                        everything(connection)

    def close(self) -> None:
        """End it: whoever waits for a connection is woken first."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def everything(client: socket.socket) -> bytes:
    """What comes until the end."""
    found = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65_536):
            found += piece
    return bytes(found)


def read(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers, body; chunks put together."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        whole = b""
        while body:
            size, _, rest = body.partition(b"\r\n")
            whole, body = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
            if size == b"0":
                break
        body = whole
    return int(first.split()[1]), headers, body


@contextlib.contextmanager
def gateway(
    settings: bytes, port: int, scheme: str = "http", waf: Waf | None = None, counts: Counts | None = None
) -> Iterator[Served]:
    """A gateway before the portal on `port`."""
    checked = parse(settings)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = Served(listening.getsockname()[1])
        app = open_gateway(checked, f"{scheme}://127.0.0.1:{port}", served.hear, waf=waf, counts=counts)
        server = uvicorn.Server(serving(app, checked, served.port))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield served
        finally:
            server.should_exit = True
            thread.join(LONG)
            assert not thread.is_alive()


@pytest.fixture(scope="session")
def portal() -> Iterator[int]:
    """The vulnerable portal, running; its port."""
    process = subprocess.Popen([sys.executable, "-m", "strongroom.rehearse.portal"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    yield int(process.stdout.readline())
    process.kill()
    process.wait(LONG)
    process.stdout.close()


@pytest.fixture
def settings() -> bytes:
    """What the portal's engineer wrote."""
    return (DESCRIBED / "portal.toml").read_bytes()


@pytest.fixture
def served(portal: int, settings: bytes) -> Iterator[Served]:
    """A gateway before the vulnerable portal."""
    with gateway(settings, portal) as one:
        yield one
