"""Counts in one file: exact whoever shares it, kept whoever is killed, refused where they cannot be had, and bounded."""

import multiprocessing
import multiprocessing.connection
import os
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.budget.window import Window
from strongroom.clock import HOUR, SECOND
from strongroom.errors import ConfigError
from strongroom.gateway.counts import SLICES, UNUSED, Counts, Known
from strongroom.gateway.guard import Watchful
from strongroom.gateway.measures import Measure
from strongroom.gateway.person import Who
from strongroom.gateway.ports import Asked
from strongroom.gateway.rule import Rung, Scope
from strongroom.gateway.sqlite import Uncounted, prepare

ANN = (Scope.PERSON, "ann")
LONG = 60.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of counts."""
    prepare(tmp_path / "state" / "counts.db")
    return tmp_path / "state" / "counts.db"


def swept(counts: Counts, now: int) -> None:
    """All parts, one after the other."""
    for part in range(SLICES):
        counts.sweep(now + part * SECOND)


# ---- what is counted ------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 20)), max_size=60), st.booleans())
def test_it_counts_as_the_keeper_does(acts: list[tuple[int, int]], sweeping: bool) -> None:
    """Different ids in a window that slides, by the convention of `budget.window`; sweeping changes no count."""
    counts, window, now = Counts(), Window(HOUR, sums=False), 0
    place = -(2**63) + 7  # in the part that is swept at each full 512 seconds
    for one, minutes in acts:
        now += minutes * SLICES * SECOND // 4
        if sweeping:
            counts.sweep(now)
        window.look(now)
        expected = window.look(now)[2] - window.knows(str(one))
        assert counts.others(place, one, now, 1_000) == expected
        assert counts.others(place, one, now, 3) == min(expected, 3)
        window.add(now, 1, 0, str(one))
        counts.count(place, one, now + HOUR)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.lists(st.integers(0, 700), max_size=600)), max_size=6), st.booleans()
)
@settings(max_examples=30)
def test_it_knows_what_was_shown(acts: list[tuple[str, list[int]]], sweeping: bool) -> None:
    """As a plain set would, for each person by themselves."""
    counts, naive = Counts(), {"a": set[int](), "b": set[int]()}
    for person, documents in acts:
        counts.showed(person, [("d", str(one)) for one in documents], 0)
        naive[person].update(documents)
        if sweeping:
            swept(counts, HOUR)
    some = set(range(0, 701, 7))
    for person, known in naive.items():
        assert {one for one in some if counts.was_shown(person, "d", str(one))} == known & some
    assert not counts.was_shown("a", "other", "0")
    assert not counts.was_shown("c", "d", "0")


def test_one_person_is_bounded() -> None:
    """Who was shown too many begins anew, with the latest."""
    counts = Counts(each=1_000)
    for start in range(0, 5_000, 400):
        counts.showed("a", [("d", str(one)) for one in range(start, start + 400)], 0)
        assert counts.one("SELECT count(*) FROM shown")[0] <= 1_000
    assert counts.was_shown("a", "d", "5199")
    counts.showed("a", [("d", f"x{one}") for one in range(5_000)], 0)
    assert counts.one("SELECT count(*) FROM shown")[0] == 1_000


def test_all_are_bounded() -> None:
    """Who was seen last stays; sessions too. No part of the file holds more than its share."""
    counts = Counts(shown=40 * SLICES, sessions=SLICES)
    for person in range(2_000):
        counts.showed(str(person), [("d", str(one)) for one in range(20)], person)
        counts.begin(str(person), str(person), person)
    swept(counts, 10_000)
    left = [person for person in range(2_000) if counts.was_shown(str(person), "d", "1")]
    assert len(left) * 20 == counts.one("SELECT count(*) FROM shown")[0] <= 40 * SLICES
    assert 500 < len(left) <= 2 * SLICES
    assert sum(left) / len(left) > 1_000
    known = [person for person in range(2_000) if counts.person_of(str(person)) == str(person)]
    assert 300 < len(known) <= SLICES
    swept(counts, UNUSED + 10_000)
    assert not any(counts.was_shown(str(person), "d", "1") for person in left)


def test_what_is_over_is_forgotten() -> None:
    """Counts, bytes, measures: nothing grows by itself."""
    counts = Counts()
    for number in range(1_000):
        counts.count(counts.number("p", str(number)), 1, HOUR)
        counts.serve(counts.number("p", str(number)), 0, 5, HOUR)
    counts.put(measure(Rung.SLOW), 0)
    assert counts.bytes(counts.number("p", "7"), 0) == 5
    swept(counts, HOUR - SLICES * SECOND)
    assert counts.one("SELECT count(*) FROM counted")[0] == 1_000
    swept(counts, HOUR)
    for table in ("counted", "served", "measures"):
        assert counts.one(f"SELECT count(*) FROM {table}")[0] == 0  # noqa: S608  # three names


def test_a_file_of_before_is_taken_over(path: Path) -> None:
    """What an earlier program made lacks a column: it gets it, and loses nothing."""
    counts = Counts(path)
    counts.walked("ann", 0, (1, 2))
    counts.do("ALTER TABLE people DROP COLUMN met")
    counts.close()
    prepare(path)
    counts = Counts(path)
    assert counts.known("ann") == Known(walk=(1, 2))
    counts.met_at("ann", 0, "d1.5.9")
    assert Counts(path).known("ann").met.places == (("d1", 5, 9),)


def test_a_refresh_writes_nothing(path: Path) -> None:
    """A listing that shows what is known takes no lock: it is read while another worker counts."""
    one, other = Counts(path), Counts(path)
    one.showed("ann", [("d", "1"), ("d", "2")], 0)
    with other.together():
        one.showed("ann", [("d", "2")], HOUR)
        assert one.was_shown("ann", "d", "1")


# ---- what is in force -----------------------------------------------------------------------------------------------


def measure(rung: Rung, since: int = 0, until: int = HOUR, *, enforced: bool = True) -> Measure:
    """One about ann."""
    return Measure(ANN, "person-documents-1h", rung, "Test.", since, until, HOUR, (Scope.PERSON, "her"), "", enforced)


def test_it_ends() -> None:
    """At its end, not after."""
    counts = Counts()
    assert counts.put(measure(Rung.SLOW), 0)
    assert counts.measures([ANN], HOUR - 1) == [measure(Rung.SLOW)]
    assert counts.measures([ANN], HOUR) == counts.in_force(HOUR) == []


def test_the_sterner_one_stands() -> None:
    """A milder one changes nothing, a sterner one takes its place; what was only simulated stands beside."""
    counts = Counts()
    assert counts.put(measure(Rung.SESSION), 0)
    assert not counts.put(measure(Rung.SLOW), 0)
    assert not counts.put(measure(Rung.SESSION), 0)
    assert counts.put(measure(Rung.ACCOUNT), 0)
    assert counts.put(measure(Rung.SLOW, enforced=False), 0)
    assert [(one.rung, one.enforced) for one in counts.measures([ANN], 0)] == [
        (Rung.ACCOUNT, True),
        (Rung.SLOW, False),
    ]


def test_an_undo_lasts_as_long_as_what_it_undid_or_its_window() -> None:
    """Then the rule holds again; sweeping forgets neither too early."""
    counts = Counts()
    counts.put(measure(Rung.SLOW, until=10 * HOUR), 0)
    assert [one.rung for one in counts.undo(ANN, 1)] == [Rung.SLOW]
    counts.sweep(9 * HOUR)
    assert not counts.put(measure(Rung.SLOW), 9 * HOUR)
    assert counts.is_undone((Scope.PERSON, "her"), "person-documents-1h", 9 * HOUR)
    assert counts.put(measure(Rung.SLOW, 10 * HOUR, 11 * HOUR), 10 * HOUR)


# ---- the file -------------------------------------------------------------------------------------------------------


def test_it_outlives_whoever_opened_it(path: Path) -> None:
    """Counts, names and what is remembered of people; opened again, and prepared again."""
    one = Counts(path)
    one.count(1, 2, HOUR)
    one.walked("ann", 0, [1, 2])
    one.blinded("ann", 0, 5)
    one.begin("s", "ann", 0)
    one.close()
    prepare(path)
    other = Counts(path)
    assert (other.key, other.others(1, 0, 0, 9), other.known("ann")) == (one.key, 1, Known(5, (1, 2)))
    assert other.person_of("s") == "ann"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def take(path: Path, start: int, tell: multiprocessing.connection.Connection) -> None:
    """One worker of a thief's: asks for a hundred documents that no page showed, and tells which it got."""
    guard = Watchful(Counts(path), enforce=True, listed=("document",))
    for number in range(start, start + 100):
        asked = Asked(str(number), 1, "r", Who("s", "thief"), "n", "d", "document", f"x{number}")
        if guard.before(asked) is None and guard.answered(asked, 200, 1) is None:
            tell.send(number)
    tell.send(None)


