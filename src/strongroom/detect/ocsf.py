"""Findings as OCSF events of the class Detection Finding, version 1.8.0: one object each, for a line of NDJSON.

Techniques of ATT&CK stand in `finding_info.attacks`, defences of D3FEND as countermeasures of their mitigation, each with its
version, and only where they are official there. What OCSF has no place for is in `unmapped`, in our own names.
"""

from typing import Any, Final

from strongroom.detect import say
from strongroom.detect.evidence import Opened
from strongroom.detect.finding import Finding, Reason
from strongroom.sigma.attack import attacks
from strongroom.sigma.rule import Level

VERSION: Final = "1.8.0"
_CATEGORY, _CLASS, _CREATE = 2, 2004, 1
_NEW: Final = 1
_SEVERITY: Final[dict[Level, tuple[int, str]]] = {
    "informational": (1, "Informational"), "low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"),
    "critical": (5, "Critical"),
}  # fmt: skip
_OBSERVABLE: Final = {"login": (4, "User Name"), "address": (2, "IP Address")}
_RULE, _STATISTICAL = (1, "Rule"), (3, "Statistical")


def event(one: Finding, evidence: list[Opened], product: str, now: int) -> dict[str, Any]:
    """One finding. `product` is our version; `now`, milliseconds, when the finding was made."""
    severity, word = _SEVERITY[one.level]
    first = one.reasons[0]
    kind, _, name = one.about.partition(" ")
    type_, type_name = _OBSERVABLE.get(kind, (99, "Other"))
    return {
        "activity_id": _CREATE,
        "category_uid": _CATEGORY,
        "class_uid": _CLASS,
        "type_uid": _CLASS * 100 + _CREATE,
        "time": now,
        "severity_id": severity,
        "severity": word,
        "status_id": _NEW,
        "is_alert": True,
        "message": say.headline(one),
        "count": one.events,
        "start_time": one.first,
        "end_time": one.last,
        "metadata": {
            "version": VERSION,
            "product": {"name": "Strongroom hunt", "vendor_name": "Strongroom", "version": product},
        },
        "finding_info": {
            "uid": one.id,
            "title": first.detection.head.title,
            "desc": " ".join(say.sentences(one)),
            "created_time": now,
            "first_seen_time": one.first,
            "last_seen_time": one.last,
            "analytic": _analytic(first),
            "related_analytics": [_analytic(reason) for reason in one.reasons[1:]],
            "attacks": attacks(reason.detection.head.tags for reason in one.reasons),
        },
        "observables": [{"name": "finding.about", "type_id": type_, "type": type_name, "value": name}],
        "evidences": [
            {
                "data": {"offset": at.offset, "length": at.length, "sha256": at.sha256, "same": at.same},
                "file": {"name": at.file, "type_id": 1},
            }
            for at in evidence
        ],
        "unmapped": {
            "about": one.about,
            "documents": one.documents,
            "people": one.people,
            "bytes": one.bytes,
            "addresses": one.addresses,
            "countries": list(one.countries),
            "fired": one.fired,
            "documents_lost_when_fired": one.lost,
            "people_lost_when_fired": one.lost_people,
        },
    }


def _analytic(reason: Reason) -> dict[str, Any]:
    type_, word = _RULE if reason.detection.shape == "rule" else _STATISTICAL
    head = reason.detection.head
    return {"uid": head.id, "name": head.title, "type_id": type_, "type": word}
