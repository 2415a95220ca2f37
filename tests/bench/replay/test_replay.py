"""The replay: the same portal for a seed, everybody's documents their own, each request in every book, and truth that counts."""

import csv
import heapq
import json
from itertools import pairwise
from pathlib import Path

import pytest

from bench import replay
from bench.replay import page
from bench.replay.ask import START, Ask
from bench.replay.books import Books
from bench.replay.honest import AGENTS, Honest, accounts, relations
from bench.replay.plays import Plays
from bench.replay.score import Score, Scores, Truth, score
from bench.replay.town import FIRST, Town, health, login, program, staff
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import Wanted, hunt
from strongroom.logs import files, formats, mapping

PEOPLE = 2_000


@pytest.fixture(scope="module")
def town() -> Town:
    """A small one."""
    return Town(PEOPLE, 7)


def test_every_document_is_of_whom_it_is_listed_for(town: Town) -> None:
    """And the ids in between are of nobody."""
    whose = {document: person for person in range(PEOPLE) for document in town.ids(person)}
    assert len(whose) == town.documents
    assert all(town.owner(document) == person for document, person in whose.items())
    assert {town.owner(document) for document in range(FIRST, town.end) if document not in whose} == {None}
    assert 0.6 < len(whose) / (town.end - FIRST) < 0.8


def test_names_are_of_one_each() -> None:
    """Of people, staff and programs, and health numbers."""
    names = [*map(login, range(50_000)), *map(staff, range(2_500)), *map(program, range(450))]
    assert len(set(names)) == len(names)
    assert len({health(person) for person in range(50_000)}) == 50_000


def test_the_same_seed_is_the_same_portal() -> None:
    """To the byte; another seed is another."""
    days = [Honest(Town(PEOPLE, seed), seed).day(3) for seed in (1, 1, 2)]
    assert days[0] == days[1] != days[2]


def test_a_working_day_holds_everybody(town: Town) -> None:
    """Patients, clinicians, desks, programs and strangers; honest people read what they may, and list it before."""
    day = Honest(town, 7).day(4)
    assert {one.role for one in day} == {"patient", "clinician", "desk", "program", ""}
    assert all(before.time <= after.time for before, after in pairwise(day))
    may: dict[str, set[str]] = {}
    for account, patient in relations(town):
        may.setdefault(account, set()).add(patient)
    works = {account: practice for account, _, practice in accounts(town)}
    for one in day:
        if one.person is not None:
            assert health(one.person) in may[works.get(one.who, one.who)]


@pytest.mark.parametrize("play", ["P1", "P1, 20 logins", "P2", "P3", "P3, slower", "P4", "P5", "P6", "P7", "P8", "P9"])
def test_a_playbook_is_in_time_and_takes_what_is_there(town: Town, play: str) -> None:
    """In the sixty days, by time, with the owner of each document that left."""
    asks = list(Plays(town, Honest(town, 7), 7).all()[play])
    assert asks
    assert all(before.time <= after.time for before, after in pairwise(asks))
    assert asks[0].time >= START
    for one in asks:
        assert one.play == play
        if one.document and one.kind != "page":
            assert (one.status == 200) == (one.person is not None)
            assert one.person == town.owner(one.document)


def test_each_request_stands_in_every_book(tmp_path: Path) -> None:
    """What left in one store; what was not there in none; a forgotten address not in the application's; an export not in the
    web server's; and all of it is read by the readers.
    """
    asks = [
        Ask(START + 1_500, "u1", "patient", "10.1.1.1", AGENTS[0], "list", 0, 5, 200, 4_000),
        Ask(START + 2_000, "u1", "patient", "10.1.1.1", AGENTS[0], "read", FIRST + 1, 5, 200, 70_000),
        Ask(START + 3_000, "u1", "patient", "10.1.1.1", AGENTS[0], "read", FIRST + 2, None, 404, 150),
        Ask(START + 4_000, "", "", "198.19.128.1", AGENTS[0], "forgotten", FIRST + 4, 6, 200, 80_000, "P9"),
        Ask(START + 5_000, "support-3", "support", "198.18.4.9", AGENTS[0], "export", FIRST + 6, 7, 200, 90_000, "P7"),
    ]
    with Books(tmp_path) as books:
        books.write(asks)
    rows = list(csv.DictReader((tmp_path / "audit.csv").read_text().splitlines()))
    assert [row["document"] for row in rows] == ["", str(FIRST + 1), str(FIRST + 2), str(FIRST + 6)]
    access = (tmp_path / "access.log").read_text().splitlines()
    assert [("/legacy/" in line, " 404 " in line) for line in access] == [
        (False, False),
        (False, False),
        (False, True),
        (True, False),
    ]
    trail = [
        json.loads(line)["requestParameters"]["key"] for line in (tmp_path / "cloudtrail.json").read_text().splitlines()
    ]
    azure = [json.loads(line)["properties"]["objectKey"] for line in (tmp_path / "azure.json").read_text().splitlines()]
    assert trail == [str(FIRST + 1)]
    assert azure == [f"/portaldocuments/documents/{FIRST + n}" for n in (4, 6)]
    flows = [line.split() for line in (tmp_path / "flow.log").read_text().splitlines()]
    sent = {(one[3], one[4]): int(one[9]) for one in flows}
    assert sent["10.0.0.10", "198.19.128.1"] > 80_000
    known = {path.name: formats.recognise(path.read_bytes()) for path in tmp_path.glob("*.log")}
    assert {name: format_.name for name, format_ in known.items() if format_} == {
        "access.log": "access",
        "flow.log": "vpc-flow",
    }
    assert books.records == len(rows) + len(access) + len(trail) + len(azure) + len(flows)


