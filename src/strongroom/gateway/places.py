"""Where ids stand in JSON: `items[].id`, `[].letter.number`, `entry[].resource.id`.

Names lead into objects, `[]` into every element of an array. What is not there is not there; nothing raises.
"""

import re
from collections.abc import Iterator
from typing import Final

from strongroom.errors import Malformed

Place = tuple[str, ...]
"""Names, and `[]` for every element."""
EVERY: Final = "[]"
MAX_ID: Final = 256
"""Characters of an id that is learned."""

_NAMES: Final = re.compile(
    r"(?:\[\]|[A-Za-z_$][A-Za-z0-9_$-]{0,63}(?:\[\])?)(?:\.[A-Za-z_$][A-Za-z0-9_$-]{0,63}(?:\[\])?){0,15}"
)
_WORD: Final = re.compile(r"\[\]|[^.\[\]]+")


def read_place(text: str) -> Place:
    """The place that `text` writes. Raises Malformed."""
    if not _NAMES.fullmatch(text):
        raise Malformed("a place in JSON is written as items[].id.")
    return tuple(_WORD.findall(text))


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
