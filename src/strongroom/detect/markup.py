"""Markup as a tree of elements: a text can never become a tag or an attribute, because it is never joined to one.

Whatever text is given is made harmless first (`say.harmless`): control characters, escapes of terminals and marks that turn text
round are shown, in HTML as anywhere else.
"""

from typing import Final
from xml.etree.ElementTree import Element

from strongroom.detect import say

LONGEST: Final = 4_000
"""Characters of one text."""
_DRAWN: Final = 1_000_000
"""Characters of one attribute: a path has many."""

Child = Element | str


def el(tag: str, attributes: dict[str, str | int] | None = None, *children: Child) -> Element:
    """An element with its attributes and, in order, its texts and elements. A child that is empty text is nothing."""
    made = Element(tag, {name: _text(str(value), _DRAWN) for name, value in (attributes or {}).items()})
    last: Element | None = None
    for child in children:
        if isinstance(child, Element):
            made.append(child)
            last = child
        elif last is None:
            made.text = (made.text or "") + _text(child)
        else:
            last.tail = (last.tail or "") + _text(child)
    return made


def _text(text: str, longest: int = LONGEST) -> str:
    return say.harmless(text, longest)
