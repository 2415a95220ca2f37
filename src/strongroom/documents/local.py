"""Blobs in a local folder: the default. One machine, one disk: back it up."""

import asyncio
import ctypes
import errno
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import ClassVar

from obstore.store import LocalStore

from strongroom.documents.blobs import Piece, place
from strongroom.documents.objects import PIECE, Objects, translated
from strongroom.errors import ConfigError, Unavailable

TIMEOUT = 5.0
"""Seconds. A local disk that takes longer is broken or full of other work."""
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
                chunk = _read_at_once(path, start, size)
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
            handle = _open_at_once(f"{self._root}/{place(name)}")
            return None if handle is None else _read_into(handle, into)

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


class _How(ctypes.Structure):
    """struct open_how (openat2(2))."""

    _fields_: ClassVar = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


_CACHED = _How(os.O_RDONLY | os.O_CLOEXEC, 0, 0x20)  # RESOLVE_CACHED: not a name that must be looked up on the disk
_OPENAT2, _AT_FDCWD = 437, -100  # the call has one number on all machines
_syscall = ctypes.PyDLL(None, use_errno=True).syscall  # which keeps the interpreter's lock: nothing waits
_syscall.restype = ctypes.c_long
_NO_SUCH_CALL = frozenset({errno.ENOSYS, errno.EPERM})
"""Of a kernel before 5.12, and of sandboxes that do not know the call."""


def _open_at_once(path: str) -> int | None:
    """An open file, where its name is in memory. None where it is not: then a thread opens it, and says what is wrong, so that
    nothing on the loop waits for a disk, which may hang. A kernel that does not know the difference opens it.
    """
    handle = _syscall(_OPENAT2, _AT_FDCWD, os.fsencode(path), ctypes.byref(_CACHED), ctypes.sizeof(_CACHED))
    if handle < 0 and ctypes.get_errno() in _NO_SUCH_CALL:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return None if handle < 0 else int(handle)


def _read_at_once(path: str, start: int, size: int) -> bytearray | None:
    """`_read`, where both the name and the bytes are in memory; else None."""
    handle = _open_at_once(path)
    return None if handle is None else _read_from(handle, start, size, os.RWF_NOWAIT)


def _read_into(handle: int, into: bytearray) -> int | None:
    """As much as `into` holds, from the beginning, where that is in memory; else None. Closes the handle."""
    try:
        got, there = os.preadv(handle, [into], 0, os.RWF_NOWAIT), os.fstat(handle).st_size
    except OSError as error:
        if error.errno in _NOT_NOW:
            return None
        raise
    finally:
        os.close(handle)
    return got if got == min(len(into), there) else None


def _read(path: str, start: int, size: int) -> bytearray | None:
    """At most `size` bytes from `start`. Opened anew for each piece: an answer that is broken off leaves no open file behind."""
    return _read_from(os.open(path, os.O_RDONLY | os.O_CLOEXEC), start, size)


def _read_from(handle: int, start: int, size: int, flags: int = 0) -> bytearray | None:
    """Closes the handle. With RWF_NOWAIT None where some of the bytes are not in memory (preadv(2)). The memory is as large as
    what is there, because to give back a part of it costs more than the reading.
    """
    try:
        found = bytearray(max(0, min(size, os.fstat(handle).st_size - start)))
        got = os.preadv(handle, [found], start, flags)
    except OSError as error:
        if flags and error.errno in _NOT_NOW:
            return None
        raise
    finally:
        os.close(handle)
    if got < len(found):
        if flags:
            return None
        del found[got:]  # the file was cut meanwhile
    return found


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
