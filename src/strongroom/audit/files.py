"""The published log as files in a directory, laid out as c2sp.org/tlog-tiles says, for anyone to copy and verify.

Trust: none. Whoever can write the directory can make the next start refuse, and verification fail; nothing else.

Every file is written beside its place, synced, and moved into it; the checkpoint goes last, so that all a checkpoint
speaks of is there. A crash leaves an older checkpoint with newer tiles beside it, and the next publication goes on from
that checkpoint: recovery is the normal path.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from strongroom.errors import Conflict, Unavailable
from strongroom.tlog.checkpoint import MAX_CHECKPOINT
from strongroom.tlog.tile import MAX_RESOURCE, WIDTH, Tile, tiles_between

CHECKPOINT = "checkpoint"


class Directory:
    """A directory that holds one published log and nothing else."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self, checkpoint: bytes) -> None:
        """Publish the empty log. Raises Conflict if anything is there."""
        with _translated(self.root):
            self._make(self.root)
            if any(self.root.iterdir()):
                msg = f"There is something in {self.root} already."
                raise Conflict(msg, advice="Choose another directory, or open the log that is there.")
        self.write(CHECKPOINT, checkpoint)

    def read(self, path: str) -> bytes | None:
        """The file with this relative path, or None. Raises Unavailable if it cannot be read or is absurdly large."""
        limit = MAX_CHECKPOINT if path == CHECKPOINT else MAX_RESOURCE
        with _translated(self.root):
            try:
                # No pathlib and no buffer: a proof reads five small files.
                with open(f"{self.root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123  # the reason is above
                    raw = file.read(min(os.fstat(file.fileno()).st_size, limit) + 1)
            except (FileNotFoundError, NotADirectoryError):
                return None
        if len(raw) > limit:
            msg = f"{path} in {self.root} is larger than any file of a log."
            raise Unavailable(msg, advice="Somebody put it there; move it away.")
        return raw

    def write(self, path: str, content: bytes) -> None:
        """Put a file into place, whole or not at all. Durable once its directory is synced (`publish` does)."""
        place = self.root / path
        with _translated(self.root):
            self._make(place.parent)
            beside = place.with_name(f".{place.name}.new")
            with beside.open("wb") as file:
                os.fchmod(file.fileno(), 0o644)  # published: whoever is handed the directory may read it
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(place)

    def publish(self, old: int, new: int, render: Callable[[Tile], bytes], checkpoint: bytes) -> None:
        """Bring the directory from a published size to another. Repeatable; raises Unavailable.

        1. Files that the new tree has and the old one had not. A crash here leaves files nobody asks for yet.
        2. Their directories are synced: from here on the files survive loss of power.
        3. The checkpoint. From here on the new tree is published.
        4. Partial tiles whose full tile is there are removed. A crash here leaves some of them, which is allowed.
        """
        # 1.
        tiles = tuple(tiles_between(old, new))
        for tile in tiles:
            self.write(tile.path(), render(tile))
        # 2.
        with _translated(self.root):
            for directory in sorted({parent for tile in tiles for parent in self._parents(tile)}):
                _sync(directory)
        # 3.
        self.write(CHECKPOINT, checkpoint)
        with _translated(self.root):
            _sync(self.root)
            # 4.
            for tile in tiles:
                if tile.width == WIDTH:
                    shutil.rmtree(self.root / f"{tile.path()}.p", ignore_errors=True)

    def set_aside(self, name: str) -> Path:
        """Move everything into a sibling directory of this name, and start anew. Raises Conflict if it is there."""
        aside = self.root.with_name(name)
        with _translated(self.root):
            if aside.exists():
                msg = f"{aside} is there already."
                raise Conflict(msg, advice="Move it away.")
            with contextlib.suppress(FileNotFoundError):
                self.root.rename(aside)
            self._make(self.root)
            _sync(self.root.parent)
        return aside

    def _make(self, directory: Path) -> None:
        """The directory, readable like its files; the keeper's own is passable to nobody all the same."""
        if not directory.is_dir():
            if directory != self.root:
                self._make(directory.parent)
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(0o755)

    def _parents(self, tile: Tile) -> Iterator[Path]:
        place = (self.root / tile.path()).parent
        while place != self.root:
            yield place
            place = place.parent
        yield place


def hold(path: Path) -> int:
    """Take the lock file of a store, until the process ends or `let_go`. Raises Conflict if another process has it."""
    with _translated(path.parent):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            msg = "Another process has this log open."
            raise Conflict(msg, advice="Only one keeper may have a store open; stop the other one.") from error
        return descriptor


def let_go(descriptor: int) -> None:
    """Give the lock back."""
    os.close(descriptor)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"{root} cannot be used ({error.strerror or type(error).__name__})."
        raise Unavailable(msg, advice="Look at the disk and the permissions of this directory.") from error
