"""Paths that are their own one spelling, matched at once: literal text and ids, no escape, no query. Pure.

A shortcut through `contract`, and no opinion of its own: what it finds is what the long way finds, and where that might find
something else first it finds nothing (a property in `tests/gateway/test_plain.py`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from strongroom.gateway.kinds import KINDS, alike
from strongroom.gateway.settings import Described

_LITERAL: Final = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,=:@]*")
"""What `target` reads and writes as it is."""
_KINDS: Final = frozenset({"int", "digits", "uuid", "guid", "hex", "token", "date", "bool"})
"""Of letters, digits and marks alone, and never a segment of dots."""
_FIXED: Final = frozenset({"uuid", "guid", "date"})
"""Of which one value stands for all, whatever its length: they have one."""


class Found(NamedTuple):
    """The route of a path, its parameters, and what the path looks like to rules (`contract.Match.alike`)."""

    one: Described
    values: dict[str, str]
    alike: bytes


@dataclass(frozen=True, slots=True)
class _Shape:
    """A route and where its parameters stand in what matched."""

    one: Described
    first: int
    texts: tuple[str, ...]
    """Before the first parameter, between two, and behind the last."""
    alike: bytes
    """What all its paths look like to rules, where that is one; or empty."""


class Plain:
    """The routes that have plain paths."""

    def __init__(self, by_depth: Mapping[int, Iterable[Described]]) -> None:
        """`by_depth`: number of segments -> routes, in the order in which they are asked."""
        self._shapes: dict[int, _Shape] = {}
        alternatives: list[str] = []
        groups = 0
        for depth in sorted(by_depth):
            for one in by_depth[depth]:
                if not _is_plain(one):
                    break  # whoever comes behind it is asked only after it
                texts = _texts(one)
                names = one.pattern.names
                kinds = [f"({KINDS[kind].pattern})" for kind in one.pattern.kinds]
                body = "".join(re.escape(text) + kind for text, kind in zip(texts, [*kinds, "()"], strict=True))
                alternatives.append(body)
                self._shapes[groups + len(names) + 1] = _Shape(one, groups + 1, texts, _alike(one, texts))
                groups += len(names) + 1
        self._pattern = re.compile("|".join(alternatives).encode()) if alternatives else None

    def find(self, target: bytes) -> Found | None:
        """None: the long way is to be taken."""
        match = self._pattern.fullmatch(target) if self._pattern is not None else None
        if match is None or match.lastindex is None:
            return None
        shape = self._shapes[match.lastindex]
        one, pattern = shape.one, shape.one.pattern
        values = {name: match[place].decode("ascii") for place, name in enumerate(pattern.names, shape.first)}
        if shape.alike:
            return Found(one, values, shape.alike)
        like = shape.texts[0]
        for kind, value, text in zip(pattern.kinds, values.values(), shape.texts[1:], strict=True):
            like += alike(kind, value) + text
        return Found(one, values, like.encode())


def _is_plain(one: Described) -> bool:
    pattern = one.pattern
    return (
        not pattern.rest
        and _KINDS.issuperset(pattern.kinds)
        and all(_LITERAL.fullmatch(part.before) and _LITERAL.fullmatch(part.after) for part in pattern.segments)
    )


def _alike(one: Described, texts: tuple[str, ...]) -> bytes:
    if not _FIXED.issuperset(one.pattern.kinds):
        return b""
    stands = [alike(kind, "") for kind in one.pattern.kinds]
    return "".join(text + stand for text, stand in zip(texts, [*stands, ""], strict=True)).encode()


def _texts(one: Described) -> tuple[str, ...]:
    texts = [""]
    for part in one.pattern.segments:
        texts[-1] += "/" + part.before
        if part.name:
            texts.append(part.after)
    return tuple(texts)
