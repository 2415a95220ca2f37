import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.identity.jwk import parse_jwks
from strongroom.identity.signing import generate


def test_the_public_half_checks() -> None:
    """What the key signs, the half it publishes checks, under the name it publishes it by."""
    key = generate()
    Ed25519PublicKey.from_public_bytes(key.public_bytes).verify(key.sign(b"m"), b"m")
    assert parse_jwks(key.jwks()) == (key.public,)
    assert key.public.kid == key.kid == key.public.thumbprint


def test_it_does_not_show() -> None:
    """The private half is in no picture of the key, and is not pickled."""
    key = generate()
    assert repr(key) == f"SigningKey(kid={key.kid!r})"
    assert "d" not in key.jwk()
    with pytest.raises(TypeError):
        pickle.dumps(key)
