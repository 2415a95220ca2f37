"""The pen: turns waiting drafts into entries, all in one transaction, and signs checkpoints over what is written.

Synchronous and used by one thread at a time; `log.py` sees to both. Order is law: a receipt is issued after the commit
returned, a checkpoint is signed only over entries written in the same or an earlier transaction and leaves this class
only after that transaction's commit returned.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from strongroom.audit.compose import Composed, Composer, Cover
from strongroom.audit.effect import Effect
from strongroom.audit.event import Draft
from strongroom.audit.pseudonym import Pseudonyms, erases
from strongroom.audit.receipt import Receipt, ReceiptSeal
from strongroom.audit.sqlite import Journal, Leap
from strongroom.errors import OperationError, StrongroomError, Unavailable
from strongroom.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from strongroom.tlog.logkeys import LogSigners
from strongroom.tlog.tile import HEIGHT
from strongroom.tlog.tree import Frontier

Item = tuple[Draft, Sequence[Effect]]


@dataclass(slots=True)
class _Batch:
    """What one transaction is going to add."""

    start: int
    frontier: Frontier
    entries: list[Composed] = field(default_factory=list)
    tiles: list[tuple[int, int, bytes]] = field(default_factory=list)

    def take(self, composed: Composed) -> int:
        """Give the entry the next index."""
        index = self.frontier.size
        self.frontier, completed = self.frontier.append(composed.leaf)
        for level in range(HEIGHT, len(completed), HEIGHT):
            self.tiles.append((level // HEIGHT, index >> level, completed[level]))
        self.entries.append(composed)
        return index

    def leap(self) -> Leap:
        return Leap(self.start, self.entries, self.tiles, self.frontier)


class Pen:
    """Writes to one journal, from one frontier on."""

    def __init__(self, journal: Journal, frontier: Frontier, kept: bytes, cover: Cover, seal: ReceiptSeal) -> None:
        """`frontier` as `start.check_stored` found it; `kept`: the newest checkpoint in the database."""
        self._journal = journal
        self._kept = kept
        self._names = Pseudonyms(journal)
        self._composer = Composer(self._names, cover)
        self._seal = seal
        self._said: tuple[int, int] | None = None  # the sums of the rows that the last entry to speak of them said
        self.frontier = frontier

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def prove(self) -> None:
        """Show that the database can be written and synced, by writing what is there. Raises Unavailable."""
        with self._journal.transaction():
            self._journal.keep_checkpoint(self._kept)

    def write(self, items: Sequence[Item]) -> list[Receipt | StrongroomError]:
        """Append all items in one transaction; for each its receipt, or why it alone is not in the log.

        Raises Unavailable when the transaction failed: then none was acknowledged, and whether any is durable is known
        only after the journal was opened again. The pen must not be used any more.
        """
        batch = _Batch(self.frontier.size, self.frontier)
        try:
            with self._journal.transaction():
                staged = [self._stage(batch, *item) for item in items]
                if batch.entries:
                    self._journal.add(batch.leap())
        except BaseException:
            self._names.forget()
            self._said = None
            raise
        # Durable. A crash from here on loses answers, no entries: the log tells of releases that never happened.
        self.frontier = batch.frontier
        return [self._receipt(batch, item[0], outcome) for item, outcome in zip(items, staged, strict=True)]

    def sign(self, signers: LogSigners) -> tuple[Checkpoint, bytes]:
        """A checkpoint of all that is written, and its signed form: the kept one if nothing was written since."""
        newest = open_checkpoint(self._kept, signers.keys)
        if newest.size == self.frontier.size:
            return newest, self._kept
        newest = Checkpoint(signers.keys.name, self.frontier.size, self.frontier.root())
        return newest, sign_checkpoint(newest, signers.signers)

    def keep(self, signed: bytes) -> None:
        """Keep a checkpoint that `sign` gave, before it is shown to anybody. Raises Unavailable as `write` does."""
        if signed != self._kept:
            with self._journal.transaction():
                self._journal.keep_checkpoint(signed)
            self._kept = signed

    def _stage(self, batch: _Batch, draft: Draft, effects: Sequence[Effect]) -> int | StrongroomError:
        """The index that the draft will have, or why it is left out."""
        mark = self._journal.named()
        try:
            composed = self._composer.compose(draft)
            self._journal.apply(effects)
        except Unavailable:
            raise
        except StrongroomError as error:
            return self._left_out(mark, error)
        except (ValueError, TypeError, OverflowError) as error:  # text or number that has no place in an entry
            failed = OperationError("The event cannot be written down.")
            failed.__cause__ = error
            return self._left_out(mark, failed)
        if any(erases(effect) for effect in effects):
            self._names.forget()
        return batch.take(self._telling(batch, composed))

    def _left_out(self, mark: int, error: StrongroomError) -> StrongroomError:
        """Nothing of a draft stays, nor the names that were made for it."""
        if self._journal.unname(mark):
            self._names.forget()
        return error

    def _telling(self, batch: _Batch, composed: Composed) -> Composed:
        """The entry, saying the sums of the rows where they changed; and the first one always."""
        total = self._journal.rows.total
        if self._said == (total.rows, total.sum):
            return composed
        self._said = (total.rows, total.sum)
        return self._composer.amended(composed, total.said(self._journal.rows.tag, batch.frontier.size))

    def _receipt(self, batch: _Batch, draft: Draft, outcome: int | StrongroomError) -> Receipt | StrongroomError:
        if isinstance(outcome, StrongroomError):
            return outcome
        leaf = batch.entries[outcome - batch.start].leaf
        return self._seal.issue(outcome, leaf, draft.op, draft.patient, draft.covers())
