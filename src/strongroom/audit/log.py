"""The append-only log of the keeper. When `append` has returned, the event survives loss of power.

Under load a sync to disk is shared by many (`group.py`); alone, a draft waits for no other.

Direction of failure: closed. When a commit fails, every draft of it and every draft behind it fails with Unavailable,
their charges are undone newest first, and the log refuses until `reopen`, which does all that a start does, and `resume`.
Whether the failed commit reached the disk after all is known only then; `reopen` tells from which index on.
"""

import base64
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from strongroom.audit.compose import Cover
from strongroom.audit.effect import Effect
from strongroom.audit.event import Draft, restored
from strongroom.audit.files import CHECKPOINT, Directory, hold, let_go
from strongroom.audit.group import Group, OnFailure, Outcome
from strongroom.audit.receipt import Receipt, ReceiptSeal
from strongroom.audit.sqlite import Identity, Journal, identity_of
from strongroom.audit.sqlite_reader import Reader
from strongroom.audit.start import AcceptedRollback, check_published, check_stored
from strongroom.audit.write import Item, Pen
from strongroom.errors import StrongroomError, Tampered, Unavailable
from strongroom.tlog.checkpoint import Checkpoint, sign_checkpoint
from strongroom.tlog.logkeys import LogKeys, LogSigners
from strongroom.tlog.note import Signer
from strongroom.tlog.tile import Tile, render_bundle, render_hashes
from strongroom.tlog.tree import EMPTY_ROOT

__all__ = ["AcceptedRollback", "Cover", "Draft", "Effect", "Log", "Place"]

PATIENCE = 0.7
"""Seconds a draft waits for its commit: the door must refuse within a second, and has more to do than this."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a log lives: the keeper's database, and the directory of the published files."""

    database: Path
    directory: Path


