"""Azure Front Door's and Application Gateway's access and firewall logs, by the references of these services' resource logs.

Categories FrontDoorAccessLog (classic: FrontdoorAccessLog), FrontDoorWebApplicationFirewallLog, ApplicationGatewayAccessLog and
ApplicationGatewayFirewallLog, a record a line or in one document. A firewall's log tells no answers: what it let through counts
as given out, and what it only noticed was let through.
"""

from typing import Final
from urllib.parse import urlsplit

from strongroom.logs import members, waf
from strongroom.logs.members import inner, number, word
from strongroom.logs.moment import any_of
from strongroom.logs.record import BEYOND_64_BITS, INT64_MAX, NO_TIME, NOT_THIS_FORMAT, Read, Unreadable

FIELDS = waf.FIELDS
_ACCESS: Final = frozenset({"frontdooraccesslog", "applicationgatewayaccesslog"})
_GUARD: Final = frozenset(
    {"frontdoorwebapplicationfirewalllog", "frontdoorwebapplicationfirewalllogs", "applicationgatewayfirewalllog"}
)
_BLOCKING: Final = frozenset({"block", "blocked", "jschallenge", "redirect", "anomalyscoring-block"})


def parse(unit: bytes) -> Read:
    """One record."""
    entry = members.decode(unit)
    if isinstance(entry, Unreadable):
        return entry
    category, said = word(entry, "category").lower(), inner(entry, "properties")
    if category not in _ACCESS | _GUARD:
        return NOT_THIS_FORMAT
    address = word(said, "clientIp", "clientIP", "socketIp", "socketIP")
    target = _target(word(said, "originalRequestUriWithArgs", "requestUri"), word(said, "requestQuery"))
    if not address or not target:
        return NOT_THIS_FORMAT
    time = any_of(entry.get("time", entry.get("timeStamp", entry.get("timestamp"))))
    if time is None:
        return NO_TIME
    method, agent, referrer = word(said, "httpMethod"), word(said, "userAgent"), word(said, "referer", "referrer")
    if category in _GUARD:
        action = word(said, "action").lower()
        return waf.row(
            time=time, uid="", address=address, method=method, target=target, agent=agent, referrer=referrer,
            blocked=action in _BLOCKING, rule=word(said, "ruleName", "ruleId"),
        )  # fmt: skip
    status = number(said, "httpStatusCode", "httpStatus")
    size = number(said, "responseBytes", "sentBytes") or 0
    if status is None:
        return NOT_THIS_FORMAT
    if not 0 <= size <= INT64_MAX or not 0 <= status <= 999:  # noqa: PLR2004  # three digits
        return BEYOND_64_BITS
    uid = word(said, "trackingReference", "transactionId")
    return waf.answered(
        time=time, uid=uid, address=address, method=method, target=target, agent=agent, referrer=referrer,
        status=status, size=size,
    )  # fmt: skip


def _target(uri: str, query: str) -> str:
    """Path and query of an address, whole or without its server. App Gateway v1 writes something else into requestQuery."""
    if "://" in uri:
        try:
            parts = urlsplit(uri)
        except ValueError:
            return uri
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return uri + (f"?{query}" if "=" in query and "?" not in uri and "SERVER-ROUTED" not in query else "")
