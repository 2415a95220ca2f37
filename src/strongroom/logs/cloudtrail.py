"""AWS CloudTrail, management and data events, by "CloudTrail record contents" of its user guide (event version 1.05 and later).

A record stands in a file `{"Records": […]}` as AWS delivers it, in an array, or on a line of its own as other programs export
it (then `@timestamp` may take the place of `eventTime`).
"""

from typing import Any, Final

import msgspec

from strongroom.logs.aws_meaning import meanings
from strongroom.logs.moment import any_of
from strongroom.logs.objects import LINK, form
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

WHO: Final = (
    "principal", "principal.kind", "actor.user.name", "actor.user.type", "actor.session.uid", "src_endpoint.ip",
    "cloud.account.uid",
)  # fmt: skip
WHAT: Final = ("status_id", "act", "api.operation", "api.service.name", "api.response.error")
WHICH: Final = ("store", "route", "document", "number")
FIELDS: Final = (
    "time", "metadata.log_name", "metadata.uid", "http_request.user_agent", "traffic.bytes_out", *WHO, *WHAT, *WHICH, "meaning",
    "raw_data",
)  # fmt: skip

_DECODER: Final = msgspec.json.Decoder(dict[str, Any])
_ENCODER: Final = msgspec.json.Encoder()
LOG: Final = Log.CLOUDTRAIL.value

READS: Final = frozenset(
    {"GetObject", "GetObjectTorrent", "SelectObjectContent", "CopyObject", "GetBlob", "HeadObject", "RestoreObject"}
)
LISTS: Final = frozenset(
    {"ListBuckets", "ListObjects", "ListObjectsV2", "ListObjectVersions", "ListBucketVersions", "HeadBucket"}
)


class Identity(msgspec.Struct, gc=False, frozen=True):
    """Who, in a usual record."""

    type: str = ""
    arn: str = ""
    user: str = msgspec.field(name="userName", default="")
    principal: str = msgspec.field(name="principalId", default="")
    invoked: str = msgspec.field(name="invokedBy", default="")
    account: str = msgspec.field(name="accountId", default="")
    key: str = msgspec.field(name="accessKeyId", default="")


class Asked(msgspec.Struct, gc=False, frozen=True):
    """For what, of a store of objects."""

    store: str = msgspec.field(name="bucketName", default="")
    key: str = ""


class More(msgspec.Struct, gc=False, frozen=True):
    """What S3 tells besides."""

    sent: int | float = msgspec.field(name="bytesTransferredOut", default=0)
    signed: str = msgspec.field(name="AuthenticationMethod", default="")


class Usual(msgspec.Struct, gc=False, frozen=True):
    """A record with what is looked at in it, in the forms that AWS writes."""

    name: str = msgspec.field(name="eventName")
    source: str = msgspec.field(name="eventSource")
    time: str = msgspec.field(name="eventTime")
    reading: bool = msgspec.field(name="readOnly", default=False)
    address: str = msgspec.field(name="sourceIPAddress", default="")
    agent: str = msgspec.field(name="userAgent", default="")
    error: str = msgspec.field(name="errorCode", default="")
    uid: str = msgspec.field(name="eventID", default="")
    recipient: str = msgspec.field(name="recipientAccountId", default="")
    identity: Identity | None = msgspec.field(name="userIdentity", default=None)
    asked: Asked | None = msgspec.field(name="requestParameters", default=None)
    more: More | None = msgspec.field(name="additionalEventData", default=None)


NOBODY, NOTHING, NO_MORE = Identity(), Asked(), More()
_USUAL: Final = msgspec.json.Decoder(Usual)


def usual(unit: bytes) -> Usual | None:
    """The record, no further taken apart than it is looked at; None where that would not say what the whole says."""
    # What is passed over is not looked at: text that is none, or that cannot be stored, must not be in it.
    if b"\\" in unit and b"\\u" in unit:
        return None
    try:
        return _USUAL.decode(unit) if unit.isascii() or unit.decode() else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def meaning(unit: bytes, record: Usual) -> str | None:
    """What a change means; None for what changed nothing."""
    if record.reading or record.error:
        return None
    return " ".join(meanings(_DECODER.decode(unit))) or None


