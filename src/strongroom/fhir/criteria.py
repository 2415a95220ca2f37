"""One value of one search parameter: how it is read, and whether a value of a document satisfies it.

Source: https://hl7.org/fhir/R4/search.html (#token, #date, #reference). Codes are compared as they are written, letter
case included, except media types. `ap` (approximately) is not offered: two people would expect two answers.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from strongroom.errors import Malformed
from strongroom.fhir.dates import Span, span
from strongroom.fhir.fault import Fault, Unreadable

V_contra = TypeVar("V_contra", contravariant=True)

_PREFIX = re.compile(r"(?P<prefix>[a-z]{2})?(?P<date>.*)")
_TYPED = re.compile(r"(?:.*/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[^/]+)")
_HISTORY = re.compile(r"/_history/[^/]*\Z")


class Criterion(Protocol[V_contra]):
    """Something a value satisfies or not."""

    def holds(self, value: V_contra) -> bool:
        """Whether `value` satisfies it."""


def split(text: str, at: str) -> list[str]:
    """`text` cut at each `at` that has no backslash before it."""
    return re.split(rf"(?<!\\){re.escape(at)}", text)


def unescape(text: str) -> str:
    r"""FHIR's escapes undone: \, \| \$ and \\."""
    return re.sub(r"\\([,|$\\])", r"\1", text)


@dataclass(frozen=True, slots=True)
class Token:
    """`code`, `system|code`, `|code` (no system), `system|` (any code). None: any."""

    system: str | None
    code: str | None

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises Unreadable when nothing is asked for."""
        system, bar, code = (unescape(part) for part in _partition(text))
        if not system and not code:
            raise Unreadable(Fault("value", "A token needs a code or a system."))
        if not bar:
            return cls(None, system)
        return cls(system, code or None)

    def holds(self, value: tuple[str | None, str | None]) -> bool:
        """`value` is the system and the code of one coding or identifier."""
        system, code = value
        return (self.system is None or self.system == (system or "")) and (self.code is None or self.code == code)


def read_media_type(text: str) -> Token:
    """A token whose code is a media type: without parameters, letter case ignored (RFC 9110, section 8.3.1)."""
    token = Token.read(text)
    return Token(token.system, bare_media_type(token.code) if token.code else None)


def bare_media_type(text: str) -> str:
    """`text/Plain; charset=utf-8` as `text/plain`."""
    return text.partition(";")[0].strip().lower()


def _partition(text: str) -> tuple[str, str, str]:
    parts = split(text, "|")
    if len(parts) > 2:  # noqa: PLR2004  # system and code
        raise Unreadable(Fault("value", "A token has at most one bar."))
    return (parts[0], "|", parts[1]) if len(parts) > 1 else (parts[0], "", "")


_COMPARE: dict[str, Callable[[Span, Span], bool]] = {
    # `found` is what the document has, `asked` what the search names; both have a precision and so a length
    "eq": lambda found, asked: asked.start <= found.start and found.end <= asked.end,
    "ne": lambda found, asked: not (asked.start <= found.start and found.end <= asked.end),
    "gt": lambda found, asked: found.end > asked.end,
    "lt": lambda found, asked: found.start < asked.start,
    "ge": lambda found, asked: found.end > asked.end or (asked.start <= found.start and found.end <= asked.end),
    "le": lambda found, asked: found.start < asked.start or (asked.start <= found.start and found.end <= asked.end),
    "sa": lambda found, asked: found.start >= asked.end,
    "eb": lambda found, asked: found.end <= asked.start,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A date with its prefix."""

    prefix: str
    asked: Span

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises Unreadable for what is no date, or a prefix that is not offered."""
        found = _PREFIX.fullmatch(text)
        prefix = (found and found["prefix"]) or "eq"
        try:
            asked = span(found["date"] if found else "")
        except Malformed:
            raise Unreadable(Fault("value", "A date in the search is no date.")) from None
        if prefix not in _COMPARE:
            raise Unreadable(Fault("not-supported", f"Dates are compared by {', '.join(sorted(_COMPARE))}."))
        return cls(prefix, asked)

    def holds(self, value: Span) -> bool:
        """`value` is the time that the document's date or period covers."""
        return _COMPARE[self.prefix](value, self.asked)


@dataclass(frozen=True, slots=True)
class Target:
    """A reference: `id`, `Type/id`, or an absolute address."""

    text: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Any text: what points at nothing finds nothing."""
        return cls(_HISTORY.sub("", unescape(text)))

    def holds(self, value: str) -> bool:
        """`value` is a reference in the document."""
        value = _HISTORY.sub("", value)
        if self.text == value:
            return True
        typed = _TYPED.fullmatch(value)
        if typed is None:
            return False
        return self.text in {typed["id"], f"{typed['type']}/{typed['id']}"}
