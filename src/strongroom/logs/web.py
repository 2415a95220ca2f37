"""What all logs of web requests have in common: the columns, and how a request becomes a row."""

import functools
import itertools
import re
from typing import Final

from strongroom.logs.record import INT64_MAX, Act, Kind, Log, Row
from strongroom.logs.route import target

FIELDS: Final = (
    "time", "metadata.log_name", "status_id", "act", "principal", "principal.kind", "actor.user.name", "src_endpoint.ip",
    "http_request.http_method", "http_request.url.path", "http_request.url.query_string", "http_request.user_agent",
    "http_request.referrer", "http_response.code", "traffic.bytes_out", "route", "document", "number", "patient",
    "http_request.x_forwarded_for",
)  # fmt: skip
"""The columns that a web request fills."""

# The words themselves: looking an enum's value up would be a tenth of the time of a line.
ACTS: Final = {
    "GET": Act.READ.value, "PUT": Act.WRITE.value, "POST": Act.WRITE.value, "PATCH": Act.WRITE.value,
    "DELETE": Act.DELETE.value,
}  # fmt: skip
WEB, LOGIN, ADDRESS = Log.WEB.value, Kind.LOGIN.value, Kind.ADDRESS.value
READ, WRITE, LIST, OTHER = Act.READ.value, Act.WRITE.value, Act.LIST.value, Act.OTHER.value

_REQUEST: Final = re.compile(r"([A-Z]{1,20}) (\S.*)", re.DOTALL)
_PORT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9a-fA-F:.]{2,45}\]):[0-9]{1,5}")
PRIVATE: Final = re.compile(
    r"(?:10|127|169\.254|192\.168|172\.(?:1[6-9]|2[0-9]|3[01])|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.[0-9.]{1,11}"
    r"|(?:f[cd][0-9a-f]{2}|fe80):[0-9a-f:.]{1,40}|::1|-"
)
"""Addresses that nobody outside can have: proxies of one's own, or none at all."""
ADDRESSES: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{1,40}")
FORWARDED: Final = r"[0-9a-fA-F:.\[\]-]{1,60}(?:, ?[0-9a-fA-F:.\[\]-]{1,60})*"
"""X-Forwarded-For, as a pattern: addresses with or without ports, from the client on."""
_HOPS: Final = 16
_PROTOCOL: Final = re.compile(r" HTTP/[0-9.]{1,4}\Z")


_READS: Final = re.compile(
    r"(?i:downloads?|get|fetch|retrieve|view|preview|print|pdf|render|export|stream)(?:[_.A-Z].*)?", re.DOTALL
)


def act(method: str, path: str) -> str:
    """What a request does. A POST reads where the last word of its address says so; FHIR's searches may be sent by it, too."""
    if method != "POST":
        return ACTS.get(method, OTHER)
    last = path.rstrip("/").rpartition("/")[2]
    return LIST if last == "_search" else READ if _READS.fullmatch(last) else WRITE


def split(request: str) -> tuple[str, str]:
    """(method, address) of a request line; of what is none, everything as the address."""
    found = _REQUEST.fullmatch(request)
    return (found[1], _PROTOCOL.sub("", found[2])) if found else ("", request)


@functools.lru_cache(maxsize=65_536)
def client(peer: str, forwarded: str) -> str:
    """Who asked, where a log has X-Forwarded-For: behind a proxy of one's own, the last public address; else the peer itself.

    What stands before that address was written by whoever it is, and is not believed.
    """
    if PRIVATE.fullmatch(peer) is None:
        return peer
    return next((one for one in hops(forwarded) if PRIVATE.fullmatch(one) is None), peer)


def hops(forwarded: str) -> list[str]:
    """The addresses in X-Forwarded-For, the last first, down to what is none: what stands before it is anybody's word."""
    said = (address_of(one.strip()) for one in reversed(forwarded.split(",")[-_HOPS:]))
    return list(itertools.takewhile(ADDRESSES.fullmatch, said))


def address_of(written: str) -> str:
    """An address without the port behind it."""
    found = _PORT.fullmatch(written)
    return found[1].strip("[]") if found else written


def row(
    *, time: int, address: str, user: str, method: str, target_: str, agent: str, referrer: str, status: int, size: int,
    forwarded: str = "",
) -> Row:  # fmt: skip
    """One request. Empty strings mean that the log does not tell; an agent of "-" that the client named none, stored as ''.

    `address` is whose connection it was, and `forwarded` for whom it says that it asks.
    """
    forwarded = "" if forwarded == "-" else forwarded
    address = client(address, forwarded) if forwarded else address
    path, _, query = target_.partition("?")
    aim = target(path, query)
    return (
        *(time, WEB, 1 if 200 <= status < 400 else 2, act(method, path)),  # noqa: PLR2004  # HTTP's classes
        *((user, LOGIN) if user else (address, ADDRESS)),
        *(
            user or None,
            address,
            method or None,
            path,
            query or None,
            "" if agent == "-" else agent or None,
            referrer or None,
            status,
            size,
        ),
        *(aim.route, aim.document, aim.number, aim.patient, forwarded or None),
    )


def whole(number: str) -> int | None:
    """Digits as a number, `-` as 0; None when it does not fit into 64 bits."""
    if number == "-":
        return 0
    value = int(number) if len(number) <= 19 else INT64_MAX + 1  # noqa: PLR2004  # digits of 2**63
    return value if value <= INT64_MAX else None
