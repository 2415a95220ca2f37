"""The parameters of `$docref`: a patient's documents of a time, of a kind.

Source: International Patient Access and US Core, operation `docref`. `start` and `end` speak of the care the document
tells of (`context.period`); where a document does not say, its `date` stands in. Nothing here is made on demand, so
`on-demand=true`, which asks for such documents only, finds none.
"""

import msgspec

from strongroom.errors import Malformed
from strongroom.fhir.criteria import Token, split
from strongroom.fhir.dates import Span, between, span
from strongroom.fhir.fault import Fault, Unreadable
from strongroom.fhir.resource import DocumentReference


class DocRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The parameters as given. Without `patient` the caller's own record is meant."""

    patient: str | None = None
    start: str | None = None
    end: str | None = None
    type: str | None = None
    on_demand: bool = False
    profile: str | None = None
    """Canonical address of a profile; we keep none, so it does not narrow the answer."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters, understood."""

    patient: str | None
    care: Span
    types: tuple[Token, ...]
    on_demand: bool


def understand(given: DocRef) -> Wanted:
    """Raises Unreadable (400) for dates that are none."""
    try:
        care = between(given.start, given.end)
    except Malformed:
        raise Unreadable(Fault("value", "start and end are dates.")) from None
    types = tuple(Token.read(one) for one in split(given.type or "", ",") if one)
    patient = given.patient and given.patient.removeprefix("Patient/")
    return Wanted(patient=patient, care=care, types=types, on_demand=given.on_demand)


def is_wanted(document: DocumentReference, wanted: Wanted) -> bool:
    """Whether `document` is one of those asked for. A document without any date is never left out because of dates."""
    if wanted.on_demand or not _of_type(document, wanted.types):
        return False
    covered = _care(document)
    return covered is None or (covered.start < wanted.care.end and covered.end > wanted.care.start)


def _of_type(document: DocumentReference, types: tuple[Token, ...]) -> bool:
    codings = document.type.coding if document.type else ()
    return not types or any(token.holds((coding.system, coding.code)) for coding in codings for token in types)


def _care(document: DocumentReference) -> Span | None:
    if document.context and (period := document.context.period):
        return between(period.start, period.end)
    return span(document.date) if document.date else None
