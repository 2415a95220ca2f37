"""A hunt's result for programs: plain values for JSON, the same ones always. Fields may be added and are never renamed."""

from typing import Any

from strongroom.detect import say
from strongroom.detect.evidence import Opened
from strongroom.detect.finding import Finding
from strongroom.detect.group import Campaign
from strongroom.detect.hunt import File, Result


def result(found: Result, shown: list[tuple[Finding, list[Opened]]]) -> dict[str, Any]:
    """The whole, with the findings that are shown."""
    return {
        "events": found.events,
        "duplicates": found.duplicates,
        "first": found.first,
        "last": found.last,
        "files": [file(one) for one in found.files],
        "detections": len(found.detections),
        "stopped": [
            {"file": one.file, "line": one.line, "title": one.title, "reason": one.reason} for one in found.stopped
        ],
        "suppressed": [
            {
                "about": one.about,
                "title": one.title,
                "events": one.events,
                "documents": one.documents,
                "author": one.by.author,
                "reason": one.by.reason,
                "until": one.by.until.isoformat(),
            }
            for one in found.suppressed
        ],
        "unnamed": [{"like": one.like, "addresses": one.addresses, "route": one.route} for one in found.unnamed],
        "finding_count": len(found.findings),
        "campaigns": [campaign(one) for one in found.campaigns],
        "findings": [finding(one, evidence) for one, evidence in shown],
    }


def campaign(one: Campaign) -> dict[str, Any]:
    """Several findings as one: each document and person counts once."""
    return {
        "id": one.id,
        "findings": list(one.findings),
        "documents": one.documents,
        "people": one.people,
        "addresses": one.addresses,
        "principals": one.principals,
        "first": one.first,
        "last": one.last,
        "fired": one.fired,
        "documents_lost_when_fired": one.lost,
    }


def file(one: File) -> dict[str, Any]:
    """One source and what became of its bytes."""
    account = one.account
    return {
        "file": one.source.name,
        "format": one.format.name if one.format else None,
        "events": account.events,
        "bytes": account.bytes,
        "unreadable": account.unreadable,
        "unreadable_at": account.places,
        "note": one.looks,
    }


def finding(one: Finding, evidence: list[Opened]) -> dict[str, Any]:
    """One finding. Levels are Sigma's; times milliseconds since 1970 UTC."""
    return {
        "id": one.id,
        "about": one.about,
        "level": one.level,
        "events": one.events,
        "documents": one.documents,
        "people": one.people,
        "bytes": one.bytes,
        "first": one.first,
        "last": one.last,
        "addresses": one.addresses,
        "countries": list(one.countries),
        "principals": one.principals,
        "fired": one.fired,
        "documents_lost_when_fired": one.lost,
        "people_lost_when_fired": one.lost_people,
        "moments": one.moments,
        "sentences": [say.headline(one), *say.sentences(one)],
        "reasons": [
            {
                "id": reason.detection.head.id,
                "title": reason.detection.head.title,
                "level": reason.level,
                "tags": list(reason.detection.head.tags),
                "events": reason.events,
                "documents": reason.documents,
                "first": reason.first,
                "last": reason.last,
                "fired": reason.fired,
                "documents_lost_when_fired": reason.lost,
            }
            for reason in one.reasons
        ],
        "evidence": [
            {"file": at.file, "offset": at.offset, "length": at.length, "sha256": at.sha256, "same": at.same}
            for at in evidence
        ],
    }
