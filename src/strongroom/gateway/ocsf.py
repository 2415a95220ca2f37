"""What became of a request, as one OCSF event (1.8.0): HTTP Activity, or File Hosting Activity where it was for a document.

People and sessions are the gateway's own names of them (`person`). Ids of documents and patients are plain, as in any access log:
without them nobody could say afterwards whose documents left. Of what the WAF matched there are rules' numbers and names of parts.
"""

from typing import Any, Final

from strongroom.gateway.proxy import Event

VERSION: Final = "1.8.0"
_HTTP, _HOSTING = (4, 4002), (6, 6006)
_METHODS: Final = {"DELETE": 2, "GET": 3, "HEAD": 4, "OPTIONS": 5, "POST": 6, "PUT": 7}
_FILE: Final = {"GET": 2, "HEAD": 17, "POST": 1, "PUT": 3, "PATCH": 3, "DELETE": 4}
"""Download, access check, upload, update, delete."""
_OTHER: Final = 99
_ALLOWED, _DENIED = (1, "Allowed"), (2, "Denied")
_INFORMATIONAL, _LOW, _MEDIUM = (1, "Informational"), (2, "Low"), (3, "Medium")


def event(one: Event, product: str) -> dict[str, Any]:
    """One event. `product` is our version."""
    asked = one.asked
    document = asked.document if asked else ""
    category, kind = _HOSTING if document else _HTTP
    activity = (_FILE if document else _METHODS).get(one.method, _OTHER)
    action, severity = (_DENIED if one.refused else _ALLOWED), _severity(one)
    found: dict[str, Any] = {
        "category_uid": category, "class_uid": kind, "activity_id": activity, "type_uid": kind * 100 + activity, "time": one.at,
        "severity_id": severity[0], "severity": severity[1], "status_id": 1 if 0 < one.status < 400 else 2,  # noqa: PLR2004  # success
        "status_code": str(one.status), "action_id": action[0], "action": action[1],
        "metadata": {
            "version": VERSION, "uid": one.request, "profiles": ["security_control"],
            "product": {"name": "Strongroom gateway", "vendor_name": "Strongroom", "version": product},
        },
        "http_request": {"uid": one.request, "http_method": one.method},
        "http_response": {"code": one.status, "body_length": one.size},
        "src_endpoint": endpoint(one.network),
        "actor": {},
        "unmapped": {
            "route": asked.route if asked else "", "portal_status": one.portal, "device": asked.device if asked else "",
            "waf_saw": one.seen,
        },
    }  # fmt: skip
    if asked and asked.who:
        found["actor"] = {"user": {"uid": asked.who.person}, "session": {"uid": asked.who.session}}
    if document and asked:
        found["file"] = {"name": document, "uid": document, "type_id": 1}
        found["unmapped"]["patient"] = asked.patient
    if one.rule:
        found["firewall_rule"] = {"uid": one.rule, "name": one.rule}
    if one.hits:
        found["unmapped"]["waf"] = [{"rule": hit.rule, "part": hit.part, "severity": hit.severity} for hit in one.hits]
    return found


def _severity(one: Event) -> tuple[int, str]:
    if one.rule.startswith(("guard-", "waf-")):
        return _MEDIUM
    return _LOW if one.rule else _INFORMATIONAL


def endpoint(network: str) -> dict[str, Any]:
    """Where a request came from: an address, or the name of a network."""
    address, _, length = network.partition("/")
    if length == "32":
        return {"ip": address}
    return {"name": network or "unknown"}
