"""The sums of the keeper's rows: kept by honest changes, wrong after every other one, and told with table and row."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from strongroom.audit.effect import Effect
from strongroom.audit.event import Draft
from strongroom.audit.log import Log
from strongroom.audit.sqlite_rows import differences
from strongroom.audit.start import check_entries
from strongroom.audit.verify import opened
from strongroom.clock import Millis
from strongroom.errors import Conflict, Malformed, Tampered, Unavailable
from strongroom.tlog.entry import MAX_ENTRY, Op, decode
from tests.audit.conftest import START, Store, release, tagged

SCHEMA = """
create table pet (owner text, name text, age integer, tag blob, primary key (owner, name)) without rowid;
create table toy (id integer primary key, name text);
"""
GET = "insert into pet values (?, ?, ?, ?)"
NEWS = Draft(t=Millis(START), op=Op.OFFICER)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Store]:
    """A store with two tables beside the log, one row of which was there before."""
    root = tmp_path / "keeper"
    root.mkdir()
    with closing(sqlite3.connect(root / "keeper.db")) as db:
        db.executescript(SCHEMA)
        db.execute("insert into toy values (1, 'ball')")
        db.commit()
    made = Store(root).create()
    yield made
    made.close()


def found(store: Store) -> list[str]:
    """The differences."""
    with closing(sqlite3.connect(store.place.database)) as db:
        return list(differences(db, tagged))


def change(store: Store, *statements: str) -> None:
    """Behind the keeper's back."""
    with closing(sqlite3.connect(store.place.database)) as db:
        db.executescript(";".join(statements))


def filled(store: Store, count: int = 40) -> Log:
    """Some rows, honestly."""
    log = store.open()
    for number in range(count):
        row = (f"owner{number % 7}", f"name{number}", number, bytes([number]))
        log.append_now(NEWS, [Effect(GET, row), Effect("insert into toy (name) values (?)", (f"toy{number}",))])
    return log


def test_honest_changes_leave_no_difference(kept: Store) -> None:
    """Inserts, updates, upserts, replacements, deletions, drafts that fail, in one batch or many, over restarts."""
    chance, log = random.Random(2), filled(kept)
    for _ in range(200):
        one = (f"owner{chance.randrange(7)}", f"name{chance.randrange(60)}")
        effects = [chance.choice([
            Effect(GET, (*one, 0, None)),
            Effect("insert or replace into pet values (?, ?, 7, x'01')", one),
            Effect("insert or ignore into pet values (?, ?, 9, x'02')", one),
            Effect("insert into pet values (?, ?, 1, null) on conflict do update set age = age + 1", one),
            Effect("update pet set tag = randomblob(4), age = ? where owner = ?", (chance.randrange(99), one[0])),
            Effect("update pet set name = name || 'x' where owner = ? and name = ?", one),
            Effect("delete from pet where owner = ? and name = ?", one),
            Effect("delete from toy where id % 5 = ?", (chance.randrange(5),)),
        ]) for _ in range(chance.randint(1, 3))]  # fmt: skip
        with suppress(Conflict):
            log.append_now(release(account=f"a{chance.randrange(5)}"), effects)
        if chance.random() < 0.05:
            log.close()
            assert found(kept) == []
            log = kept.open()
    log.close()
    assert found(kept) == []
    kept.open()


def test_a_draft_that_fails_leaves_nothing(kept: Store) -> None:
    """No name that was made for it, and no sum without an entry: the next start finds nothing amiss."""
    log = filled(kept, 1)
    with pytest.raises(Conflict):
        log.append_now(release(account="somebody new"), [Effect("delete from pet", (), rows=7)])
    with pytest.raises(Malformed):
        log.append_now(Draft(t=Millis(START), op=Op.OFFICER, client="c" * (MAX_ENTRY - 80)))
    log.close()
    assert found(kept) == []
    kept.open().close()
    with closing(sqlite3.connect(kept.place.database)) as db:
        assert db.execute("select count(*) from log_name where real = 'somebody new'").fetchone() == (0,)


def test_who_tells_of_the_rows(kept: Store) -> None:
    """The first entry of a start, each with a change of rows (a new name is one), and no other."""
    log = filled(kept, 2)
    log.append_now(release(account="anna"))
    log.append_now(release(account="anna"))
    log.append_now(NEWS, [Effect("delete from toy where id = 99")])
    told = [decode(one.body).rows is not None for one in kept.reader().entries(0, 5)]
    assert told == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (
            ("update pet set age = 99 where name = 'name3'",),
            "table pet: a row was changed behind the keeper's back: owner=owner3",
        ),
        (("delete from pet where name = 'name3'",), "table pet: 1 rows were taken away"),
        (
            ("insert into pet values ('me', 'mine', 1, null)",),
            "table pet: a row was added behind the keeper's back: owner=me, na",
        ),
        (("update toy set name = 'gun' where id = 1",), "table toy: a row was changed behind the keeper's back: id=1"),
        (("update log_name set real = 'somebody else' where real = 'bert'",), "table log_name: a row was changed"),
        (("update log_month set key = x'00'",), "table log_month: a row was changed"),
        (("drop table toy",), "table toy: it is gone, with 41 rows"),
        (("create table new (id text primary key)", "insert into new values ('a')"), "table new: a row was added"),
        (("update log_rows set sum = zeroblob(32)",), "behind the keeper's back"),
        (("delete from log_rows",), "table pet: "),
    ],
)
def test_changes_behind_its_back(kept: Store, statements: tuple[str, ...], words: str) -> None:
    """Each is told with its table and its row; where there is no single answer, with what is known."""
    log = filled(kept)
    log.append_now(release(account="bert"))
    log.close()
    change(kept, *statements)
    told = found(kept)
    assert any(words in one for one in told), told
    assert len(told) <= 21


