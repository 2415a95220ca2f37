"""What the door and the rotation ask of whoever holds the log's signing keys."""

from typing import Protocol

from strongroom.tlog.logkeys import LogSigners


class Pens(Protocol):
    """The log's signing keys. Its methods wait for a disk or an HSM, and raise Unavailable, ConfigError."""

    def begin(self) -> LogSigners:
        """Make a newer key, and pin it; gives all that sign now. Repeatable: nothing is made while two sign."""

    def finish(self, size: int) -> LogSigners:
        """The newest signs alone; the others have signed up to `size`, and their private halves are destroyed."""

    def tidy(self) -> None:
        """Destroy the private halves of retired keys that a crash left."""

    def proven(self, key_id: bytes) -> bool:
        """Whether the proof that names the key of this id is kept."""

    def keep(self, key_id: bytes, proof: bytes) -> None:
        """Keep it, to be handed out."""
