"""Logs that grow: every line once, whatever rotation does."""

import asyncio
import gzip
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.gateway.files import Events
from strongroom.gateway.ocsf import event
from strongroom.gateway.person import Who
from strongroom.gateway.ports import Asked
from strongroom.gateway.proxy import Event
from strongroom.logs import mapping, table
from strongroom.logs.follow import HEAD, Follower
from tests.audit import conftest as audit


def line(n: int, who: str = "ann") -> str:
    """One request; every one is another."""
    when = f"29/Dec/2025:{n // 3_600 % 24:02d}:{n // 60 % 60:02d}:{n % 60:02d} +0000"
    return f'192.0.2.1 - {who} [{when}] "GET /d/{n} HTTP/1.1" 200 10 "-" "-"\n'


def lines(first: int, last: int, who: str = "ann") -> str:
    """Several."""
    return "".join(line(n, who) for n in range(first, last))


def taken(follower: Follower, *, twice: bool = True) -> list[int]:
    """Which lines are new, in the order in which they are read; the bytes at their places are theirs."""
    found: list[int] = []
    for _ in range(1 + twice):  # what is read whole must be the same at two looks
        follower.poll()
        while (log := follower.behind()) is not None:
            for events in follower.read(log):
                found += events["number"].to_pylist()
                assert set(events["record.source"].to_pylist()) == {log.number}
    return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log with ten lines."""
    path = tmp_path / "access.log"
    path.write_text(lines(0, 10), encoding="utf-8")
    return path


def append(path: Path, text: str) -> None:
    """As a server does."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_new_lines_are_read_when_they_are_whole(log: Path) -> None:
    """Half a line waits for its other half, also where the cut is in a character."""
    follower = Follower((str(log),))
    assert taken(follower) == list(range(10))
    assert taken(follower) == []
    append(log, line(10) + line(11)[:30])
    assert taken(follower) == [10]
    append(log, line(11)[30:])
    assert taken(follower) == [11]


def test_places_are_those_of_the_whole_log(log: Path) -> None:
    """Also of what was read later: the bytes there are the line."""
    follower = Follower((str(log),))
    taken(follower)
    append(log, lines(10, 13))
    follower.poll()
    behind = follower.behind()
    assert behind is not None
    (events,) = follower.read(behind)
    raw = log.read_bytes()
    places = zip(events["record.offset"].to_pylist(), events["record.length"].to_pylist(), strict=True)
    assert [raw[at : at + length].decode() + "\n" for at, length in places] == [line(n) for n in (10, 11, 12)]


