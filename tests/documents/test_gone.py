"""A bucket that goes away in the middle: the real S3 server, behind a wire that can be cut or go silent."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import pytest

from strongroom.documents.objects import WHOLE, Objects
from strongroom.documents.s3 import Bucket, Credentials, s3_blobs
from strongroom.errors import Unavailable
from strongroom.ids import new_id
from strongroom.secret import Secret

BOUND = 30.0
"""Seconds in which each refusal must come; far above what is promised (a loaded machine), far below never."""
SLOWEST = 1.0


class Wire:
    """Carries bytes to the server. `silent`: takes them and carries nothing; `cut`: takes nothing any more."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._carriers: set[asyncio.Task[None]] = set()
        self._ends: list[asyncio.StreamWriter] = []
        self._open = asyncio.Event()
        self._open.set()

    async def start(self) -> int:
        """Gives the port to call."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def go_silent(self) -> None:
        """As a server that hangs."""
        self._open.clear()

    def speak(self) -> None:
        """Carry on."""
        self._open.set()

    def cut(self) -> None:
        """As a server that was killed."""
        self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def end(self) -> None:
        """Leave nothing open."""
        self.cut()
        self.speak()
        await asyncio.gather(*self._carriers)
        await asyncio.sleep(0)  # transports close in the loop's next round

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._ends += [writer, there_writer]
            for source, target in ((reader, there_writer), (there_reader, writer)):
                carrier = asyncio.create_task(self._carry(source, target))
                self._carriers.add(carrier)
                carrier.add_done_callback(self._carriers.discard)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                await self._open.wait()
                target.write(data)
                await target.drain()
        target.transport.abort()


@contextlib.asynccontextmanager
async def wired(port: int) -> AsyncIterator[tuple[Wire, Objects]]:
    """The bucket of the tests, behind a wire."""
    wire = Wire(port)
    endpoint = f"http://127.0.0.1:{await wire.start()}"
    bucket = Bucket("docs", endpoint, "us-east-1", allow_http=True, timeout=SLOWEST)
    try:
        yield wire, s3_blobs(bucket, Credentials("key", Secret(b"secret")))
    finally:
        await wire.end()


async def stream(size: int, then: "asyncio.Future[None] | None" = None) -> AsyncIterator[bytes]:
    """So many bytes; then something to wait for, and a few more."""
    for _ in range(size // 1_000_000 + 1):
        yield b"a" * 1_000_000
    if then is not None:
        await then
        yield b"b" * 6_000_000


async def read(blobs: Objects, name: str) -> bytes:
    """All of it."""
    return b"".join([chunk async for chunk in blobs.get(name)])


async def refuses_everything(blobs: Objects, name: str) -> None:
    """Each of the five methods says Unavailable, in time."""
    for call in (
        blobs.put(new_id(), stream(1)),
        blobs.put(new_id(), stream(WHOLE)),
        read(blobs, name),
        blobs.delete(name),
        anext(aiter(blobs.names())),
    ):
        began = time.monotonic()
        with pytest.raises(Unavailable, match="does not work"):
            await call
        assert time.monotonic() - began < BOUND


def test_a_bucket_that_is_killed_is_unavailable(s3_port: int) -> None:
    """For every method, and within a bounded time."""

    async def run() -> None:
        async with wired(s3_port) as (wire, blobs):
            name = new_id()
            await blobs.put(name, stream(1))
            wire.cut()
            await refuses_everything(blobs, name)

    asyncio.run(run())


def test_a_bucket_that_hangs_is_unavailable_and_used_again_when_it_answers(s3_port: int) -> None:
    """Nothing was lost that had been kept, and no new start is needed."""

    async def run() -> None:
        async with wired(s3_port) as (wire, blobs):
            name = new_id()
            await blobs.put(name, stream(1))
            wire.go_silent()
            await refuses_everything(blobs, name)
            wire.speak()
            other = new_id()
            assert await blobs.put(other, stream(1)) == 1_000_000
            assert len(await read(blobs, other)) == 1_000_000

    asyncio.run(run())


@pytest.mark.parametrize("fate", [Wire.cut, Wire.go_silent])
def test_a_bucket_that_goes_in_the_middle_of_an_upload_keeps_nothing(
    s3_port: int, fate: Callable[[Wire], None]
) -> None:
    """The upload says Unavailable; seen from another wire, there is no such object."""

    async def run() -> None:
        async with wired(s3_port) as (wire, blobs):
            name, gate = new_id(), asyncio.get_running_loop().create_future()
            upload = asyncio.create_task(blobs.put(name, stream(2 * WHOLE, gate)))
            await asyncio.sleep(0.3)
            fate(wire)
            gate.set_result(None)
            with pytest.raises(Unavailable):
                await asyncio.wait_for(upload, BOUND)
        async with wired(s3_port) as (_, blobs):
            assert name not in [found async for found in blobs.names()]

    asyncio.run(run())


def test_an_upload_that_is_cancelled_keeps_nothing(s3_port: int) -> None:
    """As when the depositor's request is given up."""

    async def run() -> None:
        async with wired(s3_port) as (_, blobs):
            name = new_id()
            upload = asyncio.create_task(blobs.put(name, stream(2 * WHOLE, asyncio.get_running_loop().create_future())))
            await asyncio.sleep(0.3)
            upload.cancel()
            with pytest.raises(asyncio.CancelledError):
                await upload
            assert name not in [found async for found in blobs.names()]

    asyncio.run(run())
