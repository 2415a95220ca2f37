"""A document as the world sees it: the sealed metadata, and in it what the keeper knows better."""

import msgspec

from strongroom.clock import iso
from strongroom.fhir.datatypes import Attachment, Meta, Reference
from strongroom.fhir.labels import show_category
from strongroom.fhir.resource import Content, DocumentReference
from strongroom.keeper.protocol import Row


def stored(document: DocumentReference, attachment: Attachment) -> DocumentReference:
    """`document` as it is sealed: without what the keeper knows, and without the bytes."""
    meta = document.meta and msgspec.structs.replace(document.meta, version_id=None, last_updated=None)
    content = msgspec.structs.replace(document.content[0], attachment=attachment)
    return msgspec.structs.replace(document, id=None, meta=None if meta == Meta() else meta, content=(content,))


def shown(document: DocumentReference, row: Row, base: str) -> DocumentReference:
    """`document` as it is given out. Id, version, time, patient, category, type and size are the keeper's words."""
    meta = msgspec.structs.replace(document.meta or Meta(), version_id=str(row.version), last_updated=iso(row.updated))
    content = document.content[0]
    attachment = msgspec.structs.replace(
        content.attachment, content_type=row.content_type, size=row.size, url=binary_url(row, base)
    )
    subject = msgspec.structs.replace(document.subject or Reference(), reference=f"Patient/{row.patient}")
    placed = msgspec.structs.replace(
        document,
        id=row.document,
        meta=meta,
        subject=subject,
        content=(msgspec.structs.replace(content, attachment=attachment),),
    )
    return show_category(placed, row.category)


def minimal(patient: str, content_type: str, at: int) -> DocumentReference:
    """What is known of a document that came as bytes alone."""
    return DocumentReference(
        status="current",
        subject=Reference(reference=f"Patient/{patient}"),
        date=iso(at),
        content=(Content(attachment=Attachment(content_type=content_type)),),
    )


def binary_url(row: Row, base: str) -> str:
    """Where the bytes are: an older version under its own address, for the newest one's would change under it."""
    address = f"{base}/Binary/{row.document}"
    return address if row.newest else f"{address}/_history/{row.version}"
