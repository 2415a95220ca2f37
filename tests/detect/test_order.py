"""People read by a list."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.detect import order
from tests.detect.conftest import Scene, read
from tests.detect.replayed import same

DAY = 86_400


def people(count: int, start: int, **more: Any) -> list[dict[str, Any]]:
    """Three documents each of people by their names, every second one left out."""
    return [
        read(n * 10 + k, start + n * 30 + k, patient=f"p{n * 2:05d}", **more) for n in range(count) for k in range(3)
    ]


def busy(principal: str = "ann", days: int = 20) -> list[dict[str, Any]]:
    """Thirty people a day, as they come."""
    rng = random.Random(principal)
    return [
        read(rng.randrange(10**6), day * DAY + n * 900, patient=f"p{rng.randrange(5_000):05d}", principal=principal)
        for day in range(days)
        for n in range(30)
    ]


@pytest.mark.parametrize("back", [False, True])
def test_the_twelfth_in_order_fires(scene: Scene, back: bool) -> None:
    """Forwards or back; several documents of one person are one step."""
    night = people(40, 15 * DAY + 84_000 // 40, principal="ann")
    if back:
        night = [{**event, "patient": f"p{90_000 - int(event['patient'][1:]):05d}"} for event in night]
    scene.add(*busy("bob"), *night)
    found = scene.hits(order.detection())
    assert {about for about, _, _ in found} == {"login ann"}
    assert found[0][1] == (15 * DAY + 2_100 + 11 * 30) * 1_000
    assert len(found) >= 117


def test_people_as_they_come_are_no_list(scene: Scene) -> None:
    """Twenty days of five clinicians, and eleven in a row."""
    scene.add(*(event for n in range(5) for event in busy(f"c{n}")), *people(11, 15 * DAY, principal="eve"))
    assert scene.hits(order.detection()) == []


def test_who_always_went_by_a_list_is_left_alone(scene: Scene) -> None:
    """A program, from the log's first days on."""
    scene.add(*(event for day in range(0, 20, 2) for event in people(40, day * DAY, principal="sync")))
    assert scene.hits(order.detection()) == []


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_the_same(seed: int) -> None:
    """Lists forwards, back, over midnight, with people twice, some in the first week; and people as they come."""
    rng = random.Random(seed)
    events = []
    for who in range(6):
        name = f"c{who}"
        events += [event for event in busy(name) if rng.random() < 0.1]
        for _ in range(rng.randrange(4)):
            begin, pace = rng.randrange(20 * DAY), rng.choice([0, 30, 9_000])
            step, length = rng.choice([-1, 1, 0]), rng.randrange(8, 30)
            events += [
                read(n, begin + n * pace, patient=f"p{500 + n * step + rng.choice([0, 0, 0, 1]):05d}", principal=name)
                for n in range(length)
            ]
    same(events, order.detection(), rng=rng)


def test_the_property_says_something() -> None:
    """A list among what is compared."""
    night = people(40, 15 * DAY, principal="ann")
    assert same([*busy("bob"), *night], order.detection(), rng=random.Random(1))
