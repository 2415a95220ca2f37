"""A request's body as it comes: bounded in size and in slowness, with the client's end told apart from the body's."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Final

from starlette.types import Receive

from strongroom.gateway.refusal import Refusal

SLOW: Final = 30.0
"""Seconds that a body may take, and one more for each `RATE` bytes of it."""
RATE: Final = 1_024
"""Bytes a second: a tenth of a bad mobile connection."""


class Gone(Exception):
    """The client went."""


class Unfit(Exception):
    """The body is refused on the way."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.rule)
        self.refusal = refusal


class Intake:
    """The body of one request, at most `most` bytes."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self.most = receive, most
        self._began = time.monotonic()
        self.size = 0
        self.ended = False
        """Whether all of it has come."""

    async def pieces(self) -> AsyncIterator[bytes]:
        """Raises Gone and Unfit."""
        while not self.ended:
            try:
                async with asyncio.timeout(SLOW + self.size / RATE - (time.monotonic() - self._began)):
                    message = await self._receive()
            except TimeoutError as error:
                raise Unfit(Refusal(408, "body-slow", "The body comes too slowly.", hard=True)) from error
            if message["type"] != "http.request":
                raise Gone
            piece = message.get("body", b"")
            self.size += len(piece)
            if self.size > self.most:
                raise Unfit(Refusal(413, "body-large", f"The body is larger than {self.most} bytes.", hard=True))
            self.ended = not message.get("more_body", False)
            if piece:
                yield piece

    async def whole(self) -> bytes:
        """All of it."""
        return b"".join([piece async for piece in self.pieces()])

    async def gone(self) -> None:
        """Returns when the client has gone. Nothing else may be reading; may be cancelled."""
        with contextlib.suppress(asyncio.CancelledError):
            while (await self._receive())["type"] != "http.disconnect":
                pass
