"""Many bytes for one client."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.clock import DAY
from strongroom.detect import egress
from strongroom.detect.detection import Detection
from tests.detect.conftest import Scene
from tests.detect.replayed import hunted, numbered, same

MIB = 1024 * 1024
HOURLY, DAILY, COLD = egress.detections()


def sent(at: int, size: int, who: str) -> dict[str, Any]:
    """An answer at a second."""
    return {"time": at * 1_000, "traffic.bytes_out": size, "principal": who}


def spread(day: int, hours: int, mib: int, who: str) -> list[dict[str, Any]]:
    """As much in each hour of a day from its second one on."""
    return [sent(day * 86_400 + 3_600 * hour, mib * MIB, who) for hour in range(1, hours + 1)]


def crowd(days: int) -> list[dict[str, Any]]:
    """Ninety people get a megabyte a day."""
    return [sent(day * 86_400 + n * 900, MIB, f"p{n}") for day in range(days) for n in range(90)]


def fired(scene: Scene, detection: Detection) -> dict[str, int]:
    """Who, and the second of the first time."""
    found: dict[str, int] = {}
    for about, when, _ in scene.hits(detection):
        who = about.removeprefix("login ")
        found[who] = min(when // 1_000, found.get(who, when))
    return found


def test_far_more_than_anybody_fires_when_the_limit_is_passed(scene: Scene) -> None:
    """At the answer that passes 100 MiB; all answers of that hour are hits."""
    scene.add(*(sent(at * 30, MIB, f"p{at}") for at in range(100)), *(sent(at, 10 * MIB, "eve") for at in range(20)))
    found = scene.hits(HOURLY)
    assert {(about, fired) for about, fired, _ in found} == {("login eve", 9_000)}
    assert len(found) == 20


def test_what_all_do_is_not_unusual(scene: Scene) -> None:
    """A site of films."""
    scene.add(*(sent(at, 200 * MIB, f"p{at}") for at in range(50)))
    assert [scene.hits(one) for one in (HOURLY, DAILY, COLD)] == [[], [], []]


def test_a_past_excuses_what_was_always_so(scene: Scene) -> None:
    """A mirror that fetches 300 MiB every hour."""
    scene.add(*(sent(hour * 3_600, 300 * MIB, "mirror") for hour in range(40)))
    scene.add(*(sent(at, 1_000, f"p{at}") for at in range(4_000)))
    found = {time for _, _, time in scene.hits(HOURLY)}
    assert max(found, default=0) < 10 * 3_600_000  # only while it had no past
    assert found


def test_a_day_tells_of_whoever_stays_below_the_limit_of_an_hour(scene: Scene) -> None:
    """Four hours of 95 MiB: at the answer with which the day has 250."""
    scene.add(*crowd(18), *spread(16, 4, 95, "eve"))
    assert fired(scene, HOURLY) == {}
    assert fired(scene, DAILY) == {"eve": 16 * 86_400 + 3 * 3_600}
    assert fired(scene, COLD) == {}


def test_a_day_while_nobody_has_a_past_is_told_with_a_low_level(scene: Scene) -> None:
    """From 250 MiB on; from five times as much on as ever. Who has a past of ten days by then is judged by it."""
    scene.add(*crowd(14), *spread(3, 4, 95, "clinic"), *spread(3, 20, 95, "eve"))
    scene.add(*(event for day in range(12) for event in spread(day, 4, 24, "desk")), *spread(12, 12, 48, "desk"))
    assert fired(scene, COLD) == dict.fromkeys(("clinic", "eve"), 3 * 86_400 + 3 * 3_600)
    assert fired(scene, DAILY) == {"eve": 3 * 86_400 + 14 * 3_600, "desk": 12 * 86_400 + 10 * 3_600}
    assert COLD.head.level == "low"


def test_a_theft_is_no_past_that_excuses_the_next(scene: Scene) -> None:
    """Day after day, each as much: for four weeks all of these are told; then it is a habit that is known."""
    thefts = [event for day in range(16, 60) for event in spread(day, 4, 95, "eve")]
    scene.add(*crowd(60), *thefts)
    days = sorted({time // DAY for _, _, time in scene.hits(DAILY)})
    assert days == [*range(16, 16 + 28 + 10 - 1)]


def test_sizes_that_are_made_up_stop_nothing(scene: Scene) -> None:
    """The largest that a number has, hour after hour."""
    scene.add(*crowd(16), *(sent(hour * 3_600, 2**63 - 1, "liar") for hour in range(60 * 24)))
    assert "liar" in fired(scene, HOURLY)
    assert "liar" in fired(scene, DAILY)


def world(rng: random.Random) -> list[dict[str, Any]]:
    """Weeks of people, some of whom come seldom; thieves in one hour, over a day, day after day; a mirror; a clinic."""
    days = rng.choice([3, 20, 50])
    events = [event for event in crowd(days) if rng.random() < 0.8]
    for who in ("eve", "mallory", "mirror", "clinic"):
        begin, mib = rng.randrange(days), rng.choice([30, 95, 120, 300, 1_500])
        for day in range(begin, min(days, begin + rng.choice([1, 12, 40]))):
            events += spread(day, rng.randrange(1, 8), mib + rng.randrange(20), who)
    return events


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_the_same(seed: int) -> None:
    """Of hours and days, in first days and later, with what is doubted."""
    rng = random.Random(seed)
    same(world(rng), HOURLY, DAILY, COLD, rng=rng)


def test_the_property_says_something() -> None:
    """All three are among what is compared."""
    found: set[str] = set()
    for seed in range(6):
        rng = random.Random(seed)
        found |= {id_ for id_, _ in hunted(numbered(world(rng), rng), (HOURLY, DAILY, COLD), None)}
    assert found == {one.head.id for one in (HOURLY, DAILY, COLD)}