def test_a_theft_is_scored_by_what_was_gone(tmp_path: Path) -> None:
    """A walk among honest readers: found at its tenth id, everything until then lost, and no false alarm."""
    honest = [
        Ask(START + n * 60_000, f"u{n}", "patient", f"10.1.1.{n}", AGENTS[0], "read", FIRST + n * 5_003, n, 200, 9)
        for n in range(40)
    ]
    walk = [
        Ask(
            START + n * 1_000, "thief", "patient", "198.18.0.1", AGENTS[0], "read", FIRST + 500_000 + n, n, 200, 9, "P1"
        )
        for n in range(30)
    ]
    truth = Truth()
    with Books(tmp_path) as books:
        books.write(truth.watch(heapq.merge(honest, walk)))
    with Engine() as engine:
        result = hunt(files.expand((str(tmp_path / "access.log"),)), Wanted(), engine)
        found = score("alone", result, engine, truth)
    (theft,) = found.plays
    assert (theft.documents, theft.people, theft.seconds, theft.taken) == (10, 10, 9, 30)
    assert (found.alarms, found.hints) == (0, 0)


def test_what_was_never_found_is_all_lost_and_what_is_wrong_counts(tmp_path: Path) -> None:
    """Three documents are too few to be seen; an honest walk is a false alarm."""
    asks = [
        *(Ask(START + n * 1_000, "desk", "desk", "10.1.1.1", AGENTS[0], "read", FIRST + n, n, 200, 9) for n in range(30)),
        *(Ask(START + n * 1_000, "thief", "patient", "198.18.0.1", AGENTS[0], "read", FIRST + 9_000 * n, n, 200, 9, "P3")
          for n in range(1, 4)),
    ]  # fmt: skip
    truth = Truth()
    with Books(tmp_path) as books:
        books.write(truth.watch(sorted(asks)))
    with Engine() as engine:
        result = hunt(files.expand((str(tmp_path / "access.log"),)), Wanted(), engine)
        found = score("alone", result, engine, truth)
    assert found.plays == (Score("P3", 3, 3, None, 3, ""),)
    assert found.alarms == pytest.approx(1 / 60)
    assert found.settled == 0


def test_a_directory_is_all_that_a_hunt_needs(tmp_path: Path) -> None:
    """Logs, the operator's mapping and its tables; everything honest and all eleven playbooks are there."""
    truth = replay.make(tmp_path, PEOPLE, 3)
    assert len(truth.thefts) == 11
    assert all(theft.gone(None)[0] for theft in truth.thefts.values())
    told = mapping.load(tmp_path / "portal.toml")
    assert len(told.relations) > PEOPLE
    assert told.format_of((tmp_path / "logs" / "audit.csv").read_bytes()[:4_096]) is not None


def test_the_table_says_never_where_nothing_was_found() -> None:
    """One row a playbook, and the false alarms."""
    plays = (Score("P1", 3, 2, 4, 900, "Ids"), Score("P4", 50, 40, None, 50, ""))
    lines = page.tables([Scores("alone", plays, 0.5, 0.25, 1.25, 10)]).splitlines()
    assert lines[2:] == [
        "| P1 | 900 | 3 | 2 | 4 | ids |", "| P4 | 50 | 50 | 40 | never |  |",
        "| **false alarms** | | **0.50 a day** | | | 0.25 a day after the first ten days; and 1.25 a day of a low level |",
    ]  # fmt: skip
