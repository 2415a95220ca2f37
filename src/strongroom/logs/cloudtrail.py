"""AWS CloudTrail, management and data events, by "CloudTrail record contents" of its user guide (event version 1.05 and later).

A record stands in a file `{"Records": […]}` as AWS delivers it, in an array, or on a line of its own as other programs export
it (then `@timestamp` may take the place of `eventTime`).
"""

from typing import Any, Final, Literal

import msgspec

from strongroom.logs.aws_meaning import meanings
from strongroom.logs.forms import shape
from strongroom.logs.moment import any_of
from strongroom.logs.objects import LINK
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

FIELDS: Final = (
    "time", "metadata.log_name", "metadata.uid", "status_id", "act", "principal", "principal.kind", "actor.user.name",
    "actor.user.type", "actor.session.uid", "src_endpoint.ip", "http_request.user_agent", "traffic.bytes_out",
    "api.operation", "api.service.name", "api.response.error", "cloud.account.uid", "store", "route", "document", "number",
    "meaning", "raw_data",
)  # fmt: skip

_DECODER: Final = msgspec.json.Decoder(dict[str, Any])
_ENCODER: Final = msgspec.json.Encoder()
_LOG: Final = Log.CLOUDTRAIL.value

READS: Final = frozenset(
    {"GetObject", "GetObjectTorrent", "SelectObjectContent", "CopyObject", "GetBlob", "HeadObject", "RestoreObject"}
)
LISTS: Final = frozenset(
    {"ListBuckets", "ListObjects", "ListObjectsV2", "ListObjectVersions", "ListBucketVersions", "HeadBucket"}
)


class _Identity(msgspec.Struct, gc=False):
    """Who, in a usual record."""

    type: str = ""
    arn: str = ""
    user: str = msgspec.field(name="userName", default="")
    principal: str = msgspec.field(name="principalId", default="")
    invoked: str = msgspec.field(name="invokedBy", default="")
    account: str = msgspec.field(name="accountId", default="")
    key: str = msgspec.field(name="accessKeyId", default="")


class _Asked(msgspec.Struct, gc=False):
    store: str = msgspec.field(name="bucketName", default="")
    key: str = ""


class _More(msgspec.Struct, gc=False):
    sent: int = msgspec.field(name="bytesTransferredOut", default=0)
    signed: str = msgspec.field(name="AuthenticationMethod", default="")


class _Usual(msgspec.Struct, gc=False):
    """A record of something that changed nothing, as most are, with what is looked at in it and in the forms that AWS writes."""

    name: str = msgspec.field(name="eventName")
    source: str = msgspec.field(name="eventSource")
    time: str = msgspec.field(name="eventTime")
    reading: Literal[True] = msgspec.field(name="readOnly")
    address: str = msgspec.field(name="sourceIPAddress", default="")
    agent: str = msgspec.field(name="userAgent", default="")
    error: str = msgspec.field(name="errorCode", default="")
    uid: str = msgspec.field(name="eventID", default="")
    recipient: str = msgspec.field(name="recipientAccountId", default="")
    identity: _Identity | None = msgspec.field(name="userIdentity", default=None)
    asked: _Asked | None = msgspec.field(name="requestParameters", default=None)
    more: _More | None = msgspec.field(name="additionalEventData", default=None)


_USUAL: Final = msgspec.json.Decoder(_Usual)


def parse(unit: bytes) -> Row | Unreadable:
    """One record. A usual one is not taken apart further than it must be, and says the same."""
    if unit.isascii() and b"\\u" not in unit:
        try:
            return _usual(_USUAL.decode(unit), unit)
        except (msgspec.DecodeError, RecursionError):
            pass
    try:
        record = _DECODER.decode(unit)
    except msgspec.ValidationError:
        return NOT_THIS_FORMAT
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NO_JSON
    return row(record, unit)


def _usual(record: _Usual, unit: bytes) -> Row | Unreadable:
    identity, asked = record.identity or _Identity(), record.asked or _Asked()
    more = record.more or _More()
    return _row(
        record.name, record.source, any_of(record.time), identity, asked, more.sent, more.signed, record.address, record.error,
        record.uid, record.agent, record.recipient, reading=True, meaning=None, raw=unit.decode(),
    )  # fmt: skip


def row(record: dict[str, Any], unit: bytes | None = None) -> Row | Unreadable:
    """A decoded record. `unit` is its JSON as written, where there is one."""
    who, asked, more = (_object(record, name) for name in ("userIdentity", "requestParameters", "additionalEventData"))
    identity = _Identity(
        *(
            _text(who, name)
            for name in ("type", "arn", "userName", "principalId", "invokedBy", "accountId", "accessKeyId")
        )
    )
    sent = more.get("bytesTransferredOut", 0)
    told = ("sourceIPAddress", "errorCode", "eventID", "userAgent", "recipientAccountId")
    return _row(
        _text(record, "eventName"), _text(record, "eventSource"), any_of(record.get("eventTime", record.get("@timestamp"))),
        identity, _Asked(_text(asked, "bucketName"), _text(asked, "key")), sent if isinstance(sent, int | float) else 0,
        _text(more, "AuthenticationMethod"),
        *(_text(record, name) for name in told), reading=record.get("readOnly") is True,
        meaning=" ".join(meanings(record)) or None, raw=text(_ENCODER.encode(record) if unit is None else unit),
    )  # fmt: skip


def _row(  # noqa: PLR0917  # a record's values, in the order of AWS' page
    name: str, source: str, time: int | None, identity: _Identity, asked: _Asked, sent: float, signed: str, address: str,
    error: str, uid: str, agent: str, recipient: str, *, reading: bool, meaning: str | None, raw: str,
) -> Row | Unreadable:  # fmt: skip
    if not name or not source:
        return NOT_THIS_FORMAT
    if time is None:
        return NO_TIME
    size = int(sent)
    if not 0 <= size <= INT64_MAX:
        return BEYOND_64_BITS
    who, kind = _principal(identity, address)
    user = identity.user
    if signed == LINK and kind in {Kind.ROLE, Kind.LOGIN} and address:
        user, who, kind = user or who, address, Kind.ADDRESS
    store, key = asked.store, asked.key
    route, number = _route(store, key)
    act = Act.READ if name in READS else Act.LIST if name in LISTS else _other(name, reading=reading)
    return (
        *(time, _LOG, uid or None, 2 if error else 1, str(act)),
        *(who, str(kind), user or None, identity.type or None),
        *(identity.key or None, address or None, agent or None, size),
        *(name, source, error or None, recipient or identity.account or None),
        *(store or None, route or None, f"{store}/{key}" if store and key else None, number),
        *(meaning, raw),
    )


def _other(name: str, *, reading: bool) -> Act:
    if name.startswith("Delete"):
        return Act.DELETE
    return Act.OTHER if reading else Act.WRITE


def _principal(identity: _Identity, address: str) -> tuple[str, Kind]:
    """Who did it. A role is meant by session: one stolen session is one principal, and not everybody in that role."""
    named = identity.arn or identity.user or identity.principal
    if identity.type == "AWSService" or identity.invoked.endswith(".amazonaws.com"):
        return identity.invoked or named or address, Kind.SERVICE
    if identity.type == "AWSAccount":
        if identity.account in {"ANONYMOUS_PRINCIPAL", "anonymous", ""}:
            return address or "anonymous", Kind.ANONYMOUS
        return f"account {identity.account}", Kind.FOREIGN
    if identity.type in {"AssumedRole", "WebIdentityUser", "SAMLUser", "FederatedUser"}:
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
