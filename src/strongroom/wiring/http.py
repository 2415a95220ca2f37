"""The web server's connections, bounded: in length before a request is known, and in slowness all the way.

uvicorn bounds neither the time that a client takes to say what it wants nor the time that it takes to fetch an answer,
and it counts every open connection: a few hundred silent ones would shut the service for everybody. So:

* the request line and headers come within `HEAD` seconds and `MAX_HEAD` bytes, and so does a body that nobody reads;
* an answer goes on being taken: twice `LOOK` seconds without a byte taken end the connection.

A body that is read has bounds of its own (`api.body`, `signin.http`), and so has a document on its way out (`api.delivery`).

The parser is llhttp (by httptools): strict about where a request ends, and a fifth of the price of one in Python. What it
leaves open is closed here: trailers are not taken for headers, there is one Host, what is not yet understood is bounded in
bytes, and so are the requests that wait behind one another.
"""

import asyncio
import logging
from enum import Enum, unique
from typing import Any

import httptools
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from strongroom.errors import where

log = logging.getLogger("strongroom.web")

MAX_HEAD = 32_768
"""Bytes of request line and headers. A token and a proof of 8 KiB each and an address of 8 KiB fit."""
HEAD = 10.0
"""Seconds. A browser that opens a connection in advance opens another one when it needs it."""
BEHIND = 8
"""Requests of one connection that may wait for the answer to another one."""
LOOK = 30.0
"""Seconds between two looks at whether an answer is being taken."""
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


def served(
    app: ASGIApp, host: str, port: int, *, dated: bool, protocol: type[HttpToolsProtocol] | None = None
) -> uvicorn.Config:
    """How `app` is served. `dated`: it writes Date itself. `protocol`: in place of `Patient`."""
    return uvicorn.Config(
        Framed(app),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,  # addresses and ids are the log's business, and it has them
        server_header=False,
        date_header=not dated,
        proxy_headers=False,  # X-Forwarded-For is anybody's word; the gateway will sign the address
        timeout_keep_alive=15,
        limit_concurrency=512,
        http=protocol or Patient,
        ws="none",
        lifespan="off",
    )


@unique
class _Said(Enum):
    """What the client is saying, or is to say next."""

    HEAD = "head"
    BODY = "body"


class Framed:
    """Lets out no error."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        try:
            await self.app(scope, receive, send)
        except Exception as error:  # noqa: BLE001  # uvicorn would log it with its message, which may hold what was sent
            log.error("a request failed: %s", where(error))


class Unacceptable(Exception):  # not an error of ours: the parser gives up, and the client is told 400
    """A request that llhttp reads and we do not."""


class Patient(HttpToolsProtocol):
    """One connection, for as long as the client does its part."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._said = _Said.HEAD
        self._hosts = 0
        self._running: RequestResponseCycle | None = None
        self._unclear = 0  # bytes since something was last understood
        self._head: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None
        self._resumed = 0
        self._seen = (0, 0)  # bytes that waited at the last look, and how often they had run low by then

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._head = self.loop.call_later(HEAD, self._end)
        self._look = self.loop.call_later(LOOK, self._look_again)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`. In slices: what a slice leaves unclear is looked at before the next one."""
        for start in range(0, len(data), MAX_HEAD):
            if self.transport.is_closing():
                return
            part = data[start : start + MAX_HEAD]
            self._unclear += len(part)
            self._feed(part)
            if self._unclear > MAX_HEAD:
                self.send_400_response("What is said makes no request.")
        if not self._waits():
            self._stop_head()
        elif self._head is None:
            self._head = self.loop.call_later(HEAD, self._end)

    def _feed(self, part: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(part)
        except (
            httptools.HttpParserUpgrade
        ) as offered:  # and not taken; what follows is read as ever (RFC 9110, section 7.8)
            self.parser = httptools.HttpRequestParser(self)
            self._feed(part[offered.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("This is no request that is taken here.")

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn. An answer that is under way ends early, and never with words that are not its own."""
        self._let_go()
        if self.pipeline or (self._answering() and self.cycle.response_started):
            self.transport.abort()
        else:
            super().send_400_response(msg)

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._hosts = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser; for trailers too, which no check of the headers saw: they are let go."""
        if self._said is _Said.HEAD:
            self._hosts += name.lower() == b"host"
            super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        """Called by the parser. Raises Unacceptable, which ends the connection."""
        version = self.parser.get_http_version()
        if version not in {"1.0", "1.1"} or self._hosts > 1 or (version == "1.1" and not self._hosts):
            raise Unacceptable  # RFC 9112, sections 2.3 and 3.2
        if len(self.pipeline) >= BEHIND or self.parser.get_method() == b"CONNECT":
            raise Unacceptable
        if b"#" in self.url or not self.url.startswith((b"/", b"*")):
            raise Unacceptable  # a fragment, an absolute form: others read another address in it than httptools does
        if self.parser.should_upgrade() and not {name for name, _ in self.headers}.isdisjoint(_FRAMING):
            raise Unacceptable  # llhttp would take the body for what is said in the other protocol
        self._said, self._unclear = _Said.BODY, 0
        self.take()

    def take(self) -> None:
        """The head is whole, and as it should be: uvicorn begins with the request."""
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._unclear = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self.read()
        super().on_message_complete()

    def read(self) -> None:
        """The request has been read to its end."""
        self._said, self._unclear = _Said.HEAD, 0

    def on_response_complete(self) -> None:
        """Called by uvicorn."""
        super().on_response_complete()
        if self._said is _Said.BODY and self._head is None:  # it was answered before it was all said
            self._head = self.loop.call_later(HEAD, self._end)

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._resumed += 1
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._let_go()
        self._stop_head()
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Called by uvicorn, for one request after another."""
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _let_go(self) -> None:
        """Nobody waits for the answer that is being made. uvicorn tells that to the request that came last, not to this one."""
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def _waits(self) -> bool:
        """Whether it is the client's turn, and nobody else bounds how long that takes."""
        return not self._answering()

    def _answering(self) -> bool:
        return not getattr(self.cycle, "response_complete", True)  # None before the first request

    def _stop_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _end(self) -> None:
        self._head = None
        self.transport.close()

    def _look_again(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        if waiting and (waiting, self._resumed) == self._seen:
            self.transport.abort()  # closing would wait for what is never taken
            return
        self._seen = (waiting, self._resumed)
        self._look = self.loop.call_later(LOOK, self._look_again)
