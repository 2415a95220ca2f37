"""The CapabilityStatement: what the API does, and nothing that it does not.

The search parameters come from the tables that the search itself runs on. No implementation guide is claimed: IHE MHD
asks for XML as well as JSON, and IPA for resources that a document store does not have.

Source: https://hl7.org/fhir/R4/capabilitystatement.html.
"""

import msgspec

from strongroom.fhir.search import PARAMETERS

VERSION = "4.0.1"
_CANONICAL = "http://hl7.org/fhir/SearchParameter/"
_IHE_CREATION = "https://profiles.ihe.net/ITI/MHD/SearchParameter/DocumentReference-Creation"
OPERATIONS = "urn:strongroom:operation:"

Json = dict[str, object]


def capability_statement(base: str, software: str, date: str) -> bytes:
    """The statement as JSON. `base` is the API's address, `software` our version, `date` when it was released."""
    return msgspec.json.encode(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": date,
            "kind": "instance",
            "software": {"name": "Strongroom", "version": software},
            "implementation": {"description": "A guarded store for patients' documents", "url": base},
            "fhirVersion": VERSION,
            "format": ["json"],
            "rest": [{"mode": "server", "security": _security(), "resource": _resources(), "operation": _own()}],
        }
    )


def _security() -> Json:
    return {
        "service": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "OAuth"}]}
        ],
        "description": "Access tokens of pinned issuers, as Bearer or DPoP. Forbidden and absent are both 404.",
    }


def _resources() -> list[Json]:
    return [_document_reference(), _binary(), _audit_event(), _patient()]


def _document_reference() -> Json:
    asked = [
        _param("_id", "token", _CANONICAL + "Resource-id"),
        _param("patient", "reference", _CANONICAL + "clinical-patient"),
        _param("subject", "reference", _CANONICAL + "DocumentReference-subject"),
    ]
    for name, one in PARAMETERS.items():
        asked.append(_param(name, one.type, _DEFINITIONS.get(name, f"{_CANONICAL}DocumentReference-{name}")))
    return {
        "type": "DocumentReference",
        "interaction": _interactions("create", "delete", "read", "search-type", "update", "vread"),
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalRead": "not-match",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "searchParam": asked,
        "operation": [
            {"name": "docref", "definition": "http://hl7.org/fhir/uv/ipa/OperationDefinition/docref"},
            {"name": "relabel", "definition": OPERATIONS + "relabel"},
        ],
    }


def _binary() -> Json:
    return {
        "type": "Binary",
        "interaction": _interactions("create", "read", "vread"),
        "versioning": "versioned",
        "readHistory": True,
        "conditionalRead": "not-match",
        "documentation": "Written with X-Security-Context: Patient/{id} (a new document) or DocumentReference/{id} with"
        " If-Match (a new version). Single byte ranges are served.",
    }


def _audit_event() -> Json:
    return {
        "type": "AuditEvent",
        "interaction": _interactions("search-type"),
        "searchParam": [
            _param("date", "date", _CANONICAL + "AuditEvent-date"),
            _param("entity", "reference", _CANONICAL + "AuditEvent-entity"),
            _param("patient", "reference", _CANONICAL + "AuditEvent-patient"),
        ],
    }


def _patient() -> Json:
    """Patients are not served; operations upon their records are."""
    names = ("break-glass", "delegate", "share", "withhold")
    return {"type": "Patient", "operation": [{"name": name, "definition": OPERATIONS + name} for name in names]}


def _own() -> list[Json]:
    """Upon no record: the asker's own account and session."""
    return [{"name": name, "definition": OPERATIONS + name} for name in ("step-up", "logout")]


_DEFINITIONS = {
    "_lastUpdated": _CANONICAL + "Resource-lastUpdated",
    "creation": _IHE_CREATION,
    "identifier": _CANONICAL + "clinical-identifier",
    "type": _CANONICAL + "clinical-type",
}


def _param(name: str, kind: str, definition: str) -> Json:
    return {"name": name, "type": kind, "definition": definition}


def _interactions(*codes: str) -> list[Json]:
    return [{"code": code} for code in codes]
