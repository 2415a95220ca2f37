"""The tree, held against the recursive definitions of RFC 6962, section 2.1."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed, Tampered, UsageError
from strongroom.tlog.tree import (
    EMPTY_ROOT,
    Frontier,
    Nodes,
    consistency_proof,
    frontier_at,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

ENTRIES = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"]
ROOTS = [  # Certificate Transparency's well-known tree over the entries above, by size
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = st.integers(0, 130)


def leaves(size: int) -> list[bytes]:
    """Leaf hashes of `size` different entries."""
    return [leaf_hash(b"entry %d" % at) for at in range(size)]


def mth(hashes: Sequence[bytes]) -> bytes:
    """MTH of the RFC, over leaf hashes."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    middle = split(len(hashes))
    return node_hash(mth(hashes[:middle]), mth(hashes[middle:]))


def split(size: int) -> int:
    """The largest power of two smaller than `size`, found by trying."""
    return max(1 << k for k in range(size.bit_length()) if 1 << k < size)


def path(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PATH of the RFC."""
    if len(hashes) == 1:
        return []
    middle = split(len(hashes))
    if index < middle:
        return [*path(index, hashes[:middle]), mth(hashes[middle:])]
    return [*path(index - middle, hashes[middle:]), mth(hashes[:middle])]


def subproof(old: int, hashes: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of the RFC."""
    if old == len(hashes):
        return [] if whole else [mth(hashes)]
    middle = split(len(hashes))
    if old <= middle:
        return [*subproof(old, hashes[:middle], whole=whole), mth(hashes[middle:])]
    return [*subproof(old - middle, hashes[middle:], whole=False), mth(hashes[:middle])]


def nodes_over(hashes: Sequence[bytes]) -> Nodes:
    """Nodes computed from all leaves; refuses what is not a full subtree of this tree."""

    def nodes(level: int, index: int) -> bytes:
        start, end = index << level, (index + 1) << level
        if end > len(hashes):
            raise AssertionError(level, index)
        return mth(hashes[start:end])

    return nodes


def grown(hashes: Sequence[bytes]) -> Frontier:
    """A frontier grown leaf by leaf."""
    frontier = Frontier()
    for leaf in hashes:
        frontier, _ = frontier.append(leaf)
    return frontier


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size: int) -> None:
    """The roots are those every implementation of RFC 6962 computes."""
    assert grown([leaf_hash(entry) for entry in ENTRIES[:size]]).root().hex() == ROOTS[size]
    assert ROOTS[0] == EMPTY_ROOT.hex()


@given(SIZES)
def test_root_is_that_of_the_definition(size: int) -> None:
    """Growing leaf by leaf gives the root that the recursive definition gives."""
    assert grown(leaves(size)).root() == mth(leaves(size))


@given(st.integers(1, 130))
def test_append_tells_every_subtree_it_completes(size: int) -> None:
    """At [k] stands the root of the full subtree of level k that ends with the new leaf."""
    hashes = leaves(size)
    _, completed = grown(hashes[:-1]).append(hashes[-1])
    trailing = (size & -size).bit_length()
    assert completed == [mth(hashes[size - (1 << level) :]) for level in range(trailing)]


@given(SIZES)
def test_frontier_round_trip(size: int) -> None:
    """A frontier is read back as it was written, and is the one that the nodes give."""
    frontier = grown(leaves(size))
    assert Frontier.parse(size, frontier.render()) == frontier
    assert frontier_at(size, nodes_over(leaves(size))) == frontier


@pytest.mark.parametrize(("size", "length"), [(-1, 0), (0, 32), (1, 0), (1, 31), (3, 32), (3, 96), (2**62 + 1, 64)])
def test_frontier_refuses_what_does_not_fit(size: int, length: int) -> None:
    """The number of peaks is the number of set bits of the size."""
    with pytest.raises(Malformed):
        Frontier.parse(size, bytes(length))


@given(st.integers(1, 130), st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    """Every entry's proof is the RFC's, and verifies against the root."""
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, nodes_over(hashes))
    assert list(proof) == path(index, hashes)
    verify_inclusion(index, size, hashes[index], proof, mth(hashes))


@given(SIZES, st.data())
def test_consistency(new: int, data: st.DataObject) -> None:
    """The proof between any two sizes is the RFC's, and verifies."""
    old = data.draw(st.integers(0, new))
    hashes = leaves(new)
    proof = consistency_proof(old, new, nodes_over(hashes))
    assert list(proof) == (subproof(old, hashes, whole=True) if old else [])
    verify_consistency(old, new, mth(hashes[:old]), mth(hashes), proof)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_no_proof_of_what_is_not_there(index: int, size: int) -> None:
    """A proof is asked for an entry of the tree, or refused."""
    with pytest.raises(UsageError):
        inclusion_proof(index, size, nodes_over(leaves(3)))


