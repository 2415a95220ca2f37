"""Lines of logs inside the lines of whoever carried them: syslog, a container's runtime, the journal, collectors that write JSON.

    <190>Mar  2 06:00:00 web01 nginx: 203.0.113.9 - ann [02/Mar/2026:06:00:00 +0000] "GET …
    2026-03-02T06:00:00.000000000Z stdout F 203.0.113.9 - ann [02/Mar/2026:06:00:00 +0000] "GET …
    {"log": "203.0.113.9 - ann [02/Mar/2026:06:00:00 +0000] \\"GET …\\n", "stream": "stdout", "time": "…"}

RFC 3164 and 5424; the Kubernetes CRI's form. A record stands where its carrier's line stands.
"""

import re
from collections.abc import Callable
from typing import Final

import msgspec

_WHEN = (
    rb"(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}"
    rb"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}[0-9.,]{0,10}(?:Z|[+-][0-9]{2}:?[0-9]{2})?)"
)
_CONTAINER: Final = re.compile(rb"[0-9T:.-]{19,29}(?:Z|[+-][0-9:]{5}) (?:stdout|stderr) [FP] ")
_SYSLOG: Final = re.compile(rb"(?:<[0-9]{1,3}>)?" + _WHEN + rb" [!-~]{1,255} [!-9;-~]{1,128}: ?")
_RFC_5424: Final = re.compile(
    rb"(?:<[0-9]{1,3}>)1 [!-~]{1,40} [!-~]{1,255} [!-~]{1,48} [!-~]{1,128} [!-~]{1,32} "
    rb"(?:-|(?:\[(?:[^\]\\]|\\.){0,2000}\])+) (?:\xef\xbb\xbf)?"
)


class _Carrier(msgspec.Struct):
    """The members that may hold a line, of a journal's, a driver's or a collector's object."""

    log: str | msgspec.UnsetType = msgspec.UNSET
    journal: str | msgspec.UnsetType = msgspec.field(name="MESSAGE", default=msgspec.UNSET)
    message: str | msgspec.UnsetType = msgspec.UNSET
    msg: str | msgspec.UnsetType = msgspec.UNSET
    payload: str | msgspec.UnsetType = msgspec.field(name="textPayload", default=msgspec.UNSET)
    line: str | msgspec.UnsetType = msgspec.UNSET
    raw: str | msgspec.UnsetType = msgspec.field(name="_raw", default=msgspec.UNSET)


_DECODER: Final = msgspec.json.Decoder(_Carrier)

Unwrap = Callable[[bytes], bytes | None]
"""A carrier's line -> the line in it; None where there is none."""


def _prefixed(form: re.Pattern[bytes]) -> Unwrap:
    def unwrap(line: bytes) -> bytes | None:
        found = form.match(line[:4_096])
        return line[found.end() :] if found else None

    return unwrap


def _carried(line: bytes) -> bytes | None:
    if line[:1] != b"{":
        return None
    try:
        found = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    members = (found.log, found.journal, found.message, found.payload, found.line, found.raw, found.msg)
    told = next((one for one in members if isinstance(one, str)), "")
    return told.encode("utf-8", "backslashreplace").rstrip(b"\r\n") or None


CARRIERS: Final[tuple[tuple[str, Unwrap], ...]] = (
    ("from a container's runtime", _prefixed(_CONTAINER)),
    ("by syslog", _prefixed(_RFC_5424)),
    ("by syslog", _prefixed(_SYSLOG)),
    ("in JSON", _carried),
)
"""What is said of a log that came so, and how its lines are had."""
