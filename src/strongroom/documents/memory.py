"""Blobs in memory: for tests, and to show the port in its smallest form."""

from collections.abc import AsyncIterator

from strongroom.documents.blobs import Piece
from strongroom.errors import Conflict, Unavailable


class MemoryBlobs:
    """See `blobs.Blobs`."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> int:
        """See `Blobs.put`."""
        whole = b"".join([chunk async for chunk in chunks])
        if name in self.objects:
            msg = "An object of this name exists already."
            raise Conflict(msg)
        self.objects[name] = whole
        return len(whole)

    async def get(self, name: str, start: int = 0, length: int | None = None) -> AsyncIterator[Piece]:
        """See `Blobs.get`."""
        if name not in self.objects:
            msg = "The object store lacks an object that the catalogue knows."
            raise Unavailable(msg)
        found = self.objects[name][start:] if length is None else self.objects[name][start : start + length]
        for at in range(0, len(found), 65_536):
            yield found[at : at + 65_536]

    async def delete(self, name: str) -> None:
        """See `Blobs.delete`."""
        self.objects.pop(name, None)

    async def names(self) -> AsyncIterator[str]:
        """See `Blobs.names`."""
        for name in list(self.objects):
            yield name
