"""What all logs of stores in clouds have in common: the columns, and how an operation on an object becomes a row."""

import functools
from typing import Final

from strongroom.logs.forms import YEAR, Formed, bounded, formed, shape
from strongroom.logs.record import BEYOND_64_BITS, INT64_MAX, Act, Kind, Log, Row, Unreadable

FIELDS: Final = (
    "time", "metadata.log_name", "metadata.uid", "status_id", "act", "principal", "principal.kind", "actor.user.name",
    "actor.user.type", "actor.session.uid", "src_endpoint.ip", "http_request.user_agent", "http_request.referrer",
    "http_response.code", "traffic.bytes_out", "api.operation", "api.service.name", "api.response.error", "cloud.account.uid",
    "store", "route", "document", "number", "patient", "meaning", "raw_data",
)  # fmt: skip
"""The columns that an operation on a store fills."""

_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")

LINK: Final = "QueryString"
"""AWS' word for a request whose signature stands in its address. Whoever has such a link may follow it: the requester is who made
it, and who read is known by the address alone."""


def row(
    *, log: Log, time: int, uid: str = "", failed: bool, act: Act, who: str, kind: Kind, user: str = "", user_type: str = "",
    session: str = "", address: str = "", agent: str = "", referrer: str = "", status: int | None = None, size: int = 0,
    operation: str, service: str = "", error: str = "", account: str = "", store: str = "", key: str = "", patient: str = "",
    meaning: str = "", raw: str = "", ordered: bool = True,
) -> Row | Unreadable:  # fmt: skip
    """One operation. Empty strings mean that the log does not tell. `key` is the object's name; `ordered`: its numbers count."""
    if not 0 <= size <= INT64_MAX or (status is not None and not 0 <= status <= 999):  # noqa: PLR2004  # three digits
        return BEYOND_64_BITS
    where, number = (
        route(store, key) if ordered else ("/".join(part for part in (store, "{token}" if key else "") if part), None)
    )
    return (
        *(time, log.value, uid or None, 2 if failed else 1, act.value, who or "nobody", kind.value, user or None),
        *(user_type or None, session or None, address or None, agent or None, referrer or None, status, size),
        *(operation or None, service or None, error or None, account or None, store or None, where or None),
        *((f"{store}/{key}" if store else key) if key else None, number, patient or None, meaning or None, raw or None),
    )


def route(store: str, key: str) -> tuple[str, int | None]:
    """The store and the object's name with its ids taken out; and the number of the last id, where it has one."""
    if not key:
        return store, None
    name, number = form(key)
    return f"{store}/{name}" if store else name, number


def form(key: str) -> tuple[str, int | None]:
    """An object's name with its ids taken out, and the number of the last one that has a form, where it has one.

    Names that differ in digits alone have the same form, but where the digits tell: it is found out once.
    """
    known = _known(key.encode("utf-8", "surrogatepass").translate(_DIGITS))
    if known is not None:
        name, start, end, base = known
        return name, bounded(int(key[start:end], base)) if end else None
    forms = [(segment, *shape(segment)) for segment in key.split("/")]
    number = next((number for _, form, number in reversed(forms) if form), None)
    return "/".join(form or segment for segment, form, _ in forms), number


@functools.lru_cache(maxsize=65_536)
def _known(given: bytes) -> Formed | None:
    """Of all names with this outline: their form, where the last id's number stands, and to what base; None where digits tell."""
    outline = given.decode("utf-8", "surrogatepass")
    parts, number, at = [], (0, 0, 10), 0
    for segment in outline.split("/"):
        name, start, end, base = formed(segment)
        year = name[:1] != "{" and end - start == YEAR
        if "0" in (name or segment) or year:
            return None
        if name:
            number = (at + start, at + end, base) if end else (0, 0, 10)
        parts.append(name or segment)
        at += len(segment) + 1
    return "/".join(parts), *number
