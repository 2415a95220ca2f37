"""Searching DocumentReference: a client's parameters become a `Query`; `matches` holds it against one document.

The keeper knows whose documents they are and nothing of titles, types or dates: those are sealed. So `patient` and
`_id` go to the door, and everything else is compared here, in memory, on what the door let out.

Rules (https://hl7.org/fhir/R4/search.html): a repeated parameter is AND, a comma is OR. A parameter that is not known
is left out of the answer's `self` link; with `Prefer: handling=strict` it is refused. A modifier that is not known is
always refused, for it would change what the parameter means. A parameter without a value is as if it were not there,
except `patient`, `subject`, `_id` and `_page`, where nothing must not come to mean everything.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from strongroom.fhir.criteria import Criterion, Moment, Target, Token, bare_media_type, read_media_type, split
from strongroom.fhir.datatypes import CodeableConcept, Coding, Identifier, Reference
from strongroom.fhir.dates import Span, between, instant, span
from strongroom.fhir.fault import Fault, Unreadable
from strongroom.fhir.resource import DocumentReference

DEFAULT_COUNT = 50
MAX_COUNT = 200
"""Documents on one page; more are asked for and not given, as FHIR allows."""
MAX_PARAMETERS = 64
MAX_VALUES = 128
"""Alternatives in one search, all parameters together."""

STATUS_SYSTEM = "http://hl7.org/fhir/document-reference-status"
MEDIA_TYPE_SYSTEM = "urn:ietf:bcp:13"

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter: FHIR's name for its type, how a value is read, and what of a document it looks at."""

    type: str
    read: Callable[[str], Criterion[Any]]
    values: Callable[[DocumentReference], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Test:
    """One parameter as given: any of `alternatives` must hold of any value."""

    __test__ = False  # no test of pytest's, whatever its name

    parameter: Parameter
    alternatives: tuple[Criterion[Any], ...]

    def holds(self, document: DocumentReference) -> bool:
        """Whether `document` passes."""
        return any(one.holds(value) for value in self.parameter.values(document) for one in self.alternatives)


@dataclass(frozen=True, slots=True)
class Query:
    """A search, read. `used` are the parameters that count, as given, for the `self` link."""

    patient: str | None
    ids: tuple[str, ...]
    tests: tuple[Test, ...]
    count: int
    sort: str
    page: str
    used: tuple[tuple[str, str], ...]


def matches(document: DocumentReference, query: Query) -> bool:
    """Whether `document`, as it would be shown, is one that `query` asks for."""
    return all(test.holds(document) for test in query.tests) and (not query.ids or document.id in query.ids)


def sort_key(document: DocumentReference, query: Query) -> tuple[int, str]:
    """Where `document` stands in the answer; the id makes the order total, so that pages neither skip nor repeat."""
    value = _SORTS[query.sort.removeprefix("-")](document)
    return (-value if query.sort.startswith("-") else value), document.id or ""


def _codings(concepts: Iterable[CodeableConcept]) -> Iterator[tuple[str | None, str | None]]:
    return ((coding.system, coding.code) for concept in concepts for coding in concept.coding)


def _coding(coding: Coding | None) -> Iterator[tuple[str | None, str | None]]:
    if coding is not None:
        yield coding.system, coding.code


def _some(*concepts: CodeableConcept | None) -> Iterator[tuple[str | None, str | None]]:
    return _codings(concept for concept in concepts if concept is not None)


def _identifiers(document: DocumentReference) -> Iterator[tuple[str | None, str | None]]:
    found: tuple[Identifier | None, ...] = (document.master_identifier, *document.identifier)
    return ((one.system, one.value) for one in found if one is not None)


def _targets(references: Iterable[Reference]) -> Iterator[str]:
    return (one.reference for one in references if one.reference is not None)


def _moment(text: str | None) -> Iterator[Span]:
    if text is not None:
        yield span(text)


def _period(document: DocumentReference) -> Iterator[Span]:
    if document.context and (period := document.context.period):
        yield between(period.start, period.end)


def _media_type(document: DocumentReference) -> tuple[str, str]:
    return MEDIA_TYPE_SYSTEM, bare_media_type(document.content[0].attachment.content_type or "")


def _updated(document: DocumentReference) -> str | None:
    return document.meta.last_updated if document.meta else None


PARAMETERS: dict[str, Parameter] = {
    "_lastUpdated": Parameter("date", Moment.read, lambda d: _moment(_updated(d))),
    "author": Parameter("reference", Target.read, lambda d: _targets(d.author)),
    "category": Parameter("token", Token.read, lambda d: _codings(d.category)),
    "contenttype": Parameter("token", read_media_type, lambda d: (_media_type(d),)),
    "creation": Parameter("date", Moment.read, lambda d: _moment(d.content[0].attachment.creation)),
    "date": Parameter("date", Moment.read, lambda d: _moment(d.date)),
    "event": Parameter("token", Token.read, lambda d: _codings(d.context.event if d.context else ())),
    "facility": Parameter("token", Token.read, lambda d: _some(d.context.facility_type if d.context else None)),
    "format": Parameter("token", Token.read, lambda d: _coding(d.content[0].format)),
    "identifier": Parameter("token", Token.read, _identifiers),
    "period": Parameter("date", Moment.read, _period),
    "related": Parameter("reference", Target.read, lambda d: _targets(d.context.related if d.context else ())),
    "security-label": Parameter("token", Token.read, lambda d: _codings(d.security_label)),
    "setting": Parameter("token", Token.read, lambda d: _some(d.context.practice_setting if d.context else None)),
    "status": Parameter("token", Token.read, lambda d: ((STATUS_SYSTEM, d.status),)),
    "type": Parameter("token", Token.read, lambda d: _some(d.type)),
}
"""What is compared here. `patient`, `subject` and `_id` beside them go to the door. Alphabetical."""

_SORTS: dict[str, Callable[[DocumentReference], int]] = {
    "_lastUpdated": lambda d: instant(_updated(d) or "1970"),
    "date": lambda d: instant(d.date or "1970"),
}
NEWEST_FIRST = "-_lastUpdated"

_NAME = re.compile(r"(?P<name>[A-Za-z_.-]{1,40})(:(?P<modifier>[A-Za-z]{1,40}))?")
_PATIENT = re.compile(r"(Patient/)?(?P<id>[^/]+)")
_ELSEWHERE = frozenset({"_format", "_pretty"})
_NEVER_EMPTY = frozenset({"patient", "subject", "_id", "_page"})


def parse_search(pairs: Pairs, *, strict: bool) -> Query:
    """The search that `pairs` ask for. Raises Unreadable (400)."""
    if len(pairs) > MAX_PARAMETERS or sum(1 + value.count(",") for _, value in pairs) > MAX_VALUES:
        raise Unreadable(Fault("too-costly", f"A search has at most {MAX_PARAMETERS} parameters, {MAX_VALUES} values."))
    asked = _Asked(strict=strict)
    for name, value in pairs:
        asked.take(name, value)
    return asked.query()


class _Asked:
    """Takes parameters one by one."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._patient: str | None = None
        self._ids: set[str] | None = None
        self._tests: list[Test] = []
        self._count = DEFAULT_COUNT
        self._sort = NEWEST_FIRST
        self._page = ""
        self._used: list[tuple[str, str]] = []

    def take(self, name: str, value: str) -> None:
        found = _NAME.fullmatch(name)
        bare, modifier = (found["name"], found["modifier"]) if found else ("", None)
        if not value:
            if bare in _NEVER_EMPTY:
                raise Unreadable(Fault("value", f"{bare} has no value."))
            return
        if self._takes(bare, modifier, value):
            if bare != "_page":
                self._used.append((name, value))
        elif self._strict and bare not in _ELSEWHERE:
            raise Unreadable(Fault("not-supported", f"The parameter {bare or 'given'} is not supported."))

    def _takes(self, name: str, modifier: str | None, value: str) -> bool:
        """Whether the parameter counts."""
        if name in {"patient", "subject"}:
            _only("Patient", modifier)
            self._take_patient(value)
        elif name in PARAMETERS:
            self._tests.append(_test(PARAMETERS[name], modifier, value))
        elif name == "_id":
            _only(None, modifier)
            ids = set(split(value, ","))
            self._ids = ids if self._ids is None else self._ids & ids
        elif name == "_count":
            self._count = _count(value)
        elif name == "_sort" and value.removeprefix("-") in _SORTS:
            self._sort = value
        elif name == "_page":
            self._page = value
        else:
            return False
        return True

    def _take_patient(self, value: str) -> None:
        found = _PATIENT.fullmatch(value)
        patient = found["id"] if found else value  # an address elsewhere is the name of nobody here
        if "," in value or self._patient not in {None, patient}:
            raise Unreadable(Fault("not-supported", "A search is within one patient."))
        self._patient = patient

    def query(self) -> Query:
        # Two `_id`s that exclude each other ask for nothing; an empty tuple would mean any.
        ids = () if self._ids is None else tuple(sorted(self._ids)) or ("",)
        return Query(self._patient, ids, tuple(self._tests), self._count, self._sort, self._page, tuple(self._used))


def _only(allowed: str | None, modifier: str | None) -> None:
    if modifier not in {None, allowed}:
        raise Unreadable(Fault("not-supported", "A modifier in the search is not supported."))


def _test(parameter: Parameter, modifier: str | None, value: str) -> Test:
    values = [one for one in split(value, ",") if one]
    if parameter.type == "reference" and modifier and modifier[0].isupper():
        values = [f"{modifier}/{one}" for one in values]
    else:
        _only(None, modifier)
    if not values:
        raise Unreadable(Fault("value", "A search parameter has no value."))
    return Test(parameter, tuple(parameter.read(one) for one in values))


def _count(value: str) -> int:
    if re.fullmatch(r"[0-9]{1,9}", value) is None:
        raise Unreadable(Fault("value", "_count is a number of documents."))
    return min(int(value), MAX_COUNT)
