"""What a start refuses: a log set back, swapped, cut or altered, by whichever side."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from strongroom.audit import event
from strongroom.audit.files import CHECKPOINT
from strongroom.audit.log import AcceptedRollback
from strongroom.audit.start import check_published, check_stored
from strongroom.clock import Millis
from strongroom.errors import StrongroomError, Tampered, UsageError
from strongroom.ids import AccountId
from strongroom.tlog.checkpoint import Checkpoint, sign_checkpoint
from strongroom.tlog.entry import Op, decode
from tests.audit.conftest import START, Store, make_signer, release

OFFICERS = (AccountId("one"), AccountId("two"))
ACCEPTED = AcceptedRollback(Millis(START), OFFICERS, "disk replaced")


def fill(store: Store, count: int, *, published: bool = True, who: str = "pat") -> None:
    """Open, append, publish, close."""
    log = store.open()
    for at in range(count):
        log.append_now(release(patient=f"{who}-{at}"))
    if published:
        log.publish()
    log.close()


def vandalise(store: Store, *statements: str) -> None:
    """Change the database behind everybody's back."""
    with closing(sqlite3.connect(store.place.database)) as db, db:
        for trigger in ("log_entry_lasts", "log_entry_stays"):
            db.execute(f"drop trigger if exists {trigger}")
        for statement in statements:
            db.execute(statement)


def test_a_good_log(store: Store) -> None:
    """Entries ahead of the checkpoint are as they should be after a crash."""
    fill(store, 5)
    fill(store, 300, published=False)
    reader = store.reader()
    assert check_stored(reader, store.signer.verifier).size == 305
    assert check_published(reader, store.published.read(CHECKPOINT), store.signer.verifier).size == 5


ALTERATIONS = [
    ("update log_entry set body = x'7b7d' where idx = 7", "bytes of entry 7"),
    (
        "update log_entry set body = cast(replace(cast(body as text), 'owner', 'ownes') as blob) where idx = 7",
        "leaf of entry 7",
    ),
    ("update log_entry set leaf = zeroblob(32) where idx = 7", "leaf of entry 7"),
    ("update log_entry set t = t + 1 where idx = 7", "columns of entry 7"),
    ("update log_entry set op = 'denied' where idx = 7", "columns of entry 7"),
    ("update log_entry set ref = 1 where idx = 7", "columns of entry 7"),
    (
        "update log_entry set patient = (select patient from log_entry where idx = 6) where idx = 7",
        "columns of entry 7",
    ),
    ("update log_entry set patient = actor where idx = 7", "columns of entry 7"),
    ("update log_entry set actor = null where idx = 7", "columns of entry 7"),
    ("update log_entry set client = 9999 where idx = 7", "columns of entry 7"),
    ("update log_name set month = '2025-12' where kind = 'session'", "columns of entry 5"),
    ("delete from log_entry where idx = 7", "Entry 7 is missing"),
    ("delete from log_entry where idx = 304", "Entry 304 is missing"),
    ("update log_tile set hash = zeroblob(32)", "level-1-hash 0"),
    ("delete from log_tile", "level-1-hash 0"),
    ("update log_head set peaks = zeroblob(length(peaks))", "frontier 305"),
    ("update log_head set size = 306", r"Entry 305 is missing .* frontier \(log_head\) there are 306 entries"),
    ("update log_head set size = 256, peaks = (select hash from log_tile)", "frontier 256"),
    ("update log_entry set leaf = zeroblob(32) where idx = 4", "not those that the checkpoint kept"),
    ("update log_head set size = 4, peaks = (select leaf from log_entry where idx = 0)", "has 4 entries"),
    ("update log_head set checkpoint = x'00'", "kept in the database is not signed"),
]


@pytest.mark.parametrize(("sql", "told"), ALTERATIONS)
def test_an_altered_database_is_named(store: Store, sql: str, told: str) -> None:
    """What and where; nothing an officer could accept."""
    fill(store, 5)
    fill(store, 300, published=False)
    vandalise(store, sql)
    for accept in (None, ACCEPTED):
        with pytest.raises(Tampered, match=told):
            store.open(accept=accept)


