"""What all logs of web requests have in common: the columns, and how a request becomes a row."""

import re
from typing import Final

from strongroom.logs.record import INT64_MAX, Act, Kind, Log, Row
from strongroom.logs.route import target

FIELDS: Final = (
    "time", "metadata.log_name", "status_id", "act", "principal", "principal.kind", "actor.user.name", "src_endpoint.ip",
    "http_request.http_method", "http_request.url.path", "http_request.url.query_string", "http_request.user_agent",
    "http_request.referrer", "http_response.code", "traffic.bytes_out", "route", "document", "number", "patient",
)  # fmt: skip
"""The columns that a web request fills."""

# The words themselves: looking an enum's value up would be a tenth of the time of a line.
ACTS: Final = {
    "GET": Act.READ.value, "PUT": Act.WRITE.value, "POST": Act.WRITE.value, "PATCH": Act.WRITE.value,
    "DELETE": Act.DELETE.value,
}  # fmt: skip
WEB, OTHER, LOGIN, ADDRESS = Log.WEB.value, Act.OTHER.value, Kind.LOGIN.value, Kind.ADDRESS.value

_REQUEST: Final = re.compile(r"([A-Z]{1,20}) (\S.*)", re.DOTALL)
_PROTOCOL: Final = re.compile(r" HTTP/[0-9.]{1,4}\Z")


def split(request: str) -> tuple[str, str]:
    """(method, address) of a request line; of what is none, everything as the address."""
    found = _REQUEST.fullmatch(request)
    return (found[1], _PROTOCOL.sub("", found[2])) if found else ("", request)


def row(
    *, time: int, address: str, user: str, method: str, target_: str, agent: str, referrer: str, status: int, size: int,
) -> Row:  # fmt: skip
    """One request. Empty strings mean that the log does not tell."""
    path, _, query = target_.partition("?")
    aim = target(path, query)
    return (
        *(time, WEB, 1 if 200 <= status < 400 else 2, ACTS.get(method, OTHER)),  # noqa: PLR2004  # HTTP's classes
        *((user, LOGIN) if user else (address, ADDRESS)),
        *(user or None, address, method or None, path, query or None, agent or None, referrer or None, status, size),
        *(aim.route, aim.document, aim.number, aim.patient),
    )


def whole(number: str) -> int | None:
    """Digits as a number, `-` as 0; None when it does not fit into 64 bits."""
    if number == "-":
        return 0
    value = int(number) if len(number) <= 19 else INT64_MAX + 1  # noqa: PLR2004  # digits of 2**63
    return value if value <= INT64_MAX else None
