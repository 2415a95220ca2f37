"""Resource logs of Azure Storage (StorageRead, StorageWrite, StorageDelete), by "Azure Blob Storage monitoring data reference".

A record a line, as they are archived in a storage account, or rows of the tables StorageBlobLogs and StorageFileLogs.
"""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from strongroom.logs import members, objects
from strongroom.logs.members import Members, inner, number, word
from strongroom.logs.moment import any_of
from strongroom.logs.record import NO_TIME, NOT_THIS_FORMAT, Act, Kind, Log, Read, Unreadable, text

FIELDS = objects.FIELDS
_CATEGORIES: Final = frozenset({"StorageRead", "StorageWrite", "StorageDelete"})
_READS: Final = frozenset({"GetBlob", "GetFile", "ReadFile", "CopyBlobSource", "QueryBlobContents", "ReadPath"})
_PORT: Final = re.compile(r"([0-9.]+|\[[0-9a-fA-F:.]+\]):\d{1,5}")


def parse(unit: bytes) -> Read:
    """One record."""
    entry = members.decode(unit)
    if isinstance(entry, Unreadable):
        return entry
    if word(entry, "category", "Category") not in _CATEGORIES:
        return NOT_THIS_FORMAT
    operation = word(entry, "operationName", "OperationName")
    time = any_of(entry.get("time", entry.get("TimeGenerated")))
    if time is None:
        return NO_TIME
    more, identity = inner(entry, "properties"), inner(entry, "identity")
    status = number(entry, "statusCode", "StatusCode")
    said = word(entry, "statusText", "StatusText")
    address = _bare(word(entry, "callerIpAddress", "CallerIpAddress"))
    who, kind = _principal(entry, identity, address)
    store, key = _object(word(more, "objectKey") or word(entry, "ObjectKey"), word(entry, "uri", "Uri"))
    failed = status is not None and status >= 400  # noqa: PLR2004  # HTTP's classes
    return objects.row(
        log=Log.AZURE_STORAGE, time=time, uid=word(entry, "correlationId", "CorrelationId"), failed=failed,
        act=_act(operation, word(entry, "category", "Category")), who=who, kind=kind,
        user=who if kind is Kind.LOGIN else "", user_type=word(identity, "type") or word(entry, "AuthenticationType"),
        address=address, agent=word(more, "userAgentHeader") or word(entry, "UserAgentHeader"),
        referrer=word(more, "referrerHeader") or word(entry, "ReferrerHeader"), status=status,
        size=number(more, "responseBodySize") or number(entry, "ResponseBodySize") or 0, operation=operation,
        service=word(more, "serviceType") or word(entry, "ServiceType"), error=said if failed else "",
        account=word(more, "accountName") or word(entry, "AccountName"), store=store, key=key, raw=text(unit),
    )  # fmt: skip


def _act(operation: str, category: str) -> Act:
    if operation in _READS:
        return Act.READ
    if operation.startswith("List") or operation in {"GetBlobList", "FindBlobsByTags", "ListFilesystemDir"}:
        return Act.LIST
    if category == "StorageRead":
        return Act.OTHER
    return Act.DELETE if category == "StorageDelete" or operation.startswith("Delete") else Act.WRITE


def _principal(entry: Members, identity: Members, address: str) -> tuple[str, Kind]:
    """Who did it: a person, a program by its id, a key by its hash, or nobody that was asked."""
    requester = inner(identity, "requester")
    named = word(requester, "upn") or word(entry, "RequesterUpn")
    if named:
        return named, Kind.LOGIN
    program = word(requester, "objectId", "appId") or word(entry, "RequesterObjectId", "RequesterAppId")
    if program:
        return program, Kind.ROLE
    how = (word(identity, "type") or word(entry, "AuthenticationType")).replace(" ", "").lower()
    if how in {"sas", "saskey", "accountkey", "delegationsas"}:
        of = word(identity, "tokenHash") or word(entry, "AuthenticationHash")
        return f"{how} {of[:120]}".strip(), Kind.KEY
    if how in {"anonymous", "anonymouspreflight"}:
        return address or "anonymous", Kind.ANONYMOUS
    return (address, Kind.ADDRESS) if address else (how or "nobody", Kind.SERVICE)


def _object(key: str, uri: str) -> tuple[str, str]:
    """(account/container, name of the blob). `objectKey` is /account/container/name; without it the address tells."""
    path = key.strip('"')
    if not path:
        try:
            parts = urlsplit(uri)
        except ValueError:
            return "", ""
        path = f"/{parts.netloc.partition('.')[0]}{unquote(parts.path)}"
    account, _, rest = path.strip("/").partition("/")
    container, _, name = rest.partition("/")
    return f"{account}/{container}".strip("/"), name


def _bare(address: str) -> str:
    found = _PORT.fullmatch(address)
    return found[1].strip("[]") if found else address
