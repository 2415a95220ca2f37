"""Verification of a published log by anybody who has its files and its public key. Needs no keeper and trusts nothing.

Leans only on `tlog` and the standard library, so that it can be handed out as a program of its own. `read` gives the
bytes of a file by its relative path, or None: from a directory, a bucket, or the web.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from strongroom.errors import CheckFailed, Malformed, Tampered
from strongroom.tlog import entry as entries
from strongroom.tlog.checkpoint import Checkpoint, open_checkpoint
from strongroom.tlog.logkeys import LogKeys
from strongroom.tlog.note import Verifier
from strongroom.tlog.proof import Proof
from strongroom.tlog.tile import (
    HEIGHT,
    WIDTH,
    Tile,
    fold,
    parse_bundle,
    parse_hashes,
    render_bundle,
    render_hashes,
    tile_at,
    tile_nodes,
    tiles_between,
)
from strongroom.tlog.tree import Frontier, inclusion_proof, leaf_hash

CHECKPOINT = "checkpoint"
Keys = Verifier | LogKeys
"""The key of a log, or all that it had."""
ReadFile = Callable[[str], bytes | None]
Progress = Callable[[int, int], None]
"""Called with the entries verified so far, and all there are."""


def verify(read: ReadFile, verifier: Keys, progress: Progress | None = None) -> Checkpoint:
    """The checkpoint of a log, once every byte it covers was recomputed (`walk`). Raises as `walk`."""
    walk = Walk(read, verifier)
    for index, _ in walk.entries():
        if progress is not None and (index + 1) % WIDTH == 0:
            progress(index + 1, walk.checkpoint.size)
    if progress is not None:
        progress(walk.checkpoint.size, walk.checkpoint.size)
    return walk.checkpoint


class Walk:
    """One pass over a published log.

    1. The checkpoint is signed by the log's key and is of this log.
    2. Each bundle is there and holds exactly the entries the checkpoint says, and no byte more.
    3. Each entry is in canonical form.
    4. The hashes of a bundle's entries are those of its level-0 tile.
    5. The roots of full tiles are the hashes in the tiles above them.
    6. The root over all entries is the one in the checkpoint.

    Raises Tampered or Malformed with the place, CheckFailed when a file is missing.
    """

    def __init__(self, read: ReadFile, verifier: Keys) -> None:
        """Does step 1."""
        self._read = read
        self.checkpoint = opened(read, verifier)

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """(index, bytes) of each entry. Only the end of the iteration shows that all of them are as signed."""
        size, frontier = self.checkpoint.size, Frontier()
        upper = _Upper(self._read, size)
        for number in range(-(-size // WIDTH)):
            # 2.
            bundle, tile = tile_at(None, number, size), tile_at(0, number, size)
            bodies = parsed_bundle(self._read, bundle)
            # 3.
            for at, body in enumerate(bodies):
                _check_canonical(bundle.start + at, bundle, body)
            # 4.
            leaves = [leaf_hash(body) for body in bodies]
            _check_tile(self._read, tile, leaves)
            # 5.
            if tile.width == WIDTH:
                frontier, completed = frontier.append_subtree(fold(leaves), HEIGHT)
                upper.take(completed)
            else:  # the last one
                for leaf in leaves:
                    frontier, _ = frontier.append(leaf)
            yield from enumerate(bodies, bundle.start)
        upper.finish()
        # 6.
        if frontier.root() != self.checkpoint.root:
            msg = f"The {size} entries do not have the root hash that the checkpoint says."
            raise Tampered(msg)


def prove(read: ReadFile, verifier: Keys, index: int) -> bytes:
    """A proof file for one entry, the entry itself in its `extra` line.

    1. The checkpoint is signed by the log's key.
    2. The path is computed from the tiles, the entry read from its bundle.
    3. The proof is verified as its reader will do it.

    Raises UsageError when there is no such entry, else as `Walk`.
    """
    # 1.
    checkpoint = opened(read, verifier)
    # 2.
    path = inclusion_proof(index, checkpoint.size, tile_nodes(checkpoint.size, lambda tile: parsed_tile(read, tile)))
    body = parsed_bundle(read, tile_at(None, index // WIDTH, checkpoint.size))[index % WIDTH]
    proof = Proof(index, path, fetched(read, CHECKPOINT), body)
    # 3.
    proof.verify(leaf_hash(body), verifier)
    return proof.render()


def check_proof(raw: bytes, verifier: Keys) -> tuple[int, bytes, Checkpoint]:
    """(index, entry, checkpoint) of a proof file made by `prove`, once it holds. Raises Malformed or Tampered."""
    proof = Proof.parse(raw)
    checkpoint = proof.verify(leaf_hash(proof.extra), verifier)
    return proof.index, proof.extra, checkpoint


def export(read: ReadFile, verifier: Keys) -> Iterator[bytes]:
    """The whole log as JSON lines, `{"index":N,"entry":{...}}`, verified while they are made; as `Walk.entries`."""
    for index, body in Walk(read, verifier).entries():
        yield b'{"index":%d,"entry":%s}\n' % (index, body)


def files(read: ReadFile, verifier: Keys) -> Iterator[tuple[str, bytes]]:
    """(relative path, bytes) of each file of the log as its checkpoint has it, that one last. Not verified but for its
    signature: whoever gets the copy verifies it. Raises as `Walk`.
    """
    raw = fetched(read, CHECKPOINT)
    for tile in tiles_between(0, open_checkpoint(raw, verifier).size):
        if tile.level is None:
            yield tile.path(), render_bundle(parsed_bundle(read, tile))
        else:
            yield tile.path(), render_hashes(parsed_tile(read, tile))
    yield CHECKPOINT, raw


def opened(read: ReadFile, verifier: Keys) -> Checkpoint:
    """The signed checkpoint of a published log."""
    return open_checkpoint(fetched(read, CHECKPOINT), verifier)


def fetched(read: ReadFile, path: str) -> bytes:
    """A file that must be there. Raises CheckFailed."""
    raw = read(path)
    if raw is None:
        msg = f"{path} is missing from the published log."
        raise CheckFailed(msg)
    return raw


def parsed_bundle(read: ReadFile, tile: Tile) -> tuple[bytes, ...]:
    """The entries of a bundle; of the full one where a partial one has been replaced by it meanwhile."""
    return _parsed(read, tile, parse_bundle)


def parsed_tile(read: ReadFile, tile: Tile) -> tuple[bytes, ...]:
    """The hashes of a tile, likewise."""
    return _parsed(read, tile, parse_hashes)


def _parsed(read: ReadFile, tile: Tile, parse: Callable[[bytes, int], tuple[bytes, ...]]) -> tuple[bytes, ...]:
    found, raw = tile, read(tile.path())
    if raw is None and tile.width < WIDTH:
        found = Tile(tile.level, tile.index)
        raw = read(found.path())
    if raw is None:
        msg = f"{tile.path()} is missing from the published log."
        raise CheckFailed(msg)
    try:
        return parse(raw, found.width)[: tile.width]
    except Malformed as error:
        msg = f"{found.path()}: {error.message}"
        raise Tampered(msg) from error


def _check_canonical(index: int, bundle: Tile, body: bytes) -> None:
    try:
        entries.decode(body)
    except Malformed as error:
        msg = f"Entry {index} in {bundle.path()}: {error.message}"
        raise Tampered(msg) from error


def _check_tile(read: ReadFile, tile: Tile, hashes: Sequence[bytes]) -> None:
    published = parsed_tile(read, tile)
    for at, (mine, theirs) in enumerate(zip(hashes, published, strict=True)):
        if mine != theirs:
            what = f"entry {tile.start + at}" if tile.level == 0 else f"tile {tile.start + at} of the level below"
            msg = f"{tile.path()}: hash {at} is not that of {what}."
            raise Tampered(msg)


@dataclass(slots=True)
class _Upper:
    """The tiles above level 0, compared as soon as they are complete."""

    read: ReadFile
    size: int
    hashes: dict[int, list[bytes]] = field(default_factory=dict)
    done: dict[int, int] = field(default_factory=dict)

    def take(self, completed: Sequence[bytes]) -> None:
        """Take the root of a full tile, and the subtrees above it that it completed: at [k] the one of k levels above."""
        for level, root in enumerate(completed[::HEIGHT], 1):
            waiting = self.hashes.setdefault(level, [])
            waiting.append(root)
            if len(waiting) == WIDTH:
                self._compare(level)

    def finish(self) -> None:
        """Compare the partial ones."""
        for level in sorted(self.hashes):
            if self.hashes[level]:
                self._compare(level)

    def _compare(self, level: int) -> None:
        number = self.done.get(level, 0)
        _check_tile(self.read, tile_at(level, number, self.size), self.hashes[level])
        self.done[level] = number + 1
        self.hashes[level] = []
