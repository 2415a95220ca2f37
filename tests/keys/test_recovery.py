"""The recovery key on paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed, Tampered, UsageError
from strongroom.keys.recovery import RecoveryPrivate, RecoveryPublic
from strongroom.secret import Secret

PAPER = RecoveryPrivate.generate()
KEY = Secret(b"k" * 32)


def test_what_is_wrapped_to_the_public_half_opens_with_the_paper() -> None:
    """Read back in any case, with spaces or dashes; bound to what it is; another paper opens nothing."""
    wrapped = PAPER.public().wrap(KEY, b"bound")
    for text in (
        PAPER.render(),
        PAPER.render().lower().replace("-", " "),
        PAPER.render().replace("O", "0").replace("I", "1"),
    ):
        assert RecoveryPrivate.parse(text).unwrap(wrapped, b"bound") == KEY
    with pytest.raises(Tampered):
        PAPER.unwrap(wrapped, b"other")
    with pytest.raises(Tampered):
        PAPER.unwrap(wrapped[:-1], b"bound")
    with pytest.raises(Tampered):
        RecoveryPrivate.generate().unwrap(wrapped, b"bound")


@given(st.data())
def test_a_typing_mistake_is_found(data: st.DataObject) -> None:
    """One wrong character, a missing group, or another text."""
    text = PAPER.render()
    places = [at for at, character in enumerate(text) if character != "-" and at > 4]
    at = data.draw(st.sampled_from(places))
    wrong = data.draw(st.sampled_from("ABCDEFGHJKLMNPQRSTUVWXYZ234567"))
    if wrong != text[at]:
        with pytest.raises(UsageError, match="mistyped"):
            RecoveryPrivate.parse(text[:at] + wrong + text[at + 1 :])
    for other in (text[:-5], "", "SRRK", data.draw(st.text(max_size=20))):
        with pytest.raises(UsageError):
            RecoveryPrivate.parse(other)


@given(st.data())
def test_any_changed_or_missing_byte_of_a_wrapped_key_is_noticed(data: st.DataObject) -> None:
    """Down to nothing at all."""
    wrapped = PAPER.public().wrap(KEY, b"bound")
    at = data.draw(st.integers(0, len(wrapped) - 1))
    flipped = bytearray(wrapped)
    flipped[at] ^= data.draw(st.integers(1, 255))
    for wrong in (bytes(flipped), wrapped[:at], wrapped + b"x"):
        with pytest.raises(Tampered):
            PAPER.unwrap(wrong, b"bound")


def test_the_public_half_is_32_bytes() -> None:
    """Anything else is refused."""
    assert RecoveryPublic(PAPER.public().raw).raw == PAPER.public().raw
    with pytest.raises(Malformed):
        RecoveryPublic(b"short")
