"""More than usual for an hour of the week."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.detect import surge
from tests.detect.conftest import Scene, read
from tests.detect.replayed import same

HOUR = 3_600
MONDAY = 4 * 24  # 1970 began on a Thursday


def weeks(count: int = 5, **more: Any) -> list[dict[str, Any]]:
    """Sixty an hour by day, on Mondays five hundred at nine; five at night."""
    rng = random.Random(count)
    usual = [500 if hour == MONDAY + 9 else 60 if 8 <= hour % 24 < 18 else 5 for hour in range(7 * 24)]
    return [
        read(hour * 1_000 + n, hour * HOUR + n, principal=f"p{n}", **more)
        for hour in range(count * 7 * 24)
        for n in range(round(usual[hour % (7 * 24)] * rng.uniform(0.9, 1.1)))
    ]


def theft(hour: int, documents: int = 400, **more: Any) -> list[dict[str, Any]]:
    """Everybody reads one, so that nobody reads much."""
    return [read(10**7 + n, hour * HOUR + n * 5, principal=f"t{n}", **more) for n in range(documents)]


def test_a_night_of_many_is_told_by_its_day(scene: Scene) -> None:
    """At the hundredth document of the hour: the five of that night are among them."""
    night = (3 * 7 + 2) * 24 + 2
    scene.add(*weeks(), *theft(night))
    found = [hit for hit in scene.hits(surge.detection()) if hit[0] == "everybody, 1970-01-24"]
    assert len(found) >= 400
    assert night * HOUR * 1_000 < found[0][1] <= (night * HOUR + 100 * 5) * 1_000


def test_what_every_monday_brings_is_usual(scene: Scene) -> None:
    """From the third week on; before, hours of the days before are all that is known."""
    scene.add(*weeks())
    assert {about for about, _, _ in scene.hits(surge.detection())} <= {
        "everybody, 1970-01-12",
        "everybody, 1970-01-19",
    }


def test_one_role_among_others_is_seen(scene: Scene) -> None:
    """Two hundred by clinicians at nine on a Monday are nothing in all, and much for them."""
    doctors = [
        read(10**8 + hour, hour * HOUR, principal="doc", **{"actor.user.type": "clinician"})
        for hour in range(5 * 7 * 24)
    ]
    busy = theft(4 * 7 * 24 + MONDAY + 9, 200, **{"actor.user.type": "clinician"})
    scene.add(*weeks(), *doctors, *busy)
    assert "role clinician, 1970-02-02" in {about for about, _, _ in scene.hits(surge.detection())}


def test_the_first_week_is_no_past(scene: Scene) -> None:
    """Nothing is usual yet."""
    scene.add(*theft(5 * 24, 2_000))
    assert scene.hits(surge.detection()) == []


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_the_same(seed: int) -> None:
    """Weeks, with nights of many by everybody or by a role, over the edges of hours and days; some read things twice."""
    rng = random.Random(seed)
    roles = [read(10**8 + n, n * 60_000, **{"actor.user.type": "clinician"}) for n in range(600)]
    events = [event for event in weeks(rng.choice([2, 4])) if rng.random() < 0.03] + roles
    for _ in range(rng.randrange(6)):
        role = rng.choice([{}, {"actor.user.type": "clinician"}, {"actor.user.type": "nurse"}])
        many = theft(rng.randrange(20, 28 * 24), rng.choice([60, 120, 150]), **role)
        moved = rng.choice([0, 3_300_000])
        events += [{**event, "time": event["time"] + moved} for event in many for _ in range(rng.choice([1, 1, 2]))]
    same(events, surge.detection(), rng=rng)


def test_the_property_says_something() -> None:
    """A night of many is among what is compared."""
    few = [event for event in weeks(3) if event["number"] % 1_000 < 5]
    assert same([*few, *theft((2 * 7 + 2) * 24 + 2)], surge.detection(), rng=random.Random(1))
