"""Tiles: paths and bytes round trip, refuse everything else, and give the tree back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed, UsageError
from strongroom.tlog.tile import (
    MAX_BUNDLE_ENTRY,
    WIDTH,
    Tile,
    parse_bundle,
    parse_hashes,
    render_bundle,
    render_hashes,
    tile_at,
    tile_nodes,
    tiles_between,
)
from strongroom.tlog.tree import MAX_SIZE, Frontier, frontier_at, inclusion_proof, leaf_hash, verify_inclusion

LEVELS = st.none() | st.integers(0, 7)
TILES = st.builds(Tile, LEVELS, st.integers(0, MAX_SIZE // WIDTH), st.integers(1, WIDTH))


def leaf(index: int) -> bytes:
    """A leaf hash by its index."""
    return leaf_hash(index.to_bytes(8, "big"))


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(None, 0, 44), "tile/entries/000.p/44"),
        (Tile(0, 273, 112), "tile/0/273.p/112"),
        (Tile(1, 1_234_067), "tile/1/x001/x234/067"),
        (Tile(2, 1000, 1), "tile/2/x001/000.p/1"),
    ],
)
def test_paths_are_those_of_the_format(tile: Tile, path: str) -> None:
    """Paths as c2sp.org/tlog-tiles spells them."""
    assert tile.path() == path


@given(TILES)
def test_path_round_trip(tile: Tile) -> None:
    """A path is read back as the tile it was made of."""
    assert Tile.parse_path(tile.path()) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "tile/0", "tile/0/0", "tile/0/0000", "tile/8/000", "tile/00/000", "tile/-1/000", "tile/0/x000/000",
        "tile/0/x000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/257", "tile/0/000.p/",
        "tile/0/000\n", "/tile/0/000", "tile/0/../000", "tile/entries/000/", "tile/leaves/000",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
    ],
)  # fmt: skip
def test_other_paths_are_refused(path: str) -> None:
    """One spelling for each tile, no other."""
    with pytest.raises(Malformed):
        Tile.parse_path(path)


@pytest.mark.parametrize(("level", "index", "width"), [(8, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_impossible_tiles(level: int, index: int, width: int) -> None:
    """A tile that no log has cannot be made."""
    with pytest.raises(Malformed):
        Tile(level, index, width)


def test_the_tiles_of_the_formats_example() -> None:
    """A tree of 70,000 has 273 full level-0 tiles and partial ones of widths 112, 17 and 1."""
    tiles = [tile for tile in tiles_between(0, 70_000) if tile.level is not None]
    assert sum(tile.level == 0 and tile.width == WIDTH for tile in tiles) == 273
    partial = [(tile.level, tile.index, tile.width) for tile in tiles if tile.width < WIDTH]
    assert partial == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert tile_at(1, 0, 256) == Tile(1, 0, 1)


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_tiles_between_are_those_the_old_log_lacked(one: int, other: int) -> None:
    """Published step by step or at once: the same files."""
    old, new = sorted((one, other))
    before, after = set(tiles_between(0, old)), set(tiles_between(0, new))
    added = set(tiles_between(old, new))
    assert added == after - before
    assert len(added) == len(list(tiles_between(old, new)))


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=WIDTH), st.binary(min_size=1, max_size=40))
def test_hashes_round_trip(hashes: list[bytes], tail: bytes) -> None:
    """A tile is read back as written, and refused with a byte more or less."""
    raw = render_hashes(hashes)
    assert parse_hashes(raw, len(hashes)) == tuple(hashes)
    for wrong in (raw + tail, raw[:-1]):
        with pytest.raises(Malformed):
            parse_hashes(wrong, len(hashes))


@given(st.lists(st.binary(max_size=300), max_size=20), st.data())
def test_bundle_round_trip(entries: list[bytes], data: st.DataObject) -> None:
    """A bundle is read back as written; cut anywhere, or followed by anything, it is refused."""
    raw = render_bundle(entries)
    assert parse_bundle(raw, len(entries)) == tuple(entries)
    with pytest.raises(Malformed):
        parse_bundle(raw + b"\x00\x00", len(entries))
    if raw:
        with pytest.raises(Malformed):
            parse_bundle(raw[: data.draw(st.integers(0, len(raw) - 1))], len(entries))


def test_entry_too_long_for_a_bundle() -> None:
    """The length before an entry has two bytes, and so has its limit."""
    assert parse_bundle(render_bundle([bytes(MAX_BUNDLE_ENTRY)]), 1) == (bytes(MAX_BUNDLE_ENTRY),)
    with pytest.raises(Malformed):
        render_bundle([bytes(MAX_BUNDLE_ENTRY + 1)])


def test_no_tile_beyond_the_log() -> None:
    """A tile is asked for within the log, or refused."""
    assert tile_at(0, 1, 257) == Tile(0, 1, 1)
    for level, index in ((0, 2), (1, 1), (None, 2)):
        with pytest.raises(UsageError):
            tile_at(level, index, 257)


def tiled(size: int) -> dict[Tile, tuple[bytes, ...]]:
    """All tiles of a tree, made while it grows."""
    levels: dict[int, list[bytes]] = {}
    frontier = Frontier()
    for index in range(size):
        frontier, completed = frontier.append(leaf(index))
        for at in range(0, len(completed), 8):
            levels.setdefault(at // 8, []).append(completed[at])
    return {
        tile: tuple(levels[tile.level][tile.start : tile.start + tile.width])
        for tile in tiles_between(0, size)
        if tile.level is not None
    }


@given(st.integers(1, 1300), st.data())
def test_nodes_from_tiles(size: int, data: st.DataObject) -> None:
    """Roots and proofs computed from tiles are those of the tree."""
    tiles = tiled(size)
    nodes = tile_nodes(size, tiles.__getitem__)
    frontier = frontier_at(size, nodes)
    grown = Frontier()
    for index in range(size):
        grown, _ = grown.append(leaf(index))
    assert frontier == grown
    index = data.draw(st.integers(0, size - 1))
    verify_inclusion(index, size, leaf(index), inclusion_proof(index, size, nodes), frontier.root())
