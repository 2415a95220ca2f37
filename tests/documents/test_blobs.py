"""One suite for every object store: in memory, in a folder, and in a bucket of a real S3 server."""

import asyncio
import errno
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from strongroom.documents.blobs import AtOnce, Blobs, Piece
from strongroom.documents.local import local_blobs
from strongroom.documents.memory import MemoryBlobs
from strongroom.documents.objects import WHOLE
from strongroom.documents.probe import Abilities, probe
from strongroom.documents.s3 import Bucket, Credentials, read_credentials, s3_blobs
from strongroom.errors import ConfigError, Conflict, Unavailable
from strongroom.ids import new_id
from strongroom.secret import Secret

SECRET = Secret(b"secret")


@pytest.fixture(scope="module")
def bucket(s3_port: int) -> Bucket:
    """A bucket of SeaweedFS."""
    return Bucket("docs", f"http://127.0.0.1:{s3_port}", "us-east-1", allow_http=True)


@pytest.fixture(params=["memory", "local", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    """Each kind of store."""
    if request.param == "memory":
        return MemoryBlobs()
    if request.param == "local":
        return local_blobs(tmp_path)
    return s3_blobs(request.getfixturevalue("bucket"), Credentials("key", SECRET))


async def chunks(*parts: bytes, fail: bool = False) -> AsyncIterator[bytes]:
    """A stream, which may break off."""
    for part in parts:
        yield part
    if fail:
        msg = "the client went away"
        raise ConnectionResetError(msg)


async def read(blobs: Blobs, name: str, start: int = 0, length: int | None = None) -> bytes:
    """A whole object, or a range."""
    return b"".join([chunk async for chunk in blobs.get(name, start, length)])


@pytest.mark.parametrize("size", [0, 1, 100_000, WHOLE, WHOLE + 1])
def test_what_is_put_comes_back_whole_and_in_ranges(blobs: Blobs, size: int) -> None:
    """Small objects and those written in parts."""
    content, name = bytes(range(256)) * (size // 256) + bytes(size % 256), new_id()

    async def run() -> None:
        pieces = [content[at : at + 1_000_000] for at in range(0, size, 1_000_000)]
        assert await blobs.put(name, chunks(*pieces)) == size
        assert await read(blobs, name) == content
        if size > 50:
            assert await read(blobs, name, 7, 31) == content[7:38]
            assert await read(blobs, name, size - 5) == content[-5:]
            assert await read(blobs, name, 5, 0) == b""
        assert name in [found async for found in blobs.names()]
        await blobs.delete(name)
        await blobs.delete(name)
        with pytest.raises(Unavailable):
            await read(blobs, name)

    asyncio.run(run())


@pytest.mark.parametrize("size", [10, WHOLE + 1])
def test_a_name_is_written_once(blobs: Blobs, size: int) -> None:
    """A second writer gets Conflict, and the first one's bytes stay."""

    async def run() -> None:
        name = new_id()
        await blobs.put(name, chunks(b"a" * size))
        with pytest.raises(Conflict):
            await blobs.put(name, chunks(b"b" * size))
        assert await read(blobs, name) == b"a" * size
        await blobs.delete(name)

    asyncio.run(run())


@pytest.mark.parametrize("size", [10, WHOLE + 1])
def test_an_upload_that_breaks_off_leaves_nothing(blobs: Blobs, size: int) -> None:
    """And its own error comes through, whatever it is: a depositor's broken connection is no fault of the store."""

    async def run() -> None:
        name = new_id()
        with pytest.raises(ConnectionResetError, match="client went away"):
            await blobs.put(name, chunks(b"a" * size, fail=True))
        with pytest.raises(Unavailable):
            await read(blobs, name)
        assert name not in [found async for found in blobs.names()]

    asyncio.run(run())


def test_every_store_passes_the_probe_and_nothing_stays(blobs: Blobs) -> None:
    """All three refuse to overwrite."""

    async def run() -> None:
        assert await probe(blobs) == Abilities(creates_only=True)
        assert [name async for name in blobs.names() if name.startswith("probe")] == []

    asyncio.run(run())


def test_a_file_that_is_not_in_memory_is_read_from_the_disk(tmp_path: Path) -> None:
    """The same bytes, whether the machine has them at hand or not."""
    blobs, name, content = local_blobs(tmp_path), new_id(), os.urandom(600_000)

    async def run() -> None:
        await blobs.put(name, chunks(content))
        handle = os.open(tmp_path / name[:2] / name, os.O_RDONLY)
        os.posix_fadvise(handle, 100_000, 0, os.POSIX_FADV_DONTNEED)  # it was synced, so the kernel can let go of it
        os.close(handle)
        assert await read(blobs, name) == content

    asyncio.run(run())


@pytest.mark.parametrize("answer", [errno.EAGAIN, errno.EOPNOTSUPP, 0])
def test_a_file_system_that_would_wait_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    """In a thread: when it says that it would have to wait, cannot say, or has only a part at hand."""
    blobs, name, content = local_blobs(tmp_path), new_id(), os.urandom(300_000)
    real, waited = os.preadv, []

    def preadv(handle: int, buffers: list[bytearray], offset: int, flags: int = 0) -> int:
        if flags and answer:
            raise OSError(answer, "not now")
        if flags:
            return real(handle, [memoryview(buffers[0])[: len(buffers[0]) // 2]], offset)
        waited.append(offset)
        return real(handle, buffers, offset)

    async def run() -> None:
        await blobs.put(name, chunks(content))
        monkeypatch.setattr(os, "preadv", preadv)
        assert await read(blobs, name) == content

    asyncio.run(run())
    assert waited == [0, 262_144]


def test_a_disk_that_does_not_read_is_not_a_slow_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the disk is told; nothing is tried again."""
    blobs, name = local_blobs(tmp_path), new_id()

    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "a bad sector")

    async def run() -> None:
        await blobs.put(name, chunks(b"a" * 100))
        monkeypatch.setattr(os, "preadv", broken)
        with pytest.raises(Unavailable):
            await read(blobs, name)

    asyncio.run(run())


class Weak(MemoryBlobs):
    """A store that overwrites."""

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> int:
        """Without looking."""
        self.objects.pop(name, None)
        return await super().put(name, chunks)


class Liar(MemoryBlobs):
    """A store that gives other bytes."""

    async def get(self, name: str, start: int = 0, length: int | None = None) -> AsyncIterator[Piece]:
        """Nearly the right ones."""
        async for chunk in super().get(name, start, length):
            yield chunk[:-1] + b"x"


def test_a_weak_store_is_said_to_be_and_a_lying_one_is_refused() -> None:
    """Loudly, before anything is served."""
    found = asyncio.run(probe(Weak()))
    assert not found.creates_only
    assert "overwrites" in found.warnings[0]
    assert Abilities(creates_only=True).warnings == ()
    with pytest.raises(ConfigError, match="other bytes"):
        asyncio.run(probe(Liar()))


def test_a_store_that_is_away_is_said_to_be_within_seconds(tmp_path: Path) -> None:
    """No server, a wrong key, a folder that is gone: refused with what to look at."""
    nowhere = Bucket("docs", "http://127.0.0.1:9", "us-east-1", allow_http=True, timeout=1.0)
    began = time.monotonic()
    with pytest.raises(ConfigError, match="cannot be used"):
        asyncio.run(probe(s3_blobs(nowhere, Credentials("key", SECRET))))
    assert time.monotonic() - began < 20
    with pytest.raises(ConfigError, match="no folder"):
        local_blobs(tmp_path / "none")
    with pytest.raises(ConfigError, match="bucket"):
        s3_blobs(Bucket("", "", ""), Credentials("key", SECRET))


def test_a_wrong_access_key_is_refused_at_start(bucket: Bucket) -> None:
    """The bucket says no, and the start says so."""
    with pytest.raises(ConfigError, match="cannot be used"):
        asyncio.run(probe(s3_blobs(bucket, Credentials("key", Secret(b"wrong")))))


def test_a_disk_that_does_not_sync_keeps_nothing_for_sure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be lost in a power cut is not said to be kept."""

    def broken(handle: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(Unavailable, match="does not work"):
        asyncio.run(local_blobs(tmp_path).put(new_id(), chunks(b"a")))


def test_access_keys_are_read_from_a_private_file_of_two_words(tmp_path: Path) -> None:
    """Anything else is refused with what to do."""
    path = tmp_path / "key"
    path.write_text("access\nsecret\n")
    path.chmod(0o600)
    found = read_credentials(path)
    assert (found.access, found.secret) == ("access", SECRET)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_credentials(path)
    path.chmod(0o600)
    path.write_text("one")
    with pytest.raises(ConfigError, match="two words"):
        read_credentials(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_credentials(tmp_path / "none")


@pytest.fixture
def disk() -> Iterator[Path]:
    """A folder that is not in memory: there the kernel knows no reading that does not wait."""
    with tempfile.TemporaryDirectory(prefix="strongroom-test-", dir="/var/tmp") as name:  # a random name
        yield Path(name)


def test_a_file_in_memory_is_read_at_once(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, or as much as there is room for; and not at all where the disk would be waited for."""
    blobs, name, content = local_blobs(disk), new_id(), os.urandom(300_000)
    asyncio.run(blobs.put(name, chunks(content)))
    room, small = bytearray(400_000), bytearray(1_000)
    assert isinstance(blobs, AtOnce)
    assert blobs.at_once(name, room) == 300_000
    assert blobs.at_once(name, small) == 1_000
    assert (bytes(room[:300_000]), bytes(small)) == (content, content[:1_000])
    assert blobs.at_once(new_id(), room) is None  # a thread looks for it, and says that it is not there
    real = os.preadv
    monkeypatch.setattr(os, "preadv", lambda handle, _, start, flags: real(handle, [bytearray(10)], start, flags))
    assert blobs.at_once(name, room) is None

    def not_now(*_: object) -> int:
        raise BlockingIOError(errno.EAGAIN, "not now")

    monkeypatch.setattr(os, "preadv", not_now)
    assert blobs.at_once(name, room) is None
