"""The playbooks on paper, and the honest beside them: who asks for what, when, and from where."""

import random

import pytest

from strongroom.clock import DAY, HOUR
from strongroom.rehearse.callers import TOWN, everybody, newcomers, usual
from strongroom.rehearse.portal import Portal, Records
from strongroom.rehearse.robbers import THIEF, Robbery, robberies
from strongroom.rehearse.visits import BROWSERS, Visit, headers_of

PLAYBOOKS = ("P1", "P2", "P3", "P4", "P9")
FULL = [one for playbook in PLAYBOOKS for one in robberies(playbook, quick=False)]


def visits(one: Robbery) -> list[Visit]:
    """All requests of a robbery."""
    return list(one.visits(random.Random(1)))


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_every_robbery_goes_forward_in_time_and_could_break_its_bound(playbook: str, quick: bool) -> None:
    """It asks for more documents of others than it may gain, within its hours; those of others exist and are others'."""
    for one in robberies(playbook, quick=quick):
        could_break_its_bound(one)


def could_break_its_bound(one: Robbery) -> None:
    """As the test says."""
    made = visits(one)
    assert [visit.at for visit in made] == sorted(visit.at for visit in made)
    assert made[-1].at <= one.hours * HOUR
    stolen = {str(THIEF + number) for number in range(one.logins)}
    wanted = {visit.document for visit in made if visit.owner and (one.own or str(visit.owner) not in stolen)}
    assert len(wanted) > one.bound or one.own
    assert not any(visit.honest for visit in made)
    if not one.own:
        assert {visit.user for visit in made} <= stolen | {""}


def test_the_walk_is_that_of_the_page() -> None:
    """P1: ascending, 15 to 40 % of no document, from two hundred addresses, two days."""
    walk = visits(next(one for one in FULL if one.playbook == "P1"))
    numbers = [int(visit.document) for visit in walk]
    assert numbers == sorted(numbers)
    assert 0.15 <= sum(not visit.owner for visit in walk) / len(walk) <= 0.4
    assert len({visit.source for visit in walk}) == 200
    assert walk[-1].at > 47 * HOUR


def test_two_thousand_mules_come_from_two_thousand_addresses() -> None:
    """P4: each reads what is its own, and nothing else."""
    mules = visits(next(one for one in FULL if one.playbook == "P4"))
    assert len({visit.source for visit in mules}) == len({visit.user for visit in mules}) == 2_000
    assert {str(visit.owner) == visit.user for visit in mules if visit.document} == {True}


def test_a_tool_that_says_it_is_many_browsers_is_one_tool() -> None:
    """P4: its words are those of browsers, its headers come in an order of its own; as browsers do is exactly as they do."""
    found = {one.condition: visits(one) for one in FULL if one.playbook == "P4"}
    words, browsers = found["one tool that says it is many browsers"], found["as browsers do"]
    said = [dict(headers_of(visit.kind, visit.user))["User-Agent"] for visit in words]
    assert set(said) == {dict(browser)["User-Agent"] for browser in BROWSERS}
    assert {tuple(name for name, _ in headers_of(visit.kind, visit.user)) for visit in words} == {
        ("User-Agent", "Accept-Encoding", "Accept", "Connection")
    }
    assert {headers_of(visit.kind, visit.user) for visit in browsers} == set(BROWSERS)


def test_before_it_people_came_as_usual_and_beside_it_some_are_new() -> None:
    """Three weeks of visits from home to what is theirs; the new are known people, with another browser, from elsewhere."""
    town = TOWN + 200
    before = list(usual(town, random.Random(1), 21, 1.0))
    assert [visit.at for visit in before] == sorted(visit.at for visit in before)
    assert before[0].at >= 0
    assert before[-1].at < 21 * DAY
    records = Records(town)
    assert all(records.letters[int(visit.document)] == int(visit.user) for visit in before if visit.document)
    homes = {visit.user: visit.source for visit in before}
    assert 0.4 < sum(str(one) in homes for one in range(TOWN, town)) / 200 < 0.8
    for visit in newcomers(random.Random(1), 8, 1.0):
        assert homes[visit.user] != visit.source
        assert headers_of(visit.kind, visit.user) != headers_of("", visit.user)


def test_page_by_page_is_the_same_as_lists_first() -> None:
    """P2: each note is read once, and only after the page that shows it."""
    first, by_page = (visits(one) for one in FULL if one.condition.startswith("opaque ids"))
    assert {visit.path for visit in first} == {visit.path for visit in by_page}
    pages = [place for place, visit in enumerate(by_page) if visit.path.startswith("/notes?")]
    assert pages[:3] == [0, 101, 202]


@pytest.mark.parametrize("crowd", [0.2, 1.0])
def test_the_honest_ask_for_what_is_theirs(crowd: float) -> None:
    """Nine look-alikes within a day; none of them is a thief; what each reads is of people whom they read for."""
    made = list(everybody(TOWN, random.Random(1), crowd))
    assert {visit.script for visit in made} == {f"B{number}" for number in range(1, 10)}
    assert [visit.at for visit in made] == sorted(visit.at for visit in made)
    assert made[-1].at < DAY
    records = Portal(frozenset(), TOWN).records
    for visit in made:
        people = records.people(visit.user)
        assert people
        assert not people & set(range(THIEF, THIEF + 20))
        if visit.document and visit.expect == 200:
            assert records.letters[int(visit.document)] in people
