"""One access to a record as a FHIR AuditEvent, in the shape of IHE's Basic Audit Log Patterns (BALP), for the patient
to read. One entity a document: BALP itself does not ask for the results of a search, and that is the hole a thief left
through unseen.

What we do not tell a patient (the address an access came from, the program used) is marked as masked, not left to look
forgotten. A profile is claimed only where the event has all that the profile asks for; a listing of a record does not,
because we do not keep the text of the query. A listing of one document by its id is no search: it is a read of that
document's metadata, and told so.

Source: https://hl7.org/fhir/R4/auditevent.html; https://profiles.ihe.net/ITI/BALP/content.html.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from strongroom.clock import iso

_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_REST = "http://hl7.org/fhir/restful-interaction"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
_MASKED = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}

Json = dict[str, object]


class Access(Protocol):
    """One access, in the words a patient may read. The keeper's reply has this form; times are milliseconds."""

    @property
    def index(self) -> int: ...  # noqa: D102  # the names are explained in keeper.protocol.Access
    @property
    def at(self) -> int: ...  # noqa: D102
    @property
    def op(self) -> str: ...  # noqa: D102
    @property
    def actor_name(self) -> str: ...  # noqa: D102
    @property
    def actor_kind(self) -> str: ...  # noqa: D102
    @property
    def organisation_name(self) -> str: ...  # noqa: D102
    @property
    def own(self) -> bool: ...  # noqa: D102
    @property
    def documents(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def basis(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def purpose(self) -> str: ...  # noqa: D102
    @property
    def bytes(self) -> int | None: ...  # noqa: D102
    @property
    def complete(self) -> bool | None: ...  # noqa: D102
    @property
    def one(self) -> bool: ...  # noqa: D102


def _coding(system: str, code: str, display: str) -> Json:
    return {"system": system, "code": code, "display": display}


_DESTINATION = _coding(_DCM, "110152", "Destination Role ID")
_SOURCE = _coding(_DCM, "110153", "Source Role ID")
_APPLICATION = _coding(_DCM, "110150", "Application")
_CUSTODIAN = _coding("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian", "Custodian")
_USER = _coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient")
_RESTFUL = _coding("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "Restful Operation")
_ALERT = _coding(_DCM, "110113", "Security Alert")


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind of event is written down."""

    action: str
    subtype: Json
    client: Json
    server: Json
    type: Json
    profile: str = ""
    outcome: str = "0"


def _rest(action: str, interaction: str, client: Json, server: Json, profile: str = "", outcome: str = "0") -> Shape:
    return Shape(action, _coding(_REST, interaction, interaction), client, server, _RESTFUL, profile, outcome)


_OPERATION = _rest("E", "operation", _SOURCE, _DESTINATION)
SHAPES: dict[str, Shape] = {
    # The roles turn with the flow of data: a read's destination is the client, a search's and a write's the server.
    "deleted": _rest("D", "delete", _APPLICATION, _CUSTODIAN, "PatientDelete"),
    "denied": _rest("E", "operation", _DESTINATION, _SOURCE, outcome="4"),
    "deposited": _rest("C", "create", _SOURCE, _DESTINATION, "PatientCreate"),
    "glass": Shape("E", _coding(_DCM, "110127", "Emergency Override Started"), _SOURCE, _DESTINATION, _ALERT),
    "history": _rest("E", "search", _SOURCE, _DESTINATION),
    "listed": _rest("E", "search", _SOURCE, _DESTINATION),
    "refused": _rest("E", "operation", _DESTINATION, _SOURCE, outcome="4"),
    "relabelled": _rest("U", "update", _SOURCE, _DESTINATION, "PatientUpdate"),
    "undeleted": _rest("U", "update", _SOURCE, _DESTINATION, "PatientUpdate"),
    "released": _rest("R", "read", _DESTINATION, _SOURCE, "PatientRead"),
}
"""The keeper's `op` to FHIR. What is not here is an operation (a share, a delegation, a withholding, a relation)."""

METADATA = SHAPES["released"]
"""A listing of one document: read as its bytes are, and told apart by the detail `part`."""


def audit_event(access: Access, patient: str, server: str) -> bytes:
    """`access` to the record of `patient` as JSON. `server` is the base address of the API."""
    shape = METADATA if access.one else SHAPES.get(access.op, _OPERATION)
    event: Json = {
        "resourceType": "AuditEvent",
        "id": str(access.index),
        "type": shape.type,
        "subtype": [shape.subtype],
        "action": shape.action,
        "recorded": iso(access.at),
        "outcome": shape.outcome,
        "agent": [_user(access), _client(shape), _server(shape, server)],
        "source": {"observer": {"display": server}, "type": [_coding(_SOURCES, "4", "Application Server")]},
        "entity": [_patient(patient), *(_document(access, document) for document in access.documents)],
    }
    if shape.profile and access.documents:
        event["meta"] = {"profile": [_PROFILE + shape.profile]}
    if access.reason:
        event["outcomeDesc"] = access.reason
    if access.purpose:
        event["purposeOfEvent"] = [{"coding": [{"system": _PURPOSE, "code": access.purpose}]}]
    return msgspec.json.encode(event)


_SOURCES = "http://terminology.hl7.org/CodeSystem/security-source-type"
_PURPOSE = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


def _user(access: Access) -> Json:
    who = access.actor_name
    if access.organisation_name:
        who = f"{who}, {access.organisation_name}" if who else access.organisation_name
    agent: Json = {"type": {"coding": [_USER]}, "who": {"display": who or "unknown"}, "requestor": True}
    role = "patient" if access.own else access.actor_kind
    if role:
        agent["role"] = [{"text": role}]
    if access.basis:
        agent["policy"] = [f"urn:strongroom:basis:{access.basis}"]
    return agent


def _client(shape: Shape) -> Json:
    return {"type": {"coding": [shape.client]}, "who": dict(_MASKED), "requestor": False, "network": dict(_MASKED)}


def _server(shape: Shape, server: str) -> Json:
    network = {"address": server, "type": "5"}
    return {"type": {"coding": [shape.server]}, "who": {"display": server}, "requestor": False, "network": network}


def _patient(patient: str) -> Json:
    return {
        "what": {"reference": f"Patient/{patient}"},
        "type": _coding(_ENTITY, "1", "Person"),
        "role": _coding(_ROLE, "1", "Patient"),
    }


def _document(access: Access, document: str) -> Json:
    entity: Json = {
        "what": {"reference": f"DocumentReference/{document}"},
        "type": _coding(_ENTITY, "2", "System Object"),
        "role": _coding(_ROLE, "3", "Report"),
    }
    detail = [{"type": "part", "valueString": "metadata"}] if access.one else []
    if access.bytes:  # a listing gives none
        detail.append({"type": "bytes", "valueString": str(access.bytes)})
    if access.complete is not None:
        detail.append({"type": "complete", "valueString": "true" if access.complete else "false"})
    if detail:
        entity["detail"] = detail
    return entity
