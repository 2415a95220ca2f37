"""Amazon S3 server access logs, by "Amazon S3 server access log format" of the S3 user guide.

Blank-separated, quotes around three fields, time in brackets; fields may be added at the end. The format escapes keys (URL
encoding, twice) and does not escape quotes in the user agent: what follows the request is therefore read from both sides.
"""

import re
from typing import Final
from urllib.parse import unquote

from strongroom.logs.forms import shape
from strongroom.logs.moment import clf
from strongroom.logs.objects import LINK
from strongroom.logs.record import (
    BEYOND_64_BITS,
    INT64_MAX,
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
    "src_endpoint.ip", "http_request.user_agent", "http_request.referrer", "http_response.code", "traffic.bytes_out",
    "api.operation", "api.response.error", "store", "route", "document", "number", "http_request.url.query_string",
)  # fmt: skip

_LINE: Final = re.compile(
    r"([0-9a-f]{64}|\S+) (\S+) \[([^\]]{20,40})\] (\S+) (\S+) (\S+) ([A-Z]+\.[A-Za-z0-9_.]+) (\S+) "
    r'(?:"([^"]*)"|-) (\d{3}|-) (\S+) (\d+|-) (\d+|-) (\d+|-) (\d+|-) (?:"([^"]*)"|-) (?:"(.*)"|-) '
    r"\S+(?: \S+ \S+ \S+ (\S+).*| .*)?",
    re.DOTALL,
)
_ACTS: Final = {
    "GET": Act.READ,
    "HEAD": Act.OTHER,
    "PUT": Act.WRITE,
    "POST": Act.WRITE,
    "COPY": Act.READ,
    "DELETE": Act.DELETE,
}


def parse(unit: bytes) -> Row | Unreadable:
    """One line."""
    found = _LINE.fullmatch(text(unit))
    if found is None:
        return NOT_THIS_FORMAT
    (
        _,
        bucket,
        written,
        address,
        requester,
        request_id,
        operation,
        key,
        request,
        status,
        error,
        sent,
        *_,
        referrer,
        agent,
        signed,
    ) = found.groups()
    time = clf(written)
    if time is None:
        return NO_TIME
    size = 0 if sent == "-" else int(sent) if len(sent) <= 19 else INT64_MAX + 1  # noqa: PLR2004  # digits of 2**63
    if size > INT64_MAX:
        return BEYOND_64_BITS
    anonymous = requester == "-"
    who, kind = (address, Kind.ANONYMOUS) if anonymous else (requester, _kind(requester))
    if signed == LINK and kind in {Kind.KEY, Kind.ROLE}:
        who, kind = address, Kind.ADDRESS
    code = 0 if status == "-" else int(status)
    object_ = unquote(unquote(key)) if key != "-" and ".OBJECT" in operation else None
    route, number = _route(bucket, object_)
    return (
        *(time, Log.S3.value, request_id, 1 if 200 <= code < 400 else 2, _act(operation).value),  # noqa: PLR2004
        *(who, kind.value, None if anonymous else requester, address, _told(agent), _told(referrer), code, size),
        *(
            operation,
            None if error == "-" else error,
            bucket,
            route,
            f"{bucket}/{object_}" if object_ else None,
            number,
            _query(request or "") if signed == LINK else None,
        ),
    )


def _query(request: str) -> str | None:
    """What a signed link has behind its question mark: it is the same whenever the same link is followed."""
    return request.partition("?")[2].rpartition(" ")[0] or None


def _act(operation: str) -> Act:
    words = operation.split(".")
    if words[-1] in {"BUCKET", "BUCKETVERSIONS", "UPLOADS"} and "GET" in words:
        return Act.LIST
    verb = next((word for word in words if word in _ACTS), "")
    return _ACTS.get(verb, Act.OTHER)


def _kind(requester: str) -> Kind:
    if ":assumed-role/" in requester:
        return Kind.ROLE
    return Kind.SERVICE if requester.startswith("svc:") or requester.endswith(".amazonaws.com") else Kind.KEY


def _route(bucket: str, key: str | None) -> tuple[str, int | None]:
    """The bucket and the key with its ids taken out."""
    if key is None:
        return bucket, None
    forms = [(segment, *shape(segment)) for segment in key.split("/")]
    number = next((number for _, form, number in reversed(forms) if form), None)
    return "/".join((bucket, *(form or segment for segment, form, _ in forms))), number


def _told(quoted: str | None) -> str | None:
    return None if quoted in {None, "-", ""} else quoted
