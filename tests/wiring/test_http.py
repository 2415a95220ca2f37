"""The web server's connections end when the client does not do its part, and say nothing that was not asked for.

Bounds are of a moment only where running into them is what is tested: elsewhere a machine that stands still is no client
that does not do its part.
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn.server import ServerState

from strongroom.wiring import http
from strongroom.wiring.http import Patient, served

BIG = 64_000_000
LONG = 60.0
"""Seconds for what must happen."""


@dataclass
class Web:
    """A served application."""

    server: uvicorn.Server
    port: int

    def connect(self) -> socket.socket:
        """A connection of one client."""
        return socket.create_connection(("127.0.0.1", self.port), LONG)

    def says(self, request: bytes) -> bytes:
        """All that is answered to `request` until the connection ends."""
        with self.connect() as client:
            client.sendall(request)
            return everything(client)

    @property
    def connections(self) -> int:
        """Connections that are open."""
        return len(self.server.server_state.connections)


def answer_of(client: socket.socket) -> bytes:
    """One answer, whole, in however many pieces it comes."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += client.recv(1)
    length = next(line for line in found.lower().split(b"\r\n") if line.startswith(b"content-length: "))
    for _ in range(int(length.split()[1])):
        found += client.recv(1)
    return found


def ends(client: socket.socket, piece: bytes) -> bool:
    """Whether the connection ends while `piece` is said again and again."""
    end = time.monotonic() + LONG
    client.settimeout(0.05)
    while time.monotonic() < end:
        try:
            client.sendall(piece)
            if client.recv(65_536) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


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


async def _long(_request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(BIG // 1_000_000):
            yield bytes(1_000_000)

    return StreamingResponse(pieces(), headers={"Content-Length": str(BIG)})


async def _big(_request: Request) -> Response:
    return Response(bytes(BIG))


LEFT = threading.Event()
"""Whether a request heard that nobody waits for its answer."""


async def _wait(request: Request) -> Response:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    LEFT.set()
    return Response()


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """With bounds that no test runs into."""
    monkeypatch.setattr(http, "HEAD", 10 * LONG)
    monkeypatch.setattr(http, "LOOK", 10 * LONG)
    app = Starlette(routes=[Route("/", _headers, methods=["GET", "POST"]), Route("/big", _big), Route("/long", _long),
                            Route("/fail", _fail), Route("/early", _early, methods=["POST"]), Route("/wait", _wait)])  # fmt: skip
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(served(app, "127.0.0.1", 0, dated=True))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Web(server, int(listening.getsockname()[1]))
        server.should_exit = True
        thread.join(LONG)


@pytest.fixture
def hasty(web: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    """With bounds of a moment."""
    monkeypatch.setattr(http, "HEAD", 0.3)
    monkeypatch.setattr(http, "LOOK", 0.3)
    return web


def test_requests_are_answered_one_after_another(web: Web) -> None:
    """On one connection, which lives longer than a request may take to be said; with the one Date of the application."""
    with web.connect() as client:
        for _ in range(4):
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = answer_of(client)
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.lower().count(b"date: ") == 1
            assert b"server:" not in answer.lower()
            [connection] = web.server.server_state.connections
            assert isinstance(connection, Patient)
            assert connection._head is None  # the time for saying a request runs while one is said


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n"])
def test_a_request_that_is_never_said_is_not_waited_for(hasty: Web, begun: bytes) -> None:
    """Neither in silence, nor a header at a time: idle connections would fill the house."""
    with hasty.connect() as client:
        client.sendall(begun)
        assert ends(client, b"X: y\r\n" if begun.endswith(b"\n") else b"")


def test_empty_lines_between_requests_win_no_time(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may skip them; they are not the next request."""
    with web.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer_of(client)
        monkeypatch.setattr(http, "HEAD", 0.3)
        assert ends(client, b"\r\n")


def test_a_body_that_nobody_reads_any_more_is_not_waited_for(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer was given; what still comes is thrown away for a moment only."""
    with web.connect() as client:
        [begun, body] = [b"POST /early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n", b"1\r\nx\r\n"]
        client.sendall(begun)
        monkeypatch.setattr(http, "HEAD", 0.3)  # the time for saying the request has begun, and is long
        client.sendall(b"\r\n")
        assert answer_of(client).startswith(b"HTTP/1.1 401")
        assert ends(client, body)


def test_a_head_has_a_length(web: Web) -> None:
    """Whoever sends more headers than any honest client is cut off, however much time there is; nothing grows."""
    filler = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1_000) for number in range(2 * http.MAX_HEAD // 1_000))
    answer = web.says(b"GET / HTTP/1.1\r\nHost: x\r\n" + filler)
    assert answer.startswith(b"HTTP/1.1 400") or answer == b""  # what was on its way may undo the answer


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
        b"Host: y\r\n",
    ],
)
def test_a_request_with_two_readings_is_refused(web: Web, head: bytes) -> None:
    """Where two servers could see two ends of it, neither is taken: the second request is never answered."""
    answer = web.says(b"POST / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501"))


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        b"GET / HTTP/0.9\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /#a HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /?a=b#c HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx",
    ],
)
def test_what_is_no_request_is_refused(web: Web, request_: bytes) -> None:
    """Without a Host, of another version, for no path of ours, or with bytes in it that end a line for some."""
    assert web.says(request_).startswith(b"HTTP/1.1 400")


