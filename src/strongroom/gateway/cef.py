"""What was refused, or would have been, as one line of syslog (RFC 5424) that holds one event in CEF (ArcSight, version 0). Pure.

Names of people and sessions are the gateway's own. No address of a document, no word of a request is in it.
"""

from typing import Final

from strongroom.clock import iso
from strongroom.gateway.proxy import Event

_FACILITY: Final = 4
"""Security messages (RFC 5424, section 6.2.1)."""
_WARNING, _NOTICE = 4, 5
_GRAVE, _MILD = 7, 3
"""CEF counts from 0 to 10."""
_HEADER: Final = str.maketrans({"\\": "\\\\", "|": "\\|", "\n": " ", "\r": " "})
_VALUE: Final = str.maketrans({"\\": "\\\\", "=": "\\=", "\n": "\\n", "\r": "\\r"})


def line(one: Event, product: str, host: str, process: int) -> bytes:
    """The datagram for one event. `product` is our version, `host` this machine's name, `process` our number."""
    grave = one.refused and one.rule.startswith(("guard", "waf"))
    priority = _FACILITY * 8 + (_WARNING if grave else _NOTICE)
    return f"<{priority}>1 {iso(one.at)} {host or '-'} strongroom-gateway {process} {one.request} - {cef(one, product)}".encode()


def cef(one: Event, product: str) -> str:
    """The event alone."""
    grave = one.rule.startswith(("guard", "waf"))
    asked = one.asked
    who = asked.who if asked is not None else None
    name = f"{'refused' if one.refused else 'would have been refused'} by {one.rule}"
    header = ("Strongroom", "gateway", product, one.rule, name, str(_GRAVE if grave else _MILD))
    said = {
        "rt": str(one.at), "externalId": one.request, "requestMethod": one.method, "act": "blocked" if one.refused else "noted",
        "outcome": str(one.status), "src": one.network.partition("/")[0], "suid": who.person if who else "",
        "cs1Label": "route", "cs1": asked.route if asked is not None else "",
        "cs2Label": "session", "cs2": who.session if who else "",
        "cs3Label": "waf", "cs3": " ".join(f"{hit.rule}:{hit.part}" for hit in one.hits),
    }  # fmt: skip
    fields = " ".join(f"{key}={value.translate(_VALUE)}" for key, value in said.items() if value)
    return "CEF:0|" + "|".join(part.translate(_HEADER) for part in header) + "|" + fields
