"""A bucket that goes away in the middle: the real S3 server, behind a wire that can be cut or go silent."""

import asyncio
import contextlib
import ctypes
import errno
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from strongroom.documents import local
from strongroom.documents.local import local_blobs
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
async def wired(
    port: int, slowest: float = SLOWEST, answer: float | None = None
) -> AsyncIterator[tuple[Wire, Objects]]:
    """The bucket of the tests, behind a wire."""
    wire = Wire(port)
    endpoint = f"http://127.0.0.1:{await wire.start()}"
    bucket = Bucket("docs", endpoint, "us-east-1", allow_http=True, timeout=slowest)
    try:
        yield wire, s3_blobs(bucket, Credentials("key", Secret(b"secret")), answer=answer)
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


def test_a_bucket_that_does_not_begin_to_answer_is_away_long_before_a_long_object_may_take(s3_port: int) -> None:
    """Reading, and writing before anything of it was taken: with steps of ten minutes, and beginnings of a tenth of a second."""

    async def run() -> None:
        async with wired(s3_port, slowest=600.0, answer=0.1) as (wire, blobs):
            wire.go_silent()
            taken: list[bytes] = []

            async def watched() -> AsyncIterator[bytes]:
                async for chunk in stream(1):
                    taken.append(chunk)
                    yield chunk

            for call in (blobs.put(new_id(), watched()), read(blobs, new_id())):
                with pytest.raises(Unavailable, match="does not work"):
                    await asyncio.wait_for(call, BOUND)
            assert not taken

    asyncio.run(run())


def test_a_folder_that_is_another_is_not_written_to(tmp_path: Path) -> None:
    """As when its disk is not mounted: what would be written there is gone when the disk is back."""

    async def run() -> None:
        root, name = tmp_path / "objects", new_id()
        root.mkdir()
        blobs = local_blobs(root)
        await blobs.put(name, stream(1))
        root.rename(tmp_path / "disk")
        for _ in range(2):
            for call in (blobs.put(new_id(), stream(1)), read(blobs, name)):
                with pytest.raises(Unavailable, match="not in its place"):
                    await call
            root.mkdir(exist_ok=True)
        assert list(root.iterdir()) == []
        root.rmdir()
        (tmp_path / "disk").rename(root)
        assert len(await read(blobs, name)) == 1_000_000
        other = root.with_name("aside")

        async def moved_meanwhile() -> AsyncIterator[bytes]:
            yield b"begun"
            root.rename(other)
            root.mkdir()

        with pytest.raises(Unavailable, match="not in its place"):
            await blobs.put(new_id(), moved_meanwhile())

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


def test_what_is_in_memory_is_read_at_once_and_else_by_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a name nor bytes are waited for on the loop; a thread gives the same, and says what is wrong."""
    content = os.urandom(1_000)
    (tmp_path / "a").write_bytes(content)
    path = str(tmp_path / "a")
    at_once = local._read_at_once(path, 10, 500)
    assert at_once is None or bytes(at_once) == content[10:510]  # None: a kernel or a disk that cannot tell
    assert bytes(local._read(path, 10, 500) or b"") == content[10:510]
    assert bytes(local._read(path, 900, 500) or b"") == content[900:]
    assert local._read_at_once(str(tmp_path / "none"), 0, 1) is None
    with pytest.raises(FileNotFoundError):
        local._read(str(tmp_path / "none"), 0, 1)

    async def run() -> None:
        blobs, name = local_blobs(tmp_path), new_id()
        await blobs.put(name, stream(1))
        assert len(await read(blobs, name)) == 1_000_000
        for why in (errno.EAGAIN, errno.ENOSYS):
            monkeypatch.setattr(local, "_syscall", lambda *_, why=why: (ctypes.set_errno(why), -1)[1])
            assert len(await read(blobs, name)) == 1_000_000

    asyncio.run(run())
