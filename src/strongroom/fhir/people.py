"""An organisation's feed of people and relations: FHIR R4 as NDJSON, one resource a line.

* line 1 is the header: ``Parameters`` with `organisation` (valueId), `sequence` (valueInteger, counting up) and `created`
  (valueInstant);
* ``Organization``: the organisation itself (`id`, `name`);
* ``Practitioner``: somebody who works there (`active` false: no longer);
* ``Patient``: somebody enrolled there (`active` false: no longer);
* ``RelatedPerson``: somebody who may act for such a patient (`patient`, `relationship`, `period`).

A login is linked by an identifier of system `urn:strongroom:account` and value `ISSUER|SUBJECT`. Every line that cannot be
used becomes a `Problem` with its number and a sentence; none is dropped silently. docs/people-feed.md tells it with
examples. Not here: signatures, and what the keeper does with a record.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

import msgspec

from strongroom.clock import DAY, Millis
from strongroom.errors import Malformed

ACCOUNT = "urn:strongroom:account"
MAX_LINE = 1_048_576
"""Bytes of one resource."""
MAX_LINES = 2_000_000
SIGNING_PREFIX = b"strongroom people feed v1\n"

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_LocalId = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9\-.]{1,64}\Z")]


class _Identifier(msgspec.Struct, frozen=True):
    system: _Name
    value: _Name


class _HumanName(msgspec.Struct, frozen=True):
    text: str = ""
    family: str = ""
    given: tuple[str, ...] = ()

    def plain(self) -> str:
        """The name as one text."""
        return self.text or " ".join((*self.given, self.family)).strip()


class _Period(msgspec.Struct, frozen=True):
    start: str | None = None
    end: str | None = None


class _Reference(msgspec.Struct, frozen=True):
    reference: Annotated[str, msgspec.Meta(pattern=r"\APatient/[A-Za-z0-9\-.]{1,64}\Z")]


class _Coding(msgspec.Struct, frozen=True):
    code: str = ""


class _Concept(msgspec.Struct, frozen=True):
    coding: tuple[_Coding, ...] = ()


class _Value(msgspec.Struct, frozen=True):
    name: str
    valueId: _LocalId | None = None  # noqa: N815  # FHIR's own names
    valueInteger: Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)] | None = None  # noqa: N815
    valueInstant: str | None = None  # noqa: N815


class _Parameters(msgspec.Struct, frozen=True, tag_field="resourceType", tag="Parameters"):
    parameter: tuple[_Value, ...]


class _Organization(msgspec.Struct, frozen=True, tag_field="resourceType", tag="Organization"):
    id: _LocalId
    name: _Name


class _Practitioner(msgspec.Struct, frozen=True, tag_field="resourceType", tag="Practitioner"):
    id: _LocalId
    name: Annotated[tuple[_HumanName, ...], msgspec.Meta(min_length=1)]
    identifier: tuple[_Identifier, ...] = ()
    active: bool = True


class _Patient(msgspec.Struct, frozen=True, tag_field="resourceType", tag="Patient"):
    id: _LocalId
    name: Annotated[tuple[_HumanName, ...], msgspec.Meta(min_length=1)]
    identifier: tuple[_Identifier, ...] = ()
    birthDate: str | None = None  # noqa: N815  # FHIR's own name
    active: bool = True


class _RelatedPerson(msgspec.Struct, frozen=True, tag_field="resourceType", tag="RelatedPerson"):
    id: _LocalId
    patient: _Reference
    name: Annotated[tuple[_HumanName, ...], msgspec.Meta(min_length=1)]
    identifier: tuple[_Identifier, ...] = ()
    relationship: tuple[_Concept, ...] = ()
    period: _Period = _Period()
    active: bool = True


_Resource = _Parameters | _Organization | _Practitioner | _Patient | _RelatedPerson
_decoder = msgspec.json.Decoder(_Resource)

PARENTS = frozenset(
    "PRN MTH FTH NPRN NMTH NFTH GESTM STPPRN STPMTH STPFTH ADOPTP ADOPTM ADOPTF PRNFOST MTHFOST FTHFOST".split()
)
"""v3-RoleCode relationships whose authority ends with childhood."""
CARERS = frozenset("CAREGIVER POWATT DPOWATT HPOWATT SPOWATT".split())
"""Relationships that last as long as their period. A guardian (GUARD) is in neither list, since the code does not tell a
child's guardian from an adult's: say PRN or HPOWATT."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login, by issuer and subject."""

    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class Header:
    """Whose feed it is, which one, and from when (milliseconds)."""

    organisation: str
    sequence: int
    created: Millis


@dataclass(frozen=True, slots=True)
class OrganisationRecord:
    """The organisation itself."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class PractitionerRecord:
    """Somebody who works there, or no longer does."""

    name: str
    login: Login
    active: bool


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """Somebody enrolled there, or no longer. `key` is the feed's own id; `identifiers` find them again."""

    key: str
    name: str
    identifiers: tuple[tuple[str, str], ...]
    born: str | None
    login: Login | None
    active: bool


@dataclass(frozen=True, slots=True)
class DelegateRecord:
    """Somebody who may act for a patient of the feed. Times in ms; `until` None: without end."""

    patient: str
    name: str
    login: Login
    parent: bool
    since: int | None
    until: int | None
    active: bool


