"""What a worker remembers of the counts, and how it learns that another worker has changed them.

Each number that the file of counts goes by (a place, a person, a session) belongs to one of `PARTS` parts. A part has a version,
in memory that all workers share. Rules, each of which the next one needs:

* whoever changes what belongs to a part changes its version, while it holds the only writer's place, and before it commits;
* what was read is remembered with its part's version, and only by whoever holds the writer's place: nobody changes it meanwhile;
* what is remembered holds as long as the version is the same.

So what is remembered was committed, or is being written by ourselves; when that is taken back, everything is forgotten. A version
that was changed for nothing, by a writer who was killed, costs a look into the file.

The memory is a file beside the counts. Not trusted to be there (`sqlite` looks before it writes), and worth nothing by itself: its
versions say that something changed, and not what.
"""

import mmap
import os
from pathlib import Path
from typing import Any, Final

PARTS: Final = 65_536
SIZE: Final = PARTS * 8
MOST: Final = 200_000
"""Ids that are remembered in all, and as many other things: some 40 MiB. Then everything is forgotten, and remembered anew."""


def prepare(path: Path, owner: int = -1) -> None:
    """Make the file of versions, unless there is one. Raises OSError."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.new")
        fresh.write_bytes(bytes(SIZE))
        fresh.chmod(0o600)
        fresh.replace(path)
    os.chown(path, owner, owner)


class Kept:
    """See the module. For one thread at a time."""

    def __init__(self, path: Path | None = None) -> None:
        """`path` None: nobody else changes anything. Raises OSError."""
        memory: mmap.mmap | bytearray = bytearray(SIZE)
        if path is not None:
            with path.open("r+b") as file:
                memory = mmap.mmap(file.fileno(), SIZE)
        self._versions = memoryview(memory).cast("Q")
        self._memory = memory
        self._entries: dict[tuple[str, int], tuple[int, Any]] = {}
        self._ids = 0

    def get(self, kind: str, number: int) -> Any:
        """What is remembered, and still holds; or None."""
        entry = self._entries.get((kind, number))
        if entry is None or entry[0] != self._versions[number % PARTS]:
            return None
        return entry[1]

    def keep(self, kind: str, number: int, value: Any, ids: int = 1) -> None:
        """It was read just now, by whoever holds the writer's place. `ids`: how many are in it."""
        self._ids += ids
        if self._ids > MOST:
            self.forget()
        self._entries[kind, number] = (self._versions[number % PARTS], value)

    def change(self, number: int, kind: str = "", value: Any = None) -> None:
        """It is changed now, by whoever holds the writer's place; and, where `kind` was remembered, is this from now on."""
        part = number % PARTS
        self._versions[part] = (self._versions[part] + 1) % 2**64
        if kind and value is not None:
            self._entries[kind, number] = (self._versions[part], value)

    def forget(self) -> None:
        """Everything: what was written is taken back."""
        self._entries.clear()
        self._ids = 0

    def close(self) -> None:
        """Let the memory go."""
        self._versions.release()
        if isinstance(self._memory, mmap.mmap):
            self._memory.close()
