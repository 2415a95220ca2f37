"""What a body may hold, before any engine looks at it: so many members, so deep, each name once. Pure.

Counting comes first because engines are slow at it: ten thousand members cost libmodsecurity seconds.
"""

import json
import re
from typing import Final

from strongroom.gateway.refusal import Refusal

MAX_DEPTH: Final = 64
"""Of JSON. Portals use ten."""
MAX_WHOLE: Final = 1_048_576
"""Bytes of a body that is read whole."""
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET: Final = re.compile(rb"[\[{\]}]")
_JSON: Final = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json")
_FORM: Final = "application/x-www-form-urlencoded"


def whole(content_type: str) -> bool:
    """Whether bodies of this type are read whole before they are passed on: what is in them can only be told at the end."""
    return _JSON.fullmatch(content_type) is not None or content_type == _FORM


def check(content_type: str, body: bytes, max_keys: int) -> Refusal | None:
    """None for a body of a `whole` type that may pass."""
    if content_type == _FORM:
        return _form(body, max_keys)
    return _json(body, max_keys)


def _json(body: bytes, max_keys: int) -> Refusal | None:
    bare = _STRING.sub(b"", body)  # outside of strings, each colon is a member and each bracket one level
    if bare.count(b":") > max_keys:
        return _many(max_keys)
    if _depth(bare) > MAX_DEPTH:
        return Refusal(400, "json-deep", f"JSON is nested more than {MAX_DEPTH} deep.", hard=True)
    try:
        json.loads(body.decode(), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except _Twice:
        return Refusal(400, "json-twice", "A member of JSON comes twice.", hard=True)
    except ValueError:
        return Refusal(400, "json-malformed", "The body is not JSON.", hard=True)
    return None


def _depth(bare: bytes) -> int:
    depth = deepest = 0
    for bracket in _BRACKET.finditer(bare):
        depth += 1 if bracket[0] in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


class _Twice(ValueError):
    """A member that comes twice is one to one reader and another to the next."""


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _form(body: bytes, max_keys: int) -> Refusal | None:
    if body.count(b"&") >= max_keys:
        return _many(max_keys)
    if b"\0" in body or not body.isascii():
        return Refusal(400, "form-malformed", "The form is not urlencoded.", hard=True)
    return None


def _many(max_keys: int) -> Refusal:
    return Refusal(400, "body-keys", f"The body has more than {max_keys} members.", hard=True)
