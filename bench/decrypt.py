"""Decryption as the product streams it (`api.shelf`, pieces of 256 KiB), against `openssl speed` on the same machine.

`openssl speed` encrypts one buffer of 256 KiB again and again in cache, without key setup and without a tag to compare. A
document is opened as it is on its way to a client: derive and check the key commitment, authenticate every chunk of 16
KiB, hand out new bytes. CPU time in both, in turns, medians.
"""

import asyncio
import os
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import AsyncIterator, Iterable

from bench import Scale
from bench.report import Figure, Goal
from strongroom.api.shelf import Shelf
from strongroom.documents.memory import MemoryBlobs
from strongroom.documents.objects import PIECE
from strongroom.documents.sqlite import Entry
from strongroom.envelope.binding import content_context
from strongroom.envelope.sealed import Sealer, sealed_size
from strongroom.errors import ConfigError
from strongroom.keeper.protocol import Released
from strongroom.secret import Secret
from strongroom.wiring.memory import keep_freed

SIZES = {"252 kB": 252_000, "50 MB": 50_000_000}
ROUNDS = 5
SECONDS = {"small": 1, "full": 3}
_SPEED = re.compile(r"^AES-256-GCM\s+([0-9.]+)k", re.MULTILINE | re.IGNORECASE)


class _Pieces(MemoryBlobs):
    """Objects in memory, handed on as a directory hands them on: small ones at once, others in pieces. A small one lies where
    it is opened after the first time: bringing it there is no decryption, and `openssl speed` has its buffer, too.
    """

    there: bytearray | None = None

    def at_once(self, name: str, into: bytearray) -> int | None:
        """See `AtOnce.at_once`."""
        whole = self.objects[name]
        if len(whole) > len(into):
            return None
        if self.there is not into:
            into[: len(whole)] = whole
            self.there = into
        return len(whole)

    async def get(self, name: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """See `Blobs.get`; only whole objects are asked for here."""
        whole = self.objects[name]
        assert start == 0
        assert length is None
        for at in range(0, len(whole), PIECE):
            yield whole[at : at + PIECE]


class _OneEntry:
    """A catalogue that knows one version."""

    async def put(self, document: str, version: int, metadata: bytes, blob: str) -> None:
        """Not asked for here."""
        raise NotImplementedError

    async def get(self, document: str, version: int, edition: int) -> Entry | None:  # noqa: ARG002  # the port's signature
        """The entry."""
        return Entry(b"", "blob")


def run(scale: Scale) -> Iterable[Figure]:
    """Both sizes."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise ConfigError("This bench needs OpenSSL's command.", advice="apt-get install -y openssl")
    keep_freed()  # as the app does when it starts
    for name, size in SIZES.items():
        shelf, released = _kept(size)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            theirs.append(_openssl(openssl, SECONDS[scale]))
            ours.append(asyncio.run(_rate(shelf, released, SECONDS[scale])))
        goal = Goal("ratio", ">=", 1.0)
        yield Figure(f"decrypt {name}", statistics.median(ours), "MB/s", statistics.median(theirs), goal)


def _kept(size: int) -> tuple[Shelf, Released]:
    """A sealed document in memory, and what the door would say of it."""
    key, blobs = Secret(os.urandom(32)), _Pieces()
    sealer = Sealer(key, content_context("p", "d", 1, "application/pdf"))
    blobs.objects["blob"] = sealer.update(os.urandom(size)) + sealer.finish()
    released = Released(
        receipt=0, document="d", version=1, patient="p", content_type="application/pdf", size=size,
        sealed_size=sealed_size(size), updated=0, key=key.reveal(),
    )  # fmt: skip
    return Shelf(blobs, _OneEntry()), released


async def _rate(shelf: Shelf, released: Released, seconds: float) -> float:
    """Megabytes of plaintext for each second of CPU time."""
    count, start, end = 0, time.process_time(), time.monotonic() + seconds
    while time.monotonic() < end:
        seen = 0
        async for plain in shelf.read(released, 0, released.size):
            seen += len(plain)
        assert seen == released.size
        count += 1
    return count * released.size / (time.process_time() - start) / 1e6


def _openssl(command: str, seconds: int) -> float:
    """The same of `openssl speed`, which counts CPU time too."""
    told = subprocess.run(
        [command, "speed", "-seconds", str(seconds), "-bytes", "262144", "-evp", "aes-256-gcm"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = _SPEED.search(told)
    assert found is not None, told
    return float(found[1]) / 1e3
