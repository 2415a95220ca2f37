"""The second factor: time-based one-time codes (RFC 6238), their secrets sealed at rest. Pure but for randomness.

The sealing key lies in another file than the database: a copied `signin.db` yields no second factor. It does not help
against somebody who owns the sign-in process.
"""

import hmac
import os
import re

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.clock import SECOND, Millis
from strongroom.errors import Tampered
from strongroom.secret import Secret

STEP = 30
"""Seconds a code is shown, RFC 6238 section 5.2."""
_NONCE = 12
_CODE = re.compile(r"[0-9]{6}")
_DRIFT = (-1, 0, 1)
"""Steps a phone's clock may be off."""


def new_secret() -> Secret:
    """160 random bits in base32, as authenticator programs take them."""
    return Secret(pyotp.random_base32().encode())


def provisioning_uri(secret: Secret, login: str, store: str) -> str:
    """What an authenticator program reads from a QR code. It contains the secret: show it once, to its owner."""
    return pyotp.TOTP(secret.reveal().decode()).provisioning_uri(name=login, issuer_name=store)


def code_at(secret: Secret, now: Millis) -> str:
    """The code an authenticator shows at `now`."""
    return pyotp.TOTP(secret.reveal().decode()).at(now // SECOND)


def matching_step(secret: Secret, code: str, now: Millis) -> int | None:
    """The time step whose code `code` is, or None. The caller refuses steps that were used (RFC 6238, section 5.2)."""
    if _CODE.fullmatch(code) is None:
        return None
    totp = pyotp.TOTP(secret.reveal().decode())
    step = now // SECOND // STEP
    matches = [step + by for by in _DRIFT if hmac.compare_digest(totp.at((step + by) * STEP), code)]
    return max(matches, default=None)


class Sealer:
    """Seals TOTP secrets, each to its user: a row moved to another user does not open."""

    def __init__(self, key: Secret) -> None:
        """`key`: 32 bytes."""
        self._aead = AESGCM(key.reveal())

    def seal(self, subject: str, secret: Secret) -> bytes:
        """Nonce and ciphertext. AES-256-GCM; the nonce is random, for far fewer than 2^32 users."""
        nonce = os.urandom(_NONCE)
        return nonce + self._aead.encrypt(nonce, secret.reveal(), subject.encode())

    def open(self, subject: str, sealed: bytes) -> Secret:
        """Raises Tampered when `sealed` is not as it was, or another user's."""
        try:
            return Secret(self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], subject.encode()))
        except (InvalidTag, ValueError) as error:
            msg = "A second factor's secret does not open."
            raise Tampered(msg, advice="Enrol the user's second factor anew.") from error
