"""What must hold of a resource beyond its types. Libraries leave these out: they take `subject=Observation/1`, base64
that is none, a media type `zzz`, data without a type, a script in the narrative (that one is `narrative`).

Reference targets are those of https://hl7.org/fhir/R4/documentreference.html, but for `subject`: a document of ours is
always a patient's. References may dangle; they may not point at the wrong kind of thing.
"""

import re
from collections.abc import Iterator

from strongroom.errors import Malformed
from strongroom.fhir.attachment import ATTACHMENT, decode_base64, is_mime, read_hash
from strongroom.fhir.datatypes import Attachment, Identifier, Period, Reference
from strongroom.fhir.dates import between, span
from strongroom.fhir.fault import Fault
from strongroom.fhir.resource import Binary, DocumentReference

_PEOPLE = frozenset({"Practitioner", "PractitionerRole", "Organization"})
_AUTHORS = _PEOPLE | {"Device", "Patient", "RelatedPerson"}
_PATIENT = frozenset({"Patient"})

_RELATIVE = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(/_history/[A-Za-z0-9\-.]{1,64})?")
_ABSOLUTE = re.compile(r"https?://\S+?/([A-Z][A-Za-z]{1,63})/[A-Za-z0-9\-.]{1,64}(/_history/[A-Za-z0-9\-.]{1,64})?")
_OTHER = re.compile(r"(https?://|urn:)\S+")


def document_reference(document: DocumentReference) -> Iterator[Fault]:
    """Everything that is wrong with `document`."""
    yield from _subject_faults(document)
    for expression, allowed, reference in _references(document):
        yield from _reference_faults(document, expression, allowed, reference)
    if len(document.content) != 1:
        yield Fault(
            "business-rule", "Exactly one content is kept: one document, one Binary.", "DocumentReference.content"
        )
    yield from _attachment_faults(document.content[0].attachment)
    yield from _date_faults(document)


def binary(resource: Binary) -> Iterator[Fault]:
    """Everything that is wrong with `resource`. The empty case refuses: a Binary without bytes is nobody's document."""
    if not is_mime(resource.content_type):
        yield Fault("value", "contentType is not a media type.", "Binary.contentType")
    if resource.data is None:
        yield Fault("required", "data is missing.", "Binary.data")
    elif not decode_base64(resource.data):
        yield Fault("value", "data is not base64.", "Binary.data")


def patient_of(reference: Reference | None) -> str | None:
    """The id in a reference `Patient/id`; None for anything else."""
    found = _RELATIVE.fullmatch(reference.reference or "") if reference else None
    return found[2] if found and found[1] == "Patient" and not found[3] else None


def _subject_faults(document: DocumentReference) -> Iterator[Fault]:
    if document.subject is None:
        yield Fault("required", "subject is missing: whose document is it?", "DocumentReference.subject")
    elif patient_of(document.subject) is None:
        yield Fault("value", "subject must be a reference Patient/{id}.", "DocumentReference.subject")


def _references(document: DocumentReference) -> Iterator[tuple[str, frozenset[str] | None, Reference | None]]:
    """Each reference but the subject, with where it is and what it may point at (None: anything)."""
    for index, author in enumerate(document.author):
        yield f"author[{index}]", _AUTHORS, author
    yield "authenticator", _PEOPLE, document.authenticator
    yield "custodian", frozenset({"Organization"}), document.custodian
    for index, relation in enumerate(document.relates_to):
        yield f"relatesTo[{index}].target", frozenset({"DocumentReference"}), relation.target
    if context := document.context:
        for index, encounter in enumerate(context.encounter):
            yield f"context.encounter[{index}]", frozenset({"Encounter", "EpisodeOfCare"}), encounter
        yield "context.sourcePatientInfo", _PATIENT, context.source_patient_info
        for index, related in enumerate(context.related):
            yield f"context.related[{index}]", None, related


def _reference_faults(
    document: DocumentReference, where: str, allowed: frozenset[str] | None, reference: Reference | None
) -> Iterator[Fault]:
    if reference is None:
        return
    expression = f"DocumentReference.{where}"
    if reference.reference is None:
        if reference.identifier is None and reference.display is None:
            yield Fault("required", "A reference needs a reference, an identifier or a display.", expression)
        return
    kind = _kind(document, reference.reference)
    if kind is None:
        yield Fault("value", "This is not a reference.", f"{expression}.reference")
    elif kind and allowed is not None and kind not in allowed:
        wanted = " or ".join(sorted(allowed))
        yield Fault("value", f"This reference must point at a {wanted}.", f"{expression}.reference")


def _kind(document: DocumentReference, reference: str) -> str | None:
    """What `reference` points at; empty when that cannot be told; None when it is no reference at all."""
    if reference.startswith("#"):
        found = [r.get("resourceType") for r in document.contained if r.get("id") == reference[1:]]
        return str(found[0]) if found else None
    if typed := _RELATIVE.fullmatch(reference) or _ABSOLUTE.fullmatch(reference):
        return typed[1]
    return "" if _OTHER.fullmatch(reference) else None


def _attachment_faults(attachment: Attachment) -> Iterator[Fault]:
    if attachment.content_type is None:
        yield Fault("required", "contentType is missing.", f"{ATTACHMENT}.contentType")
    elif not is_mime(attachment.content_type):
        yield Fault("value", "contentType is not a media type.", f"{ATTACHMENT}.contentType")
    if attachment.data is not None and not decode_base64(attachment.data):
        yield Fault("value", "data is not base64.", f"{ATTACHMENT}.data")
    if attachment.hash is not None and read_hash(attachment.hash) is None:
        yield Fault("value", "The hash is not the base64 of a SHA-1.", f"{ATTACHMENT}.hash")


def _date_faults(document: DocumentReference) -> Iterator[Fault]:
    yield from _one_date(document.date, "DocumentReference.date")
    yield from _one_date(document.content[0].attachment.creation, f"{ATTACHMENT}.creation")
    if document.context:
        yield from _period_faults(document.context.period, "DocumentReference.context.period")
    for name, identifier in _identifiers(document):
        yield from _period_faults(identifier.period, f"DocumentReference.{name}.period")


def _identifiers(document: DocumentReference) -> Iterator[tuple[str, Identifier]]:
    if document.master_identifier:
        yield "masterIdentifier", document.master_identifier
    for index, identifier in enumerate(document.identifier):
        yield f"identifier[{index}]", identifier


def _one_date(text: str | None, expression: str) -> Iterator[Fault]:
    try:
        if text is not None:
            span(text)
    except Malformed:
        yield Fault("value", "There is no such day.", expression)


def _period_faults(period: Period | None, expression: str) -> Iterator[Fault]:
    if period is None:
        return
    try:
        covered = between(period.start, period.end)
    except Malformed:
        yield Fault("value", "There is no such day.", expression)
    else:
        if covered.start > covered.end:
            yield Fault("value", "The period ends before it starts.", expression)
