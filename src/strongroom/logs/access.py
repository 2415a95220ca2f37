"""nginx' and Apache's access logs: `common` and `combined`, with or without the virtual host before, or more fields after.

Apache httpd 2.4 mod_log_config: "%h %l %u %t \\"%r\\" %>s %b" and the same with "%{Referer}i" and "%{User-Agent}i"; nginx
ngx_http_log_module: `combined`. User names may hold blanks; quotes inside quotes are escaped by either server. X-Forwarded-For
stands before the address (quoted, or as a list) or behind the agent, as in nginx' `main`; it is believed of proxies of one's own
(`web.client`).
"""

import re
from typing import Final

from strongroom.logs import web
from strongroom.logs.moment import clf, fine
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Row, Unreadable, text

_QUOTED = r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
_LINE: Final = re.compile(
    r"(?:[^:\s]+:\d{1,5} (?!- ))?"  # virtual host and port; an address has more colons, or none
    rf'(?:"({web.FORWARDED})" |(?=[^ ]*, )({web.FORWARDED}) )?'
    r"((?![^:\s]+:\d{1,5} )\S++|[0-9]{1,3}(?:\.[0-9]{1,3}){3}:\d{1,5}) (\S++) (\S+|\S.*?) "
    r"\[(\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}|\d[0-9A-Za-z/:.,+ -]{18,40})\] "
    rf'{_QUOTED} (\d{{3}}) (\d+|-)(?: {_QUOTED} {_QUOTED}(?: "({web.FORWARDED})"(?= |\Z))?)?(?: .*)?',
    re.DOTALL,
)

FIELDS = web.FIELDS


def parse(unit: bytes) -> Row | Unreadable:
    """One line."""
    found = _LINE.fullmatch(text(unit))
    if found is None or b"\r" in unit:  # no server writes one: a file of lines that end so would be one line
        return NOT_THIS_FORMAT
    quoted, listed, address, ident, user, written, request, status, size, referrer, agent, behind = found.groups()
    forwarded = quoted or listed or behind
    if " " in user and web.ADDRESSES.fullmatch(ident):  # X-Forwarded-For of one address, and no quotes
        forwarded, address, (_, user) = address, ident, user.split(" ", 1)
    time, sent = clf(written) or fine(written), web.whole(size)
    if time is None:
        return NO_TIME
    if sent is None:
        return BEYOND_64_BITS
    address = web.address_of(address)
    method, target = web.split(request)
    return web.row(
        time=time, address=address, user="" if user == "-" else user,
        method=method, target_=target, agent="" if agent is None else agent or "-", referrer=_told(referrer), status=int(status),
        size=sent, forwarded=forwarded or "",
    )  # fmt: skip


def _told(quoted: str | None) -> str:
    return "" if quoted in {None, "-"} else str(quoted)
