"""The FHIR datatypes that our resources are made of. Structure only; `checks` says what else must hold.

Source: https://hl7.org/fhir/R4/datatypes.html. Names are FHIR's own in snake case; in JSON they are FHIR's. Fields we
do not know are refused, so that nothing is silently dropped between a PUT and the next GET. Extensions are kept as they
are; extensions of primitives (`_date` and the like) and `modifierExtension` are not known, and so refused.

How the form may grow: these structs are also what is sealed in the catalogue. Fields are added, never changed.
"""

from typing import Annotated, Any, Literal

import msgspec

_YEAR = r"[0-9]{4}"
_MONTH = r"(0[1-9]|1[0-2])"
_DAY = r"(0[1-9]|[12][0-9]|3[01])"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]{1,9})?"
_ZONE = r"(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

# msgspec searches where FHIR matches whole strings, hence \A and \Z; `$` would let a newline through.
Instant = Annotated[str, msgspec.Meta(pattern=rf"\A{_YEAR}-{_MONTH}-{_DAY}T{_TIME}{_ZONE}\Z")]
DateTime = Annotated[str, msgspec.Meta(pattern=rf"\A{_YEAR}(-{_MONTH}(-{_DAY}(T{_TIME}{_ZONE})?)?)?\Z")]
Id = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9\-.]{1,64}\Z")]
Uri = Annotated[str, msgspec.Meta(pattern=r"\A\S{1,2048}\Z")]
Code = Annotated[str, msgspec.Meta(pattern=r"\A[^\s]+(\s[^\s]+)*\Z", max_length=256)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=16_384)]
Size = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""unsignedInt: bytes."""
Extension = dict[str, Any]


class Element(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"
):
    """What every FHIR element may have."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    extension: tuple[Extension, ...] = ()


class Coding(Element, frozen=True, kw_only=True):
    """One code of one system."""

    system: Uri | None = None
    version: Text | None = None
    code: Code | None = None
    display: Text | None = None
    user_selected: bool | None = None


class CodeableConcept(Element, frozen=True, kw_only=True):
    """One meaning, in one or more systems, or in words."""

    coding: tuple[Coding, ...] = ()
    text: Text | None = None


class Period(Element, frozen=True, kw_only=True):
    """From and to, both included."""

    start: DateTime | None = None
    end: DateTime | None = None


class Reference(Element, frozen=True, kw_only=True):
    """Another resource: `Type/id`, `#id` of a contained one, an absolute address or a URN, or an identifier alone."""

    reference: Text | None = None
    type: Uri | None = None
    identifier: "Identifier | None" = None
    display: Text | None = None


class Identifier(Element, frozen=True, kw_only=True):
    """A business identifier."""

    use: Literal["usual", "official", "temp", "secondary", "old"] | None = None
    type: CodeableConcept | None = None
    system: Uri | None = None
    value: Text | None = None
    period: Period | None = None
    assigner: Reference | None = None


class Narrative(Element, frozen=True, kw_only=True):
    """The resource in words, as XHTML."""

    status: Literal["generated", "extensions", "additional", "empty"]
    div: str


class Meta(Element, frozen=True, kw_only=True):
    """About the resource. `version_id` and `last_updated` are ours to set; what a client says there is dropped."""

    version_id: Id | None = None
    last_updated: Instant | None = None
    source: Uri | None = None
    profile: tuple[Uri, ...] = ()
    security: tuple[Coding, ...] = ()
    tag: tuple[Coding, ...] = ()


class Attachment(Element, frozen=True, kw_only=True):
    """Bytes, or where they are. `hash` is base64 of a SHA-1's 20 bytes: FHIR wants it, integrity rests elsewhere."""

    content_type: Annotated[str, msgspec.Meta(min_length=1, max_length=127)] | None = None
    language: Code | None = None
    data: str | None = None
    url: Uri | None = None
    size: Size | None = None
    hash: str | None = None
    title: Text | None = None
    creation: DateTime | None = None
