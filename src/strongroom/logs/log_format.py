"""Access logs of nginx and Apache httpd in a format of one's own, told by the string that configures it.

nginx ngx_http_log_module: `log_format main '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'`;
Apache httpd 2.4 mod_log_config: `LogFormat "%h %l %u %t \\"%r\\" %>s %b" common`. The directive or its string alone.

A value ends where the text that stands behind it in the string first comes; within quotes an escaped quote is no end. So one pass
over the line suffices, whatever stands in it. A path that a server writes decoded (%U, $uri) may hold that text itself: it goes as
far as the rest allows, so that who asks for "/a 404" does not write the answer. Escapes stay as the server wrote them. Values that
only the operator knows (a header with the login, a cookie with the session) are named by `Names`.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from strongroom.logs import web
from strongroom.logs.formats import Format
from strongroom.logs.forms import shape
from strongroom.logs.moment import any_of, clf, epoch, iso
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Row, Unreadable, text

FIELDS: Final = (*web.FIELDS, "actor.session.uid")
NAMES: Final = ("principal", "session", "address", "forwarded", "document", "patient")
"""What the operator may say of a value that no server's own words tell."""
Names = dict[str, str]
"""One of NAMES -> the variable or directive that holds it, as it stands in the string: $http_x_user, %{X-User}i."""

MAX: Final = 8 * 1024
"""Characters of a format string. Real ones have some hundred."""


class Misfit(Exception):
    """The string does not tell how lines are read. The message says why."""


_NGINX: Final = {
    "remote_addr": "address", "realip_remote_addr": "address", "proxy_protocol_addr": "address", "remote_user": "principal",
    "time_local": "clf", "time_iso8601": "iso", "msec": "epoch", "request": "request", "request_method": "method",
    "request_uri": "target", "uri": "path", "document_uri": "path", "args": "query", "query_string": "query",
    "status": "status", "body_bytes_sent": "size", "bytes_sent": "size_all", "http_referer": "referrer",
    "http_user_agent": "agent", "http_x_forwarded_for": "forwarded", "proxy_add_x_forwarded_for": "forwarded",
}  # fmt: skip
_APACHE: Final = {
    "h": "address", "a": "address", "{c}a": "peer", "u": "principal", "t": "clf", "r": "request", "m": "method", "U": "path",
    "U%q": "target", "q": "query", "s": "status", "b": "size", "B": "size", "O": "size_all",
    "{referer}i": "referrer", "{user-agent}i": "agent", "{x-forwarded-for}i": "forwarded",
    "{sec}t": "epoch", "{msec}t": "epoch", "{usec}t": "micros", "{begin:sec}t": "epoch", "{begin:msec}t": "epoch",
    "{begin:usec}t": "micros", "{end:sec}t": "epoch", "{end:msec}t": "epoch", "{end:usec}t": "micros",
}  # fmt: skip
_NGINX_PART: Final = re.compile(r"\$(?:\{([a-z0-9_]{1,80})\}|([a-z0-9_]{1,80}))")
_APACHE_PART: Final = re.compile(r"%(?:!?\d{3}(?:,\d{3})*)?[<>]?(\{[^}]{1,200}\})?([<>]?)(\^t[io]|[a-zA-Z])|%%")
_FRACTIONS: Final = {"msec_frac": "[0-9]{3}", "usec_frac": "[0-9]{6}"}
_FIXED: Final = {
    f"{{{when}{name}}}t": form for when in ("", "begin:", "end:") for name, form in _FRACTIONS.items()
}  # fmt: skip
_TYPED: Final = {"status": r"[0-9]{3}|-", "size": r"[0-9]+|-", "size_all": r"[0-9]+|-"}
_DECODED: Final = frozenset({"U", "U%q", "uri", "document_uri"})
_QUOTED: Final = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_REQUEST: Final = re.compile(r"([A-Z]{1,20}) (\S.*)", re.DOTALL)
_PROTOCOL: Final = re.compile(r" HTTP/[0-9.]{1,4}\Z")
_NEEDED: Final = ("a time", "a client or a login", "a request", "a status")


@dataclass(slots=True)
class _Plan:
    """The pattern of a line, and which of its groups holds what."""

    pattern: re.Pattern[str]
    places: dict[str, int] = field(default_factory=dict)
    times: list[tuple[str, int]] = field(default_factory=list)  # pieces of a time, by strftime


