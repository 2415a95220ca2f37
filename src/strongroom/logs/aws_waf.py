"""AWS WAF's logs, by "Log fields" of its developer guide: a web request a line, and the rule that decided."""

from typing import Final

from strongroom.logs import members, waf
from strongroom.logs.members import inner, number, word
from strongroom.logs.moment import any_of
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Read, Unreadable

FIELDS = waf.FIELDS
_LET_THROUGH: Final = frozenset({"ALLOW", "COUNT"})


def parse(unit: bytes) -> Read:
    """One request."""
    entry = members.decode(unit)
    if isinstance(entry, Unreadable):
        return entry
    request = inner(entry, "httpRequest")
    address, target, action = word(request, "clientIp"), word(request, "uri"), word(entry, "action")
    if not address or not target or not action or "terminatingRuleId" not in entry:
        return NOT_THIS_FORMAT
    time = any_of(entry.get("timestamp"))
    if time is None:
        return NO_TIME
    status = number(entry, "responseCodeSent")
    if status is not None and not 0 <= status <= 999:  # noqa: PLR2004  # three digits
        return BEYOND_64_BITS
    headers = {word(one, "name").lower(): word(one, "value") for one in members.objects(request, "headers")}
    query = word(request, "args")
    return waf.row(
        time=time, uid=word(request, "requestId"), address=address, method=word(request, "httpMethod"),
        target=target + (f"?{query}" if query else ""), agent=headers.get("user-agent", ""), referrer=headers.get("referer", ""),
        blocked=action not in _LET_THROUGH, rule=word(entry, "terminatingRuleId"), status=status, size=0,
    )  # fmt: skip
