"""Microsoft 365's unified audit log, by "Office 365 Management Activity API schema" of Microsoft's reference.

A record a line or in an array, as the API gives them; or the CSV of the compliance portal and of Search-UnifiedAuditLog, whose
column AuditData holds the record. Times are UTC. One record of mail that was read names many messages: each is an event.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from strongroom.logs import members, objects
from strongroom.logs.cells import MARK, below, cells
from strongroom.logs.members import number, word
from strongroom.logs.moment import any_of
from strongroom.logs.record import NO_TIME, NOT_THIS_FORMAT, Act, Kind, Log, Read, Row, Unreadable, text

FIELDS = objects.FIELDS
_READS: Final = frozenset(
    "FileAccessed FileAccessedExtended FileDownloaded FilePreviewed FileSyncDownloadedFull FileSyncDownloadedPartial FileCopied "
    "MailItemsAccessed AttachmentAccess FileTranscriptContentAccessed".split()
)
_LISTS: Final = frozenset(
    "SearchQueryPerformed ListViewed PageViewed FolderBind SearchQueryInitiatedSharePoint".split()
)
_PUBLIC: Final = frozenset({"AnonymousLinkCreated", "AnonymousLinkUpdated"})
_SYSTEM: Final = frozenset({1, 4})
_APPLICATIONS: Final = frozenset({5, 6})
_PORT: Final = re.compile(r"([0-9.]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?")


def parse(unit: bytes) -> Read:
    """One record."""
    entry = members.decode(unit)
    if isinstance(entry, Unreadable):
        return entry
    inside = word(entry, "AuditData")
    return _record(entry, unit) if not inside else parse(inside.encode())


def heading(first: bytes) -> Callable[[bytes], Read] | None:
    """How to read the CSV below this first line; None when it has no column AuditData."""
    names = cells(first.removeprefix(MARK)) or []
    return below(first, names, lambda said: parse(said["AuditData"].encode())) if "AuditData" in names else None


def _record(entry: dict[str, Any], unit: bytes) -> Read:
    operation, workload = word(entry, "Operation"), word(entry, "Workload")
    if not operation or not workload:
        return NOT_THIS_FORMAT
    time = any_of(entry.get("CreationTime"))
    if time is None:
        return NO_TIME
    found = _PORT.fullmatch(word(entry, "ClientIP", "ClientIPAddress", "ActorIpAddress"))
    address = found[1].strip("[]") if found else ""
    who, kind = _principal(word(entry, "UserId"), number(entry, "UserType"), address)
    outcome = word(entry, "ResultStatus").lower()
    failed = outcome in {"failed", "failure", "false"}
    read = operation in _READS
    act = Act.READ if read else Act.LIST if operation in _LISTS else Act.DELETE if "Delete" in operation else Act.OTHER
    rows: list[Row | Unreadable] = []
    for key, size in _things(entry, operation):
        row = objects.row(
            log=Log.M365, time=time, uid=word(entry, "Id"), failed=failed, act=act, who=who, kind=kind,
            user=who if kind is Kind.LOGIN else "", session=word(entry, "SessionId"), address=address,
            agent=word(entry, "UserAgent", "ClientInfoString"), size=(size or 0) if read else 0, operation=operation,
            service=workload, error=outcome if failed else "", account=word(entry, "OrganizationId"),
            store=word(entry, "SiteUrl", "MailboxOwnerUPN").rstrip("/"), key=key,
            meaning="" if failed else _meaning(entry, operation), raw=text(unit),
        )  # fmt: skip
        rows.append(row)
    return rows


def _things(entry: dict[str, Any], operation: str) -> list[tuple[str, int | None]]:
    """What was touched, and its bytes: messages of a record about mail, else one file or nothing that has a name."""
    if operation == "MailItemsAccessed":
        items = [
            item for folder in members.objects(entry, "Folders") for item in members.objects(folder, "FolderItems")
        ]
        found = [(word(item, "InternetMessageId", "Id"), number(item, "SizeInBytes")) for item in items]
        return found or [("", None)]
    key = word(entry, "ObjectId") if word(entry, "SourceFileName", "ItemType") else ""
    return [(key.removeprefix(word(entry, "SiteUrl")).lstrip("/"), number(entry, "FileSizeBytes", "FileSize"))]


def _principal(user: str, kind: int | None, address: str) -> tuple[str, Kind]:
    if user.startswith("urn:spo:anon#") or user.lower() in {"anonymous", ""}:
        return address or "anonymous", Kind.ANONYMOUS
    if kind in _SYSTEM or user.startswith("NT AUTHORITY\\"):
        return user, Kind.SERVICE
    return user, Kind.ROLE if kind in _APPLICATIONS else Kind.LOGIN


def _meaning(entry: dict[str, Any], operation: str) -> str:
    """What a change means: a link for everybody, or the audit log switched off."""
    if operation in _PUBLIC:
        return "made-public"
    off = any(
        word(one, "Name") == "UnifiedAuditLogIngestionEnabled" and word(one, "Value").lower() == "false"
        for one in members.objects(entry, "Parameters")
    )
    return "logging-cut" if operation == "Set-AdminAuditLogConfig" and off else ""
