"""What a worker remembers of the counts is what stands in the file, whoever wrote it."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.clock import DAY
from strongroom.gateway.counts import FEW, Counts
from strongroom.gateway.measures import Allowed, Measure
from strongroom.gateway.mmap import Kept
from strongroom.gateway.mmap import prepare as prepare_versions
from strongroom.gateway.rule import Rung, Scope
from strongroom.gateway.sqlite import Uncounted, prepare, versions

NOW = 1_766_998_800_000
PEOPLE = ("ann", "bob")
PLACES = ((Scope.PERSON, "ann"), (Scope.SESSION, "s"), (Scope.MODULE, ""))
SMALL = st.integers(0, 3)
STEPS = st.one_of(
    st.tuples(st.just("count"), SMALL, SMALL, st.integers(1, 5)),
    st.tuples(st.just("serve"), SMALL, SMALL, st.integers(1, 5)),
    st.tuples(st.just("walked"), st.sampled_from(PEOPLE), SMALL),
    st.tuples(st.just("blinded"), st.sampled_from(PEOPLE), SMALL),
    st.tuples(st.just("showed"), st.sampled_from(PEOPLE), SMALL),
    st.tuples(st.just("begin"), st.sampled_from(PEOPLE), SMALL),
    st.tuples(st.just("put"), st.sampled_from(PLACES), st.sampled_from([Rung.SLOW, Rung.SESSION])),
    st.tuples(st.just("undo"), st.sampled_from(PLACES)),
    st.tuples(st.just("allow"), st.sampled_from(PLACES)),
    st.tuples(st.just("disallow"), st.sampled_from(PLACES)),
    st.tuples(st.just("taken back"), SMALL, SMALL),
    st.tuples(st.just("swept")),
)


def step(counts: Counts, what: tuple[object, ...]) -> None:  # noqa: C901  # a table
    """One act of a worker."""
    name, *more = what
    match name, more:
        case "count", [int(place), int(one), int(until)]:
            counts.count(place, one, NOW + until)
        case "serve", [int(place), int(hour), int(size)]:
            counts.serve(place, hour, size, NOW + DAY)
        case "walked", [str(person), int(number)]:
            counts.walked(person, NOW, (number,))
        case "blinded", [str(person), int(until)]:
            counts.blinded(person, NOW, NOW + until)
        case "showed", [str(person), int(one)]:
            counts.showed(person, [("document", str(one))], NOW)
        case "begin", [str(person), int(session)]:
            counts.begin(f"session {session}", person, NOW)
        case "put", [tuple() as where, Rung() as rung]:
            counts.put(Measure(where, "r", rung, "why", NOW, NOW + 5, 5, where, ""), NOW)
        case "undo", [tuple() as where]:
            counts.undo(where, NOW)
        case "allow", [tuple() as where]:
            counts.allow(Allowed(where, "r", "why", NOW, NOW + 3))
        case "disallow", [tuple() as where]:
            counts.disallow(where, "r")
        case "taken back", [int(place), int(one)]:
            with suppress(ZeroDivisionError), counts.together():
                counts.count(place, one, NOW + 9)
                counts.walked("ann", NOW, (9,))
                assert counts.others(place, -1, NOW, 9) > 0
                raise ZeroDivisionError
        case _:
            counts.sweep(NOW + 2)


def known(counts: Counts) -> list[object]:
    """All that a worker knows at once."""
    found: list[object] = []
    for at in (NOW + 2, NOW + 4):  # nobody asks of a time before the last sweep
        found += [counts.measures(PLACES, at), counts.allowed(PLACES, at)]
        found += [counts.is_undone(where, "r", at) for where in PLACES]
        found += [counts.others(place, one, at, 9) for place in range(4) for one in (-1, 0)]
    found += [counts.bytes(place, hour) for place in range(4) for hour in range(4)]
    found += [counts.known(person) for person in PEOPLE]
    found += [counts.was_shown(person, "document", str(one)) for person in PEOPLE for one in range(4)]
    found += [counts.person_of(f"session {one}") for one in range(4)]
    return found


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), STEPS, st.sampled_from(["both", "own", "none"])), max_size=12))
def test_two_workers_know_the_same(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[bool, tuple[object, ...], str]]
) -> None:
    """Whoever does what, and whoever looks in between, as part of a step or not: what is remembered is what the file says."""
    path = tmp_path_factory.mktemp("counts") / "counts.db"
    prepare(path)
    workers = (Counts(path), Counts(path))
    for second, what, looks in acts:
        step(workers[second], what)
        for worker in {"both": workers, "own": (workers[second],), "none": ()}[looks]:
            with worker.together():
                known(worker)
    fresh = Counts(path)
    truth = known(fresh)
    for worker in workers:
        assert known(worker) == truth
        with worker.together():
            assert known(worker) == truth
    for one in (*workers, fresh):
        one.close()


def test_a_worker_that_was_killed_in_a_step_changed_nothing(tmp_path: Path) -> None:
    """Its changes of versions stay, its counts do not."""
    path = tmp_path / "counts.db"
    prepare(path)
    here = Counts(path)
    with here.together():
        here.count(1, 1, NOW + DAY)
        assert here.others(1, 0, NOW, 9) == 1
    child = os.fork()
    if not child:
        there = Counts(path)
        with there.together():
            there.count(1, 2, NOW + DAY)
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert here.others(1, 0, NOW, 9) == 1
    with here.together():
        here.count(1, 3, NOW + DAY)
        assert here.others(1, 0, NOW, 9) == 2
    here.close()


def test_much_is_asked_of_the_file(tmp_path: Path) -> None:
    """More ids than are remembered of one place; and a limit is a limit."""
    path = tmp_path / "counts.db"
    prepare(path)
    here, there = Counts(path), Counts(path)
    with here.together():
        for one in range(FEW + 10):
            here.count(1, one, NOW + DAY)
            assert here.others(1, -1, NOW, 10_000) == one + 1
    assert (there.others(1, -1, NOW, 10_000), there.others(1, -1, NOW, 20)) == (FEW + 10, 20)
    here.close()
    there.close()


def test_versions_that_are_gone_are_another_truth(tmp_path: Path) -> None:
    """Then nothing is counted, and nothing leaves."""
    path = tmp_path / "counts.db"
    prepare(path)
    here = Counts(path)
    versions(path).unlink()
    with pytest.raises(Uncounted), here.together():
        pass
    with pytest.raises(Uncounted):
        Counts(path)
    here.close()


def test_what_is_remembered_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is too much, all of it goes."""
    monkeypatch.setattr("strongroom.gateway.mmap.MOST", 10)
    prepare_versions(tmp_path / "v")
    kept = Kept(tmp_path / "v")
    for number in range(10):
        kept.keep("a", number, number)
    assert [kept.get("a", number) for number in range(10)] == list(range(10))
    kept.keep("a", 10, 10)
    assert [kept.get("a", number) for number in (9, 10)] == [None, 10]
    kept.change(10)
    assert kept.get("a", 10) is None
    kept.close()