Record = OrganisationRecord | PractitionerRecord | PatientRecord | DelegateRecord


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that cannot be used, and why. The sentence repeats nothing of the line."""

    line: int
    sentence: str


def signing_bytes(digest: bytes) -> bytes:
    """What an organisation signs (Ed25519): a prefix, and the SHA-256 of the feed's bytes."""
    return SIGNING_PREFIX + digest


def read_header(lines: Iterable[bytes]) -> Header:
    """The header. Raises Malformed: without it nothing else is read."""
    first = next(iter(lines), b"")
    resource = _resource(first)
    if not isinstance(resource, _Parameters):
        msg = "The first line of a feed is a Parameters resource with organisation, sequence and created."
        raise Malformed(msg)
    values = {value.name: value for value in resource.parameter}
    try:
        organisation, sequence = values["organisation"].valueId, values["sequence"].valueInteger
        created = values["created"].valueInstant
    except KeyError as error:
        msg = "The feed's header lacks organisation, sequence or created."
        raise Malformed(msg) from error
    if not organisation or sequence is None or sequence < 1 or created is None:
        msg = "The feed's header has no usable organisation, sequence (1 or more) or created."
        raise Malformed(msg)
    return Header(organisation, sequence, Millis(_instant(created)))


def read_feed(lines: Iterable[bytes]) -> Iterator[Record | Problem]:
    """The records after the header, in order. Bad lines come as `Problem`. Never raises for what a line holds."""
    for number, line in enumerate(lines, 1):
        if number == 1 or not line.strip():
            continue
        if number > MAX_LINES:
            yield Problem(number, f"A feed has at most {MAX_LINES} lines; the rest was not read.")
            return
        try:
            yield _record(_resource(line))
        except Malformed as error:
            yield Problem(number, error.message)


def _resource(line: bytes) -> _Resource:
    if len(line) > MAX_LINE:
        msg = f"The line is longer than {MAX_LINE} bytes."
        raise Malformed(msg)
    try:
        resource: _Resource = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = "Not a resource that a feed may hold, or a field of it is missing or of the wrong type."
        raise Malformed(msg) from error
    return resource


def _record(resource: _Resource) -> Record:
    match resource:
        case _Organization():
            return OrganisationRecord(resource.id, resource.name)
        case _Practitioner():
            return PractitionerRecord(_named(resource.name), _login(resource.identifier), resource.active)
        case _Patient():
            return _patient(resource)
        case _RelatedPerson():
            return _delegate(resource)
        case _Parameters():
            msg = "A second header."
            raise Malformed(msg)


def _patient(resource: _Patient) -> PatientRecord:
    others = tuple((one.system, one.value) for one in resource.identifier if one.system != ACCOUNT)
    if not others:
        msg = "A patient needs an identifier by which the next feed finds them again."
        raise Malformed(msg)
    linked = any(one.system == ACCOUNT for one in resource.identifier)
    if resource.birthDate is not None:
        _day(resource.birthDate)
    return PatientRecord(
        resource.id, _named(resource.name), others, resource.birthDate,
        _login(resource.identifier) if linked else None, resource.active,
    )  # fmt: skip


def _delegate(resource: _RelatedPerson) -> DelegateRecord:
    codes = {coding.code for concept in resource.relationship for coding in concept.coding}
    if not codes & (PARENTS | CARERS):
        # A guess would be a carer, and a carer of a child stays when the child is grown.
        msg = "The relationship is neither a parent's nor a carer's (v3-RoleCode)."
        raise Malformed(msg)
    since = None if resource.period.start is None else _instant(resource.period.start)
    until = None if resource.period.end is None else _end(resource.period.end)
    if since is not None and until is not None and until <= since:
        msg = "The period ends before it begins."
        raise Malformed(msg)
    return DelegateRecord(
        resource.patient.reference.removeprefix("Patient/"), _named(resource.name), _login(resource.identifier),
        bool(codes & PARENTS), since, until, resource.active,
    )  # fmt: skip


def _named(names: tuple[_HumanName, ...]) -> str:
    plain = names[0].plain()
    if not plain:
        msg = "The name is empty."
        raise Malformed(msg)
    return plain[:255]


def _login(identifiers: tuple[_Identifier, ...]) -> Login:
    found = [one.value for one in identifiers if one.system == ACCOUNT]
    # The first bar: an issuer is an address and holds none; a subject may ("auth0|1234").
    issuer, bar, subject = found[0].partition("|") if len(found) == 1 else ("", "", "")
    if not (bar and issuer and subject):
        msg = f"One identifier of system {ACCOUNT} and value ISSUER|SUBJECT is needed."
        raise Malformed(msg)
    return Login(issuer, subject)


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII)
"""FHIR R4, datatypes.html#dateTime. Python's own reader takes weeks, commas and missing zones besides."""


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError as error:
        msg = "A date is not of the form YYYY-MM-DD."
        raise Malformed(msg) from error


def _instant(text: str) -> int:
    """A FHIR date or instant as milliseconds; a date begins at midnight UTC."""
    whole = f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text
    try:
        moment = datetime.fromisoformat(whole if _INSTANT.fullmatch(whole) else "")
    except ValueError as error:
        msg = "A time is not a FHIR date (YYYY-MM-DD), or an instant with its zone."
        raise Malformed(msg) from error
    return int(moment.timestamp() * 1000)


def _end(text: str) -> int:
    """The end of a period: a date covers its whole day (FHIR R4, datatypes.html#Period)."""
    return _instant(text) + (DAY if _DAY.fullmatch(text) else 0)