class Log:
    """One open log. Made by `open`; `create` only lays out an empty one.

    * `append` belongs to one event loop, and takes its place in the order of the log before it first waits: a charge
      made just before it, in the same step of the loop, is in the same order.
    * `resume` belongs to the loop too.
    * `append_now`, `publish`, `reopen` and `close` block, and may be called from any thread.
    """

    def __init__(self, place: Place, signers: LogSigners, cover: Cover, seal: ReceiptSeal, patience: float) -> None:
        """Use `open`."""
        self._place = place
        self._directory = Directory(place.directory)
        self._signers = signers
        self._cover = cover
        self._seal = seal
        self._patience = patience
        self._group = Group(self._write, patience)
        self._pen: Pen | None = None
        self._reader: Reader | None = None
        self._writing = threading.Lock()  # guards the pen
        self._publishing = threading.Lock()  # guards the reader and the directory; taken before the other
        self._fault: Unavailable | None = None
        self._unsure: int | None = None  # what `reopen` answered, until `resume`
        self._identity: Identity = None  # of the database; known once it was opened
        self._published = 0
        self._size = 0
        self._held: int | None = hold(place.database.with_name(f"{place.database.name}.lock"))

    @staticmethod
    def create(place: Place, signer: Signer) -> None:
        """Lay out an empty log: tables and a published checkpoint of size 0. Raises Conflict if anything is there."""
        checkpoint = sign_checkpoint(Checkpoint(signer.verifier.name, 0, EMPTY_ROOT), (signer,))
        Directory(place.directory).create(checkpoint)
        Journal.create(place.database, checkpoint)

    @classmethod
    def open(
        cls,
        place: Place,
        signer: Signer | LogSigners,
        cover: Cover,
        seal: ReceiptSeal,
        *,
        accept: AcceptedRollback | None = None,
        adopt: bool = False,
        patience: float = PATIENCE,
    ) -> Self:
        """Open an existing log, check it, and publish what a crash left unpublished.

        Raises Tampered when it is not the log that was signed and published last (`start.py`); `accept` passes where
        only the published side disagrees, keeps that aside, and is itself logged. `adopt`: the rows of the keeper's other
        tables were changed on purpose (by a restoration), and are taken as they are; with `accept` they always are.
        Raises Conflict when another process has it open, ConfigError when there is none, Unavailable when it cannot be
        read or written.
        """
        log = cls(place, LogSigners.of(signer), cover, seal, patience)
        try:
            log._load(accept, adopt=adopt or accept is not None)
        except BaseException:
            log.close()
            raise
        return log

    @property
    def size(self) -> int:
        """Entries that are known to be durable."""
        return self._size

    @property
    def fault(self) -> Unavailable | None:
        """Why the log refuses, if it does."""
        return self._fault

    async def append(
        self, draft: Draft, effects: Sequence[Effect] = (), on_failure: OnFailure | None = None
    ) -> Receipt:
        """Make `draft` durable, and its effects with it. Not repeatable: every call is an entry.

        `on_failure` is called once, on the loop, if the draft is not in the log; when several fail together, newest
        first. It is not called when this call is cancelled or gives up waiting, for then the draft may yet be written.

        Raises Conflict, OperationError or Malformed when this draft or an effect of it does not fit; Unavailable when
        the log cannot be written or is too slow.
        """
        return await self._group.append((draft, effects), on_failure)

    def append_now(self, draft: Draft, effects: Sequence[Effect] = ()) -> Receipt:
        """`append` for programs without an event loop: blocks until durable, raises as `append` does."""
        outcome = self._write([(draft, effects)])[0]
        if isinstance(outcome, StrongroomError):
            raise outcome
        return outcome

    def publish(self) -> Checkpoint:
        """Sign and publish all that is written; cheap when nothing is new. To be called every second and at the end.

        Raises Unavailable when files cannot be written: the log itself goes on, and the next call makes up for it.
        """
        with self._publishing:
            with self._writing:
                pen = self._usable_pen()
                checkpoint, signed = pen.sign(self._signers)
                with self._breaking():
                    pen.keep(signed)
            if self._reader is not None and checkpoint.size > self._published:
                self._directory.publish(self._published, checkpoint.size, partial(_render, self._reader), signed)
                self._published = checkpoint.size
            return checkpoint

    def published(self, path: str) -> bytes | None:
        """A file of the published log. Raises Unavailable."""
        return self._directory.read(path)

    @property
    def keys(self) -> LogKeys:
        """The log's public keys."""
        return self._signers.keys

    def sign_with(self, signers: LogSigners) -> None:
        """From the next checkpoint on these sign. They must know the keys of what was signed before."""
        with self._publishing, self._writing:
            self._signers = signers

    def reopen(self) -> int:
        """Open again after a fault, with every check of a start; drafts are refused until `resume`. Without effect if
        there is no fault.

        The answer is the first index whose fate was open: entries from there on were reported as failed but turned out
        to be durable, and their charges must be counted again. Raises as `open`, and the log stays closed.
        """
        if self._pen is None:
            known = self._size if self._unsure is None else self._unsure
            self._stop()
            try:
                self._load(None, adopt=False)
            except BaseException:
                self._stop()
                raise
            self._unsure = known
        return self._size if self._unsure is None else self._unsure

    def resume(self) -> None:
        """Take drafts again, once what `reopen` told of is counted. To be called on the loop in the same step as the
        counting: what was charged between the two would not know of it.
        """
        if self._unsure is None:
            return
        self._unsure = None
        if self._pen is not None:  # else publishing failed meanwhile, and it is reopened once more
            self._group = Group(self._write, self._patience)
            self._fault = None

    def close(self) -> None:
        """Write what waits, and let go of everything. Whoever can, publishes before."""
        self._stop()
        if self._held is not None:
            let_go(self._held)
            self._held = None

    def _load(self, accept: AcceptedRollback | None, *, adopt: bool) -> None:
        self._recognise()
        journal = Journal.open(self._place.database, self._cover.tag)
        self._identity = journal.identity
        try:
            self._reader = Reader.open(self._place.database)
            frontier = check_stored(self._reader, self._signers.keys)
            kept = self._reader.head().checkpoint
            if adopt or frontier.size == 0:
                with journal.transaction():
                    journal.rows.adopt()
            else:
                journal.rows.check()
        except BaseException:
            journal.close()
            raise
        self._pen = Pen(journal, frontier, kept, self._cover, self._seal)
        self._pen.prove()  # a lock or a full disk must not be found by the next draft: the log says open, and is
        try:
            published = check_published(self._reader, self._directory.read(CHECKPOINT), self._signers.keys)
            self._published = published.size
        except Tampered as rollback:
            if accept is None:
                raise
            self._set_aside(accept, rollback)
        self._size = self.publish().size

    def _recognise(self) -> None:
        """Facts are read from the file that was opened first; entries must not go to another one. Looked at before it is
        opened: SQLite would bring home into it, for good, what waits in the WAL beside it and belongs to the first.
        """
        found = identity_of(self._place.database)
        if self._identity is not None and found != self._identity:
            msg = f"{'Another' if found else 'No'} database lies in the place of the keeper's."
            raise Unavailable(msg, advice="Put the first one back, or start the keeper again with this one.")

    def _set_aside(self, accept: AcceptedRollback, rollback: Tampered) -> None:
        """Record that officers accept the rollback, keep the published log aside, publish anew from the first entry.

        A crash in between is found by the next start as the same disagreement, and must be accepted again.
        """
        found = base64.b64encode((self._directory.read(CHECKPOINT) or b"")[:512]).decode()
        self.append_now(restored(accept.at, accept.officers, found, f"{rollback.message}\n{accept.reason}"))
        self._directory.set_aside(f"{self._place.directory.name}.set-aside-{accept.at}")
        self._published = 0

    def _write(self, items: Sequence[Item]) -> Sequence[Outcome]:
        with self._writing:
            pen = self._usable_pen()
            with self._breaking():
                outcomes = pen.write(items)
            self._size = pen.frontier.size
            return outcomes

    def _usable_pen(self) -> Pen:
        if self._pen is None:
            fault = self._fault or Unavailable("The log is closed.", advice="Open it again.")
            raise Unavailable(fault.message, advice=fault.advice)
        return self._pen

    @contextmanager
    def _breaking(self) -> Iterator[None]:
        """If writing fails, for whatever reason, nothing more is written until everything was checked again."""
        try:
            yield
        except Exception as error:
            self._drop_pen()
            self._fault = error if isinstance(error, Unavailable) else Unavailable("The log cannot be written.")
            raise self._fault from error

    def _drop_pen(self) -> None:
        if self._pen is not None:
            self._pen.close()
            self._pen = None

    def _stop(self) -> None:
        self._group.stop()
        with self._publishing, self._writing:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            self._drop_pen()  # last: the last writer to leave brings the WAL home and removes it


def _render(reader: Reader, tile: Tile) -> bytes:
    rows = reader.tile(tile)
    return render_bundle(rows) if tile.level is None else render_hashes(rows)