def parse(unit: bytes) -> Row | Unreadable:
    """One record. A usual one says the same as if it were taken apart."""
    record = usual(unit)
    if record is not None:
        identity, asked, more = record.identity or NOBODY, record.asked or NOTHING, record.more or NO_MORE
        return _row(
            record.name, record.source, any_of(record.time), identity, asked, more, record.address, record.error, record.uid,
            record.agent, record.recipient, reading=record.reading, meaning=meaning(unit, record), raw=unit.decode(),
        )  # fmt: skip
    try:
        whole = _DECODER.decode(unit)
    except msgspec.ValidationError:
        return NOT_THIS_FORMAT
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NO_JSON
    return row(whole, unit)


def row(record: dict[str, Any], unit: bytes | None = None) -> Row | Unreadable:
    """A decoded record. `unit` is its JSON as written, where there is one."""
    who, asked, more = (_object(record, name) for name in ("userIdentity", "requestParameters", "additionalEventData"))
    identity = Identity(
        *(
            _text(who, name)
            for name in ("type", "arn", "userName", "principalId", "invokedBy", "accountId", "accessKeyId")
        )
    )
    sent = more.get("bytesTransferredOut", 0)
    told = ("sourceIPAddress", "errorCode", "eventID", "userAgent", "recipientAccountId")
    return _row(
        _text(record, "eventName"), _text(record, "eventSource"), any_of(record.get("eventTime", record.get("@timestamp"))),
        identity, Asked(_text(asked, "bucketName"), _text(asked, "key")),
        More(sent if isinstance(sent, int | float) else 0, _text(more, "AuthenticationMethod")),
        *(_text(record, name) for name in told), reading=record.get("readOnly") is True,
        meaning=" ".join(meanings(record)) or None, raw=text(_ENCODER.encode(record) if unit is None else unit),
    )  # fmt: skip


def _row(  # noqa: PLR0917  # a record's values, in the order of AWS' page
    name: str, source: str, time: int | None, identity: Identity, asked: Asked, more: More, address: str, error: str, uid: str,
    agent: str, recipient: str, *, reading: bool, meaning: str | None, raw: str,
) -> Row | Unreadable:  # fmt: skip
    if not name or not source:
        return NOT_THIS_FORMAT
    if time is None:
        return NO_TIME
    size = int(more.sent)
    if not 0 <= size <= INT64_MAX:
        return BEYOND_64_BITS
    return (
        *(time, LOG, uid or None, agent or None, size, *who(identity, address, more.signed, recipient)),
        *(*what(name, source, error, reading), *which(asked), meaning, raw),
    )


def who(identity: Identity, address: str, signed: str, recipient: str) -> Row:
    """The columns WHO."""
    named, kind = _principal(identity, address)
    user = identity.user
    if signed == LINK and kind in {Kind.ROLE, Kind.LOGIN} and address:
        user, named, kind = user or named, address, Kind.ADDRESS
    return (
        *(named, str(kind), user or None, identity.type or None, identity.key or None, address or None),
        recipient or identity.account or None,
    )


def what(name: str, source: str, error: str, reading: bool) -> Row:  # noqa: FBT001  # a column's value like the others
    """The columns WHAT."""
    act = Act.READ if name in READS else Act.LIST if name in LISTS else _other(name, reading=reading)
    return 2 if error else 1, str(act), name, source, error or None


def which(asked: Asked) -> Row:
    """The columns WHICH."""
    store, key = asked.store, asked.key
    if not key:
        return store or None, store or None, None, None
    name, number = form(key)
    return store or None, f"{store}/{name}", f"{store}/{key}" if store else None, number


def _other(name: str, *, reading: bool) -> Act:
    if name.startswith("Delete"):
        return Act.DELETE
    return Act.OTHER if reading else Act.WRITE


def _principal(identity: Identity, address: str) -> tuple[str, Kind]:
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


def _object(record: dict[str, Any], name: str) -> dict[str, Any]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else text(value.encode("utf-8", "backslashreplace"))
