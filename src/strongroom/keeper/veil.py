"""How the keeper's database speaks of people without saying who they are.

Logins and identifiers are stored as keyed hashes (one can look one up, not list them); names are sealed. Both keys are
kept sealed under the root key, so that a copied database says nothing about anybody.
"""

from functools import lru_cache, partial

from strongroom.envelope import small
from strongroom.envelope.binding import bind
from strongroom.envelope.keyed import keyed_hash
from strongroom.errors import Untrusted
from strongroom.secret import Secret

UNKNOWN = "(unknown)"
LOGINS = 20_000
"""Logins whose hashes are at hand, as many as the verifier has tokens of."""


class Veil:
    """Keyed hashes of logins and identifiers, and sealed names."""

    def __init__(self, index: Secret, names: Secret) -> None:
        """Both keys: 32 bytes."""
        self._hashed = keyed_hash(index.reveal())
        self._logins = lru_cache(LOGINS)(partial(self._hash, "login"))
        self._names = names

    def login(self, issuer: str, subject: str) -> bytes:
        """The 16-byte hash by which a login is found."""
        return self._logins(issuer, subject)

    def identifier(self, system: str, value: str) -> bytes:
        """The 16-byte hash by which a patient is found by an identifier (an NHI number, a practice's own)."""
        return self._hash("identifier", system, value)

    def seal(self, text: str, *place: str) -> bytes:
        """`text`, sealed and bound to its place (what it is and whose)."""
        return small.seal(self._names, text.encode(), bind("name", *place))

    def open(self, sealed: bytes | None, *place: str) -> str:
        """The text sealed for this place; `UNKNOWN` when there is none. Raises Tampered when it was moved or altered."""
        if not sealed:
            return UNKNOWN
        return small.open_sealed(self._names, sealed, bind("name", *place)).decode()

    def try_open(self, sealed: bytes | None, *place: str) -> str:
        """As `open`, but an unreadable name does not hide an access: it reads `UNKNOWN`."""
        try:
            return self.open(sealed, *place)
        except Untrusted:
            return UNKNOWN

    def _hash(self, *parts: str) -> bytes:
        # Length-prefixed, so that no two different lists of parts are hashed alike.
        told = b"".join(len(raw).to_bytes(4, "big") + raw for raw in (part.encode() for part in parts))
        return self._hashed(told)[:16]
