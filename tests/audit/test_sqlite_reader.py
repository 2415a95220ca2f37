"""The reading connection: sees what is committed, cannot write, notices what is missing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from strongroom.audit import event, pseudonym
from strongroom.audit.log import Log
from strongroom.audit.sqlite_reader import Named, Reader
from strongroom.clock import Millis
from strongroom.errors import ConfigError, Tampered, Unavailable
from strongroom.tlog.tile import Tile
from strongroom.tlog.tree import inclusion_proof, verify_inclusion
from tests.audit.conftest import START, Store, release, turned


def fill(log: Log, count: int) -> None:
    """Releases to different patients."""
    for at in range(count):
        log.append_now(release(patient=f"pat-{at}"))


def vandalise(store: Store, sql: str) -> None:
    """Change the database behind everybody's back."""
    with closing(sqlite3.connect(store.place.database)) as db, db:
        db.execute("drop trigger log_entry_lasts")
        db.execute("drop trigger log_entry_stays")
        db.execute(sql)


def test_it_cannot_write(store: Store) -> None:
    """Not even by mistake."""
    with pytest.raises(Unavailable, match="READONLY"):
        list(store.reader().rows("delete from log_head"))


def test_entries_in_order(store: Store, log: Log) -> None:
    """A range is given whole; an entry that is missing is named, at the edge and within."""
    fill(log, 5)
    reader = store.reader()
    assert [one.index for one in reader.entries(1, 4)] == [1, 2, 3]
    assert list(reader.entries(3, 3)) == []
    with pytest.raises(Tampered, match="Entry 5"):
        list(reader.entries(3, 6))
    vandalise(store, "delete from log_entry where idx = 2")
    with pytest.raises(Tampered, match="Entry 2"):
        list(reader.entries(0, 5))


def test_tiles_and_proofs(store: Store, log: Log) -> None:
    """Bundles, leaves and upper hashes come from the tables, and proofs from them hold."""
    fill(log, 260)
    reader = store.reader()
    entries = list(reader.entries(0, 260))
    assert reader.tile(Tile(None, 1, 4)) == tuple(one.body for one in entries[256:])
    assert reader.tile(Tile(0, 0)) == tuple(one.leaf for one in entries[:256])
    assert len(reader.tile(Tile(1, 0, 1))) == 1
    root = reader.head().frontier.root()
    verify_inclusion(257, 260, entries[257].leaf, inclusion_proof(257, 260, reader.nodes(260)), root)
    for beyond in (Tile(0, 1, 5), Tile(1, 0, 2), Tile(None, 2, 1)):
        with pytest.raises(Tampered, match="missing"):
            reader.tile(beyond)


def test_a_snapshot_stands_still(store: Store, log: Log) -> None:
    """Within it nothing that was committed later is seen; after it all is."""
    reader = store.reader()
    with reader.snapshot():
        assert reader.head().frontier.size == 0
        fill(log, 1)
        assert reader.head().frontier.size == 0
    assert reader.head().frontier.size == 1


def test_the_map(store: Store, log: Log) -> None:
    """Names are found by person and by number, and counted once they are erased."""
    fill(log, 1)
    reader = store.reader()
    (number,) = reader.numbers("patient", "pat-0")
    named = reader.named(number)
    assert named is not None
    assert (named.kind, named.month, named.real) == ("patient", "2026-01", "pat-0")
    assert reader.real("patient", "2026-01", named.shown) == "pat-0"
    assert reader.real("patient", "2026-01", "unknown") is None
    assert reader.named(99) is None
    assert reader.names([number, 99]) == {number: named}
    assert reader.erased("patient") == ()
    log.append_now(release(patient="other"), pseudonym.erase_patient("pat-0"))
    assert reader.erased("patient") == (("2026-01", 1),)
    assert reader.named(number) == Named("patient", "2026-01", None, named.shown)
    assert list(reader.month_keys()) == ["2026-01"]


def test_details_and_snapshots_of_a_reader(store: Store, log: Log) -> None:
    """Details are there or they are not."""
    log.append_now(event.started(Millis(START), "ff", details="1.0"))
    log.append_now(release())
    reader = store.reader()
    found = reader.details(0)
    assert found is not None
    assert found.sealed == turned(b"1.0")
    assert reader.details(1) is None


def test_where_nothing_can_be_read(store: Store, tmp_path: Path) -> None:
    """No file: there is no log. Something else in its place: unavailable."""
    with pytest.raises(ConfigError):
        Reader.open(tmp_path / "nowhere.db")
    (tmp_path / "rubbish.db").write_bytes(b"rubbish" * 1000)
    with pytest.raises(Unavailable), closing(Reader.open(tmp_path / "rubbish.db")) as reader:
        reader.head()


def test_page_check(store: Store, log: Log) -> None:
    """A whole file passes, a torn one is named as damaged or unreadable."""
    fill(log, 300)
    log.close()
    store.reader().check_pages()
    size = store.place.database.stat().st_size
    with store.place.database.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xff" * 8192)
    with pytest.raises((Tampered, Unavailable)):
        store.reader().check_pages()
