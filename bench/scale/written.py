"""The log of a large store: rows, leaf hashes, tiles and published files, and a checkpoint that the real verifier accepts.

Written as the product writes them but for the syncs: a load that fails is thrown away and begun anew.
"""

import sqlite3
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from bench.scale.history import History
from strongroom.budget.ledger import Ledger
from strongroom.tlog.checkpoint import Checkpoint, sign_checkpoint
from strongroom.tlog.note import Signer
from strongroom.tlog.tile import HEIGHT, WIDTH, Tile, fold, render_bundle, render_hashes
from strongroom.tlog.tree import Frontier, leaf_hash

Say = Callable[[str], None]
PIECE = 64 * WIDTH
"""Entries between two writes."""
PIECES = 20
"""How often it is told how far it got."""


def write(db: sqlite3.Connection, published: Path, history: History, signer: Signer, say: Say) -> Ledger:
    """All of it, into the tables and below `published`, where an empty log is; what the budgets still count at the end."""
    rows, ledger, files = history.rows(), Ledger(), _Files(published)
    total, told = history.world.sizes.entries, 0
    while piece := list(islice(rows, PIECE)):
        bodies = [row[-1] for row in piece]
        leaves = [leaf_hash(body) for body in bodies]
        db.executemany(
            "insert into log_entry values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*row[:-1], leaf, row[-1]) for row, leaf in zip(piece, leaves, strict=True)],
        )
        names = history.names
        db.executemany("insert into log_name (id, kind, month, real, shown) values (?, ?, ?, ?, ?)", names.new)
        db.executemany("insert into log_month values (?, ?)", names.keys)
        names.new.clear()
        names.keys.clear()
        for at in range(0, len(piece), WIDTH):
            files.take(bodies[at : at + WIDTH], leaves[at : at + WIDTH])
        for disclosure in history.remembered:
            ledger.apply(disclosure)
        history.remembered.clear()
        if files.frontier.size * PIECES // total > told:
            told = files.frontier.size * PIECES // total
            say(f"{files.frontier.size:,} of {total:,} entries of the log")
    files.finish()
    frontier = files.frontier
    assert frontier.size == total
    signed = sign_checkpoint(Checkpoint(signer.verifier.name, total, frontier.root()), (signer,))
    db.executemany("insert into log_tile values (?, ?, ?)", sorted(files.tiles))
    db.execute("update log_head set size = ?, peaks = ?, checkpoint = ?", (total, frontier.render(), signed))
    (published / "checkpoint").write_bytes(signed)
    return ledger


class _Files:
    """The published files, written as they become full."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open: list[list[bytes]] = [[]]
        """Hashes of each level that are in no full tile yet."""
        self._done = [0]
        self._bundles = 0
        self.frontier = Frontier()
        self.tiles: list[tuple[int, int, bytes]] = []
        """Rows of `log_tile`."""

    def take(self, bodies: list[bytes], leaves: list[bytes]) -> None:
        """One bundle of entries and their leaf hashes; only the last may be no full one."""
        self._write(Tile(None, self._bundles, len(bodies)), render_bundle(bodies))
        self._bundles += 1
        for leaf in leaves:
            self._hash(0, leaf)
        if len(leaves) == WIDTH:
            index = self.frontier.size + WIDTH - 1
            self.frontier, completed = self.frontier.append_subtree(fold(leaves), HEIGHT)
            for level, root in enumerate(completed[::HEIGHT], 1):
                self._hash(level, root)
                self.tiles.append((level, index >> level * HEIGHT, root))
        else:
            for leaf in leaves:
                self.frontier, _ = self.frontier.append(leaf)

    def finish(self) -> None:
        """Write the tiles that are not full."""
        for level, hashes in enumerate(self._open):
            if hashes:
                self._write(Tile(level, self._done[level], len(hashes)), render_hashes(hashes))

    def _hash(self, level: int, value: bytes) -> None:
        if level == len(self._open):
            self._open.append([])
            self._done.append(0)
        self._open[level].append(value)
        if len(self._open[level]) == WIDTH:
            self._write(Tile(level, self._done[level]), render_hashes(self._open[level]))
            self._open[level].clear()
            self._done[level] += 1

    def _write(self, tile: Tile, content: bytes) -> None:
        place = self._root / tile.path()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
