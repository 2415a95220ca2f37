"""Lines that come from elsewhere, in files that can be followed like any log, and read again after a kill.

    FOLDER/0000000001.log      what came first; the next begins after SIZE bytes, at the end of a line

The last KEPT files that were read stay, so that evidence in them can be opened.
"""

import os
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Final

SIZE: Final = 64 * 1024 * 1024
"""Bytes of a file."""
KEPT: Final = 8
UNREAD: Final = 8
"""Files that may wait to be read."""


class Journal:
    """One folder. One process writes (`begin`); whoever reads the files says which of them it has read (`sweep`)."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError when the folder cannot be made."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self._next = max((int(path.stem) for path in self.files()), default=0) + 1

    def files(self) -> list[Path]:
        """The files, the oldest first."""
        return sorted(path for path in self.folder.glob("*.log") if path.stem.isdecimal())

    def begin(self) -> FileIO:
        """The next file, open to be written. Raises OSError."""
        path = self.folder / f"{self._next:010d}.log"
        self._next += 1
        return FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")

    def full(self) -> bool:
        """Whether too much waits to be read."""
        return len(self.files()) >= KEPT + UNREAD

    def sweep(self, read: Callable[[Path], bool]) -> int:
        """Remove files that were read, but for the last; how many."""
        old = [path for path in self.files()[:-1] if read(path)][:-KEPT]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)
