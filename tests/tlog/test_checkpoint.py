"""Checkpoints: round trips, bounds, and that they are of the log whose key signed them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed, Tampered
from strongroom.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from strongroom.tlog.note import Signer
from strongroom.tlog.tree import EMPTY_ROOT, MAX_SIZE

LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
ROOTS = st.binary(min_size=32, max_size=32)
CHECKPOINTS = st.builds(
    Checkpoint, LINES, st.integers(1, MAX_SIZE), ROOTS, st.lists(LINES, max_size=3).map(tuple)
) | st.builds(Checkpoint, LINES, st.just(0), st.just(EMPTY_ROOT))
ROOT64 = base64.b64encode(bytes(32)).decode()


@given(CHECKPOINTS)
def test_round_trip(checkpoint: Checkpoint) -> None:
    """A checkpoint is read back as it was written, and its text is the only spelling."""
    text = checkpoint.render()
    assert Checkpoint.parse(text) == checkpoint
    assert Checkpoint.parse(text).render() == text


@given(st.text(max_size=80))
def test_parse_fails_in_one_way_only(text: str) -> None:
    """Whatever text comes, it is a checkpoint that writes the same text, or Malformed."""
    try:
        found = Checkpoint.parse(text)
    except Malformed:
        return
    assert found.render() == text


@pytest.mark.parametrize(
    "text",
    [
        "", "o\n1\n", f"o\n1\n{ROOT64}", f"o\n01\n{ROOT64}\n", f"o\n+1\n{ROOT64}\n", f"o\n-1\n{ROOT64}\n",
        f"o\n1 \n{ROOT64}\n", f"\n1\n{ROOT64}\n", f"o\n1\n{ROOT64}\n\n", f"o\n0\n{ROOT64}\n", f"o\n1\n{ROOT64[:-1]}\n",
        "o\n1\nMTIz\n", f"o\n{MAX_SIZE + 1}\n{ROOT64}\n", f"o\n99999999999999999999\n{ROOT64}\n",
        f"o\n\u0661\n{ROOT64}\n", f"o\r\n1\n{ROOT64}\n",
    ],
)  # fmt: skip
def test_bad_checkpoints(text: str) -> None:
    """What the format does not allow is refused, the wrong root of an empty log included."""
    with pytest.raises(Malformed):
        Checkpoint.parse(text)


def test_signed_and_opened(signer: Signer) -> None:
    """What was signed opens under the log's key."""
    checkpoint = Checkpoint("example.org/log", 7, bytes(32))
    assert open_checkpoint(sign_checkpoint(checkpoint, [signer]), signer.verifier) == checkpoint


def test_another_key(signer: Signer, stranger: Signer) -> None:
    """A checkpoint that this log's key did not sign is refused."""
    with pytest.raises(Tampered):
        open_checkpoint(sign_checkpoint(Checkpoint("example.org/log", 7, bytes(32)), [stranger]), signer.verifier)


def test_another_log(signer: Signer) -> None:
    """A checkpoint of another log is refused even if our key signed it."""
    with pytest.raises(Tampered, match="another log"):
        open_checkpoint(sign_checkpoint(Checkpoint("example.org/other", 7, bytes(32)), [signer]), signer.verifier)
