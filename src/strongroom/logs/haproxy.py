"""HAProxy's HTTP log, by "HTTP log format" of its configuration manual, with syslog's words before it or without.

    10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET /a HTTP/1.1"

Its time is the accept date on the server's own clock, without a zone: it is taken for UTC. Bytes are all that went to the client.
"""

import re
from typing import Final

from strongroom.logs import web
from strongroom.logs.moment import clf
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Row, Unreadable, text

FIELDS = web.FIELDS
_LINE: Final = re.compile(
    r"(?:[^\[]{1,200}\[\d+\]: )?(?:[A-Z]\S{0,20}\s)?"  # syslog's time, host and program[pid]:
    r"([0-9a-fA-F:.]{2,45}):\d{1,5} \[(\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2})\.(\d{3})\] "
    r"\S++ \S++ [-+\d]+(?:/[-+\d]+){4} (-1|\d{3}) \+?(\d+) \S++ \S++ \S{4} \d+(?:/\+?\d+){4} \d+/\d+ "
    r'(?:\{[^}]*+\} ){0,2}"([^"]*+)"(?: .*)?',
    re.DOTALL,
)
_REQUEST: Final = re.compile(r"([A-Z]{1,20}) (\S+)(?: HTTP/[0-9.]{1,4})?")


def parse(unit: bytes) -> Row | Unreadable:
    """One line."""
    found = _LINE.fullmatch(text(unit))
    if found is None:
        return NOT_THIS_FORMAT
    address, written, millis, status, size, request = found.groups()
    time, sent = clf(f"{written} +0000"), web.whole(size)
    if time is None:
        return NO_TIME
    if sent is None:
        return BEYOND_64_BITS
    asked = _REQUEST.fullmatch(request)
    method, target = (asked[1], asked[2]) if asked else ("", request)
    return web.row(
        time=time + int(millis), address=address, user="", method=method, target_=_local(target), agent="", referrer="",
        status=0 if status == "-1" else int(status), size=sent,
    )  # fmt: skip


def _local(target: str) -> str:
    """HTTP/2 requests are logged with their server: only the path is meant."""
    found = re.fullmatch(r"https?://[^/?]*+(.*)", target, re.DOTALL)
    return (found[1] or "/") if found else target
