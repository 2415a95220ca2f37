"""Cosignatures and the request for one: round trips, the spec's own example, and everything that is not them."""

import base64

import pytest

from strongroom.errors import CheckFailed, Malformed, Tampered
from strongroom.tlog import note
from strongroom.tlog.checkpoint import Checkpoint, sign_checkpoint
from strongroom.tlog.cosign import Cosigner, Submission, check_quorum, cosign, cosignatures, cosigned_message
from strongroom.tlog.note import Note, Signer, parse
from strongroom.tlog.tree import EMPTY_ROOT
from tests.tlog.conftest import make_signer

TEXT = Checkpoint("example.org/log", 0, EMPTY_ROOT).render()


def cosigner(signer: Signer) -> Cosigner:
    """The public half of a witness."""
    return Cosigner(signer.verifier.name, signer.verifier.public)


def test_what_is_signed() -> None:
    """The message of c2sp.org/tlog-cosignature, byte by byte."""
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert cosigned_message(text, 1_679_315_147) == f"cosignature/v1\ntime 1679315147\n{text}".encode()


def test_a_cosignature_holds() -> None:
    """It names its time, its length is 4 + 8 + 64 bytes on the line, and it holds for this text and key alone."""
    witness = make_signer("witness.example")
    line = cosign(TEXT, witness, 1_700_000_000)
    assert (line.name, line.key_id, len(line.value)) == ("witness.example", cosigner(witness).key_id, 72)
    assert cosigner(witness).verify(TEXT, line.value) == 1_700_000_000
    for text, value in ((TEXT + "x\n", line.value), (TEXT, bytes(8) + line.value[8:]), (TEXT, line.value[:9])):
        with pytest.raises(Tampered):
            cosigner(witness).verify(text, value)
    with pytest.raises(Tampered):
        cosigner(make_signer("witness.example")).verify(TEXT, line.value)


def test_keys_are_told_apart() -> None:
    """A witness's key reads back, and is no log's key, nor the other way round."""
    one = cosigner(make_signer("witness.example/w1"))
    assert Cosigner.parse(one.vkey()) == one
    log = make_signer("example.org/log").verifier
    for text in (
        log.vkey(),
        "nonsense",
        one.vkey().replace("/w1", "/w2"),
        f"a+00000000+{base64.b64encode(bytes(33)).decode()}",
    ):
        with pytest.raises(Malformed):
            Cosigner.parse(text)
    with pytest.raises(Malformed):
        note.Verifier.parse(one.vkey())
    with pytest.raises(Malformed):
        Cosigner("witness.example", b"short")


def test_a_quorum() -> None:
    """Witnesses count that are known and signed; one that is known and did not sign this spoils it."""
    signed = sign_checkpoint(Checkpoint.parse(TEXT), (make_signer("example.org/log"),))
    witnesses = [make_signer(f"witness.example/{number}") for number in range(3)]
    keys = [cosigner(one) for one in witnesses]
    lines = tuple(cosign(TEXT, one, 1) for one in witnesses[:2])
    both = Note(TEXT, (*parse(signed).signatures, *lines)).render()
    assert check_quorum(both, keys, 2) == ("witness.example/0", "witness.example/1")
    assert set(cosignatures(parse(both), keys[1:])) == {keys[1]}
    with pytest.raises(CheckFailed, match="by 3 of the witnesses, and is by witness"):
        check_quorum(both, keys, 3)
    with pytest.raises(CheckFailed, match="none"):
        check_quorum(signed, keys, 1)
    wrong = Note(TEXT, (*parse(signed).signatures, cosign(TEXT + "x\n", witnesses[0], 1))).render()
    with pytest.raises(Tampered):
        check_quorum(wrong, keys, 0)


def test_a_request_reads_back() -> None:
    """Old size, proof, and the checkpoint verbatim."""
    signed = sign_checkpoint(Checkpoint.parse(TEXT), (make_signer("example.org/log"),))
    for one in (Submission(0, (), signed), Submission(7, (bytes(32), b"\1" * 32), signed)):
        assert Submission.parse(one.render()) == one
    good = Submission(7, (bytes(32),), signed).render()
    for bad in (
        b"", signed, good.replace(b"old 7", b"old 07"), good.replace(b"old ", b"new "), good.replace(b"A" * 43, b"A" * 40),
        good.replace(b"AA=\n", b"A\xc3\xa9=\n"), Submission(7, (bytes(32),) * 64, signed).render(),
        Submission(7, (bytes(31),), signed).render(), b"old 0\n\nnothing", b"old 9999999999999999999\n\n" + signed,
        b"old 0\n\n" + signed + bytes(1_100_000),
    ):  # fmt: skip
        with pytest.raises(Malformed):
            Submission.parse(bad)
