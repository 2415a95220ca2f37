"""The root key and the ones before it, while something is still wrapped under those.

What is wrapped, is wrapped under the newest. What is unwrapped may be of any: during a rotation every patient is readable.
"""

from collections.abc import Sequence
from typing import Protocol

from strongroom.errors import Untrusted
from strongroom.keys.root import RootKey
from strongroom.secret import Secret


class Roots(Protocol):
    """The root keys of a store, by age. Its methods wait for an HSM or a disk, and raise Unavailable, ConfigError."""

    def turning(self) -> bool:
        """Whether there are older ones beside the newest."""

    def begin(self) -> RootKey:
        """Make a newer one; gives all of them as one. From then on everything is wrapped under it."""

    def finish(self) -> RootKey:
        """Wrap the keeper's own secrets under the newest, and destroy the others; gives the newest."""


class Ring:
    """Several root keys as one."""

    def __init__(self, keys: Sequence[RootKey]) -> None:
        """The newest first."""
        self._keys = tuple(keys)
        self.warning = self._keys[0].warning
        self.distant = any(key.distant for key in self._keys)

    def wrap(self, key: Secret, bound: bytes) -> bytes:
        """See `RootKey.wrap`."""
        return self._keys[0].wrap(key, bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> Secret:
        """See `RootKey.unwrap`."""
        for key in self._keys[:-1]:
            try:
                return key.unwrap(wrapped, bound)
            except Untrusted:
                continue
        return self._keys[-1].unwrap(wrapped, bound)

    async def wrap_soon(self, key: Secret, bound: bytes) -> bytes:
        """See `RootKey.wrap_soon`."""
        return await self._keys[0].wrap_soon(key, bound)

    async def unwrap_soon(self, wrapped: bytes, bound: bytes) -> Secret:
        """See `RootKey.unwrap_soon`."""
        for key in self._keys[:-1]:
            try:
                return await key.unwrap_soon(wrapped, bound)
            except Untrusted:
                continue
        return await self._keys[-1].unwrap_soon(wrapped, bound)


def ring(keys: Sequence[RootKey]) -> RootKey:
    """One key as it is, several as one. The newest first."""
    return keys[0] if len(keys) == 1 else Ring(keys)
