"""Requests as they come from the street, into the very protocol that serves them.

Cut alike however they arrive; and no request that another parser (h11) would read otherwise: two readers who disagree about where a
request ends are how one person's request becomes another's.
"""

import asyncio
import json
from functools import lru_cache
from typing import Any

import h11
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from bench.fuzz.target import Target, must
from bench.fuzz.wire import Wire, loop
from strongroom.wiring.http import BEHIND, Patient, served

Request = tuple[bytes, bytes, list[tuple[bytes, bytes]], bytes]
"""Method, target, headers and body."""
Seen = list[Request]
"""In order."""

_seen: Seen = []


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads all of a request, notes it, and answers with its number."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    _seen.append((scope["method"].encode(), target, list(scope["headers"]), body))
    answer = json.dumps(len(_seen)).encode()
    headers = [(b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


@lru_cache(maxsize=1)
def _config() -> Any:
    config = served(Starlette(), "127.0.0.1", 0, dated=True)
    config.load()
    config.loaded_app = _app
    return config


async def _given(pieces: list[bytes]) -> tuple[Seen, bool, bytes]:
    """The requests that reached the application, whether the connection was ended, and what was answered."""
    _seen.clear()
    wire = Wire()
    protocol = Patient(config=_config(), server_state=ServerState(), app_state={}, _loop=loop())
    protocol.connection_made(wire)
    for piece in pieces:
        if not wire.over:
            protocol.data_received(piece)
    for _ in range(4 * BEHIND):  # the tasks of all requests, one after the other
        await asyncio.sleep(0)
    over = wire.over
    protocol.connection_lost(None)
    for _ in range(4):
        await asyncio.sleep(0)
    return list(_seen), over, bytes(wire.written)


def socket_http(data: bytes) -> None:
    """Any bytes as requests: read, or answered with 400; alike in every way they may arrive, and as another parser reads them."""
    found, over, answers = loop().run_until_complete(_given([data]))
    must(_statuses(answers) <= {200, 400, 100}, "an answer, or a refusal")
    for pieces in ([data[at : at + 1] for at in range(len(data))], [data[: len(data) // 2], data[len(data) // 2 :]]):
        must(loop().run_until_complete(_given(pieces))[0] == found, "however they arrive")
    for mine, theirs in zip(found, _otherwise(data), strict=False):
        must(_folded(mine) == theirs, "another parser reads the same")
    must(over or len(found) <= BEHIND + 1, "only so many at once")


def _folded(one: Request) -> Request:
    """As h11 tells it: names of codings are the same in capitals (RFC 9112, section 7)."""
    method, target, headers, body = one
    return method, target, [(n, v.lower() if n == b"transfer-encoding" else v) for n, v in headers], body


def _statuses(answers: bytes) -> set[int]:
    return {int(line[9:12]) for line in answers.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")}


def _otherwise(data: bytes) -> Seen:
    """The requests in `data` as h11 reads them, up to the first that it does not."""
    found: Seen = []
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    try:
        while True:
            request = connection.next_event()
            if not isinstance(request, h11.Request):
                return found
            body = b""
            while isinstance(event := connection.next_event(), h11.Data):
                body += bytes(event.data)
            if not isinstance(event, h11.EndOfMessage):
                return found
            path, _, query = bytes(request.target).partition(b"?")  # ASGI: an empty query is none
            target = path + (b"?" + query if query else b"")
            found.append((bytes(request.method), target, [(bytes(n), bytes(v)) for n, v in request.headers], body))
            connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            connection.send(h11.EndOfMessage())
            connection.start_next_cycle()
    except (h11.RemoteProtocolError, h11.LocalProtocolError):
        return found


_WORDS = (
    "GET / HTTP/1.1\r\n", "POST /a HTTP/1.1\r\n", "Host: a\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n", "\r\n\r\n",
    "0\r\n\r\n", "Connection: close\r\n", "Connection: Upgrade\r\nUpgrade: h2c\r\n", "Expect: 100-continue\r\n", "HTTP/1.0",
    "CONNECT ", "; ext=1", "\n", "Trailer: x\r\n", "+5", "0x5", ", 5", "identity",
)  # fmt: skip

TARGETS = (Target("socket-http", socket_http, words=_WORDS, limit=2_048),)
