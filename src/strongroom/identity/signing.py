"""A private signing key of our own: Ed25519, and what is signed with it. Used by signin, context signers, officers."""

from collections.abc import Mapping

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from strongroom.identity.jwk import PublicKey, parse_jwk
from strongroom.identity.strict import base64url


class SigningKey:
    """Signs; names itself by the RFC 7638 thumbprint of its public half. Does not print."""

    __slots__ = ("_private", "kid", "public_bytes")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public_bytes = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.kid = parse_jwk(self._members()).thumbprint

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"

    def __reduce__(self) -> str:
        msg = "A signing key is not pickled."
        raise TypeError(msg)

    @property
    def public(self) -> PublicKey:
        """The half that may be pinned."""
        return parse_jwk(self.jwk())

    def jwk(self) -> dict[str, str]:
        """The public half as a JSON Web Key."""
        return {**self._members(), "kid": self.kid, "alg": "EdDSA", "use": "sig"}

    def jwks(self) -> bytes:
        """The public half as a key set of one."""
        return msgspec.json.encode({"keys": [self.jwk()]}, order="sorted")

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature of `message`, 64 bytes. Callers prefix messages with what they are for."""
        return self._private.sign(message)

    def sign_compact(self, media_type: str, claims: Mapping[str, object]) -> str:
        """`claims` as a compact JWS under this key."""
        header = {"alg": "EdDSA", "kid": self.kid, "typ": media_type}
        signed = ".".join(base64url(msgspec.json.encode(part)) for part in (header, dict(claims)))
        return f"{signed}.{base64url(self.sign(signed.encode()))}"

    def _members(self) -> dict[str, str]:
        return {"crv": "Ed25519", "kty": "OKP", "x": base64url(self.public_bytes)}


def generate() -> SigningKey:
    """A new random key, held in memory only."""
    return SigningKey(Ed25519PrivateKey.generate())
