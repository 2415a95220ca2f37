"""What comes by a pipe, in a journal. The last line gets an end. A pipe that comes faster than it is read waits."""

import os
import threading
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Final

from strongroom.logs.journal import KEPT, SIZE, UNREAD, Journal

ANY: Final = 2**30
"""However many files may wait: nobody reads before the pipe has ended."""
_PIECE: Final = 64 * 1024


class Spool:
    """One pipe and its folder. A thread copies; whoever reads the files says which of them it has read (`sweep`)."""

    def __init__(self, folder: Path, pipe: int, *, size: int = SIZE, unread: int = UNREAD) -> None:
        """`pipe` is a file descriptor. Raises OSError when the folder cannot be made."""
        self._journal = Journal(folder)
        self.folder, self._pipe, self._size = folder, pipe, size
        self._room = threading.Semaphore(max(1, KEPT + unread - len(self._journal.files())))
        self._ended = threading.Event()
        self.error = ""
        """Why it ended, if the pipe did not."""
        threading.Thread(target=self._copy, name="pipe", daemon=True).start()

    def ended(self, wait: float = 0) -> bool:
        """Whether nothing comes any more, and everything that came is in the files; `wait`: seconds to wait for that."""
        return self._ended.wait(wait)

    def sweep(self, read: Callable[[Path], bool]) -> None:
        """Remove files that were read, but for the last."""
        gone = self._journal.sweep(read)
        if gone:
            self._room.release(gone)

    def _copy(self) -> None:
        try:
            rest: bytes | None = b""
            while rest is not None:
                with self._journal.begin() as file:
                    rest = self._fill(file, rest)
                if rest is not None:
                    self._room.acquire()
        except OSError as error:
            self.error = error.strerror or "it cannot be read"
        finally:
            self._ended.set()

    def _fill(self, file: FileIO, first: bytes) -> bytes | None:
        """Write a file; what belongs to the next, or None when nothing comes any more."""
        file.write(first)
        written, last = len(first), first[-1:]
        while data := os.read(self._pipe, min(_PIECE, self._size)):
            written, last = written + len(data), data[-1:]
            end = data.rfind(b"\n") + 1 if written >= self._size else 0
            file.write(data[: end or len(data)])
            if end:
                return data[end:]
        if last not in {b"", b"\n"}:
            file.write(b"\n")
        return None
