"""Access logs of AWS' Application Load Balancer, by "Access log entries" of its user guide.

Blank-separated, quotes around the request, the user agent and what follows; fields are added at the end as years go by. The
request is an absolute address. The time is when the answer was sent.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from strongroom.logs import web
from strongroom.logs.moment import iso
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Row, Unreadable, text

_QUOTED: Final = r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
_LINE: Final = re.compile(
    r"(?:https?|h2|grpcs|wss?) (\S{20,40}) \S+ (\S+):\d{1,5} \S+ -?[\d.]+ -?[\d.]+ -?[\d.]+ (\d{3}|-) (?:\d{3}|-) \d+ (\d+) "
    rf"{_QUOTED} {_QUOTED}(?: .*)?",
    re.DOTALL,
)
_REQUEST: Final = re.compile(r"([A-Z]{1,20}|-) (\S.*?)(?: (?:HTTP/[0-9.]{1,4}|-)\s?)?", re.DOTALL)

FIELDS = web.FIELDS


def parse(unit: bytes) -> Row | Unreadable:
    """One line."""
    found = _LINE.fullmatch(text(unit))
    if found is None:
        return NOT_THIS_FORMAT
    written, address, status, size, request, agent = found.groups()
    time, sent = iso(written), web.whole(size)
    if time is None:
        return NO_TIME
    if sent is None:
        return BEYOND_64_BITS
    asked = _REQUEST.fullmatch(request)
    method, target = (asked[1].strip("-"), _local(asked[2])) if asked else ("", request)
    return web.row(
        time=time, address=address.strip("[]"), user="", method=method, target_=target, agent="" if agent == "-" else agent,
        referrer="", status=0 if status == "-" else int(status), size=sent,
    )  # fmt: skip


def _local(address: str) -> str:
    """Path and query of an absolute address; what is none is left as it is."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    if not parts.scheme:
        return address
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
