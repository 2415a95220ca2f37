"""Many who have one thing in common, beyond what was to be expected."""

import random
from typing import Any

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