def format_of(written: str, names: Names | None = None) -> Format:
    """How lines of this format are read. Raises Misfit."""
    return Format("log-format", "an access log by your format string", FIELDS, _reader(_plan(written, names or {})))


def _plan(written: str, names: Names) -> _Plan:
    if len(written) > MAX:
        raise Misfit(f"The format string is longer than {MAX} characters.")
    string = _string(written.strip())
    nginx = _NGINX_PART.search(string) is not None and not re.search(r"%[<>{a-zA-Z]", string)
    parts = _parts(string, nginx=nginx)
    meanings = _NGINX if nginx else _APACHE
    decoded = next((place for place, (part, is_value) in enumerate(parts) if is_value and part in _DECODED), None)
    plan = _Plan(re.compile(_pattern(parts, meanings, decoded), re.DOTALL))
    seen: dict[str, int] = {}
    for place, part in enumerate((part for part, is_value in parts if is_value), 1):
        seen.setdefault(part, place)
        meant = meanings.get(part)
        if meant:
            plan.places.setdefault(meant, place)
        elif not nginx and part.endswith("}t"):
            plan.times.append((part[1:-2].removeprefix("begin:").removeprefix("end:"), place))
    for name, value in names.items():
        place_of = seen.get(_named(value))
        if place_of is None:
            raise Misfit(f"{value} is named as {name} and does not stand in the format string.")
        plan.places[name] = place_of
    try:
        _moment("", _form(plan))
    except re.error as error:
        raise Misfit("The format string tells a part of the time twice.") from error
    told = plan.places.keys()
    has = (
        bool(told & {"clf", "iso", "epoch", "micros"} or plan.times), bool(told & {"address", "peer", "principal"}),
        bool(told & {"request", "target", "path"}), "status" in told,
    )  # fmt: skip
    if not all(has):
        missing = ", ".join(name for name, there in zip(_NEEDED, has, strict=True) if not there)
        raise Misfit(f"The format string does not tell {missing}.")
    return plan


