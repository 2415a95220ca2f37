"""Small things sealed whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.envelope import small
from strongroom.errors import Malformed, Tampered, Untrusted
from strongroom.secret import Secret


@given(st.binary(max_size=300), st.binary(max_size=40))
def test_what_was_sealed_opens_and_nothing_else_does(plain: bytes, bound: bytes) -> None:
    """Under the same key and binding; each seal is another ciphertext of known length."""
    key = small.new_key()
    sealed = small.seal(key, plain, bound)
    assert small.open_sealed(key, sealed, bound) == plain
    assert len(sealed) == len(plain) + small.OVERHEAD
    assert small.seal(key, plain, bound) != sealed
    with pytest.raises(Tampered):
        small.open_sealed(key, sealed, bound + b"x")
    with pytest.raises(Tampered):
        small.open_sealed(small.new_key(), sealed, bound)


@given(st.binary(min_size=1, max_size=60), st.data())
def test_every_changed_or_missing_byte_is_noticed(plain: bytes, data: st.DataObject) -> None:
    """Flips, truncations and extensions."""
    key = small.new_key()
    sealed = small.seal(key, plain, b"")
    at = data.draw(st.integers(0, len(sealed) - 1))
    flipped = bytearray(sealed)
    flipped[at] ^= data.draw(st.integers(1, 255))
    for wrong in (bytes(flipped), sealed[:at], sealed + b"x"):
        with pytest.raises(Untrusted):
            small.open_sealed(key, wrong, b"")


def test_what_is_not_small_is_refused() -> None:
    """Both ways."""
    key = small.new_key()
    with pytest.raises(Malformed):
        small.seal(key, bytes(small.MAX_SMALL + 1), b"")
    with pytest.raises(Malformed):
        small.open_sealed(key, b"\x01" + bytes(small.MAX_SMALL + small.OVERHEAD), b"")
    assert small.open_sealed(key, small.seal(key, bytes(small.MAX_SMALL), b""), b"") == bytes(small.MAX_SMALL)


def test_a_key_of_another_length_opens_nothing() -> None:
    """A key that was cut where it is kept is altered like any other."""
    sealed = small.seal(small.new_key(), b"plain", b"bound")
    with pytest.raises(Tampered):
        small.open_sealed(Secret(bytes(31)), sealed, b"bound")
