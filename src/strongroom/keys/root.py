"""What a root key can do: wrap and unwrap, now or soon. Where it lives is the file's that implements it."""

from typing import Protocol

from strongroom.secret import Secret


class RootKey(Protocol):
    """A key that wraps keys and never leaves its place.

    All methods raise Unavailable within about a second when the place (an HSM, a file) is gone; calling again later may
    succeed. `wrap` and `unwrap` hold up their thread meanwhile: they are for starts and for commands. Whoever serves
    others on an event loop asks for `wrap_soon` and `unwrap_soon`, which hold up nobody but the one who asks.
    """

    @property
    def warning(self) -> str:
        """What to say loudly at every start, or the empty text."""

    @property
    def distant(self) -> bool:
        """Whether it is outside this process, so that an answer may be long in coming."""

    def wrap(self, key: Secret, bound: bytes) -> bytes:
        """`key`, sealed and bound (see `envelope.binding`)."""

    def unwrap(self, wrapped: bytes, bound: bytes) -> Secret:
        """What `wrap` wrapped. Raises Tampered, Malformed."""

    async def wrap_soon(self, key: Secret, bound: bytes) -> bytes:
        """See `wrap`."""

    async def unwrap_soon(self, wrapped: bytes, bound: bytes) -> Secret:
        """See `unwrap`."""
