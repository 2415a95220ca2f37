"""Signed notes: round trips, one spelling, and verification that says no to everything else."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed, Tampered, UsageError
from strongroom.tlog import note
from strongroom.tlog.note import Note, Signature, Signer, Verifier, open_note, parse, sign, unbase64

# Made from the seed in RFC 8032, 7.1, test 1; key id and form worked out with sha256sum and base64.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
VKEY = "example.org/log+1c66b9ea+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"

NAMES = st.text(st.characters(exclude_categories=["Z", "C"], exclude_characters="+"), min_size=1, max_size=20)
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
TEXTS = st.lists(LINES, min_size=1, max_size=5).map(lambda lines: "".join(f"{line}\n" for line in lines))
SIGNATURES = st.builds(Signature, NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80))


def known() -> Signer:
    """A signer with a known key."""
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    return Signer(Verifier("example.org/log", key.public_key().public_bytes_raw()), key.sign)


def test_known_vkey() -> None:
    """The verifier key is spelled as the format says."""
    assert known().verifier.vkey() == VKEY
    assert Verifier.parse(VKEY) == known().verifier


@given(NAMES, st.binary(min_size=32, max_size=32))
def test_vkey_round_trip(name: str, public: bytes) -> None:
    """A verifier key is read back as it was written."""
    verifier = Verifier(name, public)
    assert Verifier.parse(verifier.vkey()) == verifier


@pytest.mark.parametrize(
    "vkey",
    [
        "", "example.org/log", VKEY + "\n", VKEY.replace("1c66b9ea", "1c66b9eb"), VKEY.replace("1c66b9ea", "1C66B9EA"),
        VKEY.replace("+Ad", "+Bd"), VKEY[:-4], VKEY.replace("log+", "log +"), VKEY + "=", VKEY.replace("Ea", "Eb"),
        "x+00000000+" + base64.b64encode(b"\x01" + bytes(31)).decode(),
    ],
)  # fmt: skip
def test_bad_vkeys(vkey: str) -> None:
    """Another form, type, id or length is refused."""
    with pytest.raises(Malformed):
        Verifier.parse(vkey)


@given(TEXTS, st.lists(SIGNATURES, min_size=1, max_size=5))
def test_note_round_trip(text: str, signatures: list[Signature]) -> None:
    """A note is read back as it was written, and its bytes are the only spelling."""
    written = Note(text, tuple(signatures))
    raw = written.render()
    assert parse(raw) == written
    assert parse(raw).render() == raw


@given(st.binary(max_size=200))
def test_parse_fails_in_one_way_only(raw: bytes) -> None:
    """Whatever bytes come, `parse` gives a note that writes the same bytes, or raises Malformed."""
    try:
        found = parse(raw)
    except Malformed:
        return
    assert found.render() == raw


GOOD = Note("text\n", (Signature("name", b"1234", b"signature"),)).render()


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"text\n", b"text\n\n", GOOD[:-1], GOOD + b"\n", GOOD + b"tail", GOOD.replace(b"text", b"te\txt"),
        GOOD.replace(b"text", b"te\xffxt"), GOOD.replace("—".encode(), b"-"), GOOD.replace(b"name", b""),
        GOOD.replace(b"name", b"na+me"), GOOD.replace(b"name", "na\u00a0me".encode()),
        GOOD.replace(b"MTIzNHNpZ25hdHVyZQ==", b"MTIzNA=="), GOOD.replace(b"Q==", b"R=="), GOOD.replace(b"=\n", b"\n"),
        b"text\n\n" + GOOD.split(b"\n\n")[1] * 101, b"x" * (note.MAX_NOTE + 1),
    ],
)  # fmt: skip
def test_bad_notes(raw: bytes) -> None:
    """What the format does not allow is refused."""
    with pytest.raises(Malformed):
        parse(raw)


def test_sixteen_signatures_are_welcome() -> None:
    """The format asks readers to take at least 16 signatures."""
    assert len(parse(b"text\n\n" + GOOD.split(b"\n\n")[1] * 16).signatures) == 16


@pytest.mark.parametrize("text", ["", "no newline", "control\x00\n", "a\n\n— x QUJDREVG"])
def test_a_text_that_cannot_be_read_back_is_not_written(text: str) -> None:
    """Rendering refuses what parsing would."""
    with pytest.raises(Malformed):
        Note(text, (Signature("name", b"1234", b"signature"),)).render()


@given(TEXTS)
def test_signed_and_opened(text: str) -> None:
    """What was signed opens under the key that signed it."""
    signer = known()
    assert open_note(sign(text, [signer]), [signer.verifier]) == (text, (signer.verifier,))


def test_the_signature_covers_the_text(signer: Signer) -> None:
    """Another text under the same signature is refused."""
    raw = sign("one\n", [signer]).replace(b"one", b"two")
    with pytest.raises(Tampered, match="does not hold"):
        open_note(raw, [signer.verifier])


def test_a_stranger_with_the_same_name(signer: Signer, stranger: Signer) -> None:
    """A key is known by name and id: a stranger's signature under our name is ignored, and alone is not enough."""
    both = sign("one\n", [stranger, signer])
    assert open_note(both, [signer.verifier])[1] == (signer.verifier,)
    with pytest.raises(Tampered, match="no signature"):
        open_note(sign("one\n", [stranger]), [signer.verifier])


def test_one_bad_signature_of_a_known_key_spoils_the_note(signer: Signer, stranger: Signer) -> None:
    """Even where another known key signed well."""
    forged = Signer(signer.verifier, stranger.sign)
    with pytest.raises(Tampered, match="does not hold"):
        open_note(sign("one\n", [stranger, forged]), [stranger.verifier, signer.verifier])


def test_nobody_signs_nobody_verifies() -> None:
    """Without a signer there is no note; without a key nothing is verified."""
    with pytest.raises(UsageError):
        sign("one\n", [])
    with pytest.raises(UsageError):
        open_note(sign("one\n", [known()]), [])


def test_a_key_that_is_no_point_on_the_curve(signer: Signer) -> None:
    """A public key that is none verifies nothing, in the same way as a wrong one."""
    nonsense = Verifier("example.org/log", b"\x02" + bytes(30) + b"\x80")
    with pytest.raises(Tampered):
        nonsense.verify(b"one\n", signer.sign(b"one\n"))


def test_unbase64_takes_one_spelling() -> None:
    """Base64 with spaces, without padding, with stray bits or in the other alphabet is refused."""
    assert unbase64("MTIz") == b"123"
    for text in ("MTI z", "MTI", "MTJ=", "MT-z", "MTIz\n", "\u00e9"):
        with pytest.raises(Malformed):
            unbase64(text)
