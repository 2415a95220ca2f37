"""The Merkle tree of RFC 6962: hashing, a frontier that grows by one leaf, proofs, and their verification.

Pure: it stores nothing. Whoever asks for a proof hands in `Nodes`, a way to read the hash of a full subtree; see
`tile.TileNodes` for one over tiles. `D[a:b]` means the entries from index a up to but not including b, as in the RFC.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from strongroom.errors import Malformed, Tampered, UsageError

HASH_SIZE = 32
"""Bytes of SHA-256."""
MAX_SIZE = 2**62
"""Entries. Sizes are 64-bit in every reader we know of; nobody gets near."""
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without entries (RFC 6962, 2.1)."""

Nodes = Callable[[int, int], bytes]
"""`nodes(level, index)` is the hash of the full subtree over D[index * 2**level : (index + 1) * 2**level]."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that is needed to append: the roots of the full subtrees that make up the tree, largest first.

    There is one for each set bit of `size`. Growing makes a new value, so a commit that fails has nothing to undo.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> tuple["Frontier", list[bytes]]:
        """The frontier with one more leaf hash, and the subtrees this leaf completed: at [k] the one of level k."""
        return self.append_subtree(leaf, 0)

    def append_subtree(self, root: bytes, level: int) -> tuple["Frontier", list[bytes]]:
        """The same with 2**`level` more leaves, of which `root` is the hash: at [k] the completed one of level + k.

        Raises UsageError unless the size is a multiple of 2**`level`.
        """
        if self.size & (1 << level) - 1:
            msg = f"A subtree of level {level} has no place at {self.size}."
            raise UsageError(msg)
        peaks, completed, rest = list(self.peaks), [root], self.size >> level
        while rest & 1:
            completed.append(node_hash(peaks.pop(), completed[-1]))
            rest >>= 1
        return Frontier(self.size + (1 << level), (*peaks, completed[-1])), completed

    def root(self) -> bytes:
        """The root hash of the tree of this size."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def render(self) -> bytes:
        """The peaks, one after the other. The size is kept beside it."""
        return b"".join(self.peaks)

    @classmethod
    def parse(cls, size: int, raw: bytes) -> Self:
        """The inverse of `render`. Raises Malformed when the number of peaks does not fit the size."""
        if not 0 <= size <= MAX_SIZE or len(raw) != size.bit_count() * HASH_SIZE:
            msg = f"A frontier of {len(raw)} bytes does not fit a tree of {size} entries."
            raise Malformed(msg)
        return cls(size, tuple(raw[at : at + HASH_SIZE] for at in range(0, len(raw), HASH_SIZE)))


def frontier_at(size: int, nodes: Nodes) -> Frontier:
    """The frontier of the first `size` entries."""
    peaks, start = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            peaks.append(nodes(level, start >> level))
            start += 1 << level
    return Frontier(size, tuple(peaks))


def inclusion_proof(index: int, size: int, nodes: Nodes) -> tuple[bytes, ...]:
    """PATH(index, D[0:size]) of RFC 6962, 2.1.1. Raises UsageError when there is no such entry."""
    if not 0 <= index < size:
        msg = f"There is no entry {index} in a log of {size} entries."
        raise UsageError(msg)
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(middle, end, nodes))
            end = middle
        else:
            path.append(_subtree(start, middle, nodes))
            start = middle
    return tuple(reversed(path))


