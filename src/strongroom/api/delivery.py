"""A response whose bytes were released by the door, and the word back on how many of them reached the client.

Whatever happens (the client goes away, is too slow, the store fails half-way, the server stops), `Delivered` is told
once. It is the app's word: it refines what a person is told about an access, and never takes the access away.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from strongroom.api.ports import Door
from strongroom.api.respond import failed
from strongroom.errors import StrongroomError, Unavailable
from strongroom.keeper.protocol import Delivered

log = logging.getLogger("strongroom.api")

TOGETHER = 0.05
"""Seconds. Words of that time are told together, so that they share one sync of the keeper's disk: nobody waits for them."""

_telling: set[asyncio.Future[None]] = set()
"""Words on their way; kept here so that nobody collects them before they arrive."""


def tell(door: Door, receipt: int, sent: int, *, complete: bool) -> "asyncio.Future[None]":
    """Tell the door, in a task of its own: the request may be cancelled, the word is still given."""
    task = asyncio.ensure_future(_tell(door, Delivered(receipt=receipt, bytes=sent, complete=complete)))
    _telling.add(task)
    task.add_done_callback(_telling.discard)
    return task


async def _tell(door: Door, word: Delivered) -> None:
    try:
        await asyncio.sleep(TOGETHER - asyncio.get_running_loop().time() % TOGETHER)
        await door.ask(word)
    except StrongroomError as error:
        # The release itself is on record; without this word it counts as wholly delivered.
        log.warning("delivery of receipt %d not reported: %s", word.receipt, type(error).__name__)


class Delivery(Response):
    """Streams `chunks`, `length` bytes in all, and tells the door of `receipt` in the end."""

    def __init__(  # what a response is made of, and what its receipt is made of
        self,
        door: Door,
        receipt: int,
        chunks: AsyncGenerator[bytes, None],
        length: int,
        *,
        status: int,
        headers: Mapping[str, str],
        idle: float,
    ) -> None:
        super().__init__(None, status, {**headers, "Content-Length": str(length)})
        self._door = door
        self._receipt = receipt
        self._chunks = chunks
        self._length = length
        self._idle = idle
        self._sent = 0
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. What fails before the first byte is an error of its own; after it, the body ends early: the client
        sees that something is missing, and never a wrong byte.
        """
        gone = asyncio.ensure_future(_gone(receive))
        try:
            async with aclosing(self._chunks):
                first = await anext(self._chunks, b"")
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                self._started = True
                await self._stream(first, send, gone)
        except (StrongroomError, TimeoutError, OSError) as error:
            why = error if isinstance(error, StrongroomError) else type(error).__name__
            log.warning("delivery of receipt %d broke off: %s", self._receipt, why)
            if not self._started:
                await failed(error if isinstance(error, StrongroomError) else Unavailable("The store is slow."))(
                    scope, receive, send
                )
        finally:
            gone.cancel()
            await asyncio.shield(tell(self._door, self._receipt, self._sent, complete=self._sent == self._length))

    async def _stream(self, first: bytes, send: Send, gone: "asyncio.Future[None]") -> None:
        chunk = first
        while chunk:
            async with asyncio.timeout(self._idle):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if gone.done():
                return
            self._sent += len(chunk)
            chunk = await anext(self._chunks, b"")
        if self._sent == self._length:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    """Returns when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
