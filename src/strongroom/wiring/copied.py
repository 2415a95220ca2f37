"""Verifying the pushed copy of a log, and holding the store's own log against it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from strongroom.audit.verify import Keys, Progress, ReadFile, opened, parsed_tile, verify
from strongroom.courier.push import Copy
from strongroom.errors import StrongroomError, Tampered
from strongroom.tlog.checkpoint import Checkpoint, open_checkpoint
from strongroom.tlog.tile import Tile, tile_nodes
from strongroom.tlog.tree import frontier_at

TILES = 4_096
"""Kept while many checkpoints are held against one tree: 32 MB."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds. `faults`: one sentence each; `covered`: names that somebody tried to overwrite or delete."""

    checkpoint: Checkpoint
    checkpoints: int
    covered: tuple[str, ...]
    local: int | None
    faults: tuple[str, ...]


def verify_copy(copy: Copy, keys: Keys, local: ReadFile | None, progress: Progress | None = None) -> Verdict:
    """Every byte of the copy under its newest checkpoint; then that all earlier checkpoints in it, and the local log,
    are of the same history. Raises as `verify` for the first; the others are faults.
    """
    newest = verify(copy.read, keys, progress)
    faults = [*_earlier(copy, keys, newest)]
    size = None
    if local is not None:
        size, found = _local(local, keys, newest)
        faults += found
    return Verdict(newest, len(copy.checkpoints), tuple(copy.covered), size, tuple(faults))


def _earlier(copy: Copy, keys: Keys, newest: Checkpoint) -> Iterator[str]:
    @lru_cache(maxsize=TILES)
    def tile(one: Tile) -> tuple[bytes, ...]:
        return parsed_tile(copy.read, one)

    nodes = tile_nodes(newest.size, tile)
    for name, raw in copy.earlier():
        try:
            earlier = open_checkpoint(raw, keys)
            if earlier.size > newest.size or frontier_at(earlier.size, nodes).root() != earlier.root:
                msg = "it is of another history than the newest one"
                raise Tampered(msg)
        except StrongroomError as error:
            yield f"{name} in the copy: {error.message}"


def _local(local: ReadFile, keys: Keys, newest: Checkpoint) -> tuple[int | None, list[str]]:
    try:
        mine = opened(local, keys)
        if mine.size < newest.size:
            return mine.size, [f"the copy has {newest.size} entries, the local log {mine.size}: it was set back"]
        nodes = tile_nodes(mine.size, lambda one: parsed_tile(local, one))
        if frontier_at(newest.size, nodes).root() != newest.root:
            why = "are not those of the copy: history was rewritten, or the log is forked"
            return mine.size, [f"the first {newest.size} entries of the local log {why}"]
    except StrongroomError as error:
        return None, [f"the local log: {error.message}"]
    return mine.size, []
