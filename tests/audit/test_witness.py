"""A witness cosigns what only grew, remembers it over restarts, and refuses a set-back, a fork and a stranger's log."""

from pathlib import Path

import pytest

from strongroom.audit.files import CHECKPOINT
from strongroom.audit.verify import parsed_tile
from strongroom.audit.witness import SIZE_TYPE, Witness
from strongroom.clock import ManualClock
from strongroom.errors import Tampered, Unavailable
from strongroom.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from strongroom.tlog.cosign import Cosigner, Submission, cosignatures
from strongroom.tlog.logkeys import LogKeys
from strongroom.tlog.note import Signature, Verifier, parse
from strongroom.tlog.tile import tile_nodes
from strongroom.tlog.tree import EMPTY_ROOT, consistency_proof
from tests.audit.conftest import make_signer
from tests.audit.test_stranger import OTHER
from tests.audit.test_verify import SIGNER, Files, entries, published

ORIGIN = "example.org/log"
WITNESS = make_signer("witness.example")
KEY = Cosigner("witness.example", WITNESS.verifier.public)
TEN, TWENTY, LONG = (published(entries(size)) for size in (10, 20, 300))


def made(folder: Path) -> Witness:
    """A witness of one log."""
    return Witness(folder, WITNESS, {ORIGIN: SIGNER.verifier}, ManualClock())


def asking(files: Files, old: int, *, proof_from: int | None = None, verifier: Verifier = SIGNER.verifier) -> bytes:
    """A request upon a log."""
    size = open_checkpoint(files[CHECKPOINT], verifier).size
    nodes = tile_nodes(size, lambda tile: parsed_tile(files.get, tile))
    proof = consistency_proof(min(size, old if proof_from is None else proof_from), size, nodes)
    return Submission(old, proof, files[CHECKPOINT]).render()


def test_it_cosigns_what_grew(tmp_path: Path) -> None:
    """Each step holds under its key, and the next witness over the same folder goes on from there."""
    old = 0
    for files, size in ((TEN, 10), (TEN, 10), (TWENTY, 20), (LONG, 300)):
        witness = made(tmp_path)
        assert witness.seen(ORIGIN).size == old
        answer = witness.add_checkpoint(asking(files, old))
        assert answer.status == 200
        signed = parse(files[CHECKPOINT].rpartition(b"\n\n")[0] + b"\n\n" + answer.body)
        assert list(cosignatures(signed, (KEY,))) == [KEY]
        old = made(tmp_path).seen(ORIGIN).size
        assert old == size


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"nonsense", 400, b"not a request"),
        (asking(TWENTY, 21, proof_from=20), 400, b"larger than the new one"),
        (asking(TEN, 10), 409, b"20\n"),
        (asking(LONG, 0), 409, b"20\n"),
        (asking(LONG, 10), 409, b"20\n"),
        (asking(LONG, 20, proof_from=19), 422, b"does not hold"),
        (asking(OTHER, 20), 422, b"does not hold"),
        (asking(published([b"{}"] * 20), 20), 409, b"20\n"),
        (Submission(20, (), sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), (SIGNER,))).render(), 400, b"larger"),
        (
            Submission(0, (), sign_checkpoint(Checkpoint("o.example", 0, EMPTY_ROOT), (SIGNER,))).render(),
            404,
            b"not wit",
        ),
        (Submission(20, (), published(entries(20), make_signer())[CHECKPOINT]).render(), 403, b"no signature"),
        (Submission(20, (), TWENTY[CHECKPOINT].replace(b"\n20\n", b"\n21\n")).render(), 403, b"does not hold"),
    ],
)
def test_what_it_refuses(body: bytes, status: int, said: bytes, tmp_path: Path) -> None:
    """By the status that c2sp.org/tlog-witness gives each case; and nothing is remembered of it."""
    witness = made(tmp_path)
    assert witness.add_checkpoint(asking(TWENTY, 0)).status == 200
    answer = witness.add_checkpoint(body)
    assert (answer.status, said in answer.body) == (status, True)
    assert (answer.kind == SIZE_TYPE) == (status == 409)
    assert witness.seen(ORIGIN).root == open_checkpoint(TWENTY[CHECKPOINT], SIGNER.verifier).root


def test_a_folder_that_fails(tmp_path: Path) -> None:
    """Nothing is cosigned that could not be remembered; what was altered there stops it."""
    witness = made(tmp_path / "away")
    with pytest.raises(Unavailable):
        witness.add_checkpoint(asking(TEN, 0))
    witness = made(tmp_path)
    assert witness.add_checkpoint(asking(TEN, 0)).status == 200
    [seen] = tmp_path.glob("seen-*")
    seen.write_bytes(seen.read_bytes().replace(b"\n10\n", b"\n11\n"))
    with pytest.raises(Tampered):
        witness.add_checkpoint(asking(TWENTY, 10))
    seen.unlink()
    seen.mkdir()
    with pytest.raises(Unavailable):
        witness.seen(ORIGIN)


def test_a_log_may_bear_other_signatures(tmp_path: Path) -> None:
    """Of other witnesses, for example; they are passed over."""
    parsed = parse(TEN[CHECKPOINT])
    other = Signature("witness.example/other", b"\1\2\3\4", bytes(72))
    more = type(parsed)(parsed.text, (*parsed.signatures, other)).render()
    assert made(tmp_path).add_checkpoint(Submission(0, (), more).render()).status == 200


def test_a_witness_follows_a_log_to_its_new_key(tmp_path: Path) -> None:
    """It knows the old key: it cosigns while both sign, and refuses afterwards. With all keys it goes on from what it saw."""
    newer = make_signer(ORIGIN)
    both = TWENTY | {CHECKPOINT: sign_checkpoint(open_checkpoint(TWENTY[CHECKPOINT], SIGNER.verifier), (newer, SIGNER))}
    alone = LONG | {CHECKPOINT: sign_checkpoint(open_checkpoint(LONG[CHECKPOINT], SIGNER.verifier), (newer,))}
    assert made(tmp_path).add_checkpoint(asking(TEN, 0)).status == 200
    assert made(tmp_path).add_checkpoint(asking(both, 10)).status == 200
    request = asking(alone, 20, verifier=newer.verifier)
    assert made(tmp_path).add_checkpoint(request).status == 403
    keys = LogKeys.of(SIGNER.verifier).followed_by(newer.verifier).settled(20)
    witness = Witness(tmp_path, WITNESS, {ORIGIN: keys}, ManualClock())
    assert witness.seen(ORIGIN).size == 20
    assert witness.add_checkpoint(request).status == 200
    (tmp_path / "x").mkdir()
    fork = published(entries(299))  # signed by the retired key, behind its end
    assert Witness(tmp_path / "x", WITNESS, {ORIGIN: keys}, ManualClock()).add_checkpoint(asking(fork, 0)).status == 403
