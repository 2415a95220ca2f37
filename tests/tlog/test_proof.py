"""Proof files: round trips, and that a proof of something else is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed, Tampered
from strongroom.tlog.checkpoint import Checkpoint, sign_checkpoint
from strongroom.tlog.note import Note, Signature, Signer
from strongroom.tlog.proof import MAX_PROOF, Proof
from strongroom.tlog.tree import leaf_hash, node_hash

HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=8).map(tuple)
NOTE = Note("o\n1\n", (Signature("o", b"1234", b"signature"),)).render()
GOOD = Proof(3, (bytes(32),), NOTE, b"extra").render()


@given(st.integers(0, 2**40), HASHES, st.binary(max_size=50))
def test_round_trip(index: int, hashes: tuple[bytes, ...], extra: bytes) -> None:
    """A proof is read back as it was written, and its bytes are the only spelling."""
    proof = Proof(index, hashes, NOTE, extra)
    assert Proof.parse(proof.render()) == proof
    assert Proof.parse(proof.render()).render() == proof.render()


@given(st.binary(max_size=100).map(lambda tail: GOOD[:40] + tail) | st.binary(max_size=100))
def test_parse_fails_in_one_way_only(raw: bytes) -> None:
    """Whatever bytes come, they are a proof that writes the same bytes, or Malformed."""
    try:
        found = Proof.parse(raw)
    except Malformed:
        return
    assert found.render() == raw


@pytest.mark.parametrize(
    "raw",
    [
        b"", GOOD[:-1], GOOD + b"tail", GOOD.replace(b"@v1", b"@v2"), GOOD.replace(b"index 3", b"index 03"),
        GOOD.replace(b"index 3", b"index -3"), GOOD.replace(b"index 3\n", b""), GOOD.replace(b"extra ", b"extra"),
        GOOD.replace(b"extra ZXh0cmE=", b"extra "), GOOD.replace(b"AAA=", b"AAA"), GOOD.replace(b"AAA=", b"AAB="),
        GOOD.replace(b"index", "ind\u00e9x".encode()), GOOD.replace(b"\n\n", b"\n", 1),
        b"c2sp.org/tlog-proof@v1\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nextra QQ==\n\n" + NOTE, b"x" * (MAX_PROOF + 1),
        GOOD.replace(b"index 3", b"index 9999999999999999999"),
    ],
)  # fmt: skip
def test_bad_proofs(raw: bytes) -> None:
    """What the format does not allow is refused."""
    with pytest.raises(Malformed):
        Proof.parse(raw)


def test_impossible_values() -> None:
    """A path longer than any tree is high, or of things that are no hashes, is no proof."""
    for hashes in ((bytes(31),), (bytes(32),) * 64):
        with pytest.raises(Malformed):
            Proof(0, hashes, NOTE)


def test_verified_against_the_signed_root(signer: Signer, stranger: Signer) -> None:
    """A proof holds for its own leaf and the log's own key, and for nothing else."""
    left, right = leaf_hash(b"left"), leaf_hash(b"right")
    checkpoint = Checkpoint("example.org/log", 2, node_hash(left, right))
    proof = Proof(1, (left,), sign_checkpoint(checkpoint, [signer]))
    assert proof.verify(right, signer.verifier) == checkpoint
    with pytest.raises(Tampered, match="inclusion"):
        proof.verify(left, signer.verifier)
    with pytest.raises(Tampered, match="signature"):
        proof.verify(right, stranger.verifier)
