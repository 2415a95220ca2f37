"""Checkpoints (c2sp.org/tlog-checkpoint): the size and root of a log at one moment, as a signed note.

Not here: whether two checkpoints are consistent (`tree.verify_consistency`), and who witnesses them.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from strongroom.errors import Malformed, Tampered
from strongroom.tlog import note
from strongroom.tlog.logkeys import LogKeys
from strongroom.tlog.tree import EMPTY_ROOT, HASH_SIZE, MAX_SIZE

MAX_CHECKPOINT = note.MAX_NOTE
"""Bytes, signatures included."""
MIN_LINES = 3
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Origin (which log), size in entries, root hash. `extensions` are lines we never write and only carry along."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises Malformed when this cannot be a checkpoint."""
        lines = (self.origin, *self.extensions)
        lines_good = all(line and not any(character < " " for character in line) for line in lines)
        size_good = 0 <= self.size <= MAX_SIZE and (self.size > 0 or self.root == EMPTY_ROOT)
        if not (lines_good and size_good and len(self.root) == HASH_SIZE):
            msg = "These values do not make a checkpoint."
            raise Malformed(msg)

    def render(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `render`. Raises Malformed."""
        *lines, last = text.split("\n")
        if last != "" or len(lines) < MIN_LINES or _SIZE.fullmatch(lines[1]) is None:
            msg = "A checkpoint does not parse."
            raise Malformed(msg)
        return cls(lines[0], int(lines[1]), note.unbase64(lines[2]), tuple(lines[3:]))


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[note.Signer]) -> bytes:
    """The signed note. A log must never sign two checkpoints that are not consistent; the caller sees to that."""
    return note.sign(checkpoint.render(), signers)


def open_checkpoint(raw: bytes, verifier: note.Verifier | LogKeys) -> Checkpoint:
    """The checkpoint that the log's own key signed.

    1. The note is signed by `verifier`, or one of the log's keys.
    2. Its text is a checkpoint.
    3. It is of the log that the key is named after.
    4. Not only keys signed it that were retired before it was made.

    Raises Malformed, or Tampered.
    """
    # 1.
    keys = LogKeys.of(verifier)
    text, signed_by = note.open_note(raw, keys.verifiers)
    # 2.
    checkpoint = Checkpoint.parse(text)
    # 3.
    if checkpoint.origin != keys.name:
        msg = "The checkpoint is of another log."
        raise Tampered(msg)
    # 4.
    if not keys.covers(signed_by, checkpoint.size):
        msg = f"The checkpoint of {checkpoint.size} entries is signed only by a key that was retired before."
        raise Tampered(msg, advice="Whoever has the old key signed it. Keep it: it proves that.")
    return checkpoint
