"""What all logs of web application firewalls have in common: a web request, and what a guard said of it.

Most tell no answer. What was let through counts as given out: the count is an upper bound, and the access log beside it exact.
"""

from typing import Final

from strongroom.logs import web
from strongroom.logs.network import ALLOWED, DENIED
from strongroom.logs.record import Log, Row

FIELDS: Final = (*web.FIELDS, "metadata.uid", "action_id", "firewall_rule.uid")
_LOG, _STATUS, _CODE = (web.FIELDS.index(name) for name in ("metadata.log_name", "status_id", "http_response.code"))


def row(
    *, time: int, uid: str, address: str, method: str, target: str, agent: str, referrer: str, blocked: bool, rule: str,
    status: int | None = None, size: int = 0,
) -> Row:  # fmt: skip
    """One request that a guard judged. `status` where it tells the answer."""
    found = list(
        web.row(
            time=time, address=address, user="", method=method.upper(), target_=target, agent=agent, referrer=referrer,
            status=status or 0, size=size,
        )
    )  # fmt: skip
    found[_LOG], found[_CODE] = Log.WAF.value, status
    if blocked or status is None:
        found[_STATUS] = 2 if blocked else 1
    return (*found, uid or None, DENIED if blocked else ALLOWED, rule or None)


def answered(
    *, time: int, uid: str, address: str, method: str, target: str, agent: str, referrer: str, status: int, size: int,
) -> Row:  # fmt: skip
    """A request from the access log of a service that writes its guard's log too."""
    found = web.row(
        time=time, address=address, user="", method=method.upper(), target_=target, agent=agent, referrer=referrer,
        status=status, size=size,
    )  # fmt: skip
    return (*found, uid or None, None, None)
