"""The playbooks on paper, and the honest beside them: who asks for what, when, and from where."""

import random

import pytest

from strongroom.clock import DAY, HOUR
from strongroom.rehearse.callers import TOWN, everybody
from strongroom.rehearse.portal import Portal
from strongroom.rehearse.robbers import THIEF, Robbery, robberies
from strongroom.rehearse.visits import Visit

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
