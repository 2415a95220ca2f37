"""The format string of an access log in a format of one's own, guessed by its lines: whoever looks for a thief may not know who set
up the server.

    203.0.113.9 u=ann [29/Dec/2025:22:00:00 +1300] "GET /d/7 HTTP/1.1" 200 5 rt=0.02 "Mozilla/5.0"
    $remote_addr u=$x1 [$time_local] "$request" $status $body_bytes_sent rt=$x2 "$http_user_agent"

A guess is given only where it reads the lines. It names what can be told by how it looks or is labelled; before the request, what
is "-" in some lines and a name in others is who is signed in. $x1 and such are values of which only the operator can say what they
are.
"""

import re
from typing import Final

from strongroom.logs import formats, log_format
from strongroom.logs.record import text

_PIECE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^\s"\[\]]+|.', re.DOTALL)
_KINDS: Final = (
    ("$time_local", re.compile(r"\[\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}\]")),
    ("$time_iso8601", re.compile(r"\[?\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})\]?")),
    ("$msec", re.compile(r"1\d{9}\.\d{3}")),
    ("$remote_addr", re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|(?=.*:.*:)[0-9a-fA-F:.]{3,45}")),
    ("$request", re.compile(r'"[A-Z]{3,10} /\S* HTTP/[0-9.]{1,3}"')),
    ("$status", re.compile(r"[1-5]\d{2}")),
    ("$body_bytes_sent", re.compile(r"\d{1,12}|-")),
    ("$http_referer", re.compile(r'"https?://[^"]*"')),
    ("$http_user_agent", re.compile(r'"[^"]*(?:Mozilla/|[A-Za-z]/\d)[^"]*"')),
)
"""What pieces of a line are, by how they look, each once; status and size only behind the request."""
_BEHIND: Final = frozenset({"$status", "$body_bytes_sent", "$http_referer", "$http_user_agent"})
_LOGINS: Final = frozenset({"user", "username", "login", "account", "sub", "uid", "userid", "user_id"})
"""Labels of who is signed in."""
_LINES: Final = 20
_LONGEST: Final = 4_096
_TWO: Final = 2


def string(sample: bytes) -> str:
    """A format string that reads the sample; empty where none was found."""
    for line in sample.split(b"\n", _LINES)[:_LINES]:
        guessed = _of(text(line[: _LONGEST + 1]))
        if guessed and _reads(guessed, sample):
            return _signed_in(guessed, sample)
    return ""


def _reads(guessed: str, sample: bytes) -> bool:
    try:
        return formats.fitting(log_format.format_of(guessed), sample) is not None
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


def _logins(format_: formats.Format, sample: bytes) -> bool:
    """Whether some lines have one and some have none."""
    place = format_.fields.index("actor.user.name")
    names = {row[place] for row in formats.sampled(format_, sample)}
    return None in names and len(names) > _TWO


def _of(line: str) -> str:
    if len(line) > _LONGEST or "$" in line:
        return ""
    found: list[str] = []
    written, unknown = "", 0
    for piece in _PIECE.findall(line):
        if piece != "-" and not any(map(str.isalnum, piece)) and not piece.startswith('"'):
            written += piece
            continue
        name = _name(piece, found)
        label, sign, _ = piece.partition("=")
        if not name and sign and label.lower() in _LOGINS and "$remote_user" not in found:
            name = "$remote_user"
        if not name:
            unknown += 1
            name = f"$x{unknown}"
        found.append(name)
        if piece.startswith('"'):
            written += f'"{name}"'
        elif piece.startswith("["):
            written += f"[{name}]"
        else:
            written += f"{label}={name}" if sign and name.startswith(("$x", "$remote_user")) else name
    return written if {"$request", "$status"} <= set(found) else ""


def _name(piece: str, found: list[str]) -> str:
    """What a piece is; empty where nothing tells."""
    behind = "$request" in found
    for name, form in _KINDS:
        timed = name in {"$time_local", "$time_iso8601", "$msec"} and any(
            one.startswith(("$time", "$msec")) for one in found
        )
        if name not in found and not timed and (behind or name not in _BEHIND) and form.fullmatch(piece):
            return name
    return ""
