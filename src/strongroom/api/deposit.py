"""Writing one version of one document. The order is what makes a crash harmless.

1. `Deposit`: the door decides, logs that it was opened, and gives keys for one new version.
2. The bytes are sealed into the object store, under a name that nothing else has.
3. The metadata, which now knows size and hashes, is sealed into the catalogue.
4. `Deposited`: from here on the version can be read.

Until 4 nobody can read anything: what a crash leaves behind is ciphertext whose key was never given out again, and a
ticket that lapses. After 4 was sent nothing is taken back unless the keeper said no: without an answer it may have it on
record.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from strongroom.api.access import Access
from strongroom.api.parts import Parts
from strongroom.api.respond import Declined
from strongroom.api.shelf import Kept
from strongroom.api.view import stored
from strongroom.documents.blobs import Piece
from strongroom.errors import Unavailable
from strongroom.fhir.attachment import Digest
from strongroom.fhir.fault import Unacceptable
from strongroom.fhir.resource import DocumentReference
from strongroom.keeper.protocol import Asking, Deposit, Deposited, Done, Opened, Row

ATTEMPTS = 3
"""Times that `Deposited` is said; it may be repeated, and a door that was restarting answers the second."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written. `document` and `expected`: a new version of a document, upon the version named."""

    patient: str
    category: str
    content_type: str
    metadata: DocumentReference
    document: str | None = None
    expected: int | None = None


async def deposit(
    parts: Parts, asking: Asking, order: Order, chunks: AsyncIterator[Piece]
) -> tuple[Row, DocumentReference]:
    """Write it. Returns the new version as the door would list it now, and its metadata as sealed.

    Raises Declined, Unacceptable, Unavailable, and whatever `chunks` raises; then nothing can be read.
    """
    question = Deposit(
        asking=asking,
        patient=order.patient,
        category=order.category,
        content_type=order.content_type,
        document=order.document,
        expected=order.expected,
    )
    opened = await parts.access.ask(question, Opened)  # 1
    digest = Digest()
    kept = await parts.shelf.keep(opened, order.content_type, _counted(chunks, digest))  # 2
    try:
        metadata = _described(order.metadata, digest)
        await parts.shelf.enter(opened, kept, metadata)  # 3
    except BaseException:
        await parts.shelf.drop(kept)
        raise
    try:
        await _finish(parts.access, opened, kept, digest.size)  # 4
    except Declined:
        await parts.shelf.drop(kept)
        raise
    return _row(opened, order, digest.size, parts.clock.now()), metadata


async def _finish(access: Access, opened: Opened, kept: Kept, size: int) -> None:
    word = Deposited(ticket=opened.ticket, size=size, sealed_size=kept.sealed_size)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            await access.ask(word, Done)
        except Unavailable:
            if attempt == ATTEMPTS:
                raise
        else:
            return


def _row(opened: Opened, order: Order, size: int, now: int) -> Row:
    """What a listing would say, but for the time, which the keeper took a moment earlier."""
    return Row(
        document=opened.document,
        version=opened.version,
        patient=opened.patient,
        category=order.category,
        state="available",
        content_type=order.content_type,
        size=size,
        updated=now,
        metadata_key=b"",
    )


def _described(document: DocumentReference, digest: Digest) -> DocumentReference:
    """The metadata with what the bytes turned out to be. Raises Unacceptable when the client said otherwise."""
    said = document.content[0].attachment
    if faults := tuple(digest.faults(said)):
        raise Unacceptable(*faults)
    return stored(document, digest.describe(said))


async def _counted(chunks: AsyncIterator[Piece], digest: Digest) -> AsyncIterator[Piece]:
    async for chunk in chunks:
        digest.update(chunk)
        yield chunk
