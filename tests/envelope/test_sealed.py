"""Documents sealed in chunks: what opens is what was sealed, whole or in part, and every change is noticed."""

import secrets

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.envelope import small
from strongroom.envelope.sealed import CHUNK, HEADER, SALT, STEP, TAG, Opener, Ranges, Sealer, sealed_size
from strongroom.errors import Tampered
from strongroom.secret import Secret

EDGES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7, 100_000)
CONTEXT = b"context"


def seal(key: Secret, plain: bytes, pieces: int = 1_000_000) -> bytes:
    """`plain` sealed, handed over in pieces."""
    sealer = Sealer(key, CONTEXT)
    out = b"".join(sealer.update(plain[at : at + pieces]) for at in range(0, len(plain), pieces)) + sealer.finish()
    assert sealer.size == len(plain)
    return out


def whole(key: Secret, cipher: bytes, context: bytes = CONTEXT, pieces: int = 5_000) -> bytes:
    """Everything, opened in pieces."""
    opener = Opener(key, context)
    return b"".join(opener.update(cipher[at : at + pieces]) for at in range(0, len(cipher), pieces)) + opener.finish()


@pytest.mark.parametrize("size", EDGES)
def test_every_length_opens_whole_and_has_the_foretold_size(size: int) -> None:
    """At and around the edges of chunks; and as the library's own one-shot form reads and writes it."""
    key, plain = small.new_key(), secrets.token_bytes(size)
    cipher = seal(key, plain, 1_000)
    assert len(cipher) == sealed_size(size)
    assert whole(key, cipher) == plain
    theirs = Cobblestone256Decryptor(key.reveal(), CONTEXT)
    assert theirs.update(cipher) + theirs.finalize() == plain
    ours = Cobblestone256Encryptor(key.reveal(), CONTEXT)
    assert whole(key, ours.update(plain) + ours.finalize()) == plain


@given(st.integers(1, 3 * CHUNK), st.data())
@settings(max_examples=40)
def test_any_range_is_the_slice(size: int, data: st.DataObject) -> None:
    """From the ciphertext of its own chunks alone."""
    key, plain = small.new_key(), secrets.token_bytes(size)
    cipher = seal(key, plain)
    start = data.draw(st.integers(0, size - 1))
    length = data.draw(st.integers(1, size - start))
    ranges = Ranges(key, CONTEXT, cipher[:HEADER], len(cipher))
    span = ranges.span(start, length)
    assert ranges.size == size
    assert ranges.open(start, length, cipher[span.start : span.end]) == plain[start : start + length]


def test_changes_cuts_and_moves_are_noticed() -> None:
    """One flipped bit anywhere in a chunk, whole chunks lost or swapped, the end cut, another context, another key."""
    key, plain = small.new_key(), secrets.token_bytes(3 * CHUNK + 100)
    cipher = seal(key, plain)
    first, second = cipher[HEADER : HEADER + STEP], cipher[HEADER + STEP : HEADER + 2 * STEP]
    flipped = bytearray(cipher)
    flipped[HEADER + STEP + 9] ^= 1
    wrong = [
        bytes(flipped),
        cipher[:-1],
        cipher[:-TAG],
        cipher[: HEADER + 3 * STEP],
        cipher[:HEADER] + second + first + cipher[HEADER + 2 * STEP :],
        cipher[:HEADER] + cipher[HEADER + STEP :],
        cipher + b"x",
        bytes(HEADER) + cipher[HEADER:],
    ]
    for one in wrong:
        with pytest.raises(Tampered):
            whole(key, one)
    with pytest.raises(Tampered):
        whole(key, cipher, b"another")
    with pytest.raises(Tampered):
        whole(small.new_key(), cipher)


@given(st.data())
@settings(max_examples=60)
def test_any_changed_byte_is_noticed_whole_and_in_the_range_that_holds_it(data: st.DataObject) -> None:
    """Wherever it lies: salt, commitment, ciphertext or tag. Ranges of other chunks still open."""
    key, plain = small.new_key(), secrets.token_bytes(2 * CHUNK + 50)
    cipher = bytearray(seal(key, plain))
    at = data.draw(st.integers(0, len(cipher) - 1) | st.integers(0, HEADER))
    cipher[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Tampered):
        whole(key, bytes(cipher))
    if at < HEADER:
        with pytest.raises(Tampered):
            Ranges(key, CONTEXT, bytes(cipher[:HEADER]), len(cipher))
        return
    ranges, hit = Ranges(key, CONTEXT, bytes(cipher[:HEADER]), len(cipher)), (at - HEADER) // STEP
    for chunk in range(3):
        span = ranges.span(chunk * CHUNK, 1)
        if chunk == hit:
            with pytest.raises(Tampered):
                ranges.open(chunk * CHUNK, 1, bytes(cipher[span.start : span.end]))
        else:
            opened = ranges.open(chunk * CHUNK, 1, bytes(cipher[span.start : span.end]))
            assert opened == plain[chunk * CHUNK : chunk * CHUNK + 1]


@given(st.sampled_from(EDGES), st.data())
@settings(max_examples=60)
def test_any_cut_is_noticed(size: int, data: st.DataObject) -> None:
    """From nothing at all to all but one byte, in the header or at an edge too."""
    key = small.new_key()
    cipher = seal(key, secrets.token_bytes(size))
    edges = [at for at in (0, SALT, HEADER, HEADER + STEP, HEADER + 2 * STEP) if at < len(cipher)]
    kept = data.draw(st.integers(0, len(cipher) - 1) | st.sampled_from(edges))
    with pytest.raises(Tampered):
        whole(key, cipher[:kept])


def test_no_two_documents_look_alike() -> None:
    """The same bytes under the same key and context are another ciphertext each time; pieces make no difference."""
    key, plain = small.new_key(), secrets.token_bytes(CHUNK + 1)
    assert seal(key, plain) != seal(key, plain)
    assert whole(key, seal(key, plain, 1), pieces=1) == plain


def test_a_range_notices_a_wrong_header_length_or_chunk() -> None:
    """The recorded length decides where the document ends, not what the store gives."""
    key = small.new_key()
    cipher = seal(key, secrets.token_bytes(2 * CHUNK))
    for header, total in (
        (cipher[: HEADER - 1], len(cipher)),
        (cipher[:HEADER], HEADER),
        (cipher[:HEADER], HEADER + STEP + 3),
    ):
        with pytest.raises(Tampered):
            Ranges(key, CONTEXT, header, total)
    with pytest.raises(Tampered):
        Ranges(key, b"another", cipher[:HEADER], len(cipher))
    ranges = Ranges(key, CONTEXT, cipher[:HEADER], len(cipher))
    span = ranges.span(0, 10)
    with pytest.raises(Tampered):
        ranges.open(0, 10, cipher[span.start : span.end - 1])
    with pytest.raises(Tampered):
        ranges.open(0, 10, cipher[span.start + STEP : span.end + STEP])
    for start, length in ((-1, 5), (0, 0), (0, 2 * CHUNK + 1), (2 * CHUNK, 1)):
        with pytest.raises(ValueError, match="beyond"):
            ranges.span(start, length)
