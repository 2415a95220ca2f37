"""A response whose bytes were released by the door, and the word back on how many of them reached the client.

Whatever happens (the client goes away, is too slow, the store fails half-way, the server stops), a word is told once
(`words.py`).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import cast

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from strongroom.api.respond import failed
from strongroom.api.words import Words
from strongroom.documents.blobs import Piece
from strongroom.errors import StrongroomError, Tampered, Unavailable

log = logging.getLogger("strongroom.api")


class Delivery(Response):
    """Streams `chunks`, `length` bytes in all, and tells of `receipt` in the end.

    The last bytes go out only when the chunks have ended, which is when they are known to be the whole. The end is said
    by itself: once it is said, a server calls every client gone.
    """

    def __init__(  # what a response is made of, and what its receipt is made of
        self,
        words: Words,
        receipt: int,
        chunks: AsyncGenerator[Piece, None],
        length: int,
        *,
        status: int,
        headers: Mapping[str, str],
        idle: float,
    ) -> None:
        super().__init__(None, status, {**headers, "Content-Length": str(length)})
        self._words = words
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
        try:
            async with aclosing(self._chunks):
                await self._stream(receive, send)
        except (StrongroomError, TimeoutError, OSError) as error:
            why = error if isinstance(error, StrongroomError) else type(error).__name__
            log.warning("delivery of receipt %d broke off: %s", self._receipt, why)
            if not self._started:
                await failed(error if isinstance(error, StrongroomError) else Unavailable("The store is slow."))(
                    scope, receive, send
                )
        finally:
            self._words.tell(self._receipt, self._sent, complete=self._sent == self._length)

    async def _stream(self, receive: Receive, send: Send) -> None:
        loop, ended = asyncio.get_running_loop(), False
        async with asyncio.timeout(self._idle) as patience:
            while not ended:
                chunk = await self._next()
                ended = self._sent + len(chunk) == self._length
                if (ended and await self._next()) or not (ended or chunk):
                    msg = "A document is of another length than was recorded."
                    raise Tampered(msg)
                if not self._started:
                    await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                    self._started = True
                patience.reschedule(loop.time() + self._idle)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                if not ended:
                    await asyncio.sleep(0)  # others' turn, and that of the news that the client has left
                if _gone(receive):
                    return
                self._sent += len(chunk)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self) -> Piece:
        return await anext(self._chunks, b"")


def _gone(receive: Receive) -> bool:
    """Whether the client is gone, without waiting: the question is asked, and taken back if there is no answer yet."""
    while True:
        asked = receive().__await__()
        try:
            asked.send(None)
        except StopIteration as told:
            if cast("Message", told.value)["type"] == "http.disconnect":
                return True
        else:
            asked.close()
            return False
