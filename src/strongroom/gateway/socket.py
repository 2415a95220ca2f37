"""One connection to the portal: bytes out, bytes in, neither more than a piece ahead of whoever takes them."""

import asyncio
from collections import deque
from typing import Final, Protocol, cast

PIECE: Final = 65_536
"""Bytes that may wait to be taken before no more are read."""


class Hearer(Protocol):
    """Is told what comes on a line, instead of fetching it."""

    def heard(self, data: bytes) -> None:
        """More came."""

    def lost(self) -> None:
        """Nothing comes any more. Perhaps said more than once."""


class Line(asyncio.Protocol):
    """For one reader and one writer. What is lost ends like what is closed: whoever reads knows whether that may be."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._paused = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.hearer: Hearer | None = None
        """Who is told what comes; None: it waits until it is fetched."""
        self.used = 0.0
        """When its last answer ended, by the loop's clock."""

    @property
    def stale(self) -> bool:
        """Whether it ended, or something came that nobody asked for."""
        return self._ended or bool(self._pieces)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self.hearer is not None:
            self.hearer.heard(data)
            return
        self._pieces.append(data)
        self._size += len(data)
        if self._size > PIECE and not self._paused and self._transport is not None:
            self._transport.pause_reading()
            self._paused = True
        self._news.set()

    def eof_received(self) -> None:
        """See `asyncio.Protocol`. The transport closes itself."""
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """See `asyncio.Protocol`."""
        self._end()
        self._room.set()

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._room.clear()

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._room.set()

    async def read(self) -> bytes:
        """What came; nothing at the end. May be cancelled."""
        while not self._pieces and not self._ended:
            self._news.clear()
            await self._news.wait()
        if not self._pieces:
            return b""
        data = self._pieces.popleft()
        self._size -= len(data)
        if self._paused and self._size <= PIECE and self._transport is not None and not self._ended:
            self._transport.resume_reading()
            self._paused = False
        return data

    def send(self, data: bytes) -> None:
        """Send `data`, which is short, without waiting for room."""
        if self._transport is not None:
            self._transport.write(data)

    async def write(self, data: bytes) -> bool:
        """Send `data`, and wait until there is room for more. False where nobody takes it any more."""
        if self._ended or self._transport is None or self._transport.is_closing():
            return False
        self._transport.write(data)
        await self._room.wait()
        return not self._ended

    def _end(self) -> None:
        self._ended = True
        self._news.set()
        if self.hearer is not None:
            self.hearer.lost()

    def close(self) -> None:
        """At once; what was not sent is not sent."""
        if self._transport is not None:
            self._transport.abort()