def test_a_set_back_database(store: Store) -> None:
    """An older copy of the database under a newer publication is refused, with what to do."""
    fill(store, 5)
    shutil.copytree(store.place.database.parent, store.root.with_name("backup"))
    fill(store, 5)
    shutil.copy(store.root.with_name("backup") / "keeper.db", store.place.database)
    with pytest.raises(Tampered, match="5 entries, but the checkpoint that was published covers 10") as raised:
        store.open()
    assert "two officers" in raised.value.advice


def test_a_forked_database(store: Store) -> None:
    """Another history of the same length, or a longer one, is refused."""
    fill(store, 5)
    shutil.copy(store.place.database, store.root / "older.db")
    fill(store, 5)
    ours = store.published.read(CHECKPOINT)
    shutil.rmtree(store.place.directory)
    shutil.copy(store.root / "older.db", store.place.database)
    store.published.create(sign_checkpoint(Checkpoint("example.org/log", 0, _empty()), (store.signer,)))
    fill(store, 7, who="other")
    store.published.write(CHECKPOINT, ours or b"")
    with pytest.raises(Tampered, match="first 10 entries are not those"):
        store.open()


def _empty() -> bytes:
    return bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def test_a_missing_or_forged_publication(store: Store) -> None:
    """Without the published checkpoint, or with one that our key did not sign, nobody can tell; so it is refused."""
    fill(store, 5)
    (store.place.directory / CHECKPOINT).unlink()
    with pytest.raises(Tampered, match="missing"):
        store.open()
    store.published.write(CHECKPOINT, sign_checkpoint(Checkpoint("example.org/log", 0, _empty()), (make_signer(),)))
    with pytest.raises(Tampered, match="not signed by this log"):
        store.open()


def test_two_officers_may_accept_a_restored_backup(store: Store) -> None:
    """It is logged, the newer publication is kept aside, and the log goes on verifiably."""
    fill(store, 5)
    shutil.copy(store.place.database, store.root / "older.db")
    fill(store, 5)
    abandoned = store.published.read(CHECKPOINT)
    shutil.copy(store.root / "older.db", store.place.database)
    log = store.open(accept=ACCEPTED)
    assert log.size == 6
    entry = decode(next(store.reader().entries(5, 6)).body)
    assert entry.op is Op.RESTORED
    aside = store.place.directory.with_name(f"log.set-aside-{START}")
    assert (aside / CHECKPOINT).read_bytes() == abandoned
    assert check_published(store.reader(), store.published.read(CHECKPOINT), store.signer.verifier).size == 6
    log.close()
    store.open()


def test_accepting_what_agrees_changes_nothing(store: Store) -> None:
    """No entry is written when there is nothing to accept."""
    fill(store, 5)
    assert store.open(accept=ACCEPTED).size == 5


@pytest.mark.parametrize(("officers", "reason"), [(("one", "one"), "why"), (("one", ""), "why"), (("one", "two"), "")])
def test_one_officer_is_not_enough(officers: tuple[str, str], reason: str) -> None:
    """Two different people, and a reason."""
    with pytest.raises(UsageError):
        AcceptedRollback(Millis(START), (AccountId(officers[0]), AccountId(officers[1])), reason)


def test_another_key(store: Store) -> None:
    """A log is not opened under another log's key."""
    fill(store, 1)
    store.signer = make_signer()
    with pytest.raises(StrongroomError, match="not signed by this log"):
        store.open()


def test_an_entry_of_a_month_with_everything(store: Store) -> None:
    """Entries without people, with targets and details agree with their columns, too."""
    log = store.open()
    log.append_now(event.started(Millis(START), "ff", details="1.0"))
    log.append_now(event.delivered(Millis(START), 0, 1, complete=True))
    log.close()
    assert check_stored(store.reader(), store.signer.verifier).size == 2
