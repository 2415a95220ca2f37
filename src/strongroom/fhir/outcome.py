"""OperationOutcome: what FHIR says when something is amiss, and now and then when all is well.

Every sentence in here is constant or names an element of the client's own request. None names a patient, a document's
title, a path or a reason that would tell "not yours" from "does not exist".
"""

from collections.abc import Iterable

import msgspec

from strongroom.fhir.fault import Fault

EMERGENCY = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "ETREAT",
    "display": "Emergency Treatment",
}


def outcome(faults: Iterable[Fault], severity: str = "error") -> bytes:
    """An OperationOutcome with one issue a fault, as JSON. Raises ValueError for no faults: FHIR wants one at least."""
    issues = [_issue(fault, severity) for fault in faults]
    if not issues:
        msg = "An OperationOutcome has at least one issue."
        raise ValueError(msg)
    return msgspec.json.encode({"resourceType": "OperationOutcome", "issue": issues})


def single(code: str, text: str, severity: str = "error") -> bytes:
    """An OperationOutcome with one issue that points nowhere."""
    return outcome((Fault(code, text),), severity)


def glass_outcome() -> dict[str, object]:
    """What FHIR's own break-the-glass example says, in the past tense: the record was opened for an emergency."""
    text = "The record is open to you for this emergency. The patient and the privacy officer are told."
    issue = {"severity": "information", "code": "suppressed", "details": {"coding": [EMERGENCY], "text": text}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _issue(fault: Fault, severity: str) -> dict[str, object]:
    issue: dict[str, object] = {"severity": severity, "code": fault.code, "details": {"text": fault.text}}
    if fault.expression:
        issue["expression"] = [fault.expression]
    return issue
