"""The port to the object store: five methods, names that are written once.

Trust: whoever can modify the store can make documents unreadable, and is noticed when they are read. They learn how many
documents there are, how large, and when they were written.
"""

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

PREFIX = 2
"""Characters of a name that become its folder, so that no folder holds millions of files."""

Piece = bytes | bytearray
"""Some bytes of an object."""


class Blobs(Protocol):
    """Ciphertext by name."""

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> int:
        """Keep `chunks` under a new name; gives the bytes kept.

        Durable when it returns. When it raises, or `chunks` does, nothing is kept. Never overwrites. Raises Conflict when
        the name is taken, Unavailable when the store is away or full.
        """

    def get(self, name: str, start: int = 0, length: int | None = None) -> AsyncIterator[Piece]:
        """The object from `start`, `length` bytes of it or all that follow. Raises Unavailable, also when it is missing:
        an object that the keeper knows of and the store does not is a fault of the store.
        """

    async def delete(self, name: str) -> None:
        """Take it away; nothing happens when there is none. Raises Unavailable."""

    def names(self) -> AsyncIterator[str]:
        """Every name there is. Raises Unavailable."""


@runtime_checkable
class AtOnce(Protocol):
    """What a store may be able to do besides."""

    def at_once(self, name: str, into: bytearray) -> int | None:
        """The whole object, or as much of it as `into` holds, into `into`; gives the bytes. Waits for nothing: None where
        it would have to. Raises Unavailable.
        """


def place(name: str) -> str:
    """Where an object of this name lies."""
    return f"{name[:PREFIX]}/{name}"