def test_rows_of_two_swapped(kept: Store) -> None:
    """Both are named."""
    filled(kept).close()
    change(kept, "update pet set tag = x'04' where name = 'name3'", "update pet set tag = x'03' where name = 'name4'")
    told = found(kept)
    assert [any(f"name={one}" in line for line in told) for one in ("name3", "name4")] == [True, True]


def test_many_rows_in_a_bucket(kept: Store) -> None:
    """Of some thousand rows each bucket holds a few: the candidates are named, three at most."""
    log = filled(kept, 1)
    log.append_now(NEWS, [Effect("with recursive n(i) as (select 9 union all select i + 1 from n where i < 9000)"
                                 " insert into toy select i, 'toy' from n")])  # fmt: skip
    log.close()
    change(kept, "update toy set name = 'gun' where id = 5000", "insert into toy values (10001, 'a'), (10002, 'b')")
    told = found(kept)
    assert any("one of " in one and "; and " in one for one in told)
    assert any("a row was added behind the keeper's back: id=10001" in one for one in told)
    change(kept, "delete from toy")
    assert any("taken away" in one for one in found(kept))
    assert len(found(kept)) == 20


def test_an_earlier_row_with_its_earlier_sums(kept: Store) -> None:
    """Rows and sums put back together to what they were: an earlier sum fits an earlier entry only, and the start sees it."""
    log = filled(kept)
    log.close()
    with closing(sqlite3.connect(kept.place.database)) as db:
        before = list(db.iterdump())
    log = kept.open()
    log.append_now(NEWS, [Effect("delete from pet where name = 'name3'")])
    log.close()
    lines = [line for line in before if line.startswith(('INSERT INTO "pet"', 'INSERT INTO "log_rows"'))]
    change(kept, "delete from pet", "delete from log_rows", *(line.rstrip(";") for line in lines))
    assert found(kept) == ["the sums of its rows (log_rows) are not those that entry 40 tells"]
    with pytest.raises(Tampered, match="not those that entry 40 tells"):
        kept.open()
    kept.open_adopting().append_now(NEWS)
    assert found(kept) == []


def test_rows_that_the_log_never_told_of(kept: Store) -> None:
    """And an entry that cannot be read."""
    filled(kept, 1).close()
    change(kept, "drop trigger log_entry_lasts", "drop trigger log_entry_stays", "update log_entry set body = x'00'")
    assert found(kept)[-1] == "entry 0 cannot be read"
    change(kept, "delete from log_entry")
    assert found(kept)[-1] == "its rows were never told of in the log"
    assert "table sqlite_schema: 1 rows were taken away" in found(kept)[0]


def test_a_commit_that_fails(kept: Store) -> None:
    """The sums are as before when the log opens again."""
    log = filled(kept, 3)
    other = sqlite3.connect(kept.place.database, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(Unavailable):
        log.append_now(NEWS, [Effect("delete from pet")])
    other.execute("rollback")
    other.close()
    log.reopen()
    log.append_now(NEWS, [Effect("delete from pet")])
    log.close()
    assert found(kept) == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("update log_entry set body = cast(replace(body, 'officer', 'stopped') as blob) where idx = 3", "entry 3"),
        ("update log_entry set leaf = zeroblob(32) where idx = 3", "leaf of entry 3"),
        ("update log_entry set t = 1 where idx = 3", "columns of entry 3"),
        ("delete from log_entry where idx = 3", "Entry 3 is missing"),
        ("insert into log_tile values (7, 0, x'00')", "frontier 40"),
        ("update log_head set size = 39", "frontier"),
    ],
)
def test_every_entry_of_the_database(kept: Store, statement: str, words: str) -> None:
    """Old ones, too, that a start does not read again."""
    log = filled(kept)
    checkpoint = log.publish()
    log.close()
    check_entries(kept.reader(), checkpoint)
    change(kept, "drop trigger log_entry_lasts", "drop trigger log_entry_stays", statement)
    with pytest.raises((Tampered, Malformed), match=words):
        check_entries(kept.reader(), checkpoint)


def test_entries_of_another_log(kept: Store, tmp_path: Path) -> None:
    """A database that was set back, and another one of the same size."""
    filled(kept).close()
    other = Store(tmp_path / "other", kept.signer).create()
    log = other.open()
    for _ in range(40):
        log.append_now(NEWS)
    published = log.publish()
    with pytest.raises(Tampered, match="The first 40 entries are not those"):
        check_entries(kept.reader(), published)
    log.append_now(NEWS)
    log.publish()
    with pytest.raises(Tampered, match="The log has 40 entries, but"):
        check_entries(kept.reader(), opened(other.published.read, kept.signer.verifier))
    other.close()
