"""By which bytes that are opened again are known to be those that were read: a digest of every stretch of a stream.

One digest a stretch and not one a line: a line's own would cost as much as reading it. The price is that a change anywhere in a
stretch takes the proof from all that stands in it.
"""

import hashlib
from typing import Final

STRETCH: Final = 64 * 1024
"""Bytes under one digest (SHA-256)."""
_DIGEST: Final = 32


class Seal:
    """The digests of one stream, taken as it is read."""

    __slots__ = ("_digests", "_held", "_last", "_open")

    def __init__(self) -> None:
        self._digests = bytearray()
        self._open = hashlib.sha256()
        self._held = 0
        self._last: bytes | None = None  # of a seal that was kept: the digest of its open stretch

    def kept(self) -> tuple[bytes, int, bytes]:
        """What `again` makes the same seal of, once the stream has ended."""
        return bytes(self._digests), self._held, self._last or self._open.digest()

    @classmethod
    def again(cls, digests: bytes, held: int, last: bytes) -> "Seal":
        """A seal that was kept. It knows its stream, and nothing can be added to it."""
        seal = cls()
        seal._digests, seal._held, seal._last = bytearray(digests), held, last
        return seal

    def add(self, block: bytes) -> None:
        """The next bytes of the stream."""
        rest = memoryview(block)
        while rest:
            part = rest[: STRETCH - self._held]
            self._open.update(part)
            self._held += len(part)
            rest = rest[len(part) :]
            if self._held == STRETCH:
                self._digests += self._open.digest()
                self._open, self._held = hashlib.sha256(), 0

    def holds(self, number: int, stretch: bytes) -> bool:
        """Whether these bytes are those of the stretch of this number, counted from 0. The last one may have grown since."""
        whole = len(self._digests) // _DIGEST
        if number < whole:
            kept = bytes(self._digests[number * _DIGEST : (number + 1) * _DIGEST])
            return hashlib.sha256(stretch).digest() == kept
        return number == whole and hashlib.sha256(stretch[: self._held]).digest() == self.kept()[2]
