"""The resources that clients write, as typed structs. Structure only; `checks` says what else must hold.

Source: https://hl7.org/fhir/R4/documentreference.html and the pages of the other resources. `parse` makes these from
bytes of strangers; `encode` and `decode_stored` are for bytes of our own. What we only write (OperationOutcome,
AuditEvent, Bundle, CapabilityStatement) has no struct here: each is built in the file that is named after it.
"""

from typing import Any, Literal

import msgspec

from strongroom.errors import Malformed
from strongroom.fhir.datatypes import (
    Attachment,
    Code,
    CodeableConcept,
    Coding,
    Element,
    Id,
    Identifier,
    Instant,
    Meta,
    Narrative,
    Period,
    Reference,
    Text,
)

Status = Literal["current", "superseded", "entered-in-error"]
DocStatus = Literal["preliminary", "final", "amended", "entered-in-error"]
RelationCode = Literal["replaces", "transforms", "signs", "appends"]


class Resource(Element, frozen=True, kw_only=True, tag_field="resourceType", tag=True):
    """What every resource may have. `contained` is kept as it is."""

    id: Id | None = None
    meta: Meta | None = None
    language: Code | None = None
    text: Narrative | None = None
    contained: tuple[dict[str, Any], ...] = ()


class RelatesTo(Element, frozen=True, kw_only=True):
    """What this document does to another."""

    code: RelationCode
    target: Reference


class Content(Element, frozen=True, kw_only=True):
    """The document itself."""

    attachment: Attachment
    format: Coding | None = None


class Context(Element, frozen=True, kw_only=True):
    """The care that the document tells of."""

    encounter: tuple[Reference, ...] = ()
    event: tuple[CodeableConcept, ...] = ()
    period: Period | None = None
    facility_type: CodeableConcept | None = None
    practice_setting: CodeableConcept | None = None
    source_patient_info: Reference | None = None
    related: tuple[Reference, ...] = ()


class DocumentReference(Resource, frozen=True, kw_only=True):
    """The catalogue entry of one document."""

    master_identifier: Identifier | None = None
    identifier: tuple[Identifier, ...] = ()
    status: Status
    doc_status: DocStatus | None = None
    type: CodeableConcept | None = None
    category: tuple[CodeableConcept, ...] = ()
    subject: Reference | None = None
    date: Instant | None = None
    author: tuple[Reference, ...] = ()
    authenticator: Reference | None = None
    custodian: Reference | None = None
    relates_to: tuple[RelatesTo, ...] = ()
    description: Text | None = None
    security_label: tuple[CodeableConcept, ...] = ()
    content: tuple[Content, ...]
    context: Context | None = None


class Binary(Element, frozen=True, kw_only=True, tag_field="resourceType", tag=True):
    """Bytes in FHIR form. Not a DomainResource: it has no text and contains nothing."""

    id: Id | None = None
    meta: Meta | None = None
    language: Code | None = None
    content_type: str
    security_context: Reference | None = None
    data: str | None = None


def encode(resource: Resource | Binary) -> bytes:
    """`resource` as JSON."""
    return msgspec.json.encode(resource)


_document_reference = msgspec.json.Decoder(DocumentReference)


def decode_stored(raw: bytes) -> DocumentReference:
    """What `encode` wrote and the catalogue kept, sealed. Raises Malformed; for bytes of strangers there is `parse`."""
    try:
        return _document_reference.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = "A stored DocumentReference does not parse."
        raise Malformed(msg) from error
