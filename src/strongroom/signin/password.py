"""Passwords: the rule for new ones, and their argon2id hashes. Pure but for randomness; slow on purpose."""

import unicodedata

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from strongroom.errors import UsageError

MIN_LENGTH = 12
"""Characters. NIST SP 800-63B-4 asks for 8 beside a second factor."""
MAX_BYTES = 1_024


def normalise(password: str) -> bytes:
    """The bytes that are hashed: NFKC (NIST SP 800-63B-4, section 3.1.1.2), then UTF-8."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace")


class Passwords:
    """Hashes and checks. By default 64 MiB and about a third of a second each; the caller bounds how many at once."""

    def __init__(self, hasher: argon2.PasswordHasher | None = None) -> None:
        self._hasher = hasher or argon2.PasswordHasher()
        self._nobody = self._hasher.hash(b"the password of nobody")

    def hash(self, password: str, login: str) -> str:
        """The argon2id hash to keep. Raises UsageError for a password that is too short, too long, or the login."""
        raw = normalise(password)
        if len(password) < MIN_LENGTH or len(raw) > MAX_BYTES or login in password.lower():
            msg = f"A password has at least {MIN_LENGTH} characters and does not contain the login name."
            raise UsageError(msg, advice="Three or four unrelated words do well.")
        return self._hasher.hash(raw)

    def check(self, password: str, kept: str | None) -> bool:
        """Whether `password` is the one of `kept`. For an unknown user (None) it takes as long, and says no."""
        raw = normalise(password)
        try:
            self._hasher.verify(self._nobody if kept is None else kept, raw[:MAX_BYTES])
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None and len(raw) <= MAX_BYTES
