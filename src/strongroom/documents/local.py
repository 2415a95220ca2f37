"""Blobs in a local folder: the default. One machine, one disk: back it up."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from obstore.store import LocalStore

from strongroom.documents.blobs import place
from strongroom.documents.objects import PIECE, Objects, translated
from strongroom.errors import ConfigError

TIMEOUT = 5.0
"""Seconds. A local disk that takes longer is broken or full of other work."""


class Folder(Objects):
    """Reads files by itself: obstore reads 8 KiB at once, and hands each through a thread."""

    def __init__(self, root: Path, timeout: float, settle: Callable[[str], None]) -> None:
        super().__init__(LocalStore(root, mkdir=False), timeout, settle)
        self._root = root

    async def get(self, name: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """See `Blobs.get`."""
        path, loop = self._root / place(name), asyncio.get_running_loop()
        left = length
        with translated():
            while left is None or left > 0:
                size = PIECE if left is None else min(PIECE, left)
                chunk = await self._within(loop.run_in_executor(None, _read, path, start, size))
                if chunk:
                    yield chunk
                if len(chunk) < size:
                    return
                start, left = start + size, None if left is None else left - size


def _read(path: Path, start: int, size: int) -> bytes:
    """Opened anew for each piece: an answer that is broken off leaves no open file behind."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(handle, size, start)
    finally:
        os.close(handle)


def local_blobs(root: Path, timeout: float = TIMEOUT) -> Folder:
    """Blobs under `root`, which must exist. Raises ConfigError."""
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

    return Folder(root, timeout, settle)
