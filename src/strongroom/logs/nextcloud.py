"""Nextcloud's own log, by "Logging" of its administration manual, with its audit app's or without: an object a line.

It tells what the server said of a request, and neither its answer nor bytes. Of the audit app's lines those that say that a file
was read are readings.
"""

import re
from typing import Final

from strongroom.logs import members, objects
from strongroom.logs.members import number, word
from strongroom.logs.moment import any_of
from strongroom.logs.record import NO_TIME, NOT_THIS_FORMAT, Act, Kind, Log, Read, Unreadable

FIELDS = objects.FIELDS
_WARNING: Final = 2
_FILE: Final = re.compile(
    r'File (?:with id "\d+" )?(?P<act>accessed|previewed|read|written to|created|deleted|copied|renamed)[^"]*"(?P<path>.*)"',
    re.DOTALL,
)
_ACTS: Final = {
    "accessed": Act.READ,
    "previewed": Act.READ,
    "read": Act.READ,
    "copied": Act.READ,
    "deleted": Act.DELETE,
}


def parse(unit: bytes) -> Read:
    """One line."""
    entry = members.decode(unit)
    if isinstance(entry, Unreadable):
        return entry
    message, level = word(entry, "message"), number(entry, "level")
    if "reqId" not in entry or level is None or not message:
        return NOT_THIS_FORMAT
    time = any_of(entry.get("time"))
    if time is None:
        return NO_TIME
    address, user = word(entry, "remoteAddr"), word(entry, "user").strip("-")
    found = _FILE.fullmatch(message) if word(entry, "app") == "admin_audit" else None
    return objects.row(
        log=Log.NEXTCLOUD, time=time, failed=level >= _WARNING, act=_ACTS.get(found["act"], Act.WRITE) if found else Act.OTHER,
        who=user or address or "nobody", kind=Kind.LOGIN if user else Kind.ADDRESS if address else Kind.SERVICE, user=user,
        address=address, agent=word(entry, "userAgent").strip("-"), service=word(entry, "app"),
        operation=f"{word(entry, 'method')} {word(entry, 'url')}".strip(), error=message[:500] if level >= _WARNING else "",
        key=found["path"].lstrip("/") if found else "",
    )  # fmt: skip
