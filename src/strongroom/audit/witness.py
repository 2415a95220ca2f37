"""A witness: remembers the last checkpoint it saw of each log, and cosigns only what extends it (c2sp.org/tlog-witness).

Run by somebody else than the log's operator, and on another machine: whoever has the log's signing key can rewrite its
history, but not what a witness has seen. Trust: its folder is all there is of its memory. Whoever sets that back can make
it cosign a fork; a witness whose folder is lost is retired, not begun anew under the same key.

Direction of failure: closed. What was seen is durable before the cosignature leaves.
"""

import hashlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from strongroom.audit.verify import Keys
from strongroom.clock import SECOND, Clock
from strongroom.errors import Malformed, StrongroomError, Tampered, Unavailable
from strongroom.tlog import note
from strongroom.tlog.checkpoint import Checkpoint, open_checkpoint
from strongroom.tlog.cosign import Submission, cosign
from strongroom.tlog.tree import EMPTY_ROOT, verify_consistency

SIZE_TYPE = "text/x.tlog.size"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status, and what goes with it."""

    status: int
    body: bytes
    kind: str = TEXT


class Witness:
    """One witness. May be asked from several threads; one log is judged after the other."""

    def __init__(self, folder: Path, signer: note.Signer, logs: Mapping[str, Keys], clock: Clock) -> None:
        """`folder` must exist. `logs`: the key, or keys, of each log that is witnessed, by origin."""
        self._folder = folder
        self._signer = signer
        self._logs = logs
        self._clock = clock
        self._judging = threading.Lock()

    def add_checkpoint(self, body: bytes) -> Answer:
        """The answer to a request.

        1. It parses (400), is of a log that is witnessed (404), and signed by that log (403).
        2. Its old size is no larger than its new one (400), and the size that was last cosigned (409, and that size).
        3. The new tree extends the one that was last cosigned: by the same root where the sizes are equal (409), else
           by the proof (422).
        4. What was seen is written down, durably; then it is cosigned.

        Never raises what a request could cause; Unavailable when the folder cannot be written.
        """
        # 1.
        try:
            submission = Submission.parse(body)
            claimed = Checkpoint.parse(note.parse(submission.checkpoint).text)
        except Malformed as error:
            return _said(400, error)
        verifier = self._logs.get(claimed.origin)
        if verifier is None:
            return Answer(404, b"This log is not witnessed here.\n")
        try:
            new = open_checkpoint(submission.checkpoint, verifier)
        except (Tampered, Malformed) as error:
            return _said(403, error)
        with self._judging:
            refusal = self._refusal(submission, new)
            if refusal is not None:
                return refusal
            # 4.
            self._keep(new.origin, submission.checkpoint)
            line = cosign(new.render(), self._signer, self._clock.now() // SECOND)
        rendered = note.Note(new.render(), (line,)).render()
        return Answer(200, rendered.rpartition(b"\n\n")[2])

    def seen(self, origin: str) -> Checkpoint:
        """The last checkpoint of a log that was cosigned; the empty one where there is none. Raises Unavailable, and
        Tampered when what lies there is not the log's: then nothing is cosigned any more.
        """
        try:
            return open_checkpoint(self._place(origin).read_bytes(), self._logs[origin])
        except FileNotFoundError:
            return Checkpoint(origin, 0, EMPTY_ROOT)
        except OSError as error:
            raise _away(error) from error

    def _refusal(self, submission: Submission, new: Checkpoint) -> Answer | None:
        # 2.
        seen = self.seen(new.origin)
        if submission.old > new.size:
            return Answer(400, b"The old size is larger than the new one.\n")
        if submission.old != seen.size:
            return Answer(409, b"%d\n" % seen.size, SIZE_TYPE)
        # 3.
        if seen.size == new.size and seen.root != new.root:
            return Answer(409, b"%d\n" % seen.size, SIZE_TYPE)
        try:
            verify_consistency(seen.size, new.size, seen.root, new.root, submission.proof)
        except Tampered as error:
            return _said(422, error)
        return None

    def _keep(self, origin: str, checkpoint: bytes) -> None:
        place = self._place(origin)
        beside = place.with_name(f".{place.name}.new")
        try:
            with beside.open("wb") as file:
                file.write(checkpoint)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(place)
            handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise _away(error) from error

    def _place(self, origin: str) -> Path:
        return self._folder / f"seen-{hashlib.sha256(origin.encode()).hexdigest()[:32]}"


def _said(status: int, error: StrongroomError) -> Answer:
    return Answer(status, f"{error.message}\n".encode())


def _away(error: OSError) -> Unavailable:
    return Unavailable(f"The witness's folder cannot be used ({error.strerror}).", advice="Look at its disk.")
