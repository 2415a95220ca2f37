"""CloudTrail's records as a table: the CSV of the console's event history, and exports whose columns are named alike.

Columns are found by the words in the first line, whatever their case and blanks. Cells that hold an object hold it as JSON or as
a Python literal; a literal is read by its grammar and never evaluated as a program.
"""

import ast
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from strongroom.logs import cloudtrail
from strongroom.logs.cells import MARK, below, cells
from strongroom.logs.record import Read, Row, Unreadable

FIELDS = cloudtrail.FIELDS

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "eventName": ("eventname",),
    "eventTime": ("eventtime", "eventdatetime"),
    "eventSource": ("eventsource",),
    "eventID": ("eventid",),
    "sourceIPAddress": ("sourceipaddress", "sourceip"),
    "userAgent": ("useragent", "requestuseragent"),
    "errorCode": ("errorcode",),
    "userIdentity": ("useridentity", "userid"),
    "requestParameters": ("requestparameters",),
    "username": ("username",),
    "accessKeyId": ("awsaccesskey", "accesskeyid"),
    "recipientAccountId": ("recipientaccountid",),
}
"""Field of a record -> what a column for it may be called, in small letters without blanks, dashes and underscores."""
_NAME: Final = re.compile(r"(?:, )?([A-Za-z][\w:.-]{0,63})=")
_END: Final = re.compile(r", (?=[A-Za-z][\w:.-]{0,63}=)|\}")
_DEPTH: Final = 6
_SMALL: Final = {
    name.lower(): name
    for name in "principalId accountId accessKeyId userName invokedBy sessionContext sessionIssuer".split()
}
"""Athena's tables have names in small letters -> a record's."""
_LITERAL: Final = 65_536
"""Characters of a cell that are read as a literal."""


def reader(first: bytes) -> Callable[[bytes], Read] | None:
    """How to read the lines below this first line; None when it is not the heading of such a table."""
    columns = [_plain(name) for name in cells(first.removeprefix(MARK)) or ()]
    places = {
        field: columns.index(found)
        for field, names in _NAMES.items()
        if (found := next((name for name in names if name in columns), None))
    }
    if not {"eventName", "eventTime", "sourceIPAddress"} <= set(places):
        return None

    def read(row: dict[str, str]) -> Row | Unreadable:
        return cloudtrail.row(_record({field: row[columns[place]] for field, place in places.items()}))

    return below(first, columns, read)


def _record(cells: dict[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = {name: value for name, value in cells.items() if value}
    for name in ("userIdentity", "requestParameters"):
        record[name] = _object(cells.get(name, ""))
    if user := cells.get("username"):
        record["userIdentity"] = {"userName": user, "type": "", **record["userIdentity"]}
    if key := cells.get("accessKeyId"):
        record["userIdentity"]["accessKeyId"] = key
    if "eventSource" not in record and "bucketName" in record["requestParameters"]:
        record["eventSource"] = "s3.amazonaws.com"  # an export of one bucket's events says no source
    return record


def _object(cell: str) -> dict[str, Any]:
    if not cell.startswith("{") or len(cell) > _LITERAL:
        return {}
    try:
        value = msgspec.json.decode(cell)
    except (msgspec.DecodeError, RecursionError):
        try:
            value = ast.literal_eval(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return _struct(cell, 1, _DEPTH)[0]
    return {str(name): one for name, one in value.items()} if isinstance(value, dict) else {}


def _struct(cell: str, at: int, deep: int) -> tuple[dict[str, Any], int]:
    """What Athena and CloudTrail Lake print of an object, `{type=IAMUser, username=ann}`, from there on; and where it ends."""
    found: dict[str, Any] = {}
    while name := _NAME.match(cell, at):
        at = name.end()
        value: str | dict[str, Any]
        if deep and cell[at : at + 1] == "{":
            value, at = _struct(cell, at + 1, deep - 1)
        else:
            end = _END.search(cell, at)
            at, value = (end.start(), cell[at : end.start()]) if end else (len(cell), cell[at:])
        if value not in {"null", ""} if isinstance(value, str) else value:
            found[_SMALL.get(name[1], name[1])] = value
    return found, at + 1


def _plain(name: str) -> str:
    return "".join(name.lower().split()).replace("_", "").replace("-", "")
