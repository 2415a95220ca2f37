"""Where ids stand in JSON: `items[].id`, `[].letter.number`, `entry[].resource.id`.

Names lead into objects, `[]` into every element of an array. What is not there is not there; nothing raises.
"""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from strongroom.errors import Malformed

Place = tuple[str, ...]
"""Names, and `[]` for every element."""
EVERY: Final = "[]"
MAX_ID: Final = 256
"""Characters of an id that is learned."""
MAX_TOKEN: Final = 4_096
"""Of a token."""

_NAMES: Final = re.compile(
    r"(?:\[\]|[A-Za-z_$][A-Za-z0-9_$-]{0,63}(?:\[\])?)(?:\.[A-Za-z_$][A-Za-z0-9_$-]{0,63}(?:\[\])?){0,15}"
)
_WORD: Final = re.compile(r"\[\]|[^.\[\]]+")


def read_place(text: str) -> Place:
    """The place that `text` writes. Raises Malformed."""
    if not _NAMES.fullmatch(text):
        raise Malformed("a place in JSON is written as items[].id.")
    return tuple(_WORD.findall(text))


def common(place: Place, beside: Place) -> Place:
    """What both begin with."""
    return tuple(one for one, _ in takewhile(lambda two: two[0] == two[1], zip(place, beside, strict=False)))


def paired(document: object, place: Place, beside: Place) -> Iterator[tuple[str, str]]:
    """Every id at `place`, with the one at `beside` that goes with it; empty where there is none, or more than one."""
    shared = len(common(place, beside))
    for node in _nodes(document, place[:shared]):
        whose = list(found(node, beside[shared:]))
        for one in found(node, place[shared:]):
            yield (whose[0] if len(whose) == 1 else ""), one


def found(document: object, place: Place) -> Iterator[str]:
    """Every id at `place`: text as it is, whole numbers as digits."""
    if not place:
        if isinstance(document, str) and 0 < len(document) <= MAX_ID:
            yield document
        elif isinstance(document, int) and not isinstance(document, bool):
            yield str(document)
    elif place[0] == EVERY:
        for element in document if isinstance(document, list) else ():
            yield from found(element, place[1:])
    elif isinstance(document, dict) and place[0] in document:
        yield from found(document[place[0]], place[1:])


def is_there(document: object, place: Place) -> bool:
    """Whether the document has the shape that `place` says: of arrays, that they are empty, or an element of them has it."""
    if not place:
        return True
    if place[0] == EVERY:
        return isinstance(document, list) and (
            not document or any(is_there(element, place[1:]) for element in document)
        )
    return isinstance(document, dict) and place[0] in document and is_there(document[place[0]], place[1:])


def texts(document: object, place: Place) -> Iterator[str]:
    """Every text at `place` that may be a token, which is longer than an id."""
    return (one for one in _nodes(document, place) if isinstance(one, str) and 0 < len(one) <= MAX_TOKEN)


def _nodes(document: object, place: Place) -> Iterator[object]:
    """Whatever stands at `place`."""
    if not place:
        yield document
    elif place[0] == EVERY:
        for element in document if isinstance(document, list) else ():
            yield from _nodes(element, place[1:])
    elif isinstance(document, dict) and place[0] in document:
        yield from _nodes(document[place[0]], place[1:])
