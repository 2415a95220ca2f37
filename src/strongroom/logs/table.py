"""Tables whose columns only the operator knows: CSV with a first line of names, or an object a line in JSON.

    [columns]
    time = "timestamp"            # or two that are joined: ["date", "time"]
    principal = "resource"        # who; an empty cell is the system itself
    document = "case_id"
    patient = "case_id"           # optional, as are the others:
    address = "ip"
    status = "code"               # an HTTP status
    bytes = "size"
    agent = "browser"

In JSON a name may be several, of objects inside each other, joined by dots: "actor.id". Every row with a document is a reading.
Times without a zone are UTC.
"""

import re
from typing import Any, Final

from strongroom.logs import members
from strongroom.logs.cells import MARK, below, divided
from strongroom.logs.formats import Format, Parse
from strongroom.logs.forms import shape
from strongroom.logs.moment import any_of, epoch
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
)  # fmt: skip

FIELDS: Final = (
    "time", "metadata.log_name", "status_id", "act", "principal", "principal.kind", "actor.user.name", "src_endpoint.ip",
    "http_request.user_agent", "http_response.code", "traffic.bytes_out", "route", "document", "number", "patient",
)  # fmt: skip
NEEDED: Final = ("time", "principal", "document")
_EVENT: Final = ("time", "principal")
"""What an event has: signing in has no document."""
KNOWN: Final = (*NEEDED, "patient", "address", "status", "bytes", "agent")

Columns = dict[str, tuple[str, ...]]
"""What is known of a row -> the columns that say it, joined by a blank when they are several."""

_EPOCH: Final = re.compile(r"1[0-9]{9}(?:[0-9]{3})?(?:\.[0-9]{1,9})?")
_LINES: Final = 200
"""Lines of a file by which it is told: the first may be somebody who signs in."""


def format_of(columns: Columns) -> Format:
    """How such tables are read, CSV or JSON lines: the first line tells which, and is heading or row accordingly."""
    return Format(
        "table", "a table by your mapping", FIELDS, lambda unit: _of_json(unit, columns), heading=_heading(columns)
    )


def fits(sample: bytes, columns: Columns) -> bool:
    """Whether a file's first line names all these columns."""
    first, *others = sample.removeprefix(MARK).split(b"\n", _LINES)[:_LINES]
    if not first.startswith(b"{"):
        return _names(columns) <= set(divided(first.removesuffix(b"\r"))[0])
    entries = [entry for line in (first, *others) if not isinstance(entry := members.decode(line), Unreadable)]
    return any(all(_has(entry, columns, known) for known in NEEDED) for entry in entries)


def _heading(columns: Columns) -> Any:
    def read(first: bytes) -> Parse | None:
        names, delimiter = divided(first.removeprefix(MARK))
        if not _names(columns) <= set(names):
            return None
        return below(first, names, lambda said: _row(said, columns), delimiter)

    return read


def _has(entry: members.Members, columns: Columns, known: str) -> bool:
    return all(name in entry or members.at(entry, name) is not None for name in columns[known])


def _of_json(unit: bytes, columns: Columns) -> Row | Unreadable:
    entry = members.decode(unit)
    if isinstance(entry, Unreadable):
        return entry
    if not all(_has(entry, columns, known) for known in _EVENT):
        return NOT_THIS_FORMAT
    return _row({name: _said(members.at(entry, name)) for name in _names(columns)}, columns)


def _said(value: Any) -> str:
    return (
        "" if value is None or isinstance(value, dict | list) else text(str(value).encode("utf-8", "backslashreplace"))
    )


def moment(written: str) -> int | None:
    """A time as tables write it: as logs do, or seconds or milliseconds since 1970."""
    return epoch(float(written)) if _EPOCH.fullmatch(written) else any_of(written)


def _row(cells: dict[str, str], columns: Columns) -> Row | Unreadable:
    said = {known: " ".join(cells.get(name, "") for name in names).strip() for known, names in columns.items()}
    time = moment(said["time"])
    if time is None:
        return NO_TIME
    status, size = said.get("status", ""), said.get("bytes", "")
    code, sent = _whole(status), _whole(size)
    if (status and (code is None or code > 999)) or (size and sent is None):  # noqa: PLR2004  # three digits
        return BEYOND_64_BITS
    document, who = said["document"], said["principal"]
    form, number = shape(document)
    kind = Kind.LOGIN if who else Kind.SERVICE
    return (
        *(time, Log.TABLE.value, 1 if code is None or code < 400 else 2, Act.READ.value),  # noqa: PLR2004  # HTTP's classes
        *(
            who or "the system",
            kind.value,
            who or None,
            said.get("address") or None,
            said.get("agent") or None,
            code,
            sent or 0,
        ),
        *(form or document or None, document or None, number, said.get("patient") or None),
    )


def _whole(written: str) -> int | None:
    """Digits, or digits with an empty fraction, as a number of at most 64 bits."""
    digits = written.removesuffix(".0")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 19:  # noqa: PLR2004  # digits of 2**63
        return None
    return int(digits) if int(digits) <= INT64_MAX else None


def _names(columns: Columns) -> set[str]:
    return {name for names in columns.values() for name in names}
