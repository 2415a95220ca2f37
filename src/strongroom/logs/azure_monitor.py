"""Azure's activity log and Entra ID's logs (audit, sign-ins, risk), by "Azure Monitor resource log schema" and the references of
these logs. A record a line as they are archived or streamed, or rows of AzureActivity, AuditLogs and SigninLogs in JSON.

Who signed in, who changed roles and settings: no documents, but how somebody came to them.
"""

import re
from typing import Any, Final

from strongroom.logs import members, objects
from strongroom.logs.members import Members, inner, word
from strongroom.logs.moment import any_of
from strongroom.logs.record import NO_TIME, NOT_THIS_FORMAT, Act, Kind, Log, Read, Unreadable, text

FIELDS = objects.FIELDS
_ACTIVITY: Final = frozenset(
    "administrative security servicehealth alert recommendation policy autoscale resourcehealth action write delete".split()
)
_DIRECTORY: Final = frozenset(
    "auditlogs signinlogs noninteractiveusersigninlogs serviceprincipalsigninlogs managedidentitysigninlogs riskyusers "
    "userriskevents azureactivity".split()
)
_WELL: Final = frozenset({"", "0", "success", "succeeded", "start", "started", "accept", "accepted"})
_PORT: Final = re.compile(r"([0-9.]+|\[[0-9a-fA-F:.]+\]):\d{1,5}")
_STORE: Final = re.compile(r"/storageaccounts/([a-z0-9]{3,24})", re.IGNORECASE)
_ACCOUNT: Final = re.compile(r"/subscriptions/([0-9a-f-]{36})", re.IGNORECASE)
_OPENED: Final = re.compile(
    r'"(?:allowBlobPublicAccess"\s*:\s*true|publicAccess"\s*:\s*"(?:Blob|Container))', re.IGNORECASE
)
_UPN: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
_CUTTING: Final = ("/diagnosticsettings/delete", "/networkwatchers/flowlogs/delete", "/workspaces/delete")
_KEYS: Final = ("/vaults/delete", "/vaults/keys/delete", "/managedhsms/delete")


def parse(unit: bytes) -> Read:
    """One record."""
    entry = members.decode(unit)
    if isinstance(entry, Unreadable):
        return entry
    known = {word(entry, name).lower() for name in ("category", "Category", "CategoryValue", "Type")}
    more = inner(entry, "properties")
    operation = word(more, "activityDisplayName") or word(
        entry, "operationName", "OperationName", "OperationNameValue", "ActivityDisplayName"
    )
    if not known & (_ACTIVITY | _DIRECTORY) or not operation:
        return NOT_THIS_FORMAT
    time = any_of(entry.get("time", entry.get("TimeGenerated")))
    if time is None:
        return NO_TIME
    address = _bare(
        word(entry, "callerIpAddress", "CallerIpAddress", "IPAddress")
        or word(more, "ipAddress")
        or word(_user(more), "ipAddress")
    )
    who, kind = _principal(entry, more, address)
    outcome = _outcome(entry, more)
    failed = outcome.lower() not in _WELL
    resource = word(entry, "resourceId", "ResourceId", "_ResourceId")
    store, account = _STORE.search(resource), _ACCOUNT.search(resource)
    return objects.row(
        log=Log.AZURE, time=time, uid=word(more, "id", "eventDataId") or word(entry, "EventDataId", "Id"), failed=failed,
        act=_act(operation), who=who, kind=kind, user=who if kind is Kind.LOGIN else "", address=address,
        agent=word(more, "userAgent") or word(entry, "UserAgent"), operation=operation,
        service=word(entry, "category", "CategoryValue", "Type", "Category"),
        error=(word(entry, "resultDescription", "ResultDescription") or outcome) if failed else "",
        account=account[1].lower() if account else word(entry, "tenantId", "TenantId"),
        store=store[1].lower() if store else "", key="", meaning="" if failed else _meaning(operation, entry), raw=text(unit),
    )  # fmt: skip


def _act(operation: str) -> Act:
    verb = operation.lower()
    if verb.endswith("/delete") or verb.startswith("delete"):
        return Act.DELETE
    return (
        Act.WRITE if verb.endswith("/write") or verb.startswith(("add ", "update ", "set ", "create ")) else Act.OTHER
    )


def _user(more: Members) -> Members:
    return inner(more, "initiatedBy", "user")


def _principal(entry: Members, more: Members, address: str) -> tuple[str, Kind]:
    """A person by their name, a program by its own; who signs in, who set something off, or whose token it was."""
    claims = inner(entry, "identity", "claims")
    named = (
        word(more, "userPrincipalName") or word(entry, "UserPrincipalName") or word(_user(more), "userPrincipalName", "id")
        or word(claims, _UPN, "name")
    )  # fmt: skip
    caller = word(more, "caller") or word(entry, "caller", "Caller")
    if named or "@" in caller:
        return named or caller, Kind.LOGIN
    program = (
        word(inner(more, "initiatedBy", "app"), "displayName", "appId", "servicePrincipalId")
        or word(more, "servicePrincipalName", "servicePrincipalId", "appId")
        or word(claims, "appid")
        or caller
    )
    if program:
        return program, Kind.ROLE
    return (address, Kind.ADDRESS) if address else ("nobody", Kind.SERVICE)


def _outcome(entry: Members, more: Members) -> str:
    """The result as the log tells it: a word, or a number of which 0 is well."""
    values: list[Any] = [
        entry.get("resultType"), entry.get("ResultType"), entry.get("ActivityStatusValue"),
        inner(more, "status").get("errorCode"), more.get("result"),
    ]  # fmt: skip
    return next((str(value) for value in values if isinstance(value, str | int) and str(value)), "")


def _meaning(operation: str, entry: Members) -> str:
    """What a change means: a store made public, logging cut, keys taken away."""
    name = operation.lower()
    if name.endswith(_CUTTING):
        return "logging-cut"
    if name.endswith(_KEYS):
        return "key-disabled"
    body = word(inner(entry, "properties"), "requestbody", "requestBody")
    opened = "/storageaccounts/" in name and name.endswith("/write") and _OPENED.search(body)
    return "made-public" if opened else ""


def _bare(address: str) -> str:
    found = _PORT.fullmatch(address)
    return found[1].strip("[]") if found else address
