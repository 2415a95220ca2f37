"""The published log's files as logs: a bundle of entries has one name after another while it grows (c2sp.org/tlog-tiles).

    tile/entries/001.p/44     44 entries so far; the earlier states lie beside it until the bundle is full
    tile/entries/001          all 256

Beside them lie hashes (tile/0/001 ...) and the checkpoint, which are signed and hold nothing to read.
"""

import re
from collections.abc import Iterable
from typing import Final

from strongroom.logs.files import Source

_TILE: Final = re.compile(
    r"(?P<bundle>(?:.*/)?tile/(?P<level>entries|[0-9]{1,2})/(?:x[0-9]{3}/){0,6}[0-9]{3})(?:[.]p/(?P<width>[0-9]{1,3}))?",
    re.DOTALL,
)
_WIDTH: Final = 256
"""Entries of a bundle that is full."""


def gathered(found: Iterable[Source]) -> dict[str, Source]:
    """By the names of logs. Of a bundle of entries there is its longest state; what else belongs to such a log is none."""
    logs: dict[str, tuple[int, Source]] = {}
    for source in found:
        match = _TILE.fullmatch(source.name)
        if match is None:
            logs.setdefault(source.name, (0, source))
        elif match["level"] == "entries":
            width = int(match["width"] or _WIDTH)
            if width > logs.get(match["bundle"], (0, source))[0]:
                logs[match["bundle"]] = (width, source)
    for name in [name for name, (width, _) in logs.items() if width]:
        logs.pop(f"{name[: name.rindex('tile/entries/')]}checkpoint", None)
    return {name: source for name, (_, source) in logs.items()}
