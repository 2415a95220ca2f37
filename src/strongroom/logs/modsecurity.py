"""ModSecurity's audit log in JSON (SecAuditLogFormat JSON): version 3, version 2.9 and Coraza, by their reference manuals.

A transaction a line, or a file each. Version 3 writes the server's own clock without a zone: it is taken for UTC.
"""

import functools
from datetime import datetime
from typing import Final

from strongroom.logs import members, waf
from strongroom.logs.members import Members, inner, number, word
from strongroom.logs.moment import any_of, clf
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Read, Unreadable

FIELDS = waf.FIELDS
_NANOS: Final = 1_000_000


def parse(unit: bytes) -> Read:
    """One transaction."""
    entry = members.decode(unit)
    if isinstance(entry, Unreadable):
        return entry
    about = inner(entry, "transaction")
    request, response = (inner(about, name) or inner(entry, name) for name in ("request", "response"))
    address = word(about, "client_ip", "remote_address")
    method, _, rest = word(request, "request_line").partition(" ")
    target = word(request, "uri") or rest.rpartition(" HTTP/")[0] or rest
    if not address or not target:
        return NOT_THIS_FORMAT
    time = _time(about)
    if time is None:
        return NO_TIME
    status = number(response, "http_code", "status")
    if status is not None and not 0 <= status <= 999:  # noqa: PLR2004  # three digits
        return BEYOND_64_BITS
    messages = members.items(about, "messages") or members.items(entry, "messages")
    stopped = inner(entry, "audit_data", "action").get("intercepted") is True or about.get("is_interrupted") is True
    refused = bool(messages) and status is not None and status >= 400  # noqa: PLR2004  # HTTP's classes
    headers = inner(request, "headers")
    return waf.row(
        time=time, uid=word(about, "unique_id", "transaction_id", "id"), address=address, method=method or word(request, "method"),
        target=target, agent=_header(headers, "user-agent"), referrer=_header(headers, "referer"), blocked=stopped or refused,
        rule=_rule(messages), status=status, size=0,
    )  # fmt: skip


def _time(about: Members) -> int | None:
    nanos = number(about, "unix_timestamp")
    if nanos is not None:
        return any_of(nanos // _NANOS)
    written = word(about, "time")
    if written:
        return clf(written.split(".")[0] + written[-6:] if "." in written else written)
    return _stamp(word(about, "time_stamp", "timestamp"))


@functools.lru_cache(maxsize=4_096)
def _stamp(written: str) -> int | None:
    for form in ("%a %b %d %H:%M:%S %Y", "%Y/%m/%d %H:%M:%S"):
        try:
            return any_of(datetime.strptime(written, form).isoformat())  # noqa: DTZ007  # it has no zone
        except ValueError:
            continue
    return None


def _header(headers: Members, name: str) -> str:
    """A header's value, whatever its case; Coraza has a list of them."""
    for key, value in headers.items():
        if key.lower() == name:
            first = value[0] if isinstance(value, list) and value else value
            return word({"value": first}, "value")
    return ""


def _rule(messages: list[object]) -> str:
    """The first rule that spoke."""
    for message in messages:
        if isinstance(message, dict):
            found = word(inner(message, "details"), "ruleId") or str(number(inner(message, "data"), "id") or "")
            if found:
                return found
    return ""
