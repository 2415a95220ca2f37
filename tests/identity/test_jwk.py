import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from strongroom.errors import Malformed
from strongroom.identity.jwk import ALGORITHMS, MAX_KEYS, PublicKey, parse_jwk, parse_jwks
from strongroom.identity.strict import base64url, unbase64url

KEYS: dict[str, Any] = {
    "Ed25519": OKPKey.generate_key("Ed25519"),
    "ES256": ECKey.generate_key("P-256"),
    "ES384": ECKey.generate_key("P-384"),
    "RSA": RSAKey.generate_key(2048),
}
FITTING = [
    ("Ed25519", "EdDSA"), ("Ed25519", "Ed25519"), ("ES256", "ES256"), ("ES384", "ES384"),
    ("RSA", "RS256"), ("RSA", "RS384"), ("RSA", "PS256"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "alg"), FITTING)
def test_every_algorithm(name: str, alg: str) -> None:
    """Signatures by joserfc hold under the rebuilt public key, for this message and this algorithm only."""
    key = parse_jwk(KEYS[name].as_dict(private=False))
    signature = JWSRegistry.algorithms["Ed25519" if alg == "EdDSA" else alg].sign(b"m", KEYS[name])
    assert key.holds(alg, b"m", signature)
    assert not key.holds(alg, b"n", signature)
    assert not key.holds(alg, b"m", signature[:-1])
    assert not key.holds(alg, b"m", b"")
    same = {"EdDSA", "Ed25519"} if name == "Ed25519" else {alg}
    assert [other for other in sorted(ALGORITHMS - same) if key.holds(other, b"m", signature)] == []


@pytest.mark.parametrize("name", KEYS)
def test_thumbprint(name: str) -> None:
    """The thumbprint is the one of RFC 7638, as joserfc computes it, and is not moved by other members."""
    jwk = KEYS[name].as_dict(private=False)
    assert parse_jwk(jwk).thumbprint == KEYS[name].thumbprint() == parse_jwk({**jwk, "x5t": "x", "kid": "y"}).thumbprint


def test_known_thumbprint() -> None:
    """The example of RFC 8037, appendix A.3."""
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert parse_jwk(jwk).thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_own_algorithm_narrows() -> None:
    """A key that says PS256 checks PS256 only."""
    key = parse_jwk({**KEYS["RSA"].as_dict(private=False), "alg": "PS256"})
    assert key.algorithms == {"PS256"}


def test_private_parts_are_not_looked_at() -> None:
    """A JWK with private members yields the public key, and that alone."""
    key = parse_jwk(KEYS["ES256"].as_dict(private=True))
    assert key == parse_jwk(KEYS["ES256"].as_dict(private=False))
    assert "_native" not in repr(key)


_EC = KEYS["ES256"].as_dict(private=False)
_BAD: dict[str, Any] = {
    "nothing": {},
    "a list": [],
    "symmetric": OctKey.generate_key(256).as_dict(),
    "for encryption": {**_EC, "use": "enc"},
    "algorithm of another kind": {**_EC, "alg": "RS256"},
    "symmetric algorithm": {**_EC, "alg": "HS256"},
    "not on the curve": {**_EC, "y": _EC["x"]},
    "curve that signs nothing": OKPKey.generate_key("X25519").as_dict(private=False),
    "curve not accepted": ECKey.generate_key("P-521").as_dict(private=False),
    "short": {"kty": "RSA", "e": "AQAB", "n": base64url(b"\xff" * 255)},
    "long": {"kty": "RSA", "e": "AQAB", "n": base64url(b"\xff" * 1_025)},
    "long by zeros": {"kty": "RSA", "e": "AQAB", "n": base64url(b"\x00" * 100 + b"\xff" * 200)},
    "exponent one": {**KEYS["RSA"].as_dict(private=False), "e": "AQ"},
    "a zero in front": {**_EC, "x": base64url(b"\x00" + unbase64url(_EC["x"]))},
    "long exponent": {**KEYS["RSA"].as_dict(private=False), "e": base64url(b"\xff" * 5)},
    "padded": {**_EC, "x": _EC["x"] + "="},
    "half a key": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
    "curve of another family": {**_EC, "kty": "OKP"},
    "kid with a line break": {**_EC, "kid": "a\nb"},
}


@pytest.mark.parametrize("found", _BAD.values(), ids=_BAD.keys())
def test_keys_not_taken(found: object) -> None:
    """A key that is weak, malformed or for something else is refused."""
    with pytest.raises(Malformed):
        parse_jwk(found)


def test_a_set_keeps_what_it_can_use() -> None:
    """Keys for other purposes, and those without a name, are left out; the rest is taken."""
    listed = [{**_EC, "kid": "a"}, {**_EC, "kid": "b", "use": "enc"}, _EC | {"kid": ""}, 7]
    assert [key.kid for key in parse_jwks(json.dumps({"keys": listed}).encode())] == ["a"]


@pytest.mark.parametrize("count", [0, MAX_KEYS + 1])
def test_sets_not_taken(count: int) -> None:
    """A set without a key, or with too many, is refused."""
    listed = [{**_EC, "kid": str(number)} for number in range(count)]
    with pytest.raises(Malformed):
        parse_jwks(json.dumps({"keys": listed}).encode())


def test_two_keys_of_one_name() -> None:
    """A set in which one name stands for two keys is refused: which of them was meant cannot be told."""
    other = ECKey.generate_key("P-256").as_dict(private=False)
    with pytest.raises(Malformed):
        parse_jwks(json.dumps({"keys": [{**_EC, "kid": "a"}, {**other, "kid": "a"}]}).encode())


@given(st.binary(max_size=200))
def test_garbage_is_malformed(raw: bytes) -> None:
    """A key set that is garbage raises Malformed, and never anything else."""
    with pytest.raises(Malformed):
        parse_jwks(raw)


def test_unknown_algorithm_holds_nothing() -> None:
    """A key asked for an algorithm it does not fit says no rather than trying."""
    signature = JWSRegistry.algorithms["ES256"].sign(b"m", KEYS["ES256"])
    assert not PublicKey("k", "t", frozenset(), KEYS["ES256"]).holds("ES256", b"m", signature)
    assert not PublicKey("k", "t", frozenset({"RS256"}), KEYS["ES256"]).holds("RS256", b"m", signature)
