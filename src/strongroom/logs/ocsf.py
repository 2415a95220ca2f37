"""Events in OCSF, versions 1.0 to 1.8, a line each or as rows of Parquet (as Amazon Security Lake keeps them); schema.ocsf.io.

Read are the classes HTTP Activity, Network Activity, API Activity, Datastore Activity, File Hosting Activity and Authentication;
events of other classes are counted as such. In OCSF `traffic.bytes_out` goes from the source to the destination: what a client was
sent is `bytes_in`, and stands in the column that tells what went to the client.
"""

import re
from typing import Any, Final
from urllib.parse import urlsplit

from strongroom.logs import members, objects, web
from strongroom.logs.cloudtrail import LISTS, READS
from strongroom.logs.members import Members, inner, number, word
from strongroom.logs.moment import any_of
from strongroom.logs.network import FIELDS as FLOW
from strongroom.logs.record import (
    BEYOND_64_BITS,
    COLUMNS,
    INT64_MAX,
    NO_TIME,
    NOT_THIS_FORMAT,
    NOT_THIS_LOG,
    Act,
    Kind,
    Log,
    Read,
    Unreadable,
    text,
)
from strongroom.logs.route import target

FIELDS: Final = tuple(dict.fromkeys((*objects.FIELDS, *web.FIELDS, *FLOW)))

AUTHENTICATION, NETWORK, HTTP, API, DATASTORE, FILE_HOSTING = 3002, 4001, 4002, 6003, 6005, 6006
_LOGS: Final = {NETWORK: Log.NETWORK, HTTP: Log.WEB}
_CLASSES: Final = frozenset({AUTHENTICATION, NETWORK, HTTP, API, DATASTORE, FILE_HOSTING})
_ACTS: Final[dict[int, dict[int, Act]]] = {
    HTTP: {2: Act.DELETE, 3: Act.READ, 6: Act.WRITE, 7: Act.WRITE, 9: Act.WRITE},
    API: {1: Act.WRITE, 3: Act.WRITE, 4: Act.DELETE},
    DATASTORE: {1: Act.READ, 2: Act.WRITE, 4: Act.READ, 5: Act.WRITE, 6: Act.WRITE, 7: Act.DELETE},
    FILE_HOSTING: {1: Act.WRITE, 2: Act.READ, 3: Act.WRITE, 4: Act.DELETE, 6: Act.READ, 9: Act.READ, 14: Act.READ},
}
"""Class -> activity_id -> what was done."""
_OBJECT: Final = re.compile(r"arn:aws[a-z-]*:s3:::([^/]{1,100})(?:/(.+))?", re.DOTALL)
_NUMBERS: Final = (
    "src_endpoint.port", "dst_endpoint.port", "connection_info.protocol_num", "connection_info.direction_id", "action_id",
    "traffic.bytes_out", "traffic.bytes_in", "traffic.packets_out", "traffic.packets_in", "http_response.code",
)  # fmt: skip
_WORDS: Final = (
    "metadata.uid", "actor.user.name", "actor.user.type", "actor.session.uid", "src_endpoint.ip", "dst_endpoint.ip",
    "http_request.http_method", "http_request.url.path", "http_request.url.query_string", "http_request.user_agent",
    "http_request.referrer", "api.operation", "api.service.name", "api.response.error", "cloud.account.uid",
)  # fmt: skip
_FAILURE: Final = 2
Columns = dict[str, Any]


def _grouped() -> tuple[tuple[tuple[str, ...], list[tuple[str, str]], list[tuple[str, str]]], ...]:
    """Way to an object -> (column, member) of its words and of its numbers: each object is looked for once."""
    found: dict[tuple[str, ...], tuple[list[tuple[str, str]], list[tuple[str, str]]]] = {}
    for place, names in enumerate((_WORDS, _NUMBERS)):
        for name in names:
            *way, last = name.split(".")
            found.setdefault(tuple(way), ([], []))[place].append((name, last))
    return tuple((way, *members_) for way, members_ in found.items())


_WAYS: Final = _grouped()


