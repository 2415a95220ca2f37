"""The keys of one log: which sign, which signed up to where, and that nothing new is believed of a retired one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed, Tampered
from strongroom.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from strongroom.tlog.logkeys import LogKeys, LogSigners
from strongroom.tlog.tree import MAX_SIZE
from tests.tlog.conftest import make_signer

ONE, TWO, THREE = (make_signer("example.org/log") for _ in range(3))


def keys(*retired: int | None) -> LogKeys:
    """The newest first."""
    return LogKeys(tuple(one.verifier for one in (THREE, TWO, ONE)[-len(retired) :]), retired)


@given(st.lists(st.none() | st.integers(0, MAX_SIZE), max_size=2))
def test_what_is_written_is_read_back(retired: list[int | None]) -> None:
    """A line a key; a log whose key was never replaced has one line, that of its key."""
    made = keys(None, *retired)
    assert LogKeys.parse(made.render()) == made
    assert made.newest.vkey() == made.render().splitlines()[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        f"{ONE.verifier.vkey()} 7",  # the newest is retired
        f"{TWO.verifier.vkey()}\n{ONE.verifier.vkey()} -1",
        f"{TWO.verifier.vkey()}\n{ONE.verifier.vkey()} 07",
        f"{TWO.verifier.vkey()}\n{ONE.verifier.vkey()} {2**63}",
        f"{TWO.verifier.vkey()}\n{ONE.verifier.vkey()} 7 8",
        f"{ONE.verifier.vkey()}\n{ONE.verifier.vkey()} 7",  # one key twice
        f"{ONE.verifier.vkey()}\n{make_signer('example.org/other').verifier.vkey()} 7",
        "\n".join(make_signer("example.org/log").verifier.vkey() for _ in range(65)),
    ],
    ids=str.split("nothing nonsense retired negative padded huge two-sizes twice another-log many"),
)  # fmt: skip
def test_what_is_no_list_of_one_logs_keys_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(Malformed):
        LogKeys.parse(text)


def test_a_key_has_a_life() -> None:
    """It signs alone, then beside a newer one, then not any more; each signer stands for an active key."""
    alone = LogKeys.of(ONE.verifier)
    assert LogKeys.of(alone) is alone
    both = alone.followed_by(TWO.verifier)
    assert both.active() == (TWO.verifier, ONE.verifier)
    over = both.settled(7)
    assert (over.active(), over.retired) == ((TWO.verifier,), (None, 7))
    assert over.followed_by(THREE.verifier).settled(9).retired == (None, 9, 7)
    signers = LogSigners.of(ONE)
    assert LogSigners.of(signers) is signers
    LogSigners(both, (TWO, ONE))
    for wrong in ((TWO,), (ONE, TWO), ()):
        with pytest.raises(Malformed):
            LogSigners(both, wrong)


@pytest.mark.parametrize("size", [0, 6, 7, 8])
def test_a_checkpoint_holds_by_a_key_that_signed_then(size: int) -> None:
    """Of two signatures either serves. A retired key's serves up to its last size, and no further."""
    checkpoint = Checkpoint("example.org/log", size, Checkpoint.parse(
        "example.org/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n").root)  # fmt: skip
    old, both, new = (sign_checkpoint(checkpoint, by) for by in ((ONE,), (TWO, ONE), (TWO,)))
    for raw in (old, both):
        assert open_checkpoint(raw, ONE.verifier) == checkpoint
    for raw in (both, new):
        assert open_checkpoint(raw, TWO.verifier) == checkpoint
        assert open_checkpoint(raw, keys(None, 7)) == checkpoint
    assert open_checkpoint(old, keys(None, None)) == checkpoint
    if size <= 7:
        assert open_checkpoint(old, keys(None, 7)) == checkpoint
    else:
        with pytest.raises(Tampered, match="retired"):
            open_checkpoint(old, keys(None, 7))
