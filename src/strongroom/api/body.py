"""A request's body, bounded: in length, in silence, and in slowness. Nothing is read twice and nothing is kept whole
unless the caller asks for it whole.
"""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request

from strongroom.api.respond import Halt, stop
from strongroom.api.settings import Settings


class Body:
    """Reads the body once, by chunks, up to `limit` bytes. Raises Halt: 408 slow, 411-415 by its headers, 413 long."""

    def __init__(self, request: Request, limit: int, settings: Settings) -> None:
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise stop(415, "not-supported", "Send the body as it is, without Content-Encoding.")
        if (length := declared_length(request)) is not None and length > limit:
            raise too_long(limit)
        self._stream = request.stream()
        self._limit = limit
        self._settings = settings
        self._seen = 0
        self._began = asyncio.get_running_loop().time()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The next chunk; never an empty one. Raises ClientDisconnect when the client goes away."""
        chunk = b""
        while not chunk:
            try:
                async with asyncio.timeout(self._settings.idle):
                    chunk = await anext(self._stream)
            except TimeoutError:
                raise _slow() from None
        self._seen += len(chunk)
        self._check()
        return chunk

    def _check(self) -> None:
        if self._seen > self._limit:
            raise too_long(self._limit)
        took = asyncio.get_running_loop().time() - self._began
        if took > self._settings.idle and self._seen < took * self._settings.min_rate:
            raise _slow()

    async def head(self, size: int) -> bytes:
        """The first bytes, `size` or a few more; fewer when the body is shorter."""
        found = bytearray()
        async for chunk in self:
            found += chunk
            if len(found) >= size:
                break
        return bytes(found)

    async def whole(self) -> bytes:
        """All of it. The limit given is what bounds the memory."""
        found = bytearray()
        async for chunk in self:
            found += chunk
        return bytes(found)


async def joined(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """`head`, then `rest`."""
    yield head
    async for chunk in rest:
        yield chunk


async def alone(whole: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """Bytes in memory as a stream of chunks."""
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


def declared_length(request: Request) -> int | None:
    """Content-Length, if there is one. The server has refused any that is no number."""
    text = request.headers.get("content-length")
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def too_long(limit: int) -> Halt:
    """More bytes than are taken."""
    return stop(413, "too-long", f"The body is longer than {limit} bytes.", {"Connection": "close"})


def _slow() -> Halt:
    return stop(408, "timeout", "The body came too slowly. Nothing was kept.", {"Connection": "close"})