def test_workers_count_together(path: Path) -> None:
    """Four at once, each killed at its last word or in the midst: five documents for all of them, never six."""
    fork = multiprocessing.get_context("fork")
    mine, theirs = fork.Pipe()
    workers = [fork.Process(target=take, args=(path, 1_000 * number, theirs)) for number in range(4)]
    for worker in workers:
        worker.start()
    got, ended = 0, 0
    while ended < len(workers):
        assert mine.poll(LONG)
        if mine.recv() is None:
            ended += 1
        else:
            got += 1
    for worker in workers:
        worker.join(LONG)
    assert got == 5
    assert not any(
        Watchful(Counts(path), enforce=True, listed=("document",)).answered(
            Asked("r", 2, "r", Who("s", "thief"), "n", "d", "document", one), 200, 1
        )
        is None
        for one in ("a", "b")
    )


def begin_and_wait(path: Path, tell: multiprocessing.connection.Connection) -> None:
    """Half a step, and no more."""
    counts = Counts(path)
    with counts.together():
        counts.count(1, 1, HOUR)
        tell.send(True)
        signal.pause()


def test_who_is_killed_in_the_midst_of_a_step_left_none(path: Path) -> None:
    """SIGKILL inside a transaction: nothing of it is there, and the next one counts at once."""
    fork = multiprocessing.get_context("fork")
    mine, theirs = fork.Pipe()
    worker = fork.Process(target=begin_and_wait, args=(path, theirs))
    worker.start()
    assert mine.poll(LONG)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(LONG)
    counts = Counts(path)
    with counts.together():
        assert counts.others(1, 0, 0, 9) == 0
        counts.count(1, 2, HOUR)
    assert counts.others(1, 0, 0, 9) == 1


def fill(counts: Counts) -> None:
    """More than fits."""
    with counts.together():
        for number in range(100_000):
            counts.count(number, 1, HOUR)


def test_what_cannot_be_counted_is_an_error(path: Path, tmp_path: Path) -> None:
    """A file that is gone, another one in its place, a full one, none at all, and one of another program."""
    counts = Counts(path)
    counts._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(Uncounted, match="full"):
        fill(counts)
    assert counts.others(1, 0, 0, 9) == 0
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(Uncounted), counts.together():
        pass
    prepare(path)
    with pytest.raises(Uncounted, match="another one"), counts.together():
        pass
    with pytest.raises(Uncounted):
        Counts(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("no database, and long enough to be read as one" * 100)
    with pytest.raises(ConfigError, match="cannot be kept"):
        prepare(tmp_path / "text.db")
    with Counts(path)._db as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigError, match="form is 99"):
        prepare(path)
