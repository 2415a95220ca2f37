import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey

from strongroom.clock import SECOND, Millis
from strongroom.identity.context import hash_token
from strongroom.identity.dpop import Bound, Proofs
from strongroom.identity.refusal import Refusal

AT = 1_767_225_600
NOW = Millis(AT * SECOND)
HERE = "https://store.example/fhir/Binary/x"
REQUEST = Bound("GET", HERE, hash_token("t"))


def test_a_good_proof_names_its_key(world: Any) -> None:
    """The answer is the thumbprint that tokens are bound to (RFC 7638)."""
    assert Proofs().check(world.proof("t"), REQUEST, NOW) == world.client_key.thumbprint()


def test_other_spelling_of_the_address(world: Any) -> None:
    """Query, default port and capitals in the host do not matter (RFC 9449, section 4.3)."""
    proof = world.proof("t", htu="https://STORE.example:443/fhir/Binary/x?_format=json")
    assert Proofs().check(proof, REQUEST, NOW) == world.client_key.thumbprint()


_BAD: dict[str, dict[str, Any]] = {
    "other method": {"htm": "POST"},
    "method in small letters": {"htm": "get"},
    "other address": {"htu": "https://store.example/fhir/Binary/y"},
    "other host": {"htu": "https://evil.example/fhir/Binary/x"},
    "no address": {"htu": "x"},
    "other token": {"ath": hash_token("u")},
    "no token": {"ath": None},
    "old": {"iat": AT - 61},
    "of the future": {"iat": AT + 61},
    "no name": {"jti": ""},
    "long name": {"jti": "p" * 257},
    "half a character": {"jti": "\ud800"},
}


@pytest.mark.parametrize("changes", _BAD.values(), ids=_BAD.keys())
def test_hostile_claims(world: Any, changes: dict[str, Any]) -> None:
    """A well-signed proof for something else is refused."""
    assert isinstance(Proofs().check(world.proof("t", **changes), REQUEST, NOW), Refusal)


_RSA = RSAKey.generate_key(2048)
_HEADERS: dict[str, dict[str, Any]] = {
    "type of a token": {"typ": "at+jwt"},
    "no key": {"jwk": None},
    "somebody else's key": {"jwk": ECKey.generate_key("P-256").as_dict(private=False)},
    "a symmetric key": {"jwk": OctKey.generate_key(256).as_dict()},
    "a key elsewhere": {"jku": "https://evil.example"},
    "critical": {"crit": ["exp"]},
}


@pytest.mark.parametrize("header", _HEADERS.values(), ids=_HEADERS.keys())
def test_hostile_headers(world: Any, header: dict[str, Any]) -> None:
    """A proof brings the public key that signed it, and nothing else."""
    assert isinstance(Proofs().check(world.proof("t", header=header), REQUEST, NOW), Refusal)


def test_private_key_in_the_header(world: Any) -> None:
    """A client that shows its private key is refused: everybody has it now."""
    proof = world.proof("t", header={"jwk": world.client_key.as_dict(private=True)})
    assert isinstance(Proofs().check(proof, REQUEST, NOW), Refusal)


def test_algorithm_not_accepted(world: Any) -> None:
    """A proof under an algorithm that is not on the list is refused."""
    proof = world.proof("t", key=_RSA, header={"alg": "RS256"})
    assert isinstance(Proofs().check(proof, REQUEST, NOW), Refusal)


def test_bound_to_another_key(world: Any) -> None:
    """A good proof by a key that the token is not bound to is refused, and not remembered."""
    proofs, proof = Proofs(), world.proof("t")
    other = Bound("GET", HERE, hash_token("t"), "A" * 43)
    mine = Bound("GET", HERE, hash_token("t"), world.client_key.thumbprint())
    assert isinstance(proofs.check(proof, other, NOW), Refusal)
    assert proofs.check(proof, mine, NOW) == world.client_key.thumbprint()


@pytest.mark.parametrize("later", [0, 1, 60])
def test_replay(world: Any, later: int) -> None:
    """A proof counts once for as long as it is fresh, also one dated ahead."""
    proofs = Proofs()
    proof = world.proof("t", iat=AT + 60)
    assert proofs.check(proof, REQUEST, NOW) == world.client_key.thumbprint()
    assert isinstance(proofs.check(proof, REQUEST, Millis(NOW + later * SECOND)), Refusal)
    assert isinstance(proofs.check(proof, REQUEST, Millis(NOW + 120 * SECOND)), Refusal)


def test_same_name_of_two_clients(world: Any) -> None:
    """Two clients may number their proofs alike."""
    proofs = Proofs()
    other = ECKey.generate_key("P-256")
    assert proofs.check(world.proof("t"), REQUEST, NOW) == world.client_key.thumbprint()
    assert proofs.check(world.proof("t", key=other), REQUEST, NOW) == other.thumbprint()


_key = st.dictionaries(
    st.sampled_from(["kty", "crv", "x", "y", "n", "e", "alg", "use", "kid", "d"]),
    st.sampled_from(["EC", "OKP", "RSA", "P-256", "Ed25519", "AQAB", "A" * 43, "A", "=", "", "sig"]) | st.integers(),
)


@given(jwk=_key)
def test_any_key_is_answered(world: Any, jwk: dict[str, Any]) -> None:
    """Whatever stands in the header as a key, the answer is a refusal, never an exception."""
    assert isinstance(Proofs().check(world.proof("t", header={"jwk": jwk}), REQUEST, NOW), Refusal)


@given(text=st.text(max_size=200))
def test_garbage_is_refused(world: Any, text: str) -> None:
    """Any garbage is refused, and raises nothing."""
    assert isinstance(Proofs().check(text, REQUEST, NOW), Refusal)
    assert isinstance(Proofs().check(world.proof("t", x=json.dumps(text)) + text, REQUEST, NOW), Refusal) or not text
