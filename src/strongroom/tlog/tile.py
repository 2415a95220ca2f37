"""How the log is laid out in files: hash tiles and entry bundles (c2sp.org/tlog-tiles). Paths and bytes only, no I/O.

A tile is 256 consecutive hashes of one level; each hash of level L + 1 is the root of a full tile of level L. A bundle
is 256 consecutive entries. The last of each is partial until it is full, and its path then says how wide it is.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Self

from strongroom.errors import Malformed, UsageError
from strongroom.tlog.tree import HASH_SIZE, MAX_SIZE, Nodes

HEIGHT = 8
"""Levels of the tree in one tile."""
WIDTH = 1 << HEIGHT
"""Hashes or entries in a full tile or bundle."""
MAX_LEVEL = 7
"""256**8 entries are more than `MAX_SIZE`. (The format allows 63.)"""
MAX_BUNDLE_ENTRY = 65_535
"""Bytes of one entry; the length before it has 16 bits."""
MAX_RESOURCE = WIDTH * (2 + MAX_BUNDLE_ENTRY)
"""Bytes of the largest file of a log, a bundle."""

_PATH = re.compile(r"tile/(entries|[0-7])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True)
class Tile:
    """One file of a log: a hash tile of `level`, or a bundle of entries where `level` is None."""

    level: int | None
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        """Raises Malformed when there is no such tile."""
        level_fits = self.level is None or 0 <= self.level <= MAX_LEVEL
        if not (level_fits and 0 <= self.index <= MAX_SIZE // WIDTH and 1 <= self.width <= WIDTH):
            msg = "There is no such tile."
            raise Malformed(msg)

    @property
    def start(self) -> int:
        """Index of the first hash (within its level) or entry."""
        return self.index * WIDTH

    def path(self) -> str:
        """Relative path, as the format gives it: tile/0/x001/x234/067 or tile/entries/000.p/44."""
        digits = str(self.index)
        groups = digits.zfill(-(-len(digits) // 3) * 3)
        parts = ["x" + groups[at : at + 3] for at in range(0, len(groups), 3)]
        parts[-1] = parts[-1][1:]
        kind = "entries" if self.level is None else str(self.level)
        tail = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{kind}/{'/'.join(parts)}{tail}"

    @classmethod
    def parse_path(cls, path: str) -> Self:
        """The inverse of `path`. Raises Malformed for every other spelling, full tiles written as partial included."""
        match = _PATH.fullmatch(path)
        if match is None:
            msg = "This is not the path of a tile."
            raise Malformed(msg)
        kind, groups, width = match.groups()
        index = int(groups.replace("/", "").replace("x", ""))
        tile = cls(None if kind == "entries" else int(kind), index, WIDTH if width is None else int(width))
        if tile.path() != path:
            msg = "The path of a tile is not in canonical form."
            raise Malformed(msg)
        return tile


def tile_at(level: int | None, index: int, size: int) -> Tile:
    """Tile `index` of `level` in a tree of `size` entries, as wide as it is there. Raises UsageError if it has none."""
    hashes = size >> HEIGHT * (level or 0)
    width = min(hashes - index * WIDTH, WIDTH)
    if width < 1:
        msg = f"A log of {size} entries has no tile {index} of level {level}."
        raise UsageError(msg)
    return Tile(level, index, width)


def tiles_between(old: int, new: int) -> Iterator[Tile]:
    """The files a log of `new` entries has and one of `old` has not, bundles and low levels first."""
    for level in (None, *range(MAX_LEVEL + 1)):
        before, after = old >> HEIGHT * (level or 0), new >> HEIGHT * (level or 0)
        if before == after:
            continue
        for index in range(before // WIDTH, -(-after // WIDTH)):
            yield tile_at(level, index, new)


def render_hashes(hashes: Sequence[bytes]) -> bytes:
    """The bytes of a hash tile."""
    return b"".join(hashes)


def parse_hashes(raw: bytes, width: int) -> tuple[bytes, ...]:
    """The inverse of `render_hashes`. Raises Malformed unless there are exactly `width` hashes."""
    if len(raw) != width * HASH_SIZE:
        msg = f"A tile of {len(raw)} bytes does not hold {width} hashes."
        raise Malformed(msg)
    return tuple(raw[at : at + HASH_SIZE] for at in range(0, len(raw), HASH_SIZE))


def render_bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of an entry bundle: each entry after its length in two bytes. Raises Malformed when one is too long."""
    if any(len(entry) > MAX_BUNDLE_ENTRY for entry in entries):
        msg = f"An entry is longer than {MAX_BUNDLE_ENTRY} bytes."
        raise Malformed(msg)
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_bundle(raw: bytes, width: int) -> tuple[bytes, ...]:
    """The inverse of `render_bundle`. Raises Malformed unless there are exactly `width` entries and nothing after."""
    entries: list[bytes] = []
    at = 0
    for _ in range(width):
        end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
        if end > len(raw):
            msg = f"A bundle ends within entry {len(entries)} of {width}."
            raise Malformed(msg)
        entries.append(raw[at + 2 : end])
        at = end
    if at != len(raw):
        msg = f"A bundle has {len(raw) - at} bytes after its {width} entries."
        raise Malformed(msg)
    return tuple(entries)


def tile_nodes(size: int, read: Callable[[Tile], Sequence[bytes]]) -> Nodes:
    """The nodes of a tree of `size` entries, computed from its tiles. Keeps the last few tiles read.

    `read` gives the hashes of a tile, in order, exactly as many as the tile is wide.
    """
    kept = lru_cache(maxsize=32)(read)

    def nodes(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, HEIGHT)
        first = index << height
        hashes = kept(tile_at(tile_level, first // WIDTH, size))
        return fold(hashes[first % WIDTH : first % WIDTH + (1 << height)])

    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """Root of a full subtree over a power of two of hashes."""
    # `node_hash`, without the call: a proof takes hundreds, the verification of a log millions.
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return hashes[0]
