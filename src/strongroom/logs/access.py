"""nginx' and Apache's access logs: `common` and `combined`, with or without the virtual host before, or more fields after.

Apache httpd 2.4 mod_log_config: "%h %l %u %t \\"%r\\" %>s %b" and the same with "%{Referer}i" and "%{User-Agent}i"; nginx
ngx_http_log_module: `combined`. User names may hold blanks; quotes inside quotes are escaped by either server.
"""

import re
from typing import Final

from strongroom.logs import web
from strongroom.logs.moment import clf
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Row, Unreadable, text

_QUOTED = r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
_LINE: Final = re.compile(
    r"(?:[^:\s]+:\d{1,5} )?"  # virtual host and port; an address has more colons, or none
    r"((?![^:\s]+:\d{1,5} )\S++) \S++ (\S+|\S.*?) "
    r"\[(\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4})\] "
    rf"{_QUOTED} (\d{{3}}) (\d+|-)(?: {_QUOTED} {_QUOTED})?(?: .*)?",
    re.DOTALL,
)

FIELDS = web.FIELDS


def parse(unit: bytes) -> Row | Unreadable:
    """One line."""
    found = _LINE.fullmatch(text(unit))
    if found is None:
        return NOT_THIS_FORMAT
    address, user, written, request, status, size, referrer, agent = found.groups()
    time, sent = clf(written), web.whole(size)
    if time is None:
        return NO_TIME
    if sent is None:
        return BEYOND_64_BITS
    method, target = web.split(request)
    return web.row(
        time=time, address=address, user="" if user == "-" else user, method=method, target_=target,
        agent=_told(agent), referrer=_told(referrer), status=int(status), size=sent,
    )  # fmt: skip


def _told(quoted: str | None) -> str:
    return "" if quoted in {None, "-"} else str(quoted)