def test_another_protocol_that_is_offered_is_not_taken(web: Web) -> None:
    """Some clients offer HTTP/2 with their first request; that one and the next are answered."""
    offer = b"Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    with web.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\n" + offer + b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer_of(client).startswith(b"HTTP/1.1 200")
        assert answer_of(client).startswith(b"HTTP/1.1 200")


def test_spaces_around_a_value_are_no_part_of_it(web: Web) -> None:
    """RFC 9110, section 5.5."""
    assert b'"a":"b"' in web.says(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: \t b \t\r\n\r\n")


@pytest.mark.parametrize(
    "piece",
    [b"A: " + b"a" * 8_000, b"\r\nA: b" * 1_000],
    ids=["a line without end", "lines without end"],
)
def test_what_comes_after_a_body_has_a_length(web: Web, piece: bytes) -> None:
    """Trailers that never end are cut off, however much time there is; nothing grows."""
    begun = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: t"
    with web.connect() as client:
        client.sendall(begun)
        assert ends(client, piece)


def test_the_size_of_a_chunk_has_a_length(web: Web) -> None:
    """As have the words beside it (chunk extensions, RFC 9112, section 7.1.1)."""
    with web.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;a")
        assert ends(client, b"a" * 8_000)


def test_requests_behind_one_another_have_a_number(web: Web) -> None:
    """All are answered in turn up to the bound; beyond it the connection ends."""
    one = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert web.says(one * http.BEHIND + last).count(b"HTTP/1.1 200") == http.BEHIND + 1
    assert web.says(one * 10 * http.BEHIND).count(b"HTTP/1.1 200") < 10 * http.BEHIND


def test_garbage_behind_a_request_is_not_answered_within_its_answer(web: Web) -> None:
    """A document that is on its way ends early; no other word stands in it."""
    with web.connect() as client:
        client.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1) == b"H"
        client.sendall(b"\x00\x00\r\n\r\n")
        answer = everything(client)
        assert b"HTTP/1.1 400" not in answer
        assert len(answer) < BIG


def test_whoever_works_for_nobody_hears_of_it(web: Web) -> None:
    """The request that is being answered, when what came behind it ends the connection: requests in line, and then none."""
    LEFT.clear()
    with web.connect() as client:
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nthis is none\r\n\r\n")
        everything(client)
    assert LEFT.wait(LONG)


def test_an_error_is_told_without_its_message(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    """Neither to the client nor, with a traceback, to the log."""
    answer = web.says(b"GET /fail HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 500")
    end = time.monotonic() + LONG
    while "a request failed: RuntimeError at test_http.py" not in caplog.text:  # told after the answer
        assert time.monotonic() < end
        time.sleep(0.001)
    assert "Ngaire" not in caplog.text + answer.decode()


def test_an_answer_that_is_not_taken_is_not_kept(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection ends, with all that waited for it; who takes it gets all of it."""
    request = b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert len(web.says(request)) > BIG
    monkeypatch.setattr(http, "LOOK", 0.3)
    with web.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.sendall(request)
        assert client.recv(1)
        end = time.monotonic() + LONG
        while web.connections:
            assert time.monotonic() < end
            time.sleep(0.01)


class Pipe(asyncio.Transport):
    """The way to a client, in which so many bytes wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        """As said."""
        return self.waiting

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Nothing is known of it."""
        return default

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """The same."""

    def abort(self) -> None:
        """Remembered."""
        self.aborted = True

    def close(self) -> None:
        """As when a connection is lost."""


def test_who_takes_something_between_two_looks_gets_the_rest(web: Web) -> None:
    """However slowly: less waits, or it had run low meanwhile, or nothing waits at all."""

    async def run() -> None:
        pipe, state = Pipe(), ServerState()
        one = Patient(web.server.config, state, {}, asyncio.get_running_loop())
        one.connection_made(pipe)
        for waiting, low in ((0, False), (0, False), (9, False), (8, False), (8, True), (9, False), (0, False)):
            pipe.waiting = waiting
            if low:
                one.pause_writing()
                one.resume_writing()
            one._look_again()
            assert not pipe.aborted
        pipe.waiting = 8
        one._look_again()
        assert not pipe.aborted
        one._look_again()
        assert pipe.aborted
        one.connection_lost(None)

    asyncio.run(run())
