"""Public keys of others, as JSON Web Keys (RFC 7517), typed so that no algorithm can be confused with another.

A key is rebuilt from the few members that define it; whatever else a JWK carries (certificates, private parts, unknown
members) is not looked at. Each key knows the algorithms it can be used with, and symmetric keys do not exist here, so
`none` and `HS*` have nothing to be checked with.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from strongroom.errors import Malformed
from strongroom.identity.strict import base64url, read_as, read_object, unbase64url

MAX_JWKS = 65_536
"""Bytes of a key set. A set of a dozen RSA keys with certificates is about 30 KB."""
MAX_KEYS = 64
MIN_RSA_BITS = 2_048
"""NIST SP 800-131A; RFC 7518, section 3.3."""
MAX_RSA_BITS = 8_192
"""Checking a signature with a larger key would let an issuer slow the door down."""

MAX_EXPONENT = 4
"""Bytes. 65537 has three; a long one would be slow too."""

_COORDINATE = {"Ed25519": 32, "P-256": 32, "P-384": 48}
"""Bytes of `x` and `y`: RFC 8037 section 2, RFC 7518 section 6.2.1.2. Numbers of RSA have no leading zero (6.3.1)."""
_DEFINING = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
"""RFC 7638, section 3.2, and RFC 8037, section 2: the members that define a key, in the order of its thumbprint."""
_FITTING = {
    ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("RSA", ""): frozenset({"PS256", "RS256", "RS384"}),
}
_KINDS: dict[str, Callable[[Any], ECKey | OKPKey | RSAKey]] = {
    "EC": ECKey.import_key,
    "OKP": OKPKey.import_key,
    "RSA": RSAKey.import_key,
}
ALGORITHMS = frozenset().union(*_FITTING.values())
"""Everything that may stand in an allow-list. RFC 9864 calls Ed25519 what older issuers call EdDSA."""

_Member = Annotated[str, msgspec.Meta(max_length=2_048)]
_Kid = Annotated[str, msgspec.Meta(pattern=r"\A[\x21-\x7e]{0,256}\Z")]


class _Jwk(msgspec.Struct, frozen=True):
    """The members of a JWK that we read. Others are ignored, as RFC 7517 section 4 asks."""

    kty: _Member
    kid: _Kid = ""
    use: _Member = "sig"
    alg: _Member = ""
    crv: _Member = ""
    x: _Member = ""
    y: _Member = ""
    n: _Member = ""
    e: _Member = ""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that checks signatures. `thumbprint` is RFC 7638, SHA-256, base64url; `algorithms` are those it fits."""

    kid: str
    thumbprint: str
    algorithms: frozenset[str]
    _native: Any = field(repr=False, compare=False)  # joserfc's key classes share no public base class

    def holds(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether `signature` over `signed` is this key's. False too for an algorithm that does not fit the key."""
        if algorithm not in self.algorithms:
            return False
        model = JWSRegistry.algorithms["Ed25519" if algorithm == "EdDSA" else algorithm]
        try:
            model.check_key(self._native)
            return bool(model.verify(signed, signature, self._native))
        except (JoseError, ValueError):
            return False


def parse_jwk(found: object) -> PublicKey:
    """The signature key in `found`, a decoded JWK. Raises Malformed when it is of a kind we do not take."""
    jwk = read_as(found, _Jwk)
    names = _DEFINING.get(jwk.kty)
    fitting = _FITTING.get((jwk.kty, jwk.crv))
    if names is None or fitting is None or jwk.use != "sig" or (jwk.alg and jwk.alg not in fitting):
        msg = "A key is not for signatures of a kind that is accepted here."
        raise Malformed(msg)
    members = {name: str(getattr(jwk, name)) for name in names}
    thumbprint = base64url(hashlib.sha256(msgspec.json.encode(members)).digest())
    algorithms = frozenset({jwk.alg}) if jwk.alg else fitting
    return PublicKey(jwk.kid, thumbprint, algorithms, _build(members))


def parse_jwks(raw: bytes) -> tuple[PublicKey, ...]:
    """The usable keys of a key set; those for other purposes, or without a `kid`, are left out.

    Raises Malformed when the set does not parse, holds no usable key, or names two keys alike.
    """
    listed = read_object(raw, MAX_JWKS).get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        msg = f"A key set has no list of at most {MAX_KEYS} keys."
        raise Malformed(msg)
    keys = tuple(key for key in map(_usable, listed) if key is not None)
    if not keys or len({key.kid for key in keys}) != len(keys):
        msg = "A key set has no usable key, or names two keys alike."
        raise Malformed(msg)
    return keys


def _usable(found: object) -> PublicKey | None:
    try:
        key = parse_jwk(found)
    except Malformed:
        return None  # an encryption key, a curve we do not take, a symmetric key: none of our business
    return key if key.kid else None


def _fits(name: str, number: bytes, curve: str) -> bool:
    """Whether a member of a key has the one length it may have: else one key would have several thumbprints."""
    if curve:
        return len(number) == _COORDINATE[curve]
    if not number or number[0] == 0:
        return False
    return len(number) <= MAX_EXPONENT if name == "e" else MIN_RSA_BITS <= _bits(number) <= MAX_RSA_BITS


def _bits(number: bytes) -> int:
    return int.from_bytes(number, "big").bit_length()


def _build(members: dict[str, str]) -> ECKey | OKPKey | RSAKey:
    numbers = {name: unbase64url(value) for name, value in members.items() if name not in {"kty", "crv"}}
    if not all(_fits(name, number, members.get("crv", "")) for name, number in numbers.items()):
        msg = "A key's numbers are too short, too long, or not in their one spelling."
        raise Malformed(msg)
    try:
        return _KINDS[members["kty"]](dict(members))
    except (JoseError, ValueError, TypeError) as error:
        msg = "A key is not well-formed."
        raise Malformed(msg) from error
