"""The bytes of a document on their way in: from inside the JSON, or from the version before.

What a client says the type is, is held against the first bytes. A page of HTML that calls itself a picture is refused
loudly, not stored under a lie.
"""

from collections.abc import AsyncGenerator

from strongroom.api.parts import Parts
from strongroom.api.respond import stop
from strongroom.api.settings import Settings
from strongroom.documents.blobs import Piece
from strongroom.envelope.mime import HEAD, disagreement
from strongroom.fhir.attachment import ATTACHMENT, Digest, decode_base64
from strongroom.fhir.criteria import bare_media_type
from strongroom.fhir.datatypes import Attachment
from strongroom.fhir.fault import Fault, Unacceptable
from strongroom.fhir.resource import DocumentReference, encode
from strongroom.keeper.protocol import Asking, Release, Released, Row

_TWO_WAYS = (
    "There are two ways to bring a document: its bytes here, as content.attachment.data in base64, or streamed in a"
    " POST to Binary with X-Security-Context: Patient/{id}, which makes the DocumentReference by itself."
)


def inline(document: DocumentReference, settings: Settings) -> bytes:
    """The bytes inside `document`, checked against what it says of them. Raises Unacceptable (422), Halt (413)."""
    attachment = document.content[0].attachment
    if attachment.url is not None:
        raise Unacceptable(
            Fault("not-supported", f"Documents elsewhere are not kept. {_TWO_WAYS}", f"{ATTACHMENT}.url")
        )
    content = decode_base64(attachment.data or "")
    if not content:
        raise Unacceptable(Fault("required", _TWO_WAYS, f"{ATTACHMENT}.data"))
    if len(content) > settings.max_inline:
        raise stop(413, "too-long", f"Inside JSON a document has at most {settings.max_inline} bytes. {_TWO_WAYS}")
    check_accepted(attachment.content_type or "", settings)
    check_type(content[:HEAD], attachment.content_type or "")
    if faults := tuple(Digest().update(content).faults(attachment)):
        raise Unacceptable(*faults)
    return content


def check_metadata(document: DocumentReference, settings: Settings) -> None:
    """Raises Halt (413) when `document` is too long, its data not counted."""
    data = document.content[0].attachment.data or ""
    if len(encode(document)) - len(data) > settings.max_metadata:
        raise stop(413, "too-long", f"A DocumentReference has at most {settings.max_metadata} bytes beside its data.")


def check_accepted(declared: str, settings: Settings) -> None:
    """Raises Halt (415) when documents of the type `declared` are not kept here; says which are."""
    if bare_media_type(declared) not in settings.media_types:
        text = f"Documents of this type are not accepted. Accepted are: {', '.join(sorted(settings.media_types))}."
        raise stop(415, "not-supported", text)


def check_type(head: bytes, declared: str) -> None:
    """Raises Unacceptable (422) when the first bytes are of another type than `declared`."""
    if found := disagreement(declared, head):
        raise Unacceptable(Fault("value", found.sentence, f"{ATTACHMENT}.contentType"))


async def carried(parts: Parts, asking: Asking, row: Row) -> AsyncGenerator[Piece, None]:
    """The bytes of a version, for the next one. A release like any other: decided, charged, on record."""
    question = Release(asking=asking, document=row.document, version=row.version)
    released = await parts.access.ask(question, Released)
    try:
        async for chunk in parts.shelf.read(released, 0, released.size):
            yield chunk
    finally:
        parts.words.tell(released.receipt, 0, complete=False)  # to the store, not to the client


def refers_to(attachment: Attachment, row: Row) -> bool:
    """Whether `attachment` speaks of the bytes of `row`, or of none in particular."""
    url = attachment.url
    mine = f"Binary/{row.document}"
    return url is None or url == mine or url.endswith((f"/{mine}", f"/{mine}/_history/{row.version}"))
