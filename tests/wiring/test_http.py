"""The web server's connections end when the client does not do its part, and say nothing that was not asked for."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from strongroom.wiring import http
from strongroom.wiring.http import served

BIG = 64_000_000


@dataclass
class Web:
    """A served application."""

    server: uvicorn.Server
    port: int

    def connect(self) -> socket.socket:
        """A connection of one client."""
        return socket.create_connection(("127.0.0.1", self.port), 10.0)

    def says(self, request: bytes) -> bytes:
        """All that is answered to `request` until the connection ends."""
        with self.connect() as client:
            client.sendall(request)
            return everything(client)

    @property
    def connections(self) -> int:
        """Connections that are open."""
        return len(self.server.server_state.connections)


def everything(client: socket.socket) -> bytes:
    """What comes until the end."""
    found = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65_536):
            found += piece
    return bytes(found)


async def _headers(request: Request) -> Response:
    await request.body()
    return JSONResponse(dict(request.headers), headers={"Date": "mine"})


async def _fail(_request: Request) -> Response:
    msg = "Ngaire Tamatea"
    raise RuntimeError(msg)


async def _early(_request: Request) -> Response:
    return Response("no", 401)


async def _big(_request: Request) -> Response:
    return Response(bytes(BIG))


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """With bounds of a moment."""
    monkeypatch.setattr(http, "HEAD", 0.3)
    monkeypatch.setattr(http, "LOOK", 0.3)
    app = Starlette(routes=[Route("/", _headers, methods=["GET", "POST"]), Route("/big", _big), Route("/fail", _fail),
                            Route("/early", _early, methods=["POST"])])  # fmt: skip
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(served(app, "127.0.0.1", 0, dated=True))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Web(server, int(listening.getsockname()[1]))
        server.should_exit = True
        thread.join(10)


def test_requests_are_answered_one_after_another(web: Web) -> None:
    """On one connection, which lives longer than a request may take to be said; with the one Date of the application."""
    with web.connect() as client:
        for _ in range(4):
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = client.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.lower().count(b"date: ") == 1
            assert b"server:" not in answer.lower()
            time.sleep(0.15)


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n"])
def test_a_request_that_is_never_said_is_not_waited_for(web: Web, begun: bytes) -> None:
    """Neither in silence, nor a header at a time: idle connections would fill the house."""
    with web.connect() as client:
        began = time.monotonic()
        client.sendall(begun)
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 5:
                client.sendall(b"X: y\r\n" if begun.endswith(b"\n") else b"")
                client.settimeout(0.05)
                with contextlib.suppress(TimeoutError):
                    if client.recv(1) == b"":
                        break
        assert time.monotonic() - began < 2


def test_empty_lines_between_requests_win_no_time(web: Web) -> None:
    """A server may skip them; they are not the next request."""
    with web.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(65_536)
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 5:
                client.sendall(b"\r\n")
                time.sleep(0.05)
        assert time.monotonic() - began < 2


def test_a_body_that_nobody_reads_any_more_is_not_waited_for(web: Web) -> None:
    """The answer was given; what still comes is thrown away for a moment only."""
    with web.connect() as client:
        client.sendall(b"POST /early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert client.recv(65_536).startswith(b"HTTP/1.1 401")
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 5:
                client.sendall(b"1\r\nx\r\n")
                time.sleep(0.05)
        assert time.monotonic() - began < 2


def test_a_head_has_a_length(web: Web) -> None:
    """Whoever sends more headers than any honest client is cut off; nothing grows."""
    filler = b"X-%d: " + b"a" * 1_000 + b"\r\n"
    with web.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        sent = 0
        with contextlib.suppress(OSError):
            while sent < 1_000:
                client.sendall(filler % sent)
                sent += 1
                if sent % 50 == 0:
                    time.sleep(0.01)
        assert sent < 500


def test_trailers_are_no_headers(web: Web) -> None:
    """What comes after the body was seen by no check of the headers, here or before us (RFC 9110, section 6.5.1)."""
    request = (
        b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
        b'Authorization: Bearer smuggled\r\nIf-Match: W/"1"\r\n\r\n'
    )
    answer = web.says(request)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"smuggled" not in answer
    assert b"if-match" not in answer


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n",
        b"Content-Length: +1\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"A: b\r\n folded: c\r\nTransfer-Encoding: identity, chunked\r\n",
        b"Evil\x00: a\r\n",
    ],
)
def test_a_request_with_two_readings_is_refused(web: Web, head: bytes) -> None:
    """Where two servers could see two ends of it, neither is taken: the second request is never answered."""
    answer = web.says(b"POST / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501"))


def test_an_error_is_told_without_its_message(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    """Neither to the client nor, with a traceback, to the log."""
    answer = web.says(b"GET /fail HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 500")
    assert "a request failed: RuntimeError at test_http.py" in caplog.text
    assert "Ngaire" not in caplog.text + answer.decode()


def test_an_answer_that_is_not_taken_is_not_kept(web: Web) -> None:
    """The connection ends, with all that waited for it; who takes it slowly gets all of it."""
    with web.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(0.1)
        assert web.connections == 1
        began = time.monotonic()
        while web.connections and time.monotonic() - began < 5:
            time.sleep(0.05)
        assert web.connections == 0
    with web.connect() as client:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        taken = 0
        while piece := client.recv(1_000_000):
            taken += len(piece)
            time.sleep(0.01)
        assert taken > BIG
