"""Where keys from the door meet ciphertext from the store. The one file of the API that seals and opens.

A key lives here for one document and one request. What is sealed is bound to patient, document, version and type, so
that nothing opens in another's place; a listing's metadata likewise.
"""

import logging
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from strongroom.api.ports import Catalogue
from strongroom.documents.blobs import AtOnce, Blobs, Piece
from strongroom.envelope import small
from strongroom.envelope.binding import content_context, metadata_context
from strongroom.envelope.sealed import CHUNK, HEADER, Opener, Ranges, Sealer, open_whole
from strongroom.errors import Conflict, StrongroomError, Tampered, Unavailable
from strongroom.fhir.resource import DocumentReference, decode_stored, encode
from strongroom.ids import new_id
from strongroom.keeper.protocol import Opened, Released, Row
from strongroom.secret import Secret

log = logging.getLogger("strongroom.api")

SMALL = 512 * 1_024
"""Bytes of ciphertext up to which a document is read and opened in one step, where the store can."""
PIECE = 64 * CHUNK
"""Bytes of a range that are fetched and opened at once: 1 MiB."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Ciphertext in the store that nobody can open yet."""

    blob: str
    sealed_size: int


class Shelf:
    """The object store and the catalogue, through which only sealed things pass."""

    def __init__(self, blobs: Blobs, catalogue: Catalogue) -> None:
        self._blobs = blobs
        self._direct = blobs if isinstance(blobs, AtOnce) else None
        self._cipher = bytearray(SMALL + 1)
        self._catalogue = catalogue
        self._reading: Counter[str] = Counter()

    async def keep(self, opened: Opened, content_type: str, chunks: AsyncIterator[Piece]) -> Kept:
        """Seal `chunks` into the store. When it raises, or `chunks` does, nothing was kept."""
        context = content_context(opened.patient, opened.document, opened.version, content_type)
        sealed = _sealing(Sealer(Secret(opened.key), context), chunks)
        blob = new_id()
        try:
            return Kept(blob, await self._blobs.put(blob, sealed))
        except Conflict as error:  # with itself: the store took it, its answer was lost, and it was sent once more
            msg = "The object store has an object of a name that was made up a moment ago."
            raise Unavailable(msg, advice="It is tried again under another name.") from error

    async def drop(self, kept: Kept) -> None:
        """Take back what was kept, if it can be; what cannot stays as ciphertext without a key."""
        try:
            await self._blobs.delete(kept.blob)
        except StrongroomError as error:
            log.warning("an unfinished object stays in the store: %s", type(error).__name__)

    async def enter(self, opened: Opened, kept: Kept, metadata: DocumentReference) -> None:
        """Seal the metadata into the catalogue. Durable when it returns."""
        bound = metadata_context(opened.patient, opened.document, opened.version)
        sealed = small.seal(Secret(opened.metadata_key), encode(metadata), bound)
        await self._catalogue.put(opened.document, opened.version, sealed, kept.blob)

    async def metadata(self, row: Row) -> DocumentReference:
        """What was sealed for `row`. Raises Tampered, Malformed, Unavailable."""
        found = await self._catalogue.get(row.document, row.version, row.edition)
        if found is None:
            msg = "The keeper lists a version that the catalogue has not."
            raise Tampered(msg)
        bound = metadata_context(row.patient, row.document, row.version)
        return decode_stored(small.open_sealed(Secret(row.metadata_key), found.metadata, bound))

    async def read(self, released: Released, start: int, length: int) -> AsyncGenerator[Piece, None]:
        """The released bytes from `start`, `length` of them. Raises Tampered before a wrong byte is given out."""
        found = await self._catalogue.get(released.document, released.version, released.edition)
        if found is None:
            msg = "The keeper released a version that the catalogue has not."
            raise Tampered(msg)
        self._reading[found.blob] += 1
        try:
            async for plain in self._read(released, found.blob, start, length):
                yield plain
        finally:
            self._reading[found.blob] -= 1
            if not self._reading[found.blob]:
                del self._reading[found.blob]

    def is_read(self, blob: str) -> bool:
        """Whether somebody is being given this object just now."""
        return blob in self._reading

    async def _read(self, released: Released, blob: str, start: int, length: int) -> AsyncIterator[Piece]:
        context = content_context(released.patient, released.document, released.version, released.content_type)
        key = Secret(released.key)
        if (start, length) == (0, released.size):
            if (plain := self._at_once(blob, key, context, released.sealed_size)) is not None:
                yield plain
                return
            async for plain in self._whole(blob, Opener(key, context), released.sealed_size):
                yield plain
            return
        header = await self._fetch(blob, 0, HEADER)
        ranges = Ranges(key, context, header, released.sealed_size)
        while length > 0:
            # Pieces end where chunks end, so that no chunk is fetched twice.
            piece = min(length, PIECE - start % CHUNK)
            span = ranges.span(start, piece)
            yield ranges.open(start, piece, await self._fetch(blob, span.start, span.end - span.start))
            start, length = start + piece, length - piece

    def _at_once(self, blob: str, key: Secret, context: bytes, sealed_size: int) -> Piece | None:
        """A small document whose ciphertext the machine has in memory. None for others. One place for the ciphertext
        serves all: nothing else runs before it is opened.
        """
        if self._direct is None or sealed_size > SMALL:
            return None
        got = self._direct.at_once(blob, self._cipher)
        if got is None:
            return None
        if got != sealed_size:
            raise _another_length()
        return open_whole(key, context, self._cipher, got)

    async def _whole(self, blob: str, opener: Opener, sealed_size: int) -> AsyncIterator[bytes]:
        seen, plain = 0, b""
        async for cipher in self._blobs.get(blob):
            if plain:
                yield plain
            seen += len(cipher)
            plain = opener.update(cipher)
        if seen != sealed_size:
            raise _another_length()
        if plain := plain + opener.finish():  # the end with what stands before it: most documents are one piece
            yield plain

    async def _fetch(self, blob: str, start: int, length: int) -> bytes:
        found = bytearray()
        async for cipher in self._blobs.get(blob, start, length):
            found += cipher
            if len(found) > length:
                break
        if len(found) != length:
            msg = "The object store gives another part of a document than was asked for."
            raise Tampered(msg)
        return bytes(found)


async def _sealing(sealer: Sealer, chunks: AsyncIterator[Piece]) -> AsyncIterator[bytes]:
    async for plain in chunks:
        if cipher := sealer.update(plain):
            yield cipher
    yield sealer.finish()


def _another_length() -> Tampered:
    return Tampered("The store has a document of another length than was recorded.")
