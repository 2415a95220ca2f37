"""What is sealed under a life key opens only while the key exists."""

import pytest

from strongroom.envelope import small
from strongroom.errors import Malformed, Tampered
from strongroom.keys.life import ID_SIZE, LifeKey, life_of, open_in, seal_in


class Held:
    """Life keys in memory."""

    def __init__(self) -> None:
        self.keys: dict[bytes, LifeKey] = {}

    def spare(self) -> LifeKey:
        """See `LifeKeys`."""
        made = LifeKey(bytes([len(self.keys)]) * ID_SIZE, small.new_key())
        return self.keys.setdefault(made.id, made)

    def get(self, ident: bytes) -> LifeKey:
        """See `LifeKeys`."""
        if ident not in self.keys:
            raise Tampered("gone")
        return self.keys[ident]

    def destroy(self, ident: bytes, at: int) -> None:
        """See `LifeKeys`."""
        self.keys.pop(ident, None)


def test_it_opens_under_its_own_life_key_and_binding_alone() -> None:
    """Another binding, another key's id in front, and a destroyed key open nothing."""
    keys = Held()
    one, two = keys.spare(), keys.spare()
    sealed = seal_in(one, b"wrapped", b"bound")
    assert (life_of(sealed), open_in(keys, sealed, b"bound")) == (one.id, b"wrapped")
    with pytest.raises(Tampered):
        open_in(keys, sealed, b"other")
    with pytest.raises(Tampered):
        open_in(keys, two.id + sealed[ID_SIZE:], b"bound")
    keys.destroy(one.id, 1)
    with pytest.raises(Tampered):
        open_in(keys, sealed, b"bound")


@pytest.mark.parametrize("sealed", [b"", b"x", bytes(ID_SIZE)])
def test_what_is_no_sealed_key_is_malformed(sealed: bytes) -> None:
    """An overwritten column, for one."""
    with pytest.raises(Malformed):
        life_of(sealed)


def test_a_life_key_is_not_printed() -> None:
    """Not even by accident."""
    key = Held().spare()
    assert key.key.reveal().hex() not in repr(key)
    assert "key" not in repr(key).replace("LifeKey", "")
