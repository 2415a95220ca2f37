"""Blobs in a local folder: the default. One machine, one disk: back it up."""

import os
from pathlib import Path

from obstore.store import LocalStore

from strongroom.documents.objects import Objects
from strongroom.errors import ConfigError

TIMEOUT = 5.0
"""Seconds. A local disk that takes longer is broken or full of other work."""


def local_blobs(root: Path, timeout: float = TIMEOUT) -> Objects:
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

    return Objects(LocalStore(root, mkdir=False), timeout, settle)
