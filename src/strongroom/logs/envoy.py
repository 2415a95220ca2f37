"""Envoy's default access log as text, and Istio's, by "Access logging" of their documentations.

    [2025-12-29T09:00:00.250Z] "GET /a HTTP/1.1" 200 - 0 252000 24 23 "203.0.113.9" "curl/8" "request-id" "host" "10.0.0.1:80"

Istio writes three words more behind the status, and the client's address near the end. Envoy's own text names a client only as
X-Forwarded-For told it: its last address is meant, and a line without any names nobody.
"""

import re
from typing import Final

from strongroom.logs import web
from strongroom.logs.moment import iso
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Row, Unreadable, text

FIELDS = web.FIELDS
_QUOTED: Final = r'"([^"]*+)"'
_LINE: Final = re.compile(
    rf'\[([^\]]{{20,40}})\] {_QUOTED} (\d{{1,3}}|-) \S++ (?:\S++ \S++ "[^"]*+" )?(\d+|-) (\d+|-) \S++ \S++ {_QUOTED} {_QUOTED} '
    rf"{_QUOTED} {_QUOTED} {_QUOTED}(?: (.*))?",
    re.DOTALL,
)
_REQUEST: Final = re.compile(r"([A-Z]{1,20}|-) (\S.*?)(?: HTTP/[0-9.]{1,4}| -)?", re.DOTALL)
_ADDRESS: Final = re.compile(r"[0-9a-fA-F:.]{2,45}")
_REMOTE: Final = 3  # place of the client's address and port behind the server's, where Istio writes them


def parse(unit: bytes) -> Row | Unreadable:
    """One line."""
    found = _LINE.fullmatch(text(unit))
    if found is None:
        return NOT_THIS_FORMAT
    written, request, status, _, size, forwarded, agent, _, _, _, more = found.groups()
    time, sent = iso(written), web.whole(size)
    if time is None:
        return NO_TIME
    if sent is None:
        return BEYOND_64_BITS
    asked = _REQUEST.fullmatch(request)
    method, target = (asked[1].strip("-"), asked[2]) if asked else ("", request)
    return web.row(
        time=time, address=_client(forwarded, more or ""), user="", method=method, target_=target,
        agent="" if agent == "-" else agent, referrer="", status=0 if status == "-" else int(status), size=sent,
        forwarded=forwarded,
    )  # fmt: skip


def _client(forwarded: str, more: str) -> str:
    last = forwarded.rpartition(",")[2].strip()
    if _ADDRESS.fullmatch(last):
        return last
    words = more.split(" ")
    remote = words[_REMOTE].rpartition(":")[0].strip("[]") if len(words) > _REMOTE else ""
    return remote if _ADDRESS.fullmatch(remote) else "nobody"
