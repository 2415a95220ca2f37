"""AWS CloudTrail, management and data events, by "CloudTrail record contents" of its user guide (event version 1.05 and later).

A record stands in a file `{"Records": […]}` as AWS delivers it, in an array, or on a line of its own as other programs export
it (then `@timestamp` may take the place of `eventTime`).
"""

from typing import Any, Final

import msgspec

from strongroom.logs.aws_meaning import meanings
from strongroom.logs.moment import any_of
from strongroom.logs.record import (
    BEYOND_64_BITS,
    INT64_MAX,
    NO_JSON,
    NO_TIME,
    NOT_THIS_FORMAT,
    Act,
    Kind,
    Log,
    Row,
    Unreadable,
    text,
)
from strongroom.logs.route import shape

FIELDS: Final = (
    "time", "metadata.log_name", "metadata.uid", "status_id", "act", "principal", "principal.kind", "actor.user.name",
    "actor.user.type", "actor.session.uid", "src_endpoint.ip", "http_request.user_agent", "traffic.bytes_out",
    "api.operation", "api.service.name", "api.response.error", "cloud.account.uid", "store", "route", "document", "number",
    "meaning", "raw_data",
)  # fmt: skip

_DECODER: Final = msgspec.json.Decoder(dict[str, Any])
_ENCODER: Final = msgspec.json.Encoder()

READS: Final = frozenset(
    {"GetObject", "GetObjectTorrent", "SelectObjectContent", "CopyObject", "GetBlob", "HeadObject", "RestoreObject"}
)
LISTS: Final = frozenset(
    {"ListBuckets", "ListObjects", "ListObjectsV2", "ListObjectVersions", "ListBucketVersions", "HeadBucket"}
)


def parse(unit: bytes) -> Row | Unreadable:
    """One record."""
    try:
        record = _DECODER.decode(unit)
    except msgspec.ValidationError:
        return NOT_THIS_FORMAT
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NO_JSON
    return row(record, unit)


def row(record: dict[str, Any], unit: bytes | None = None) -> Row | Unreadable:
    """A decoded record. `unit` is its JSON as written, where there is one."""
    name, source = _text(record, "eventName"), _text(record, "eventSource")
    if not name or not source:
        return NOT_THIS_FORMAT
    time = any_of(record.get("eventTime", record.get("@timestamp")))
    if time is None:
        return NO_TIME
    identity = _object(record, "userIdentity")
    asked, more = _object(record, "requestParameters"), _object(record, "additionalEventData")
    sent = more.get("bytesTransferredOut", 0)
    size = int(sent) if isinstance(sent, int | float) else 0
    if not 0 <= size <= INT64_MAX:
        return BEYOND_64_BITS
    address, error = _text(record, "sourceIPAddress"), _text(record, "errorCode")
    who, kind = _principal(identity, address)
    store, key = _text(asked, "bucketName"), _text(asked, "key")
    route, number = _route(store, key)
    act = Act.READ if name in READS else Act.LIST if name in LISTS else _other(record, name)
    return (
        *(time, Log.CLOUDTRAIL.value, _text(record, "eventID") or None, 2 if error else 1, act.value),
        *(who, kind.value, _text(identity, "userName") or None, _text(identity, "type") or None),
        *(_text(identity, "accessKeyId") or None, address or None, _text(record, "userAgent") or None, size),
        *(name, source, error or None, _text(record, "recipientAccountId") or _text(identity, "accountId") or None),
        *(store or None, route or None, f"{store}/{key}" if store and key else None, number),
        *(" ".join(meanings(record)) or None, text(_ENCODER.encode(record) if unit is None else unit)),
    )


def _other(record: dict[str, Any], name: str) -> Act:
    if name.startswith("Delete"):
        return Act.DELETE
    return Act.OTHER if record.get("readOnly") is True else Act.WRITE


def _principal(identity: dict[str, Any], address: str) -> tuple[str, Kind]:
    """Who did it. A role is meant by session: one stolen session is one principal, and not everybody in that role."""
    kind, arn = _text(identity, "type"), _text(identity, "arn")
    named = arn or _text(identity, "userName") or _text(identity, "principalId")
    if kind == "AWSService" or _text(identity, "invokedBy").endswith(".amazonaws.com"):
        return _text(identity, "invokedBy") or named or address, Kind.SERVICE
    if kind == "AWSAccount":
        account = _text(identity, "accountId")
        if account in {"ANONYMOUS_PRINCIPAL", "anonymous", ""}:
            return address or "anonymous", Kind.ANONYMOUS
        return f"account {account}", Kind.FOREIGN
    if kind in {"AssumedRole", "WebIdentityUser", "SAMLUser", "FederatedUser"}:
        return named or address, Kind.ROLE
    return (named or address, Kind.LOGIN) if named else (address or "nobody", Kind.ADDRESS)


def _route(store: str, key: str) -> tuple[str, int | None]:
    if not key:
        return store, None
    forms = [(segment, *shape(segment)) for segment in key.split("/")]
    number = next((number for _, form, number in reversed(forms) if form), None)
    return "/".join((store, *(form or segment for segment, form, _ in forms))), number


def _object(record: dict[str, Any], name: str) -> dict[str, Any]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else text(value.encode("utf-8", "backslashreplace"))
