"""Google Cloud audit logs (admin activity, data access), by "Understanding audit logs" and the reference of AuditLog.

A log entry a line, as a sink writes them into a bucket, or an array. Usage logs of Cloud Storage are another format (`gcs_usage`).
"""

import re
from typing import Any, Final

from strongroom.logs import members, objects
from strongroom.logs.members import inner, number, word
from strongroom.logs.moment import any_of
from strongroom.logs.record import NO_TIME, NOT_THIS_FORMAT, Act, Kind, Log, Read, Unreadable, text

FIELDS = objects.FIELDS
_OBJECT: Final = re.compile(r"projects/_/buckets/([^/]{1,222})(?:/objects/(.+))?", re.DOTALL)
_EVERYBODY: Final = frozenset({"allUsers", "allAuthenticatedUsers"})
_CUTTING: Final = ("DeleteSink", "DeleteLog", "DeleteBucket", "CreateExclusion")
_KEYS: Final = ("DestroyCryptoKeyVersion", "DeleteServiceAccountKey")


def parse(unit: bytes) -> Read:
    """One entry."""
    entry = members.decode(unit)
    if isinstance(entry, Unreadable):
        return entry
    payload = inner(entry, "protoPayload") or inner(entry, "jsonPayload")
    operation, service = word(payload, "methodName"), word(payload, "serviceName")
    if not operation or not service:
        return NOT_THIS_FORMAT
    time = any_of(entry.get("timestamp", entry.get("receiveTimestamp")))
    if time is None:
        return NO_TIME
    metadata, status = inner(payload, "requestMetadata"), inner(payload, "status")
    labels = inner(entry, "resource", "labels")
    address = word(metadata, "callerIp")
    who, kind = _principal(word(inner(payload, "authenticationInfo"), "principalEmail", "principalSubject"), address)
    failed = number(status, "code") not in {None, 0}
    found = _OBJECT.fullmatch(word(payload, "resourceName"))
    store, key = (found[1], found[2] or "") if found else (word(labels, "bucket_name"), "")
    return objects.row(
        log=Log.GCP, time=time, uid=word(entry, "insertId"), failed=failed, act=_act(operation.rpartition(".")[2]), who=who,
        kind=kind, user=who if kind is Kind.LOGIN else "",
        session=word(inner(payload, "authenticationInfo"), "serviceAccountKeyName"), address=address,
        agent=word(metadata, "callerSuppliedUserAgent"), operation=operation, service=service,
        error=word(status, "message") or str(number(status, "code")) if failed else "", account=word(labels, "project_id"),
        store=store, key=key, meaning="" if failed else " ".join(_meanings(operation, service, payload)), raw=text(unit),
    )  # fmt: skip


def _act(name: str) -> Act:
    verb = name.lower()
    if verb in {"get", "getobject", "download", "read", "readrows", "export"}:
        return Act.READ
    if verb.startswith(("list", "search")):
        return Act.LIST
    if verb.startswith(("delete", "destroy")):
        return Act.DELETE
    return Act.OTHER if verb.startswith(("get", "test", "query")) else Act.WRITE


def _principal(named: str, address: str) -> tuple[str, Kind]:
    """Who did it. Google's own agents are services; a service account is a role that whoever holds its key plays."""
    if not named:
        return address or "anonymous", Kind.ANONYMOUS
    if re.fullmatch(r"service-\d+@[a-z0-9.-]+\.gserviceaccount\.com|[a-z0-9-]+@system\.gserviceaccount\.com", named):
        return named, Kind.SERVICE
    return named, Kind.ROLE if named.endswith(".gserviceaccount.com") else Kind.LOGIN


def _meanings(operation: str, service: str, payload: dict[str, Any]) -> list[str]:
    """What a change of settings means (`aws_meaning` says it for AWS): made public, logging cut, a key disabled."""
    found = set()
    delta = inner(payload, "serviceData", "policyDelta") or inner(payload, "metadata", "policyDelta")
    for binding in members.objects(delta, "bindingDeltas"):
        if binding.get("action") == "ADD" and word(binding, "member") in _EVERYBODY:
            found.add("made-public")
    if any(binding.get("action") == "REMOVE" for binding in members.objects(delta, "auditConfigDeltas")):
        found.add("logging-cut")
    name = operation.rpartition(".")[2]
    if service == "logging.googleapis.com" and name in _CUTTING:
        found.add("logging-cut")
    if name in _KEYS:
        found.add("key-disabled")
    return sorted(found)
