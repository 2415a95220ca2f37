"""Access logs in JSON, one object a line: nginx with a JSON log_format, Traefik, Caddy, Envoy and whoever names fields alike.

Each column takes the first of its names that the object has; a container runtime's prefix before the object is left out. Where
names are not at the top they are looked for inside, as in the Elastic Common Schema, OpenTelemetry, Google's load balancers, and
records that Elasticsearch gives back.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from strongroom.logs import web
from strongroom.logs.moment import any_of
from strongroom.logs.record import BEYOND_64_BITS, INT64_MAX, NO_JSON, NO_TIME, NOT_THIS_FORMAT, Row, Unreadable, text

_TIME = (
    "start_time",
    "StartUTC",
    "time_iso8601",
    "@timestamp",
    "timestamp",
    "ts",
    "time",
    "time_local",
    "msec",
    "date",
)
_ADDRESS = (
    "remote_addr", "ClientHost", "client_ip", "clientip", "remote_ip", "remoteAddr", "downstream_remote_address",
    "client", "ip", "src_ip", "c-ip", "clientIp", "remote_ip_address",
)  # fmt: skip
_FORWARDED = (
    "x_forwarded_for", "http_x_forwarded_for", "request_X-Forwarded-For", "x-forwarded-for", "X-Forwarded-For", "forwarded_for",
    "xff", "proxy_add_x_forwarded_for", "http_cf_connecting_ip", "cf_connecting_ip", "cf-connecting-ip", "http_true_client_ip",
    "true_client_ip", "true-client-ip", "request_Cf-Connecting-Ip", "request_True-Client-Ip",
)  # fmt: skip
_USER = (
    "remote_user", "ClientUsername", "user", "user_id", "username", "auth_user", "cs-username", "user_name", "userId",
    "x_user", "http_x_user", "x_user_id", "http_x_user_id", "x_remote_user", "http_x_remote_user", "x_forwarded_user",
    "http_x_forwarded_user", "x_auth_request_user", "jwt_sub", "jwt_claim_sub", "sub", "principal", "login",
)  # fmt: skip
_USERS: Final = frozenset(_USER)
_METHOD = ("request_method", "RequestMethod", "method", "http_method", "verb", "cs-method")
_TARGET = (
    "request_uri", "RequestPath", "x-envoy-origin-path", "x-envoy-original-path", "uri", "url", "path", "cs-uri",
    "cs-uri-stem",
)  # fmt: skip
_STATUS = ("status", "DownstreamStatus", "response_code", "status_code", "sc-status", "code")
_SIZE = (
    "body_bytes_sent",
    "DownstreamContentSize",
    "bytes_sent",
    "bytes",
    "size",
    "sc-bytes",
    "response_size",
    "length",
)
_AGENT = ("http_user_agent", "request_User-Agent", "user_agent", "user-agent", "userAgent", "agent", "ua")
_REFERRER = ("http_referer", "request_Referer", "referer", "referrer")

_CONTAINER: Final = re.compile(rb"\S{20,40} (?:stdout|stderr) [FP] (?=\{)")  # the CRI log format of Kubernetes
_PORT: Final = re.compile(r"([0-9.]+|\[[0-9a-fA-F:.]+\]):\d{1,5}")
_DECODER: Final = msgspec.json.Decoder(dict[str, Any])

FIELDS = web.FIELDS


def parse(unit: bytes) -> Row | Unreadable:
    """One line."""
    entry = decoded(unit)
    return entry if isinstance(entry, Unreadable) else row(entry)


def decoded(unit: bytes) -> dict[str, Any] | Unreadable:
    """The object of a line."""
    prefix = _CONTAINER.match(unit[:100])
    try:
        return _DECODER.decode(unit[prefix.end() :] if prefix else unit)
    except msgspec.ValidationError:
        return NOT_THIS_FORMAT
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NO_JSON


def row(entry: dict[str, Any]) -> Row | Unreadable:
    """What an object says."""
    if not _text(entry, _TARGET) and "request" not in entry:
        entry = _inside(entry)
    request = entry.get("request")
    if isinstance(request, dict):  # Caddy keeps the request in an object of its own
        entry = {
            **request,
            **entry,
            "user_agent": _header(request, "User-Agent"),
            "referer": _header(request, "Referer"),
            "x_forwarded_for": entry.get("x_forwarded_for") or _header(request, "X-Forwarded-For"),
        }
    address, method, target = _text(entry, _ADDRESS), _text(entry, _METHOD), _text(entry, _TARGET)
    if not target and isinstance(request, str):
        asked, target = web.split(request)
        method = method or asked
    if target.startswith(("https://", "http://")):
        target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"  # noqa: PLR2004  # those before a path
    status, size = _number(entry, _STATUS), _number(entry, _SIZE)
    if not address or not target or status is None:
        return NOT_THIS_FORMAT
    time = next((at for name in _TIME if name in entry and (at := any_of(_sized(entry[name]))) is not None), None)
    if time is None:
        return NO_TIME
    if (size is not None and size > INT64_MAX) or not 0 <= status <= 999:  # noqa: PLR2004  # three digits
        return BEYOND_64_BITS
    return web.row(
        time=time, address=_bare(address), forwarded=_text(entry, _FORWARDED),
        user=_who(entry), method=method.upper(), target_=target,
        agent=_text(entry, _AGENT) or _unnamed(entry), referrer=_text(entry, _REFERRER), status=status, size=max(size or 0, 0),
    )  # fmt: skip


_SAME: Final = {
    "source.ip": "remote_addr", "client.ip": "remote_addr", "source.address": "remote_addr", "client.address": "remote_addr",
    "http.client_ip": "remote_addr", "net.peer.ip": "remote_addr", "httprequest.remoteip": "remote_addr",
    "user.name": "remote_user", "user.id": "remote_user", "enduser.id": "remote_user", "client.user": "remote_user",
    "user.email": "remote_user",
    "http.request.method": "request_method", "http.method": "request_method", "httprequest.requestmethod": "request_method",
    "url.original": "request_uri", "http.target": "request_uri", "http.request.uri": "request_uri",
    "http.request.path": "request_uri",
    "url.path": "uri", "http.url": "url", "httprequest.requesturl": "url", "url.full": "url",
    "http.response.status_code": "status", "http.status_code": "status", "http.response.status": "status",
    "httprequest.status": "status",
    "http.response.body.bytes": "bytes", "http.response.bytes": "bytes", "httprequest.responsesize": "bytes",
    "body_sent.bytes": "bytes",
    "http.response_content_length": "bytes", "http.response.body.size": "bytes",
    "http.request.headers.x-forwarded-for": "x_forwarded_for", "http.request.header.x-forwarded-for": "x_forwarded_for",
    "user_agent.original": "user_agent", "httprequest.useragent": "user_agent", "http.user_agent": "user_agent", "ua": "user_agent",
    "http.request.referrer": "referrer", "httprequest.referer": "referrer",
}  # fmt: skip
"""Names inside objects, joined by dots, in small letters -> the name that they have at the top."""
_AROUND: Final = (
    "_source.",
    "attributes.",
    "fields.",
    "json.",
    "jsonpayload.",
    "nginx.access.",
    "apache.access.",
    "mdc.",
)
_DEPTH: Final = 4


def _inside(entry: dict[str, Any]) -> dict[str, Any]:
    """The object with what stands inside it under the names that it would have at the top, the first of each."""
    found = {name: value for name, value in entry.items() if not isinstance(value, dict) or name == "request"}
    for name, value in _dotted(entry, "", _DEPTH):
        around = next((one for one in _AROUND if name.startswith(one)), "")
        bare = name[len(around) :]
        known = _SAME.get(bare.lower()) or (bare if around else None)
        if known is not None:
            found.setdefault(known, value)
    return found


def _dotted(entry: dict[str, Any], before: str, deep: int) -> Iterator[tuple[str, Any]]:
    for name, value in entry.items():
        if isinstance(value, dict) and deep:
            yield from _dotted(value, f"{before}{name}.", deep - 1)
        else:
            yield before + name, value


def _unnamed(entry: dict[str, Any]) -> str:
    """What says that the client named no program: a field for it with nothing in it."""
    return "-" if any(entry.get(name) == "" for name in _AGENT) else ""


def _text(entry: dict[str, Any], names: tuple[str, ...]) -> str:
    """The first of these fields that is text, made safe to store."""
    for name in names:
        value = entry.get(name)
        if isinstance(value, str):
            return value if value.isascii() else text(value.encode("utf-8", "backslashreplace"))
    return ""


def _who(entry: dict[str, Any]) -> str:
    """The first of the fields for a login that has one. Programs number their accounts."""
    if _USERS.isdisjoint(entry):
        return ""
    for name in _USER:
        value = entry.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value not in {"", "-", "--"}:
            return _text(entry, (name,))
    return ""


def _number(entry: dict[str, Any], names: tuple[str, ...]) -> int | None:
    for name in names:
        value = entry.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 40:  # noqa: PLR2004  # a bound
            return int(value)
    return None


def _sized(value: object) -> object:
    """Text that is a number as one: nginx' $msec is often logged in quotes."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,15}(?:\.\d{1,9})?", value):
        return float(value)
    return value


def _header(request: dict[str, Any], name: str) -> str:
    headers = request.get("headers")
    values = headers.get(name) if isinstance(headers, dict) else None
    return values[0] if isinstance(values, list) and values and isinstance(values[0], str) else ""


def _bare(address: str) -> str:
    found = _PORT.fullmatch(address)
    return found[1].strip("[]") if found else address
