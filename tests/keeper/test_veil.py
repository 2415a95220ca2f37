"""The veil: people are found by keyed hashes and shown by sealed names, and by nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Untrusted
from strongroom.keeper.veil import UNKNOWN, Veil
from strongroom.secret import Secret

VEIL = Veil(Secret(b"i" * 32), Secret(b"n" * 32))


def test_a_hash_belongs_to_one_key_and_one_use() -> None:
    """Equal logins hash alike under one key only, and a login never like an identifier."""
    other = Veil(Secret(b"j" * 32), Secret(b"n" * 32))
    assert VEIL.login("i", "s") == VEIL.login("i", "s")
    assert len({VEIL.login("i", "s"), VEIL.identifier("i", "s"), other.login("i", "s")}) == 3
    assert len(VEIL.login("i", "s")) == 16


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_different_logins_have_different_hashes(one: tuple[str, str], two: tuple[str, str]) -> None:
    """However issuer and subject are cut: "ab" and "c" is not "a" and "bc"."""
    assert (VEIL.login(*one) == VEIL.login(*two)) is (one == two)


@given(st.text(min_size=1))
def test_a_name_opens_in_its_own_place_only(text: str) -> None:
    """Moved to another person, or to another kind of thing, it is not shown."""
    sealed = VEIL.seal(text, "patient", "p")
    assert VEIL.open(sealed, "patient", "p") == text
    for place in (("patient", "q"), ("account", "p"), ("patient", "p", "")):
        with pytest.raises(Untrusted):
            VEIL.open(sealed, *place)
        assert VEIL.try_open(sealed, *place) == UNKNOWN


def test_an_altered_or_missing_name_hides_no_access() -> None:
    """It reads as unknown, and the row stays."""
    sealed = bytearray(VEIL.seal("Aroha", "patient", "p"))
    sealed[-1] ^= 1
    assert VEIL.try_open(bytes(sealed), "patient", "p") == UNKNOWN
    assert VEIL.try_open(None, "patient", "p") == UNKNOWN
    assert VEIL.open(b"", "patient", "p") == UNKNOWN
