"""The writing connection: created once, opened never by accident, durable, append-only."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from strongroom.audit.compose import Columns, Composed, Details
from strongroom.audit.effect import Effect
from strongroom.audit.sqlite import Journal, Leap
from strongroom.audit.sqlite_reader import Reader
from strongroom.errors import ConfigError, Conflict, OperationError, Unavailable
from strongroom.tlog.tree import Frontier, leaf_hash
from tests.audit.conftest import tagged


def entry(text: str, details: Details | None = None) -> Composed:
    """Something to write."""
    body = text.encode()
    return Composed(body, leaf_hash(body), Columns(1, "started", None, None, None, None, None, None), details)


def leap(start: Frontier, *entries: Composed) -> Leap:
    """All that one transaction adds."""
    frontier = start
    for one in entries:
        frontier, _ = frontier.append(one.leaf)
    return Leap(start.size, entries, [], frontier)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with an empty log."""
    place = tmp_path / "keeper.db"
    Journal.create(place, b"checkpoint")
    return place


def test_created_once(path: Path) -> None:
    """A second log is not laid over the first."""
    with pytest.raises(Conflict):
        Journal.create(path, b"another")
    with closing(Reader.open(path)) as reader:
        assert reader.head().checkpoint == b"checkpoint"


def test_created_beside_what_the_keeper_has(tmp_path: Path) -> None:
    """The keeper's own tables may be there first: it is one file."""
    place = tmp_path / "keeper.db"
    with closing(sqlite3.connect(place)) as other:
        other.execute("create table patient (id text)")
    Journal.create(place, b"checkpoint")
    Journal.open(place, tagged).close()


def test_nothing_is_created_by_opening(tmp_path: Path) -> None:
    """Where there is no log, opening says so and leaves nothing behind."""
    with pytest.raises(ConfigError):
        Journal.open(tmp_path / "keeper.db", tagged)
    with pytest.raises(ConfigError):
        Reader.open(tmp_path / "keeper.db")
    assert list(tmp_path.iterdir()) == []
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("create table patient (id text)")
    with pytest.raises(ConfigError):
        Journal.open(tmp_path / "other.db", tagged)


def test_another_version_is_not_guessed_at(path: Path) -> None:
    """A log of a later schema is left alone."""
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("update log_head set version = 9")
    with pytest.raises(ConfigError):
        Journal.open(path, tagged)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """Garbage is unavailable, not created over."""
    (tmp_path / "keeper.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(Unavailable):
        Journal.open(tmp_path / "keeper.db", tagged)
    with pytest.raises(Unavailable):
        Journal.create(tmp_path / "keeper.db", b"checkpoint")


def test_durable_settings(path: Path) -> None:
    """WAL, a sync at every commit, page checks, and erased text overwritten."""
    with closing(Journal.open(path, tagged)._db) as db:
        asked = [
            db.execute(f"pragma {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "cell_size_check", "secure_delete", "foreign_keys")
        ]
    assert asked == ["wal", 2, 1, 1, 1]


def test_all_or_nothing(path: Path) -> None:
    """A transaction that raises leaves nothing behind, neither entries nor names."""
    with closing(Journal.open(path, tagged)) as journal, closing(Reader.open(path)) as reader:
        with pytest.raises(KeyError), journal.transaction():  # noqa: PT012  # what was begun is part of the promise
            journal.add(leap(Frontier(), entry("one", Details(b"salt", b"sealed"))))
            journal.add_name("patient", "pat", "2026-01", "token")
            raise KeyError
        assert reader.head().frontier == Frontier()
        assert reader.numbers("patient", "pat") == ()
        with journal.transaction():
            journal.add(leap(Frontier(), entry("one", Details(b"salt", b"sealed")), entry("two")))
            journal.keep_checkpoint(b"newer")
        assert [one.body for one in reader.entries(0, 2)] == [b"one", b"two"]
        assert (reader.details(0), reader.details(1)) == (Details(b"salt", b"sealed"), None)
        assert reader.head().checkpoint == b"newer"


def test_entries_cannot_be_changed_by_any_effect(path: Path) -> None:
    """Our own code can neither alter nor remove an entry; SQLite refuses."""
    with closing(Journal.open(path, tagged)) as journal:
        with journal.transaction():
            journal.add(leap(Frontier(), entry("one")))
        for sql in ("update log_entry set body = x''", "delete from log_entry"):
            with pytest.raises(Conflict), journal.transaction():
                journal.apply([Effect(sql)])


def test_two_writers_cannot_both_go_on(path: Path) -> None:
    """The second one finds that the log is not as it left it, and stops."""
    with closing(Journal.open(path, tagged)) as one, closing(Journal.open(path, tagged)) as other:
        with one.transaction():
            one.add(leap(Frontier(), entry("one")))
        with pytest.raises(Unavailable, match="Another program"), other.transaction():
            other.add(leap(Frontier(), entry("another")))


def test_a_lock_held_by_others_is_told_apart(path: Path) -> None:
    """Somebody else's lock is waited for, not longer than a second, and named."""
    with closing(Journal.open(path, tagged)) as journal, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(Unavailable, match="SQLITE_BUSY"), journal.transaction():
            raise AssertionError
        other.execute("rollback")
        with journal.transaction():
            journal.add(leap(Frontier(), entry("one")))


def test_a_full_disk_in_the_middle_of_an_effect(path: Path) -> None:
    """The whole transaction is lost and says why; it is not mistaken for a fault of the draft."""
    with closing(Journal.open(path, tagged)) as journal:
        with journal.transaction():
            journal.apply([Effect("create table big (x blob)")])
        pages = journal._db.execute("pragma page_count").fetchone()[0]
        journal._db.execute(f"pragma max_page_count = {pages + 2}")
        with pytest.raises(Unavailable, match="SQLITE_FULL") as raised, journal.transaction():
            journal.apply([Effect("insert into big values (zeroblob(1000000))")])
        assert "room" in raised.value.advice
        assert not journal._db.in_transaction


def test_effects_are_all_done_or_none(path: Path) -> None:
    """One that does not fit undoes those before it, within the transaction; what kind of misfit it was is told."""
    word = "insert into thing (word) values (?)"
    misfits: list[tuple[Effect, type[OperationError]]] = [
        (Effect(word, ("first",)), Conflict),
        (Effect(word, ("third",), rows=2), Conflict),
        (Effect("insert into nowhere values (1)"), OperationError),
        (Effect(word, ("\ud800",)), OperationError),
    ]
    with closing(Journal.open(path, tagged)) as journal, journal.transaction():
        journal.apply(())
        journal.apply([Effect("create table thing (word text unique)"), Effect(word, ("first",), rows=1)])
        for misfit, error in misfits:
            with pytest.raises(OperationError) as raised:
                journal.apply([Effect(word, ("second",)), misfit])
            assert type(raised.value) is error
        assert journal._db.execute("select word from thing").fetchall() == [("first",)]


def test_names_and_keys(path: Path) -> None:
    """What is added is found, within the transaction and after it."""
    with closing(Journal.open(path, tagged)) as journal, journal.transaction():
        number = journal.add_name("patient", "pat", "2026-01", "token")
        assert journal.find_name("patient", "pat", "2026-01") == (number, "token")
        assert journal.find_name("patient", "pat", "2026-02") is None
        journal.add_month_key("2026-01", b"key")
        assert (journal.month_key("2026-01"), journal.month_key("2026-02")) == (b"key", None)
