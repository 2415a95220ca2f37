"""Blobs in a local folder: the default. One machine, one disk: back it up."""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from obstore.store import LocalStore

from strongroom.documents.blobs import Piece, place
from strongroom.documents.objects import PIECE, Objects, translated
from strongroom.errors import ConfigError, Unavailable

A = TypeVarTuple("A")
T = TypeVar("T")

TIMEOUT = 5.0
"""Seconds. A local disk that takes longer is broken or full of other work."""
HELD_UP, A_WHILE = 0.1, 60.0
"""Seconds: what opening a file may take from everybody, as names are not looked up without waiting; and for how long, after
it took more, threads do it.
"""
_NOT_NOW = frozenset({errno.EAGAIN, errno.EOPNOTSUPP})
"""The disk would have to be waited for; the file system cannot tell."""


class Folder(Objects):
    """Reads files by itself: obstore reads 8 KiB at once, and hands each through a thread.

    What the machine has in memory is read at once; a thread waits for the disk where it has not.
    """

    def __init__(
        self, root: Path, timeout: float, settle: Callable[[str], None], *, answer: float | None = None
    ) -> None:
        super().__init__(LocalStore(root, mkdir=False), timeout, settle, answer=answer)
        self._root = str(root)
        self._identity = _identity(self._root)
        self._threads_until = 0.0

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> int:
        """See `Blobs.put`."""
        self._check_place()
        size = await super().put(name, chunks)
        self._check_place()
        return size

    async def get(self, name: str, start: int = 0, length: int | None = None) -> AsyncIterator[Piece]:
        """See `Blobs.get`."""
        self._check_place()
        path, loop = f"{self._root}/{place(name)}", asyncio.get_running_loop()
        left, wait = length, self._soon
        with translated():
            while left is None or left > 0:
                size = PIECE if left is None else min(PIECE, left)
                chunk = self._in_memory(_read, path, start, size, os.RWF_NOWAIT)
                if chunk is None:
                    chunk = await wait(loop.run_in_executor(None, _read, path, start, size))
                wait = self._within
                if chunk:
                    yield chunk
                if chunk is None or len(chunk) < size:
                    return
                start, left = start + size, None if left is None else left - size

    def at_once(self, name: str, into: bytearray) -> int | None:
        """See `AtOnce`."""
        self._check_place()
        with translated():
            return self._in_memory(_read_into, f"{self._root}/{place(name)}", into)

    def _in_memory(self, read: Callable[[*A], T | None], *args: *A) -> T | None:
        """What is in memory. None where a thread must wait; and always for a while, after a disk held up everybody."""
        began = time.monotonic()
        if began < self._threads_until:
            return None
        try:
            return read(*args)
        except OSError as error:
            if error.errno in _NOT_NOW:
                return None
            raise
        finally:
            if (now := time.monotonic()) - began > HELD_UP:
                self._threads_until = now + A_WHILE

    def _check_place(self) -> None:
        """Where a disk is not mounted there is a folder all the same: what is written into it is gone when the disk is back."""
        if _identity(self._root) != self._identity:
            msg = "The folder of the objects is not in its place any more."
            raise Unavailable(msg, advice="Mount its disk again; if another one is meant, start the app again.")


def _identity(root: str) -> tuple[int, int] | None:
    """Device and inode; None where there is nothing."""
    try:
        found = os.stat(root)  # noqa: PTH116  # at every reading: Path.stat takes three times as long
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _read(path: str, start: int, size: int, flags: int = 0) -> bytearray | None:
    """At most `size` bytes from `start`; with RWF_NOWAIT None where some of them are not in memory (preadv(2)).

    Opened anew for each piece: an answer that is broken off leaves no open file behind. The memory is as large as what
    is there, because to give back a part of it costs more than the reading.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        found = bytearray(max(0, min(size, os.fstat(handle).st_size - start)))
        got = os.preadv(handle, [found], start, flags)
    finally:
        os.close(handle)
    if got < len(found):
        if flags:
            return None
        del found[got:]  # the file was cut meanwhile
    return found


def _read_into(path: str, into: bytearray) -> int | None:
    """As `_read` with RWF_NOWAIT, from the beginning, and as much as `into` holds."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        got, there = os.preadv(handle, [into], 0, os.RWF_NOWAIT), os.fstat(handle).st_size
    finally:
        os.close(handle)
    return got if got == min(len(into), there) else None


def local_blobs(root: Path, timeout: float = TIMEOUT, *, answer: float | None = None) -> Folder:
    """Blobs under `root`, which must exist. `answer` as `Objects` has it. Raises ConfigError."""
    if not root.is_dir():
        msg = f"There is no folder {root} for objects."
        raise ConfigError(msg, advice="Was `strongroom init` run, and is the disk mounted?")

    def settle(path: str) -> None:
        """Sync the file and the names that lead to it; obstore leaves that to the operating system."""
        place = root / path
        for target in (place, place.parent, root):
            handle = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    return Folder(root, timeout, settle, answer=answer)
