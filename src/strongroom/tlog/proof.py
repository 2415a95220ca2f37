"""Proofs in files (c2sp.org/tlog-proof): that an entry is in a log, for anyone who has the log's public key.

Not here: which witnesses must have signed; the checkpoint is carried verbatim, with all its signatures.
"""

import base64
import re
from dataclasses import dataclass
from typing import Self

from strongroom.errors import Malformed
from strongroom.tlog import note
from strongroom.tlog.checkpoint import Checkpoint, open_checkpoint
from strongroom.tlog.logkeys import LogKeys
from strongroom.tlog.tree import HASH_SIZE, MAX_SIZE, verify_inclusion

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF = note.MAX_NOTE + 65_536
"""Bytes."""
MAX_HASHES = 63
"""A path is no longer than the logarithm of the largest tree."""
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Proof:
    """Entry `index` hashes, by way of `hashes`, to the root in `checkpoint` (a signed note, verbatim).

    `extra` is authenticated by nothing; we put the entry's own bytes there, which the leaf hash then vouches for.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def __post_init__(self) -> None:
        """Raises Malformed when this cannot be a proof."""
        hashes_good = len(self.hashes) <= MAX_HASHES and all(len(one) == HASH_SIZE for one in self.hashes)
        if not (hashes_good and 0 <= self.index < MAX_SIZE):
            msg = "These values do not make a proof."
            raise Malformed(msg)

    def render(self) -> bytes:
        """The file's bytes."""
        lines = [HEADER]
        if self.extra:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines += [base64.b64encode(one).decode() for one in self.hashes]
        return "\n".join((*lines, "", "")).encode() + self.checkpoint

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """The inverse of `render`. Raises Malformed. The checkpoint within is parsed as a note, not verified."""
        head, blank, checkpoint = raw.partition(b"\n\n")
        if len(raw) > MAX_PROOF or not blank or not head.isascii():
            raise _malformed()
        lines = head.decode().split("\n")
        if lines.pop(0) != HEADER:
            raise _malformed()
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = note.unbase64(lines.pop(0).removeprefix("extra "))
            if not extra:
                raise _malformed()
        index = _INDEX.fullmatch(lines.pop(0)) if lines else None
        if index is None:
            raise _malformed()
        note.parse(checkpoint)
        return cls(int(index[1]), tuple(note.unbase64(line) for line in lines), checkpoint, extra)

    def verify(self, leaf: bytes, verifier: note.Verifier | LogKeys) -> Checkpoint:
        """The log's checkpoint, once it is shown that `leaf` (a leaf hash) is its entry `index`.

        1. The checkpoint is signed by the log's own key.
        2. The path leads from the leaf to its root.

        Raises Malformed or Tampered. Computing the leaf hash is the caller's part.
        """
        # 1.
        checkpoint = open_checkpoint(self.checkpoint, verifier)
        # 2.
        verify_inclusion(self.index, checkpoint.size, leaf, self.hashes, checkpoint.root)
        return checkpoint


def _malformed() -> Malformed:
    return Malformed("This is not a proof file.", advice=f"Its first line is {HEADER}.")
