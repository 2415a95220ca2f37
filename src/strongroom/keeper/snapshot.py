"""Snapshots of the budgets in a file, bound to a place in the log. Losing one costs time, never a charge.

Form: 8 bytes big-endian index of the first entry that is not in it, 32 bytes HMAC-SHA-256 of everything else, then the
ledger's bytes. The key is one of the keeper's sealed secrets: a snapshot put there by somebody else is not believed.
"""

import hmac
import os
from pathlib import Path

from strongroom.budget.ledger import Ledger
from strongroom.budget.rules import Rules
from strongroom.errors import Malformed, Unavailable
from strongroom.secret import Secret

_INDEX, _TAG = 8, 32


class Snapshots:
    """The newest snapshot of one keeper."""

    def __init__(self, path: Path, key: Secret) -> None:
        self._path = path
        self._key = key

    def keep(self, ledger: Ledger, index: int) -> None:
        """Replace the snapshot, whole or not at all. `index`: the log's size. Raises Unavailable.

        Charges under way are in it and will be in the log behind `index`: after a crash they count twice, never less.
        """
        raw = ledger.snapshot()
        place = index.to_bytes(_INDEX, "big")
        beside = self._path.with_suffix(".new")
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(place + self._tag(place + raw) + raw)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            msg = f"The budgets' snapshot cannot be written: {error.strerror}."
            raise Unavailable(msg, advice="Make room on the disk of the keeper's directory.") from error

    def load(self, rules: Rules, size: int) -> tuple[Ledger, int]:
        """A ledger and the index from which to replay. Without a usable snapshot: an empty one, and 0."""
        try:
            found = self._path.read_bytes()
        except OSError:
            return Ledger(rules), 0
        place, tag, raw = found[:_INDEX], found[_INDEX : _INDEX + _TAG], found[_INDEX + _TAG :]
        index = int.from_bytes(place, "big")
        if not hmac.compare_digest(tag, self._tag(place + raw)) or index > size:
            return Ledger(rules), 0
        try:
            return Ledger.restore(raw, rules), index
        except Malformed:
            return Ledger(rules), 0

    def _tag(self, covered: bytes) -> bytes:
        return hmac.digest(self._key.reveal(), covered, "sha256")
