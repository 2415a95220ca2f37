"""The web server's connections, bounded: in length before a request is known, and in slowness all the way.

uvicorn bounds neither the time that a client takes to say what it wants nor the time that it takes to fetch an answer,
and it counts every open connection: a few hundred silent ones would shut the service for everybody. So:

* the request line and headers come within `HEAD` seconds and `MAX_HEAD` bytes, and so does a body that nobody reads;
* an answer goes on being taken: twice `LOOK` seconds without a byte taken end the connection.

A body that is read has bounds of its own (`api.body`, `signin.http`), and so has a document on its way out (`api.delivery`).

h11 and not httptools: it keeps trailers apart from headers, which decided what is done and were checked, and has a bound for
everything that it holds.
"""

import asyncio
import logging
from typing import Any

import h11
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from strongroom.errors import where

log = logging.getLogger("strongroom.web")

MAX_HEAD = 32_768
"""Bytes of request line and headers. A token and a proof of 8 KiB each and an address of 8 KiB fit."""
HEAD = 10.0
"""Seconds. A browser that opens a connection in advance opens another one when it needs it."""
LOOK = 30.0
"""Seconds between two looks at whether an answer is being taken."""


def served(app: Starlette, host: str, port: int, *, dated: bool) -> uvicorn.Config:
    """How `app` is served. `dated`: it writes Date itself."""
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
        http=Patient,
        ws="none",
        h11_max_incomplete_event_size=MAX_HEAD,
        lifespan="off",
    )


class Framed:
    """Lets out no error, and refuses a request whose body has two lengths.

    h11 reads such a body by its chunks, as RFC 9112 (section 6.1) allows; whoever stood before us may have read it by the
    other length, and taken the rest for the next request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        names = {name for name, _ in scope["headers"]}
        if {b"content-length", b"transfer-encoding"} <= names:
            refusal = PlainTextResponse("A body has one length.", 400, {"Connection": "close"})
            await refusal(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001  # uvicorn would log it with its message, which may hold what was sent
            log.error("a request failed: %s", where(error))


class Patient(H11Protocol):
    """One connection, for as long as the client does its part."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
        """See `asyncio.Protocol`."""
        super().data_received(data)
        if not self._waits():
            self._stop_head()
        elif self._head is None:
            self._head = self.loop.call_later(HEAD, self._end)

    def on_response_complete(self) -> None:
        """Called by uvicorn."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and self._head is None:  # it was answered before it was all said
            self._head = self.loop.call_later(HEAD, self._end)

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._resumed += 1
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._stop_head()
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def _waits(self) -> bool:
        """Whether it is the client's turn, and nobody else bounds how long that takes."""
        if self.conn.their_state is h11.IDLE:
            return True
        return self.conn.their_state is h11.SEND_BODY and getattr(self.cycle, "response_complete", True)

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
