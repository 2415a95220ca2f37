"""Many who have one thing in common, beyond what was to be expected."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.detect import campaign
from tests.detect.conftest import Scene, read
from tests.detect.replayed import same

AGENTS = ("Phone/1.2", "Desk/7", "Pad/3.0.1", "Old/5")
DAY = 86_400


def came(person: int, at: int, agent: str, **more: Any) -> dict[str, Any]:
    """Somebody reads a document of their own."""
    return read(person * 3, at, principal=f"p{person}", route="/d/{int}", **{"http_request.user_agent": agent}, **more)


def honest(days: int = 20, a_day: int = 150, surge: int = 0) -> list[dict[str, Any]]:
    """New people every day, from eight to twenty; on day `surge` ten times as many."""
    rng = random.Random(days)
    return [
        came(rng.randrange(10**6), day * DAY + rng.randrange(8 * 3_600, 20 * 3_600), rng.choice(AGENTS))
        for day in range(days)
        for _ in range(a_day * (10 if surge and day == surge else 1))
    ]


def night(accounts: int, agents: tuple[str, ...], day: int = 15) -> list[dict[str, Any]]:
    """Accounts that were stuffed, one in ten seconds from two o'clock on."""
    return [
        came(
            2 * 10**6 + n,
            day * DAY + 2 * 3_600 + n * 10,
            agents[n % len(agents)],
            **{"src_endpoint.ip": f"198.51.{n >> 8}.{n & 255}"},
        )
        for n in range(accounts)
    ]


def test_a_night_of_stuffed_accounts_fires_at_the_twentieth(scene: Scene) -> None:
    """None does anything unusual, and each has an address of its own; a new version of a known program is a known program."""
    scene.add(*honest(), *night(300, ("Desk/8",)))
    found = scene.hits(campaign.detection())
    assert {about for about, _, _ in found if about.startswith("program")} == {"program Desk/#"}
    assert {fired for about, fired, _ in found if about == "program Desk/#"} == {
        (15 * DAY + 2 * 3_600 + 19 * 10) * 1_000
    }


def test_programs_by_turns_are_one_kind_of_address(scene: Scene) -> None:
    """What they ask for is in common still."""
    scene.add(*honest(), *night(60, (*AGENTS, "a", "b", "c", "d", "e", "f")))
    assert {about for about, _, _ in scene.hits(campaign.detection())} == {"address /d/{int}"}


def test_on_a_day_of_news_everybody_comes(scene: Scene) -> None:
    """Ten times as many, with all kinds of programs: that is told once, of the address, and of no program."""
    scene.add(*honest(surge=15))
    assert {about for about, _, _ in scene.hits(campaign.detection())} <= {"address /d/{int}"}


def test_a_first_week_is_no_forecast(scene: Scene) -> None:
    """The log begins in the middle of everything."""
    scene.add(*honest(days=6), *night(300, ("Desk/8",), day=3))
    assert scene.hits(campaign.detection()) == []


def test_the_same_people_again_are_no_campaign(scene: Scene) -> None:
    """Who was there with the same program before is nobody new."""
    regulars = [came(n, day * DAY + 9 * 3_600 + n, "Desk/7") for n in range(100) for day in range(20)]
    again = [came(n, 15 * DAY + 2 * 3_600 + n, "Desk/7") for n in range(100)]
    scene.add(*regulars, *again)
    assert scene.hits(campaign.detection()) == []


def portal(
    seed: int, times: float = 1, release: int = 99, mail: int = 99, people: int = 900, days: int = 20
) -> list[dict[str, Any]]:
    """Days of people who come once in two weeks or so in the morning, some hardly ever.

    From day `release` on all come with another program to another kind of address; on day `mail` `times` as many of them.
    """
    rng = random.Random(seed)
    often = [min(0.5, rng.lognormvariate(-3, 1)) for _ in range(people)]
    agents = [rng.choice(AGENTS) for _ in often]
    return [
        came(
            person,
            day * DAY + rng.randrange(8 * 3_600, 10 * 3_600),
            agents[person] if day < release else "New app/1",
        )
        | {"route": "/d/{int}" if day < release else "/v2/{int}"}
        for day in range(days)
        for person in range(people)
        if rng.random() < often[person] * (times if day == mail else 1)
    ]  # fmt: skip


