"""A route's path as gateway.toml writes it: `/patients/{patient:int}/letters/{document:uuid}.pdf`.

A segment is literal, or holds one parameter with literal text around it. The last segment may be `{name:path}`: one or more
segments of the kind `name`, none of which begins with a dot. Literals are compared with what a path decodes to.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from strongroom.errors import Malformed
from strongroom.gateway.kinds import KINDS, alike, fits

MAX_DEPTH: Final = 32
"""Segments, described or asked for."""
PATH: Final = "path"
_NARROW: Final = (
    "bool",
    "int",
    "digits",
    "date",
    "uuid",
    "guid",
    "hex",
    "token",
    "id",
    "reference",
    "base64",
    "name",
    "text",
    PATH,
)
"""Kinds, the narrower first: what fits two of them is the first one's, in whatever order the routes are written."""

_SEGMENT: Final = re.compile(
    r"([A-Za-z0-9._~!$&'()*+,=:@ -]*)(?:\{([a-z][a-z0-9_]{0,39}):([a-z]+)\}([A-Za-z0-9._~-]*))?"
)


@dataclass(frozen=True, slots=True)
class Segment:
    """`before` alone where there is no parameter."""

    before: str
    name: str = ""
    kind: str = ""
    after: str = ""

    def value(self, text: str) -> str | None:
        """The parameter's value in `text`; None where it does not fit. For a literal: itself."""
        if not self.name:
            return text if text == self.before else None
        inner = text[len(self.before) : len(text) - len(self.after)]
        if len(text) < len(self.before) + len(self.after) or text != f"{self.before}{inner}{self.after}":
            return None
        return inner if fits(self.kind, inner) else None


@dataclass(frozen=True, slots=True)
class Pattern:
    """See the module. `rest` is the name of a last `path` parameter, or empty."""

    segments: tuple[Segment, ...]
    rest: str = ""
    names: tuple[str, ...] = field(init=False)
    kinds: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Gathers the names and kinds of parameters, in order."""
        rest = (self.rest,) if self.rest else ()
        object.__setattr__(self, "names", (*(one.name for one in self.segments if one.name), *rest))
        object.__setattr__(self, "kinds", (*(one.kind for one in self.segments if one.name), *(PATH for _ in rest)))

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Parameter -> value, or None."""
        own = len(self.segments)
        if len(segments) > own if self.rest else len(segments) == own:
            values: dict[str, str] = {}
            for segment, text in zip(self.segments, segments, strict=False):
                value = segment.value(text)
                if value is None:
                    return None
                if segment.name:
                    values[segment.name] = value
            if self.rest:
                tail = segments[own:]
                if not all(fits("name", part) and not part.startswith(".") for part in tail):
                    return None
                values[self.rest] = "/".join(tail)
            return values
        return None

    def alike(self, segments: tuple[str, ...]) -> tuple[str, ...]:
        """`segments`, which match, with what stands for the values of their kind (`kinds.alike`) in the place of strict ids."""
        own = tuple(
            f"{one.before}{alike(one.kind, text[len(one.before) : len(text) - len(one.after)])}{one.after}"
            if one.name
            else text
            for one, text in zip(self.segments, segments, strict=False)
        )
        return own + segments[len(own) :]

    def kind_of(self, name: str) -> str:
        """The kind of the parameter `name`, which is one of `names`."""
        return self.kinds[self.names.index(name)]

    def weight(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Sorts literal before parameter before rest, from the left; and of two that are alike the one of narrower kinds first."""
        own = tuple(0 if not one.name else 1 if one.before or one.after else 2 for one in self.segments)
        narrow = tuple(_NARROW.index(kind) for kind in self.kinds)
        return (*own, 3) if self.rest else own, narrow


def read_pattern(path: str) -> Pattern:
    """The pattern that `path` writes. Raises Malformed."""
    if not path.startswith("/"):
        raise Malformed("its path does not begin with a slash.")
    parts = path[1:].split("/")
    if len(parts) > MAX_DEPTH:
        raise Malformed(f"its path has more than {MAX_DEPTH} segments.")
    segments: list[Segment] = []
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        found = _SEGMENT.fullmatch(part)
        if found is None or part in {".", ".."} or (not part and not last):
            raise Malformed(f"its path has a segment that is none, number {place + 1}.")
        before, name, kind, after = found[1], found[2] or "", found[3] or "", found[4] or ""
        if name and kind == PATH and last and not before and not after:
            return _whole(segments, name)
        if name and kind not in KINDS:
            raise Malformed(f"its parameter {name} is of no kind that there is.")
        segments.append(Segment(before, name, kind, after))
    return _whole(segments, "")


def _whole(segments: list[Segment], rest: str) -> Pattern:
    pattern = Pattern(tuple(segments), rest)
    if len(set(pattern.names)) != len(pattern.names):
        raise Malformed("its path names a parameter twice.")
    return pattern
