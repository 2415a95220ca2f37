"""Requests that differ in digits alone mean the same: what one of them means is found out once, and where in it each thing stands.

    GET /documents/000/content?v=0 HTTP/0.0      the outline of GET /documents/471/content?v=3 HTTP/1.1
        path        characters 4 to 26
        route       /documents/{int}/content
        number      characters 15 to 18

An outline is a request with every digit as 0. Where the digits themselves decide (a date in the path, a code's number) there is
no plan, and each request is looked at by itself (`access.asked`), which says the same: that is held by a property test.
"""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from strongroom.logs import lists, web
from strongroom.logs.forms import NO_ID, YEAR, Formed, asked, formed, named
from strongroom.logs.route import ASSETS, PARAMETERS, telling

DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
"""Bytes of requests -> of their outlines."""
_INT64: Final = 18
"""Digits that fit into 64 bits, whatever they are."""

Span = tuple[int, int]
"""Characters of a request, from and to."""
Parts = tuple[str | Span, ...]
"""Text that is made of what is always the same and of spans of the request."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What all requests of an outline mean."""

    method: str | None
    act: str
    path: Span
    query: Span | None
    route: Parts
    document: Parts | None
    number: Span | None


@functools.lru_cache(maxsize=65_536)
def plan(outline: str) -> Plan | None:
    """The plan of an outline; None where its requests must be looked at each by itself."""
    if not outline.isascii() or not outline.isprintable() or "%" in outline or ";" in outline:
        return None
    method, address = web.split(outline)
    at = len(method) + 1 if method else 0
    path, mark, query = address.partition("?")
    ending = path.rpartition(".")[2]
    if "0" in ending and "/" not in ending:  # woff2 is an ending, and woff3 is none
        return None
    asked = (at + len(path) + 1, at + len(address)) if mark else None
    found: _Found | None = _Found([(at, at + len(path))])
    if ending.lower() not in ASSETS:
        found = _found(path, query, at)
    if found is None:
        return None
    whole = (at, at + len(path))
    listed = found.ids > 0 and lists.collects(path, whose=found.whose == found.ids)
    route = [lists.PATIENT if listed and place in found.people else part for place, part in enumerate(found.route)]
    document = _merged(outline, [whole, *found.identified]) if found.ids and not listed else None
    return Plan(
        method or None, web.act(method, path), whole, asked if query else None, _merged(outline, route), document, found.number,
    )  # fmt: skip


@dataclass(slots=True)
class _Found:
    """What is known so far."""

    route: list[str | Span] = field(default_factory=list)
    identified: list[str | Span] = field(default_factory=list)
    ids: int = 0
    whose: int = 0  # ids that are people's
    people: list[int] = field(default_factory=list)  # where in the route these stand
    number: Span | None = None

    def take(self, found: Formed, at: int) -> str | None:
        """The form of a segment or value that begins at `at`, "" if it is no id; None where its digits decide."""
        form, start, end, base = found
        if found == NO_ID:
            return ""
        year = form[0] != "{" and end - start == YEAR
        if base > 10 or end - start > _INT64 or year or "0" in form:  # noqa: PLR2004  # letters are digits, too
            return None
        self.ids, self.number = self.ids + 1, (at + start, at + end) if end else None
        return form

    def tell(self, part: str | Span, *, theirs: bool) -> None:
        """The route goes on with this; `theirs`: it is an id of a person."""
        if theirs:
            self.whose += 1
            self.people.append(len(self.route))
        self.route.append(part)


def _found(path: str, query: str, at: int) -> _Found | None:
    found = _Found()
    segments = path.split("/")
    short = [segment.isdigit() and len(segment) <= YEAR for segment in segments]
    if any(map(all, itertools.pairwise(short))):  # a year and a month, or no date: digits tell
        return None
    for place, segment in enumerate(segments):
        form = found.take(formed(segment), at)
        if form is None:
            return None
        found.route += ["/"] if place else []
        theirs = bool(form) and lists.of_people(segment, segments[place - 1] if place else "")
        found.tell(form or (at, at + len(segment)), theirs=theirs)
        at += len(segment) + 1
    return found if not query or _asked(found, query, at) else None


def _asked(found: _Found, query: str, at: int) -> bool:
    """Add what the query, which begins at `at`, speaks of; False where its digits decide."""
    for start, part in _parameters(query, at):
        name, equals, value = part.partition("=")
        if "/" in value and "0" in value and telling(name, value):  # a path, in each segment of which digits may tell
            return False
        if value[:1] in {"{", "["}:  # JSON has fields of its own
            return False
        form = found.take(asked(value) if equals and telling(name, value) else NO_ID, start + len(name) + 1)
        if form is None:
            return False
        if not form and (form := named(name, value)):
            found.ids, found.number = found.ids + 1, None
        if form:
            sign = "&" if found.identified else "?"
            found.route += [sign, (start, start + len(name) + 1)]
            found.tell(form, theirs=lists.names_people(name))
            found.identified += [sign, (start, start + len(part))]
    return True


def _parameters(query: str, at: int) -> Iterator[tuple[int, str]]:
    for part in query.split("&")[:PARAMETERS]:
        yield at, part
        at += len(part) + 1


def _merged(outline: str, parts: list[str | Span]) -> Parts:
    """The same with as few parts as there can be: spans without digits are the same in all requests."""
    merged: list[str | Span] = []
    for given in parts:
        part = given
        if not isinstance(part, str) and "0" not in outline[slice(*part)]:
            part = outline[slice(*part)]
        if merged and isinstance(part, str) and isinstance(merged[-1], str):
            merged[-1] += part
        elif part:
            merged.append(part)
    return tuple(merged)
