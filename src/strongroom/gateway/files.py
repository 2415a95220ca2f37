"""Events in a file, a line each, turned over by size. Nobody waits for the disk: what does not fit is dropped, and counted.

Several processes may write one file: each line is one write at its end, one of them turns it over, and the others follow.
"""

import contextlib
import fcntl
import logging
import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

QUEUE: Final = 10_000
"""Events that may wait for the disk: about 10 MB."""
SIZE: Final = 64 * 1_048_576
"""Bytes of one file."""
KEPT: Final = 8
"""Files: NAME, NAME.1 (the one before) to NAME.7."""
_log = logging.getLogger("strongroom.gateway")


class Events:
    """One file, one thread that writes it. Readable by its owner alone."""

    def __init__(self, path: Path, *, size: int = SIZE, room: int = QUEUE) -> None:
        """Raises OSError where the file cannot be opened."""
        self._path, self._size, self._most = path, size, size
        self._queue: queue.Queue[Callable[[], dict[str, Any]] | None] = queue.Queue(room)
        self.dropped = 0
        """Events that were not written."""
        self._file = self._open()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()

    def put(self, event: Callable[[], dict[str, Any]]) -> None:
        """Write what `event` gives, later. Never waits."""
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self._drop("they come faster than they can be written")

    def close(self) -> None:
        """Write what waits, and end."""
        self._queue.put(None)
        self._thread.join()
        os.close(self._file)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _run(self) -> None:
        while (event := self._queue.get()) is not None:
            try:
                line = msgspec.json.encode(event()) + b"\n"
                self._follow()
                if os.fstat(self._file).st_size + len(line) > self._most:
                    self._turn_over()
                if os.write(self._file, line) != len(line):
                    self._drop("the disk took half of one")
            except OSError as error:
                self._drop(error.strerror or "they cannot be written")

    def _follow(self) -> None:
        """To the file that bears the name now."""
        try:
            named = self._path.stat()
        except FileNotFoundError:
            named = None
        mine = os.fstat(self._file)
        if named is None or (named.st_dev, named.st_ino) != (mine.st_dev, mine.st_ino):
            self._reopen()

    def _turn_over(self) -> None:
        """Where that cannot be, the file grows by as much again: better a long file than a lost event."""
        try:
            self._turn()
        except OSError as error:
            self._most += self._size
            _log.error("THE FILE OF EVENTS CANNOT BE TURNED OVER, and grows: %s.", error.strerror)
        else:
            self._most = self._size

    def _turn(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)  # until it is closed; who waited for it follows
        before = self._file
        self._follow()
        if self._file != before:
            return
        for number in range(KEPT - 1, 0, -1):
            older = self._path if number == 1 else self._path.with_name(f"{self._path.name}.{number - 1}")
            with contextlib.suppress(FileNotFoundError):
                older.replace(self._path.with_name(f"{self._path.name}.{number}"))
        self._reopen()

    def _reopen(self) -> None:
        file = self._open()
        os.close(self._file)
        self._file = file

    def _drop(self, why: str) -> None:
        """Counted, and said at the first and at each thousandth."""
        self.dropped += 1
        if self.dropped % 1_000 == 1:
            _log.error("EVENTS ARE LOST: %d so far: %s.", self.dropped, why)