@pytest.mark.parametrize("way", ["renamed", "copied and cut short", "renamed and packed", "packed and removed"])
def test_rotation_loses_and_repeats_nothing(log: Path, way: str) -> None:
    """With lines that were written just before, and others just after."""
    follower = Follower((str(log.parent),))
    append(log, lines(10, 60))
    assert taken(follower) == list(range(60))
    append(log, lines(60, 63))
    old = log.with_name("access.log.1")
    match way:
        case "renamed":
            log.rename(old)
        case "copied and cut short":
            old.write_bytes(log.read_bytes())
            os.truncate(log, 0)
        case "renamed and packed":
            log.rename(old)
            old.with_name("access.log.1.gz").write_bytes(gzip.compress(old.read_bytes()))
        case _:
            old.with_name("access.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
            log.unlink()
    append(log, lines(63, 66))
    assert taken(follower) == list(range(60, 66))
    append(log, lines(66, 70))
    assert taken(follower) == list(range(66, 70))


def test_a_last_line_without_an_end_is_read_when_another_log_goes_on(log: Path) -> None:
    """Not when the log is renamed, for its server may still write into it; over a restart too."""
    append(log, line(10).rstrip("\n"))
    follower = Follower((str(log), f"{log}.1"))
    assert taken(follower) == list(range(10))
    log.rename(f"{log}.1")
    assert taken(follower) == []
    again = Follower((str(log), f"{log}.1"))
    again.load(follower.dump())
    log.write_text(line(11), encoding="utf-8")
    assert sorted(taken(again)) == [10, 11]
    assert taken(again) == []


def test_a_last_line_of_what_does_not_grow_is_one(log: Path) -> None:
    """Without an end, too."""
    append(log, line(10).rstrip("\n"))
    assert taken(Follower((str(log),), grow=False)) == list(range(11))


def test_a_log_that_was_cut_short_begins_anew(log: Path) -> None:
    """Whether what was written since begins otherwise or alike, is shorter or longer."""
    follower = Follower((str(log),))
    taken(follower)
    log.write_text(lines(20, 23), encoding="utf-8")
    assert taken(follower) == [20, 21, 22]
    log.write_text(lines(20, 22), encoding="utf-8")
    os.utime(log, (1, 1))
    assert taken(follower) == [20, 21]
    log.write_text(lines(30, 50), encoding="utf-8")
    assert taken(follower) == list(range(30, 50))


def test_a_packed_log_that_arrives_is_read(log: Path) -> None:
    """One that is still being written too, as far as it goes, and the rest when it has come."""
    follower = Follower((str(log.parent),))
    taken(follower)
    packed = gzip.compress(lines(100, 3_000).encode())
    path = log.with_name("other.gz")
    path.write_bytes(packed[: len(packed) // 2])
    some = taken(follower)
    assert some == list(range(100, 100 + len(some)))
    path.write_bytes(packed)
    assert some + taken(follower) == list(range(100, 3_000))


def test_a_document_is_read_once_and_whole(tmp_path: Path) -> None:
    """When two looks see the same of it."""
    record = {
        "eventVersion": "1.09", "eventTime": "2025-12-29T09:00:00Z", "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject", "userIdentity": {"type": "IAMUser", "userName": "x"},
        "requestParameters": {"bucketName": "b", "key": "k"}, "awsRegion": "r", "sourceIPAddress": "192.0.2.1",
    }  # fmt: skip
    path = tmp_path / "trail.json"
    path.write_text(json.dumps({"Records": [record, record]}), encoding="utf-8")
    follower = Follower((str(tmp_path),))
    follower.poll()
    assert follower.behind() is None
    assert len(taken(follower)) == 2
    os.utime(path, (1, 1))
    assert taken(follower) == []
    whole = Follower((str(tmp_path),), grow=False)
    assert len(taken(whole, twice=False)) == 2


def test_headings_say_how_later_lines_are_read(tmp_path: Path) -> None:
    """A table by a mapping, in pieces, over a restart."""
    path = tmp_path / "t.csv"
    path.write_text("when,who,what\n2025-12-29T09:00:00Z,ann,1\n", encoding="utf-8")
    columns: table.Columns = {"time": ("when",), "principal": ("who",), "document": ("what",)}
    told = mapping.Mapping((), (), (), columns)
    follower = Follower((str(path),), mapping=told)
    assert taken(follower) == [1]
    append(path, "2025-12-29T09:00:01Z,ann,2\n")
    assert taken(follower) == [2]
    again = Follower((str(path),), mapping=told)
    again.load(follower.dump())
    append(path, "2025-12-29T09:00:02Z,ann,3\n")
    assert taken(again) == [3]


def test_logs_of_several_servers_are_read_by_their_times(tmp_path: Path) -> None:
    """Not one after the other: what is earlier is read earlier, as far as pieces go; and how far nothing is left is told."""
    for name, first in (("a.log", 0), ("b.log", 20_000)):
        (tmp_path / name).write_text(lines(first, first + 20_000), encoding="utf-8")
    (tmp_path / "c.log").write_text(lines(10_000, 30_000, "bob"), encoding="utf-8")
    follower = Follower((str(tmp_path),))
    follower.poll()
    most = 0
    while (behind := follower.behind()) is not None:
        hold = follower.hold()
        assert hold == behind.last
        for events in follower.read(behind):
            numbers = events["number"].to_pylist()
            assert min(numbers) >= most - 14_000  # lines of a piece
            most = max(most, *numbers)
    assert follower.hold() is None


def test_what_is_no_log_is_named(tmp_path: Path) -> None:
    """And read when it has become one."""
    path = tmp_path / "x"
    path.write_text("nothing\n", encoding="utf-8")
    follower = Follower((str(path), str(tmp_path / "not there yet")))
    assert taken(follower) == []
    assert follower.unknown == {str(path)}
    path.write_text(lines(0, 5), encoding="utf-8")
    assert taken(follower) == list(range(5))
    assert follower.unknown == set()


def test_a_line_without_end_is_let_go(log: Path) -> None:
    """It is counted, and what comes after it is read."""
    follower = Follower((str(log),))
    taken(follower)
    append(log, "x" * 3 * 1024 * 1024)
    assert taken(follower) == []
    append(log, "\n" + line(7_000))
    assert taken(follower) == [7_000]
    assert sum(follower.logs[0].account.unreadable.values()) >= 1


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_every_line_once(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """Whatever is written, rotated and packed between two looks, and however often the follower is stopped."""
    rng, folder = random.Random(seed), tmp_path_factory.mktemp("follow")
    log, written, rotated = folder / "access.log", 0, 0
    log.write_text(lines(0, 60), encoding="utf-8")
    written = 60
    follower, found = Follower((str(folder),)), []
    for _ in range(12):
        match rng.randrange(5):
            case 0 if log.stat().st_size > HEAD:  # as logs are that are rotated
                rotated += 1
                log.rename(folder / f"access.log.{rotated}")
                log.touch()
            case 1 if rotated and (folder / f"access.log.{rotated}").exists():
                old = folder / f"access.log.{rotated}"
                found += taken(follower)  # packing waits until nobody writes any more
                (folder / f"access.log.{rotated}.gz").write_bytes(gzip.compress(old.read_bytes()))
                old.unlink()
            case 2:
                kept = follower.dump()
                follower = Follower((str(folder),))
                follower.load(kept)
            case _:
                more = rng.randrange(1, 120)
                append(log, lines(written, written + more))
                written += more
        if rng.random() < 0.5:
            found += taken(follower)
    found += taken(follower)
    assert sorted(found) == list(range(written))


def documents(follower: Follower) -> list[str]:
    """What was read since the last look, and that its place is an entry, or a line, about it."""
    found: list[str] = []
    follower.poll()
    while (log := follower.behind()) is not None:
        for events in follower.read(log):
            raw = Path(follower.names[log.number]).read_bytes()
            for one in events.to_pylist():
                at = one["record.offset"]
                if one["document"] is not None:
                    assert one["document"].encode() in raw[at : at + one["record.length"]]
                    found.append(one["document"])
    return found


def test_a_log_that_the_keeper_publishes_is_read_on(tmp_path: Path) -> None:
    """Every publication gives its last bundle another name, until it is full: each entry is read once, over a restart too, and
    what else is published (hashes, the checkpoint) is no log that nobody knows.
    """
    made = audit.Store(tmp_path / "keeper").create()
    log, entries = made.open(), made.root / "log" / "tile" / "entries"
    follower, read = Follower((str(made.root / "log"),)), list[str]()
    with asyncio.Runner() as runner:
        for many in (1, 2, 37, 250, 1, 200, 3):
            releases = [audit.release(audit.START, f"p-{n}", f"d-{n}") for n in range(len(read), len(read) + many)]

            async def write(releases: list[Any] = releases) -> None:
                await asyncio.gather(*map(log.append, releases))

            runner.run(write())
            log.publish()
            new = documents(follower)
            assert len(new) == many, "all of them, and nothing again"
            read += new
            kept, follower = follower.dump(), Follower((str(made.root / "log"),))
            follower.load(kept)
            assert documents(follower) == []
    made.close()
    assert len(set(read)) == len(read) == 494
    assert follower.unknown == set()
    assert [follower.names[log.number] for log in follower.logs] == [
        str(entries / "000"),
        *(str(path) for path in sorted(entries.glob("001.p/*"), key=lambda path: int(path.name))[-1:]),
    ]


def test_events_of_a_gateway_are_read_over_every_turn(tmp_path: Path) -> None:
    """The file alone was named; what was written to it last, before it was turned over, is read where it lies then."""
    path = tmp_path / "events.ndjson"
    events, follower, read = Events(path, size=20_000), Follower((str(path),)), list[str]()
    for look in range(12):
        for number in range(look * 20, look * 20 + 20):
            asked = Asked("r1", 1, "letter", Who("s", "p"), "192.0.2.1/32", "d", "document", str(number), "7")
            one = Event(request=f"r{number}", at=number, method="GET", network="192.0.2.1/32", asked=asked, status=200)
            events.put(lambda one=one: event(one, "1"))  # type: ignore[misc]  # bound now
        events.close()
        read += documents(follower)
        events = Events(path, size=20_000)
    events.close()
    assert len(list(tmp_path.iterdir())) > 3, "it was turned over several times"
    assert read == [str(number) for number in range(240)]