@pytest.mark.parametrize(("old", "new"), [(4, 3), (-1, 3)])
def test_no_proof_that_a_log_shrank(old: int, new: int) -> None:
    """A smaller tree does not extend a larger one."""
    with pytest.raises(UsageError):
        consistency_proof(old, new, nodes_over(leaves(4)))


IN_PROOF = ["flip", "drop", "add", "swap", "short hash"]


@given(st.integers(1, 70), st.sampled_from([*IN_PROOF, "index", "size", "leaf", "root"]), st.data())
def test_a_changed_inclusion_proof_fails(size: int, change: str, data: st.DataObject) -> None:
    """Whatever of the statement or of its proof is changed, verification says no."""
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof = list(inclusion_proof(index, size, nodes_over(hashes)))
    leaf, root = hashes[index], mth(hashes)
    changed = _change(proof, change, data)
    if change == "index":
        index = data.draw(st.integers(-1, size).filter(lambda other: other != index))
    elif change == "size":
        size = data.draw(st.integers(0, 2 * size + 2).filter(lambda other: _other_shape(index, size, other)))
    elif change == "leaf":
        leaf = leaf_hash(b"another")
    elif change == "root":
        root = leaf_hash(b"another")
    elif changed == proof:
        return
    with pytest.raises(Tampered):
        verify_inclusion(index, size, leaf, changed, root)


@given(st.integers(0, 70), st.sampled_from([*IN_PROOF, "old size", "old root", "new root"]), st.data())
def test_a_changed_consistency_proof_fails(new: int, change: str, data: st.DataObject) -> None:
    """Likewise for consistency; a claim about other sizes fails unless it is true."""
    hashes = leaves(new)
    old = data.draw(st.integers(0, new))
    proof = list(consistency_proof(old, new, nodes_over(hashes)))
    old_root, new_root = mth(hashes[:old]), mth(hashes)
    changed = _change(proof, change, data)
    if change == "old size":
        old += 1
    elif change == "old root":
        old_root = leaf_hash(b"another")
    elif change == "new root" and old > 0:  # every tree extends the empty one
        new_root = leaf_hash(b"another")
    elif changed == proof:
        return
    with pytest.raises(Tampered):
        verify_consistency(old, new, old_root, new_root, changed)


def _other_shape(index: int, size: int, other: int) -> bool:
    """Whether a proof for `size` cannot also be one for `other`: it has another length or other sides."""
    return other <= index or (other != size and _sides(index, size) != _sides(index, other))


def _sides(index: int, size: int) -> list[bool]:
    sides, first, end = [], 0, size
    while end - first > 1:
        middle = first + split(end - first)
        sides.append(index < middle)
        first, end = (first, middle) if index < middle else (middle, end)
    return sides


def _change(proof: list[bytes], change: str, data: st.DataObject) -> list[bytes]:
    changed = list(proof)
    at = data.draw(st.integers(0, max(0, len(proof) - 1)))
    if change == "add":
        changed.insert(at, leaf_hash(b"added"))
    elif proof and change == "flip":
        changed[at] = bytes([changed[at][0] ^ 1]) + changed[at][1:]
    elif proof and change == "drop":
        del changed[at]
    elif proof and change == "swap":
        changed[0], changed[at] = changed[at], changed[0]
    elif proof and change == "short hash":
        changed[at] = changed[at][:-1]
    return changed


def test_two_roots_for_one_size() -> None:
    """Two different trees of one size are the very fork that the log must not have."""
    with pytest.raises(Tampered, match="two roots"):
        verify_consistency(2, 2, mth(leaves(2)), leaf_hash(b""), ())


def test_empty_proof_between_different_sizes() -> None:
    """A proof that says nothing proves nothing."""
    with pytest.raises(Tampered, match="empty"):
        verify_consistency(3, 5, mth(leaves(3)), mth(leaves(5)), ())


@given(st.integers(0, 6), st.integers(0, 4))
def test_a_full_subtree_is_as_good_as_its_leaves(before: int, level: int) -> None:
    """Appended at once, it gives the frontier and the completed subtrees that its leaves give one by one."""
    hashes = leaves((before + 1) << level)
    start = Frontier()
    for leaf in hashes[: before << level]:
        start, _ = start.append(leaf)
    singly, completed = start, list[bytes]()
    for leaf in hashes[before << level :]:
        singly, completed = singly.append(leaf)
    assert start.append_subtree(mth(hashes[before << level :]), level) == (singly, completed[level:])


def test_a_subtree_needs_its_place() -> None:
    """Two leaves have no place after one."""
    with pytest.raises(UsageError):
        Frontier().append(leaf_hash(b""))[0].append_subtree(leaf_hash(b""), 1)
