"""The format string of an access log in a format of one's own, guessed by its lines: whoever looks for a thief may not know who set
up the server.

    203.0.113.9 user=ann [29/Dec/2025:22:00:00 +1300] "GET /d/7 HTTP/1.1" 200 5 rt=0.02 "Mozilla/5.0"
    $remote_addr user=$remote_user [$time_local] "$request" $status $body_bytes_sent rt=$x1 "$http_user_agent"

A guess is given only where it reads the lines. It names what can be told by how it looks or by the label before it; before the
request, what is "-" in some lines and a name in others is who is signed in. $x1 and such are values of which only the operator can
say what they are.
"""

import re
from dataclasses import replace
from typing import Final

from strongroom.logs import formats, log_format
from strongroom.logs.formats import Format
from strongroom.logs.record import text

_PIECE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^\s"\[\]|;,]+|.', re.DOTALL)
_LABEL: Final = re.compile(r"([A-Za-z][\w.-]{0,40}[=:])(.*)", re.DOTALL)
_ADDRESS: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|(?=.*:.*:)[0-9a-fA-F:.]{3,45}")
_NUMBER: Final = re.compile(r"\d{1,12}|-")
_STATUS: Final = re.compile(r"[1-5]\d{2}")
_ANY: Final = re.compile(r".+", re.DOTALL)
_PLAIN: Final = re.compile(r"[ -#%-~]{20,4096}")
"""What a line may hold: what stands around values in it becomes a part of a format's name, which is printed."""
_KINDS: Final = (
    ("$time_local", re.compile(r"\[\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}\]")),
    ("$time_iso8601", re.compile(r"\[?\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})\]?")),
    ("$msec", re.compile(r"1\d{9}\.\d{3}")),
    ("$remote_addr", _ADDRESS),
    ("$request", re.compile(r'"[A-Z]{3,10} /\S* HTTP/[0-9.]{1,3}"')),
    ("$request_method", re.compile(r"GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS")),
    ("$request_uri", re.compile(r"/\S*")),
    ("$status", _STATUS),
    ("$body_bytes_sent", _NUMBER),
    ("$http_referer", re.compile(r'"https?://[^"]*"')),
    ("$http_user_agent", re.compile(r'"[^"]*(?:Mozilla/|[A-Za-z]/\d)[^"]*"')),
)
"""What pieces of a line are, by how they look, each once; status and size only behind the request."""
_BEHIND: Final = frozenset({"$status", "$body_bytes_sent", "$http_referer", "$http_user_agent"})
_TIMES: Final = frozenset({"$time_local", "$time_iso8601", "$msec"})
_REQUESTS: Final = frozenset({"$request", "$request_uri"})
_SESSION: Final = "$cookie_session"
_LABELS: Final = {
    label: (name, form)
    for name, form, labels in (
        ("$remote_user", _ANY, "user usr username user_name userid user_id uid u sub subject login account principal"),
        (_SESSION, _ANY, "session sess sid sessionid session_id jsessionid phpsessid"),
        ("$remote_addr", _ADDRESS, "ip addr address client client_ip clientip remote remote_addr src source"),
        ("$http_x_forwarded_for", _ANY, "xff forwarded x-forwarded-for x_forwarded_for fwd"),
        ("$request_method", _ANY, "method verb"),
        ("$request_uri", re.compile(r"/\S*"), "uri path url target"),
        ("$status", _STATUS, "status code http_status"),
        ("$body_bytes_sent", _NUMBER, "bytes size body body_bytes length sent bytes_sent"),
        ("$http_referer", _ANY, "referer referrer ref"),
        ("$http_user_agent", _ANY, "ua agent user_agent user-agent useragent"),
    )
    for label in labels.split()
}
"""What stands behind a label, and how it must look."""
_LINES: Final = 20
_LONGEST: Final = 4_096
_TWO: Final = 2
NAME: Final = "guessed "
"""Begins the name of a format that is a guess; the string follows."""


