"""What a root key can do. Two methods and a name; where it lives is the file's that implements it."""

from typing import Protocol

from strongroom.secret import Secret


class RootKey(Protocol):
    """A key that wraps keys and never leaves its place.

    Both methods raise Unavailable within about a second when the place (an HSM, a file) is gone; calling again later may
    succeed.
    """

    @property
    def warning(self) -> str:
        """What to say loudly at every start, or the empty text."""

    def wrap(self, key: Secret, bound: bytes) -> bytes:
        """`key`, sealed and bound (see `envelope.binding`)."""

    def unwrap(self, wrapped: bytes, bound: bytes) -> Secret:
        """What `wrap` wrapped. Raises Tampered, Malformed."""
