"""Where in gateway.toml it stands what is wrong. Pure."""

import re
from typing import Final

_PLACE: Final = re.compile(r"at `\$\.([a-z_]+)(?:\[([0-9]+)\])?(?:\.([a-z_]+))?")
"""How msgspec says where a value is not as it must be."""


def line(raw: bytes, table: str, number: int = 0, field: str = "") -> int:
    """The line of a table's head, the `number`-th of that name, or of a field in it; counted from 1; 0 where there is none."""
    head, found, seen = re.compile(rf"\s*\[\[?\s*{table}\s*\]\]?\s*(#.*)?"), 0, -1
    for at, text in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        if head.fullmatch(text):
            seen += 1
            found = at if seen == number else found
        elif found and text.lstrip().startswith("[") and not text.strip("[ \t").startswith(f"{table}."):
            break
        elif seen == number and field and re.fullmatch(rf"\s*{field}\s*[.=].*", text):
            return at
    return found


def told(raw: bytes, message: str) -> int:
    """The line that a message of msgspec is about; 0 where it does not say."""
    place = _PLACE.search(message)
    return 0 if place is None else line(raw, place[1], int(place[2] or 0), place[3] or "")