def recognise(sample: bytes) -> Format | None:
    """A format that is known; else one whose format string is guessed; else None."""
    known = formats.recognise(sample)
    if known is not None:
        return known
    guessed = string(sample)
    return formats.fitting(_format(guessed), sample) if guessed else None


def named(name: str) -> Format | None:
    """The format that `recognise` guessed, by its name."""
    return _format(name.removeprefix(NAME)) if name.startswith(NAME) else None


def said(format_: Format) -> str:
    """What is to be said of a format that is a guess; nothing of one that is known."""
    if not format_.name.startswith(NAME):
        return ""
    return f"the format is guessed: --log-format '{format_.name.removeprefix(NAME)}'; the string that configures it is better"


def string(sample: bytes) -> str:
    """A format string that reads the sample; empty where none was found."""
    for line in sample.split(b"\n", _LINES)[:_LINES]:
        guessed = _of(text(line[: _LONGEST + 1].removesuffix(b"\r")))
        if guessed and _reads(guessed, sample):
            return _signed_in(guessed, sample)
    return ""


def _format(guessed: str) -> Format:
    names = {"session": _SESSION} if _SESSION in guessed else None
    what = "access log, in a format that was guessed"
    return replace(log_format.format_of(guessed, names), name=NAME + guessed, what=what)


def _reads(guessed: str, sample: bytes) -> bool:
    try:
        return formats.fitting(_format(guessed), sample) is not None
    except log_format.Misfit:
        return False


def _signed_in(guessed: str, sample: bytes) -> str:
    """The same, with the value before the request that is a login where there is one, and only one."""
    before = re.findall(r"\$x\d+", guessed.partition("$request")[0])
    found = [
        one
        for one in before
        if "$remote_user" not in guessed and _logins(log_format.format_of(guessed, {"principal": one}), sample)
    ]
    return guessed if len(found) != 1 else re.sub(re.escape(found[0]) + r"\b", "$remote_user", guessed)


def _logins(format_: Format, sample: bytes) -> bool:
    """Whether some lines have one and some have none."""
    place = format_.fields.index("actor.user.name")
    names = {row[place] for row in formats.sampled(format_, sample)}
    return None in names and len(names) > _TWO


def _of(line: str) -> str:
    if _PLAIN.fullmatch(line) is None:
        return ""
    pieces = _PIECE.findall(line)
    found: list[str] = []
    written, label = "", ""
    sizes: int | None = None
    for at, piece in enumerate(pieces):
        if not label and not any(map(str.isalnum, piece)) and piece != "-" and not piece.startswith('"'):
            written += piece
            continue
        before, value = label, piece
        if not before and (split := _LABEL.fullmatch(piece)) and not _ADDRESS.fullmatch(piece):
            before, value = split[1], split[2]
            written += before
        label = before if not value else ""
        if not value:
            continue
        if sizes is None and "$status" in found:
            sizes = sum(map(_is_number, pieces[at:]))
        name = _name(value, before[:-1].lower(), found, size_told=sizes in {0, 1})
        found.append(name)
        written += f'"{name}"' if value.startswith('"') else f"[{name}]" if value.startswith("[") else name
    return written if "$status" in found and not _REQUESTS.isdisjoint(found) else ""


def _name(value: str, label: str, found: list[str], *, size_told: bool) -> str:
    """What a value is; $x and a number where nothing tells. Of several numbers nothing tells which is the size."""
    meant, form = _LABELS.get(label, ("", _ANY))
    if meant and meant not in found and form.fullmatch(value):
        return meant
    behind = not _REQUESTS.isdisjoint(found)
    for name, looks in () if meant else _KINDS:
        timed = name in _TIMES and not _TIMES.isdisjoint(found)
        if name in found or timed or (name in _BEHIND and not behind) or not looks.fullmatch(value):
            continue
        if name == "$request_uri" and (behind or found[-1:] != ["$request_method"]):
            continue
        if name == "$body_bytes_sent" and (label or not size_told):
            break
        return name
    return f"$x{sum(one.startswith('$x') for one in found) + 1}"


def _is_number(piece: str) -> bool:
    return piece != "-" and _NUMBER.fullmatch(piece) is not None
