"""FHIR AuditEvent, R4 and R5, by hl7.org/fhir/auditevent.html and IHE's Basic Audit Log Patterns (BALP).

A resource a line (NDJSON, as bulk export gives them), or a Bundle. BALP names the patient as an entity of role 1 and what was read
as another entity: each of these is an event, with its patient. An operation that gives everything of a person is known by its
query, and reads one thing, all of that. A program that asks by itself, with credentials of its own, is a role, as in clouds.
"""

import binascii
from typing import Final

from strongroom.logs import members, objects
from strongroom.logs.members import Members, inner, word
from strongroom.logs.moment import any_of
from strongroom.logs.record import NO_TIME, NOT_THIS_FORMAT, Act, Kind, Log, Read, Row, Unreadable, text

FIELDS = objects.FIELDS
_ACTS: Final = {"C": Act.WRITE, "R": Act.READ, "U": Act.WRITE, "D": Act.DELETE, "E": Act.OTHER}
_PATIENT, _QUERY = "1", "24"
_LISTS: Final = frozenset({"search", "search-type", "search-system", "history", "history-type", "ITI-66", "ITI-67"})
_NOT_THINGS: Final = frozenset({_PATIENT, _QUERY, "17", "21"})  # roles: patient, query, data repository, job
_PROGRAMS: Final = frozenset({"110150", "110151", "110152"})  # DICOM: application, its launcher, destination
_EVERYTHING: Final = "$everything"
_LONGEST: Final = 4_096
"""Characters of a query, in base64."""
_OK: Final = frozenset({"0", "success", ""})


def parse(unit: bytes) -> Read:
    """One resource, or one entry of a Bundle."""
    entry = members.decode(unit)
    if isinstance(entry, Unreadable):
        return entry
    event = inner(entry, "resource") or entry
    if event.get("resourceType") != "AuditEvent":
        return NOT_THIS_FORMAT
    recorded = word(event, "recorded")
    time = any_of(recorded) if recorded else None
    if time is None:
        return NO_TIME
    operation = _operation(event)
    who, kind, address = _agent(event)
    outcome = word(event, "outcome") or word(inner(event, "outcome", "code"), "code")
    entities = members.objects(event, "entity")
    patient = next((_what(one) for one in entities if _role(one) == _PATIENT), "") or _reference(
        inner(event, "patient")
    )
    things = [_what(one) for one in entities if _role(one) not in _NOT_THINGS] or [""]
    act = Act.LIST if operation in _LISTS else _ACTS.get(word(event, "action"), Act.OTHER)
    if act is Act.OTHER and (all_ := [found for one in entities if (found := _all_of_one(one, patient))]):
        things, act = all_, Act.READ
    observer = _reference(inner(event, "source", "observer"))
    id_ = word(event, "id")
    rows: list[Row | Unreadable] = []
    for thing in dict.fromkeys(things):
        row = objects.row(
            log=Log.FHIR, time=time, uid=f"{observer} {recorded} {id_}" if id_ else "", failed=outcome not in _OK, act=act,
            who=who, kind=kind, user=who if kind is Kind.LOGIN else "", address=address, operation=operation,
            service=observer, error="" if outcome in _OK else outcome, store="", key=thing, patient=patient, raw=text(unit),
        )  # fmt: skip
        rows.append(row)
    return rows


def _operation(event: Members) -> str:
    """The most particular code: of a subtype (R4) or of the code (R5), else of the type."""
    subtypes = [word(one, "code") for one in members.objects(event, "subtype")]
    codes = [word(one, "code") for one in members.objects(inner(event, "code"), "coding")]
    return next((code for code in (*subtypes, *codes) if code), word(inner(event, "type"), "code") or "audit")


def _agent(event: Members) -> tuple[str, Kind, str]:
    """(who, of what kind, from which address): the agent that asked, a person before a program."""
    agents = members.objects(event, "agent")
    address = next((found for one in agents if (found := _address(one))), "")
    asking = [one for one in agents if one.get("requestor") is True] or agents
    people = [one for one in asking if not _program(one)] or asking
    named = next((found for one in people if (found := _named(one))), "")
    if not named:
        return address or "nobody", Kind.ADDRESS if address else Kind.SERVICE, address
    if not people or not _program(people[0]):
        return named, Kind.LOGIN, address
    return named, Kind.ROLE if people[0].get("requestor") is True else Kind.SERVICE, address


def _all_of_one(entity: Members, patient: str) -> str:
    """What a query for everything of a person gives; empty for another entity."""
    if _role(entity) != _QUERY:
        return ""
    try:
        query = binascii.a2b_base64(word(entity, "query")[:_LONGEST]).decode("utf-8", "replace")
    except binascii.Error:
        return ""
    path = query.rpartition(" ")[2].partition("?")[0].replace("%24", "$").rstrip("/")
    return (
        f"{patient or path.removesuffix(_EVERYTHING).rstrip('/')}/{_EVERYTHING}" if path.endswith(_EVERYTHING) else ""
    )


def _address(agent: Members) -> str:
    return word(inner(agent, "network"), "address") or word(agent, "networkString", "networkUri")


def _named(agent: Members) -> str:
    return _reference(inner(agent, "who")) or word(agent, "altId", "name")


def _program(agent: Members) -> bool:
    codes = {word(one, "code") for one in members.objects(inner(agent, "type"), "coding")}
    reference = word(inner(agent, "who"), "reference")
    return bool(codes & _PROGRAMS) or reference.startswith("Device/") or "/Device/" in reference


def _role(entity: Members) -> str:
    role = inner(entity, "role")
    return word(role, "code") or next((word(one, "code") for one in members.objects(role, "coding")), "")


def _what(entity: Members) -> str:
    return _reference(inner(entity, "what")) or word(entity, "name")


def _reference(what: Members) -> str:
    """What is pointed to: by reference, by identifier, or as it is shown."""
    identifier = inner(what, "identifier")
    return word(what, "reference") or word(identifier, "value") or word(what, "display")
