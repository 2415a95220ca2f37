"""A signer whose key is made for each test."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.tlog.note import Signer, Verifier


def make_signer(name: str) -> Signer:
    """A new Ed25519 key under this name."""
    key = Ed25519PrivateKey.generate()
    return Signer(Verifier(name, key.public_key().public_bytes_raw()), key.sign)


@pytest.fixture
def signer() -> Signer:
    """The log's own signer."""
    return make_signer("example.org/log")


@pytest.fixture
def stranger() -> Signer:
    """Another signer under the same name."""
    return make_signer("example.org/log")