def stuffed(many: int, people: int = 900, day: int = 15) -> list[dict[str, Any]]:
    """Accounts of a portal, whoever they are of, with one program, in an hour of the night."""
    rng = random.Random(many)
    return [came(rng.randrange(people), day * DAY + 2 * 3_600 + n * 30, "Stuffer/1") for n in range(many)]


@pytest.mark.parametrize("seed", range(2))
def test_a_release_brings_nobody(scene: Scene, seed: int) -> None:
    """The same people read as much as before, by another program and at another kind of address, from a day on."""
    scene.add(*portal(seed, release=10))
    assert scene.hits(campaign.detection()) == []


@pytest.mark.parametrize("seed", range(2))
def test_a_message_to_everybody_brings_everybody(scene: Scene, seed: int) -> None:
    """Six times as many, of those who come often and of those who hardly do."""
    scene.add(*portal(seed, 6, mail=15))
    assert scene.hits(campaign.detection()) == []


@pytest.mark.parametrize("seed", range(2))
def test_a_release_that_everybody_is_told_of_is_none(scene: Scene, seed: int) -> None:
    """Both on one day."""
    scene.add(*portal(seed, 6, mail=15, release=15))
    assert scene.hits(campaign.detection()) == []


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("release", [10, 99])
def test_accounts_of_people_who_were_there_before_are_a_campaign(scene: Scene, seed: int, release: int) -> None:
    """Stuffed by night, with and without a release a few days before, which everybody has followed."""
    scene.add(*portal(seed, release=release), *stuffed(60))
    assert "program Stuffer/#" in {about for about, _, _ in scene.hits(campaign.detection())}


def fresh(many: int, day: int = 10) -> list[dict[str, Any]]:
    """Strangers who come with the program that everybody has since a release."""
    return [came(10**6 + n, day * DAY + 9 * 3_600 + n * 20, "New app/1") | {"route": "/v2/{int}"} for n in range(many)]


@pytest.mark.parametrize("seed", range(2))
def test_strangers_within_a_release_are_a_campaign(scene: Scene, seed: int) -> None:
    """More than usually come with as many who are known."""
    scene.add(*portal(seed, release=10), *fresh(150))
    assert {about for about, _, _ in scene.hits(campaign.detection())} >= {"address /v2/{int}"}


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_the_same_of_regulars(seed: int) -> None:
    """Releases, messages, stuffed accounts of people who come again and again, and strangers among all these."""
    rng = random.Random(seed)
    events = portal(seed, rng.choice([1, 3, 8]), rng.choice([9, 10, 99]), rng.choice([9, 10, 11]), 500, 12)
    events += fresh(rng.choice([0, 40, 90, 150]), rng.choice([9, 10, 11]))
    events += stuffed(rng.choice([0, 25, 60]), 500, 11)
    same([{**event, "time": event["time"] + 20_453 * DAY * 1_000} for event in events], campaign.detection(), rng=rng)


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_the_same(seed: int) -> None:
    """Days with and without news, nights of stuffed accounts, some of whom were there before; several begin at once."""
    rng = random.Random(seed)
    events = honest(rng.choice([9, 16]), 60, rng.choice([0, 8, 12]))
    for _ in range(rng.randrange(1, 5)):
        agents = rng.choice([("Desk/8",), (*AGENTS, "a"), ("New/1", "Old/5")])
        many = night(rng.choice([15, 25, 40, 90]), agents, rng.randrange(5, 16))
        begin, pace = rng.choice([0, 6 * 3_600, 78_900]), rng.choice([0, 1, 10])
        events += [{**event, "time": event["time"] + (begin - n * pace) * 1_000} for n, event in enumerate(many)]
    events = [{**event, "time": event["time"] + 20_453 * DAY * 1_000} for event in events]
    same(events, campaign.detection(), rng=rng)


def test_the_property_says_something() -> None:
    """A night of stuffed accounts is among what is compared."""
    assert same([*honest(16, 60), *night(60, ("Desk/8",))], campaign.detection(), rng=random.Random(1))
