"""One spelling of every request target: decoded once, refused where two readers would differ, written again by us.

Rules, for a path:

* it begins with `/`, has no more than `MAX_TARGET` bytes with its query, and only characters that RFC 3986 (section 3.3) names;
* an escape is `%` and two hexadecimal digits; what it decodes to is UTF-8, and none of `/ \\ ? # % ;`, no control, no NUL;
* no segment is `.` or `..` or empty, but for the last one, which may be empty.

`%2f` and `%5c` are read as a separator by some servers and as a character by others; `%3f` hides the rest of a path from
libmodsecurity 3.0.9 (CVE-2024-1019); `%25` is the first half of a double encoding; `;` begins parameters that Java servers cut
off before they look at the path. None of them is needed to name a document.

For a query: pairs between `&`, names that are not empty, the same escapes, and no control, escaped or not. What may stand in a
value is said by its kind (`kinds`), and which names may come twice by the route (`contract`). Whoever forwards writes
`Target.wire`, never what came.
"""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from strongroom.gateway.refusal import Refusal

MAX_TARGET: Final = 8_192
"""Bytes. Most servers stop there too (nginx: 8k, Apache: 8190)."""
MAX_PAIRS: Final = 100
"""Parameters. libmodsecurity spends seconds on ten thousand, milliseconds on a hundred."""

_PATH: Final = re.compile(rb"/[A-Za-z0-9\-._~!$&'()*+,=:@/%]*")  # pchar of RFC 3986 without `;`
_QUERY: Final = re.compile(rb"[A-Za-z0-9\-._~!$&'()*+,=:@/?%;\[\]|]*")  # and what browsers leave as it is
_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_SPLITTERS: Final = frozenset("/\\?#%;")
_SAFE_PATH: Final = "-._~!$&'()*+,=:@"
_SAFE_QUERY: Final = "-._~!$'()*,:@/"


@dataclass(frozen=True, slots=True)
class Target:
    """What a request asks for. `segments` are decoded; `/a/` has the segments `a` and ``; `/` has one, empty."""

    segments: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    question: bool = False
    """Whether a `?` was there; `/a?` is not `/a` to everybody."""
    spelled: bytes = field(default=b"", compare=False, repr=False)
    """The same as `wire`, once that was asked for."""

    @property
    def path(self) -> str:
        """The path as it is written again."""
        return "".join("/" + quote_from_bytes(part.encode(), safe=_SAFE_PATH) for part in self.segments)

    @property
    def wire(self) -> bytes:
        """The one spelling: what is forwarded, what rules see, what is counted."""
        if not self.spelled:
            object.__setattr__(self, "spelled", self._written())
        return self.spelled

    def _written(self) -> bytes:
        query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in self.pairs)
        return f"{self.path}{'?' if self.question else ''}{query}".encode()


def read(raw: bytes) -> Target | Refusal:
    """The target in `raw`, as it stood in the request line. All refusals here are hard."""
    if len(raw) > MAX_TARGET:
        return Refusal(414, "target-long", "The address is too long.", hard=True)
    path, mark, query = raw.partition(b"?")
    if not _PATH.fullmatch(path):
        return _bad("target-characters", "The path has characters that do not belong into one.")
    if not _QUERY.fullmatch(query):
        return _bad("target-characters", "The query has characters that do not belong into one.")
    segments = _segments(path)
    if isinstance(segments, Refusal):
        return segments
    pairs = _pairs(query)
    if isinstance(pairs, Refusal):
        return pairs
    return Target(segments, pairs, bool(mark))


def _segments(path: bytes) -> tuple[str, ...] | Refusal:
    segments: list[str] = []
    parts = path[1:].split(b"/")
    for place, part in enumerate(parts):
        text = _decoded(part)
        if isinstance(text, Refusal):
            return text
        if not _SPLITTERS.isdisjoint(text):
            return _bad("path-separator", "An escape in the path hides a separator or another escape.")
        if text in {".", ".."}:
            return _bad("path-dots", "The path has a segment of dots.")
        if not text and place < len(parts) - 1:
            return _bad("path-empty-segment", "The path has an empty segment.")
        segments.append(text)
    return tuple(segments)


def _pairs(query: bytes) -> tuple[tuple[str, str], ...] | Refusal:
    if not query:
        return ()
    parts = query.split(b"&")
    if len(parts) > MAX_PAIRS:
        return Refusal(400, "query-many", f"The query has more than {MAX_PAIRS} parameters.", hard=True)
    pairs = []
    for part in parts:
        name, _, value = (_decoded(piece.replace(b"+", b" ")) for piece in part.partition(b"="))
        if isinstance(name, Refusal):
            return name
        if isinstance(value, Refusal):
            return value
        if not name:
            return _bad("query-nameless", "The query has a parameter without a name.")
        pairs.append((name, value))
    return tuple(pairs)


def _decoded(part: bytes) -> str | Refusal:
    if b"%" not in part:
        return part.decode("ascii")
    if _ESCAPE.search(part):
        return _bad("target-escape", "A percent sign does not begin an escape.")
    try:
        text = unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        return _bad("target-utf8", "An escape is not UTF-8.")
    if _CONTROL.search(text):
        return _bad("target-control", "The address holds a control character.")
    return text


def _quoted(text: str) -> str:
    return quote_from_bytes(text.encode(), safe=_SAFE_QUERY)


def _bad(rule: str, because: str) -> Refusal:
    return Refusal(400, rule, because, hard=True)
