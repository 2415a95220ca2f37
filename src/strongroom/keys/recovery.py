"""The recovery key: printed once, kept on paper, able to open everything on a machine where nothing is left.

Every patient key and every secret of the keeper is wrapped twice: under the root key, and to the public half of the
recovery key (HPKE, RFC 9180, X25519 with HKDF-SHA-256 and AES-256-GCM). The store holds only the public half, so that
what the store holds opens nothing.

On paper: `SRRK` and 14 groups of four base32 characters (RFC 4648), the last of them a checksum.
"""

import base64
import hashlib
import os
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from strongroom.errors import Malformed, Tampered, UsageError
from strongroom.secret import Secret

_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_PREFIX = "SRRK"
_SIZE = 32
_CHECK = 3
_INFO = b"strongroom recovery v1"


class RecoveryPublic:
    """The half that the store holds: wraps, and cannot unwrap."""

    def __init__(self, raw: bytes) -> None:
        """`raw`: 32 bytes. Raises Malformed."""
        try:
            self._key = X25519PublicKey.from_public_bytes(raw)
        except ValueError as error:
            msg = "The recovery public key is not one."
            raise Malformed(msg) from error
        self.raw = raw

    def wrap(self, key: Secret, bound: bytes) -> bytes:
        """`key`, for the holder of the paper alone, bound to what it is."""
        return _SUITE.encrypt(key.reveal(), self._key, info=_INFO + bound)


class RecoveryPrivate:
    """The half on paper."""

    def __init__(self, seed: Secret) -> None:
        self._seed = seed
        self._key = X25519PrivateKey.from_private_bytes(seed.reveal())

    @classmethod
    def generate(cls) -> "RecoveryPrivate":
        """A new one."""
        return cls(Secret(os.urandom(_SIZE)))

    @classmethod
    def parse(cls, text: str) -> "RecoveryPrivate":
        """From what was printed; spaces, dashes, line breaks and case do not matter, 0 is read as O and 1 as I.

        Raises UsageError when a character is wrong or missing.
        """
        plain = re.sub(r"[\s-]", "", text).upper().replace("0", "O").replace("1", "I").removeprefix(_PREFIX)
        try:
            raw = base64.b32decode(plain)
        except ValueError as error:
            raise _mistyped() from error
        seed, check = raw[:_SIZE], raw[_SIZE:]
        if len(seed) != _SIZE or check != hashlib.sha256(seed).digest()[:_CHECK]:
            raise _mistyped()
        return cls(Secret(seed))

    def render(self) -> str:
        """What is printed, once."""
        seed = self._seed.reveal()
        text = base64.b32encode(seed + hashlib.sha256(seed).digest()[:_CHECK]).decode()
        return "-".join([_PREFIX, *(text[at : at + 4] for at in range(0, len(text), 4))])

    def public(self) -> RecoveryPublic:
        """The half for the store."""
        return RecoveryPublic(self._key.public_key().public_bytes_raw())

    def unwrap(self, wrapped: bytes, bound: bytes) -> Secret:
        """What `RecoveryPublic.wrap` wrapped. Raises Tampered."""
        try:
            return Secret(_SUITE.decrypt(wrapped, self._key, info=_INFO + bound))
        except (InvalidTag, ValueError) as error:
            msg = "This recovery key does not open this store, or the backup was altered."
            raise Tampered(msg) from error


def _mistyped() -> UsageError:
    return UsageError(
        "The recovery key is mistyped or incomplete.",
        advice=f"It begins with {_PREFIX} and has 14 groups of four letters and digits 2 to 7.",
    )
