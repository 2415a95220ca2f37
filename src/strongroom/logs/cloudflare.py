"""Cloudflare's Logpush datasets http_requests and firewall_events, by the field lists of its documentation: an object a line.

Which fields are there, and how times are written (RFC 3339, seconds or nanoseconds), is the operator's choice.
"""

from typing import Final

from strongroom.logs import members, waf
from strongroom.logs.members import number, word
from strongroom.logs.moment import any_of
from strongroom.logs.record import BEYOND_64_BITS, INT64_MAX, NO_TIME, NOT_THIS_FORMAT, Read, Unreadable

FIELDS = waf.FIELDS
_TIMES: Final = ("EdgeStartTimestamp", "Datetime", "EdgeEndTimestamp")
_BLOCKING: Final = frozenset({"block", "drop", "challenge", "jschallenge", "managed_challenge", "connection_close"})
_NANOS: Final = 10**16
"""From here on a number of nanoseconds is meant: as milliseconds it would be the year 318857."""


def parse(unit: bytes) -> Read:
    """One request, or one decision upon a request."""
    entry = members.decode(unit)
    if isinstance(entry, Unreadable):
        return entry
    address = word(entry, "ClientIP")
    target = word(entry, "ClientRequestURI") or word(entry, "ClientRequestPath") + word(entry, "ClientRequestQuery")
    action = word(entry, "Action").lower()
    status, size = number(entry, "EdgeResponseStatus"), number(entry, "EdgeResponseBytes") or 0
    if not address or not target or (status is None and not action):
        return NOT_THIS_FORMAT
    time = _time(entry)
    if time is None:
        return NO_TIME
    if not 0 <= size <= INT64_MAX or (status is not None and not 0 <= status <= 999):  # noqa: PLR2004  # three digits
        return BEYOND_64_BITS
    method, agent = word(entry, "ClientRequestMethod"), word(entry, "ClientRequestUserAgent")
    uid, referrer = word(entry, "RayID"), word(entry, "ClientRequestReferer", "ClientRefererHost")
    if status is not None and not action:
        return waf.answered(
            time=time, uid=uid, address=address, method=method, target=target, agent=agent, referrer=referrer, status=status,
            size=size,
        )  # fmt: skip
    return waf.row(
        time=time, uid=f"{uid} {word(entry, 'RuleID')}" if uid else "", address=address, method=method, target=target,
        agent=agent, referrer=referrer, blocked=action in _BLOCKING, rule=word(entry, "RuleID"), status=status, size=size,
    )  # fmt: skip


def _time(entry: members.Members) -> int | None:
    for name in _TIMES:
        if name in entry:
            count = number(entry, name)
            if count is None:
                return any_of(entry[name])
            return any_of(count // 1_000_000 if count >= _NANOS else count)
    return None