def parse(unit: bytes) -> Read:
    """One event."""
    entry = members.decode(unit)
    if isinstance(entry, Unreadable):
        return entry
    class_ = number(entry, "class_uid")
    if class_ is None or "activity_id" not in entry:
        return NOT_THIS_FORMAT
    if class_ not in _CLASSES:
        return NOT_THIS_LOG
    time = any_of(entry.get("time", entry.get("time_dt")))
    if time is None:
        return NO_TIME
    row = dict.fromkeys(FIELDS)
    if not _told(entry, row):
        return BEYOND_64_BITS
    row["time"], row["end_time"] = time, any_of(entry.get("end_time"))
    row["status_id"] = _FAILURE if _failed(entry, row) else 1
    row["metadata.log_name"] = _LOGS.get(class_, Log.OCSF).value
    row["act"] = _act(class_, number(entry, "activity_id"), row["api.operation"] or "").value
    row["principal"], row["principal.kind"] = _principal(entry, row["src_endpoint.ip"] or "")
    row["raw_data"] = text(unit)
    _aim(class_, entry, row)
    return tuple(row.values())


def _told(entry: Members, row: Columns) -> bool:
    """The columns that stand in the event by their own names. Whether all numbers are within their bounds."""
    for way, words, numbers in _WAYS:
        part = inner(entry, *way)
        if not part:
            continue
        for column, last in words:
            row[column] = word(part, last) or None
        for column, last in numbers:
            value = number(part, last)
            if value is not None and not _fits(column, value):
                return False
            row[column] = value
    return True


def _fits(name: str, value: int) -> bool:
    most = INT64_MAX if COLUMNS[name] == "BIGINT" else 2**31 - 1
    return 0 <= value <= most


def _failed(entry: Members, row: Columns) -> bool:
    code = row["http_response.code"]
    return number(entry, "status_id") == _FAILURE or row["action_id"] == _FAILURE or (code is not None and code >= 400)  # noqa: PLR2004  # HTTP's classes


def _act(class_: int, activity: int | None, operation: str) -> Act:
    if operation in READS:
        return Act.READ
    if operation in LISTS:
        return Act.LIST
    return _ACTS.get(class_, {}).get(activity or 0, Act.OTHER)


def _principal(entry: Members, address: str) -> tuple[str, str]:
    """Who did it; of a flow or a request without a login, the address."""
    user = inner(entry, "actor", "user") or inner(entry, "user")
    named = word(user, "email_addr", "uid", "name", "uid_alt")
    kind = word(user, "type").replace(" ", "").lower()
    if kind in {"awsservice", "system"}:
        return named or address or "the system", Kind.SERVICE.value
    if not named:
        return address or "nobody", (Kind.ADDRESS if address else Kind.SERVICE).value
    return named, (Kind.ROLE if kind in {"assumedrole", "role", "service"} else Kind.LOGIN).value


def _aim(class_: int, entry: Members, row: Columns) -> None:
    """What was asked for: a document by its address, or an object by its name."""
    if class_ == HTTP:
        if not row["http_request.url.path"]:
            path, query = _address(word(inner(entry, "http_request", "url"), "url_string"))
            row |= {"http_request.url.path": path or None, "http_request.url.query_string": query or None}
        aim = target(row["http_request.url.path"] or "", row["http_request.url.query_string"] or "")
        row |= {"route": aim.route, "document": aim.document, "number": aim.number, "patient": aim.patient}
        length = number(inner(entry, "http_response"), "length")
        sent = row["traffic.bytes_in"] if length is None or not 0 <= length <= INT64_MAX else length
        row |= {"traffic.bytes_out": sent or 0, "traffic.bytes_in": None}
        return
    if class_ in {NETWORK, AUTHENTICATION}:
        return
    store, key = _object(entry)
    where, count = objects.route(store, key)
    row |= {
        "store": store or None,
        "route": where or None,
        "number": count,
        "traffic.bytes_out": row["traffic.bytes_in"] or 0,
    }
    row |= {"document": (f"{store}/{key}" if store else key) if key else None, "traffic.bytes_in": None}


def _address(whole: str) -> tuple[str, str]:
    """Path and query of a whole address."""
    try:
        parts = urlsplit(whole)
    except ValueError:
        return whole, ""
    return parts.path, parts.query


def _object(entry: Members) -> tuple[str, str]:
    """(store, name in it): a file, or the most particular of the resources."""
    file = inner(entry, "file")
    named = word(file, "path", "uid", "name")
    store = word(inner(entry, "databucket"), "name", "uid")
    if named:
        return store, named.lstrip("/")
    found = [_OBJECT.fullmatch(word(one, "uid", "name")) for one in members.objects(entry, "resources")]
    best = max((one for one in found if one), key=lambda one: len(one[2] or ""), default=None)
    return (best[1], best[2] or "") if best else (store, "")
