"""Life keys: one a patient, and the only keys that can be taken out of every copy of the store at once.

A patient's key is wrapped under the root key and to the recovery key; each of the two is sealed again under the patient's
life key, which neither the root key nor the recovery key opens. Life keys lie in a file of their own: no copy of the
keeper's database, no replica and no log holds them, and a backup has them in a part that can be renewed. When a life key is
destroyed there, all copies of everything else stay closed, whoever holds which key.

Form of what is sealed: the life key's id (16 bytes), then `envelope.small`.
"""

from dataclasses import dataclass, field
from typing import Protocol

from strongroom.envelope import small
from strongroom.errors import Malformed
from strongroom.secret import Secret

ID_SIZE = 16


@dataclass(frozen=True, slots=True)
class LifeKey:
    """One life key. The id is random and says nothing of the patient."""

    id: bytes
    key: Secret = field(repr=False)


class LifeKeys(Protocol):
    """Where life keys are kept. Every method raises Unavailable when that cannot be read or written."""

    def spare(self) -> LifeKey:
        """A new one, durable before it is given out, and given out once."""

    def get(self, ident: bytes) -> LifeKey:
        """An existing one. Raises Tampered when there is none, or it was destroyed."""

    def destroy(self, ident: bytes, at: int) -> None:
        """Overwrite it, for good; durable when it returns. Nothing happens when it is destroyed already."""


def seal_in(life: LifeKey, wrapped: bytes, bound: bytes) -> bytes:
    """A wrapped patient key, sealed so that it opens only while `life` exists."""
    return life.id + small.seal(life.key, wrapped, bound)


def open_in(keys: LifeKeys, sealed: bytes, bound: bytes) -> bytes:
    """What `seal_in` sealed. Raises Tampered, Malformed, Unavailable."""
    return small.open_sealed(keys.get(life_of(sealed)).key, sealed[ID_SIZE:], bound)


def life_of(sealed: bytes) -> bytes:
    """The id of the life key that `sealed` needs. Raises Malformed."""
    if len(sealed) <= ID_SIZE:
        msg = "A patient's key is missing: it was destroyed, or the database was altered."
        raise Malformed(msg)
    return bytes(sealed[:ID_SIZE])
