"""The pen: one transaction for a batch, receipts only after it, a bad draft alone by itself."""

import pytest

from strongroom.audit import event, pseudonym
from strongroom.audit.effect import Effect
from strongroom.audit.receipt import Receipt, ReceiptSeal
from strongroom.audit.sqlite import Journal
from strongroom.audit.write import Pen
from strongroom.clock import Millis
from strongroom.errors import Conflict, Malformed, OperationError, Unavailable
from strongroom.ids import AccountId
from strongroom.tlog.checkpoint import open_checkpoint
from strongroom.tlog.entry import decode
from strongroom.tlog.logkeys import LogSigners
from tests.audit.conftest import START, Store, listing, release, tagged

SEAL = ReceiptSeal()


@pytest.fixture
def pen(store: Store) -> Pen:
    """A pen on the store's journal."""
    head = store.reader().head()
    return Pen(Journal.open(store.place.database, tagged), head.frontier, head.checkpoint, store.cover, SEAL)


def test_receipts_tell_where_the_entries_are(store: Store, pen: Pen) -> None:
    """In the order of the drafts; each receipt is the seal's and covers what its draft names."""
    receipts = pen.write([(release(document="a"), ()), (listing(documents=("b", "c")), ())])
    entries = list(store.reader().entries(0, 2))
    for at, receipt in enumerate(receipts):
        assert isinstance(receipt, Receipt)
        SEAL.check(receipt)
        assert (receipt.index, receipt.leaf) == (at, entries[at].leaf)
    covers = [receipt.covers for receipt in receipts if isinstance(receipt, Receipt)]
    assert covers == [{("a", 1)}, {("b", 1), ("c", 1)}]
    assert pen.frontier == store.reader().head().frontier


@pytest.mark.parametrize(
    ("bad", "effects", "error"),
    [
        (release(), [Effect("insert into log_month values ('2026-01', null)")], Conflict),
        (event.alarm(Millis(START), "x" * 20_000), [], Malformed),
        (event.alarm(Millis(START), "\ud800"), [], OperationError),
        (release(patient="\ud800"), [], OperationError),
        (event.delivered(Millis(START), 2**70, 1, complete=True), [], Malformed),
    ],
)
def test_a_draft_that_does_not_fit_fails_alone(
    store: Store, pen: Pen, bad: event.Draft, effects: list[Effect], error: type[Exception]
) -> None:
    """Those before and behind it are written with consecutive indices."""
    first, failed, last = pen.write([(release(document="a"), ()), (bad, effects), (release(document="b"), ())])
    assert isinstance(first, Receipt)
    assert isinstance(last, Receipt)
    assert (first.index, last.index) == (0, 1)
    assert type(failed) is error
    assert store.reader().head().frontier.size == 2


def test_a_batch_of_failures_writes_nothing(store: Store, pen: Pen) -> None:
    """No entry, no change of the head."""
    (failed,) = pen.write([(event.alarm(Millis(START), "x" * 20_000), ())])
    assert isinstance(failed, Malformed)
    assert store.reader().head().frontier.size == 0


def test_a_failed_commit_acknowledges_nobody(store: Store, pen: Pen) -> None:
    """No receipt, no entry; names made meanwhile are forgotten and made again by the next pen."""
    pen._journal._db.execute("pragma max_page_count = 1")
    with pytest.raises(Unavailable, match="SQLITE_FULL"):
        pen.write([(release(document=str(at), patient=str(at)), ()) for at in range(300)])
    assert pen.frontier.size == 0
    assert store.reader().head().frontier.size == 0
    pen._journal._db.execute("pragma max_page_count = 100000")
    (receipt,) = pen.write([(release(patient="0"), ())])
    assert isinstance(receipt, Receipt)
    assert store.reader().numbers("patient", "0") != ()


def test_a_full_disk_while_an_effect_is_done_is_nobodys_fault(store: Store, pen: Pen) -> None:
    """The whole batch fails, not the draft alone."""
    pen.write([(release(), [Effect("create table big (x blob)")])])
    pen._journal._db.execute("pragma max_page_count = 1")
    with pytest.raises(Unavailable, match="SQLITE_FULL"):
        pen.write([(release(), ()), (release(), [Effect("insert into big values (zeroblob(1000000))")])])
    assert store.reader().head().frontier.size == 1


def test_erasing_within_a_batch(store: Store, pen: Pen) -> None:
    """Whoever is erased and comes back has a new name at once, not the erased one."""
    pen.write(
        [
            (release(patient="pat"), ()),
            (
                event.officer(Millis(START), AccountId("officer"), "erase"),
                pseudonym.erase_patient("pat"),
            ),
            (release(patient="pat"), ()),
        ]
    )
    before, _, after = (decode(one.body).patient for one in store.reader().entries(0, 3))
    assert before != after
    assert len(store.reader().numbers("patient", "pat")) == 1


def test_tile_hashes_are_kept(store: Store, pen: Pen) -> None:
    """When a tile is full, its root is there for the level above."""
    pen.write([(release(document=str(at)), ()) for at in range(512)])
    rows = list(store.reader().rows("select level, idx from log_tile"))
    assert rows == [(1, 0), (1, 1)]


def test_a_checkpoint_covers_what_is_written(store: Store, pen: Pen) -> None:
    """It is signed by the log, kept when told, and made anew only when something was written since."""
    pen.write([(release(), ())])
    signers = LogSigners.of(store.signer)
    checkpoint, signed = pen.sign(signers)
    assert open_checkpoint(signed, store.signer.verifier) == checkpoint
    assert (checkpoint.size, checkpoint.root) == (1, pen.frontier.root())
    pen.keep(signed)
    assert store.reader().head().checkpoint == signed
    assert pen.sign(signers) == (checkpoint, signed)
    pen.close()
    pen.keep(signed)  # nothing new, nothing to write