def consistency_proof(old: int, new: int, nodes: Nodes) -> tuple[bytes, ...]:
    """PROOF(old, D[0:new]) of RFC 6962, 2.1.2; empty when `old` is 0 or `new`. Raises UsageError when old > new."""
    if not 0 <= old <= new:
        msg = f"A log of {new} entries cannot extend one of {old}."
        raise UsageError(msg)
    if old == 0:
        return ()
    path, start, end = [], 0, new
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_subtree(middle, end, nodes))
            end = middle
        else:
            path.append(_subtree(start, middle, nodes))
            start = middle
    if start > 0:  # the old tree is not itself a subtree of the new one, so its last peak must be named
        path.append(_subtree(start, end, nodes))
    return tuple(reversed(path))


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raises Tampered unless `proof` shows that `leaf` is entry `index` of the tree (`size`, `root`).

    The steps of RFC 9162, 2.1.3.2:

    1. The index lies within the tree, and every hash is 32 bytes long.
    2. Walk up from the leaf; `fn` is where we are at this level, `sn` where the last node is.
    3. Each hash of the proof goes to the left when we are a right child or the lone last node, else to the right.
    4. The path ends exactly at the top, and there stands the root.
    """
    # 1.
    if not 0 <= index < size:
        raise _wrong("inclusion", "the index lies outside the tree")
    _check_hashes("inclusion", (leaf, root, *proof))
    # 2.
    fn, sn, running = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            raise _wrong("inclusion", "it is too long")
        # 3.
        if fn & 1 or fn == sn:
            running = node_hash(sibling, running)
            fn, sn = _skip_lone(fn, sn)
        else:
            running = node_hash(running, sibling)
        fn, sn = fn >> 1, sn >> 1
    # 4.
    if sn != 0:
        raise _wrong("inclusion", "it is too short")
    if running != root:
        raise _wrong("inclusion", "it leads to another root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raises Tampered unless `proof` shows that the tree (`new`, `new_root`) extends (`old`, `old_root`).

    The steps of RFC 9162, 2.1.4.2, with the two cases it leaves to the caller first:

    1. Every hash is 32 bytes long; the new tree is not smaller.
    2. Equal sizes need equal roots and no proof; every tree extends the empty one, again without proof.
    3. Where the old tree is a full subtree, its root is the first hash; else the proof names it.
    4. Walk up to the level where the old tree's last peak stands.
    5. Rebuild both roots: hashes on the left belong to both, hashes on the right to the new tree only.
    6. The path ends exactly at the top, and both roots come out.
    """
    # 1.
    _check_hashes("consistency", (old_root, new_root, *proof))
    if not 0 <= old <= new:
        raise _wrong("consistency", "the new tree is smaller than the old one")
    # 2.
    if old in (0, new):
        _verify_trivial(old, new, old_root, new_root, proof)
        return
    # 3.
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise _wrong("consistency", "it is empty")
    # 4.
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    # 5.
    old_running = new_running = path[0]
    for sibling in path[1:]:
        if sn == 0:
            raise _wrong("consistency", "it is too long")
        if fn & 1 or fn == sn:
            old_running = node_hash(sibling, old_running)
            new_running = node_hash(sibling, new_running)
            fn, sn = _skip_lone(fn, sn)
        else:
            new_running = node_hash(new_running, sibling)
        fn, sn = fn >> 1, sn >> 1
    # 6.
    if sn != 0:
        raise _wrong("consistency", "it is too short")
    if old_running != old_root or new_running != new_root:
        raise _wrong("consistency", "it leads to other roots")


def _split(span: int) -> int:
    """The largest power of two smaller than `span`."""
    return 1 << (span - 1).bit_length() - 1


def _subtree(start: int, end: int, nodes: Nodes) -> bytes:
    """MTH(D[start:end]), where `start` is where the RFC's recursion begins a subtree."""
    span = end - start
    if span & (span - 1) == 0:
        level = span.bit_length() - 1
        return nodes(level, start >> level)
    middle = start + _split(span)
    return node_hash(_subtree(start, middle, nodes), _subtree(middle, end, nodes))


def _skip_lone(fn: int, sn: int) -> tuple[int, int]:
    """Pass the levels at which the lone last node has no sibling."""
    while not fn & 1 and fn != 0:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn


def _verify_trivial(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    if proof:
        raise _wrong("consistency", "it should be empty")
    if old == new and old_root != new_root:
        raise _wrong("consistency", "two roots are given for one size")
    if old == 0 and old_root != EMPTY_ROOT:
        raise _wrong("consistency", "the empty tree has another root")


def _check_hashes(what: str, hashes: Sequence[bytes]) -> None:
    if any(len(value) != HASH_SIZE for value in hashes):
        raise _wrong(what, f"a hash is not {HASH_SIZE} bytes long")


def _wrong(what: str, why: str) -> Tampered:
    return Tampered(f"The {what} proof does not hold: {why}.")