def _string(written: str) -> str:
    """The string of a directive; the string itself where it is none."""
    directive = re.fullmatch(r"log_format\s+\S+\s+(?:escape=\w+\s+)?(.*?);?", written, re.DOTALL)
    if directive:
        return "".join(
            one[0] or one[1] for one in re.findall(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", directive[1])
        )
    directive = re.fullmatch(r'LogFormat\s+"((?:[^"\\]|\\.)*)"(?:\s+\S+)?', written, re.DOTALL)
    string = directive[1] if directive else written
    return string.replace('\\"', '"').replace("\\t", "\t")


def _parts(string: str, *, nginx: bool) -> list[tuple[str, bool]]:
    """Texts and values in turn: (text, False) or (name of the value, True)."""
    parts: list[tuple[str, bool]] = []
    at, literal = 0, ""
    for found in (_NGINX_PART if nginx else _APACHE_PART).finditer(string):
        literal += string[at : found.start()]
        at = found.end()
        if found[0] == "%%":
            literal += "%"
            continue
        if literal:
            parts.append((literal, False))
            literal = ""
        parts.append((found[1] or found[2] if nginx else _directive(found[1] or "", found[3]), True))
    literal += string[at:]
    for place in range(len(parts) - 1, 0, -1):
        if parts[place - 1 : place + 1] == [("U", True), ("q", True)]:  # a query brings its question mark
            parts[place - 1 : place + 1] = [("U%q", True)]
    return [*parts, (literal, False)] if literal else parts


def _directive(argument: str, letter: str) -> str:
    """A directive's name in one spelling: names of headers have no case, formats of time have."""
    return (argument if letter == "t" else argument.lower()) + letter


def _named(value: str) -> str:
    found = _NGINX_PART.fullmatch(value)
    if found:
        return found[1] or found[2]
    apache = _APACHE_PART.fullmatch(value)
    return _directive(apache[1] or "", apache[3]) if apache and apache[3] else value


def _pattern(parts: list[tuple[str, bool]], meanings: dict[str, str], longest: int | None) -> str:
    """The expression for a line. The value at `longest` goes as far as the rest allows; all others end as soon as they can."""
    pattern = ""
    for place, (part, is_value) in enumerate(parts):
        if not is_value:
            pattern += re.escape(part)
            continue
        before = parts[place - 1][0] if place and not parts[place - 1][1] else ""
        after, after_is_value = parts[place + 1] if place + 1 < len(parts) else ("", False)
        if after and parts[place + 2 : place + 3] == [("t", True)]:
            after += "["
        typed = _FIXED.get(part) or _TYPED.get(meanings.get(part, ""))
        if typed:
            pattern += f"({typed})"
        elif after_is_value and part != "t":
            raise Misfit(
                f"Nothing stands between {part} and {after} in the format string: no line tells where one ends."
            )
        elif part == "t":
            pattern += r"\[([^\]]*+)\]"
        elif before.endswith('"') and after.startswith('"'):
            pattern += f"({_QUOTED})"
        elif place == longest:
            pattern += "(.*)"
        elif after:
            piece = f"(?:(?!{re.escape(after)}).)*+"
            within = part.count(after) if part.endswith("}t") else 0  # a form of time may hold the text that ends it
            pattern += f"((?:{piece}{re.escape(after)}){{{within}}}{piece})"
        else:
            pattern += "(.*+)"
    return pattern


def _reader(plan: _Plan) -> Callable[[bytes], Row | Unreadable]:
    size_at = "size" if "size" in plan.places else "size_all"

    def parse(unit: bytes) -> Row | Unreadable:
        found = plan.pattern.fullmatch(text(unit))
        if found is None:
            return NOT_THIS_FORMAT

        def told(what: str) -> str:
            place = plan.places.get(what)
            value = found[place] if place else ""
            return "" if value == "-" else value

        status, written = told("status"), told(size_at) or "0"
        if not re.fullmatch(r"[0-9]{3}|", status) or not (written.isascii() and written.isdigit()):
            return NOT_THIS_FORMAT
        time, size = _time(plan, found, told), web.whole(written)
        if time is None:
            return NO_TIME
        if size is None:
            return BEYOND_64_BITS
        method, target = _asked(told)
        address = told("address") or told("peer")
        if not address and not told("principal"):
            return NOT_THIS_FORMAT
        row = web.row(
            time=time, address=address, user=told("principal"), method=method, target_=target,
            agent=told("agent") or ("-" if "agent" in plan.places else ""),
            referrer=told("referrer"), status=int(status or 0), size=size, forwarded=told("forwarded"),
        )  # fmt: skip
        return (*owned(row, told("document"), told("patient")), told("session") or None)

    return parse


def _asked(told: Callable[[str], str]) -> tuple[str, str]:
    """Method and target, of the request line or of its parts."""
    request = told("request")
    if request:
        asked = _REQUEST.fullmatch(request)
        return (asked[1], _PROTOCOL.sub("", asked[2])) if asked else ("", request)
    query = told("query").removeprefix("?")
    return told("method"), told("target") or told("path") + (f"?{query}" if query else "")


def owned(row: Row, document: str, patient: str) -> Row:
    """The row, with the document and the patient that the log itself names."""
    if not document and not patient:
        return row
    changed = list(row)
    if document:
        changed[web.FIELDS.index("document")] = document
        changed[web.FIELDS.index("number")] = shape(document)[1]
    if patient:
        changed[web.FIELDS.index("patient")] = patient
    return tuple(changed)


def _time(plan: _Plan, found: re.Match[str], told: Callable[[str], str]) -> int | None:
    if "clf" in plan.places:
        return clf(told("clf"))
    if "iso" in plan.places:
        return iso(told("iso"))
    for name, part in (("epoch", 1), ("micros", 1000)):
        if name in plan.places:
            written = told(name)
            if not re.fullmatch(r"[0-9]{1,17}(?:\.[0-9]{1,9})?", written):
                return None
            return epoch(float(written)) if part == 1 else int(written) // part if written.isdigit() else None
    form = _form(plan)
    at = _moment("\n".join(found[place] for name, place in plan.times if name not in _FRACTIONS), form)
    fraction = next((found[place] for name, place in plan.times if name in _FRACTIONS), "0")
    return None if at is None else at + int(fraction.ljust(3, "0")[:3])


def _form(plan: _Plan) -> str:
    """The pieces of a time in strftime's words, a line each."""
    return "\n".join(name for name, _ in plan.times if name not in _FRACTIONS)


@functools.lru_cache(maxsize=4_096)
def _moment(written: str, form: str) -> int | None:
    """A time by strftime's words; without a zone UTC is meant."""
    try:
        return any_of(datetime.strptime(written, form).isoformat())  # noqa: DTZ007  # `iso` says what no zone means
    except ValueError:
        return None
