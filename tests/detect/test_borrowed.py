"""Logins that come from a place of their own."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.detect import borrowed
from tests.detect.conftest import Scene, read
from tests.detect.replayed import same

DAY = 86_400


def at_work(days: int = 15, network: str = "192.0.2") -> list[dict[str, Any]]:
    """A clinician reads three documents a day, from any desk of the clinic."""
    return [
        read(day * 10 + n, day * DAY + n * 900, **{"src_endpoint.ip": f"{network}.{n}"})
        for day in range(days)
        for n in range(3)
    ]


def away(documents: int, day: int = 20, pause: int = 60, address: str = "198.51.100.7") -> list[dict[str, Any]]:
    """And then from elsewhere."""
    return [read(9_000 + n, day * DAY + n * pause, **{"src_endpoint.ip": address}) for n in range(documents)]


def test_ten_documents_from_a_new_place_fire(scene: Scene) -> None:
    """At the tenth; of IPv6 the first half is the place."""
    for address in ("198.51.100.7", "2001:db8:1:2:3::4"):
        scene.clear()
        scene.add(*at_work(), *away(15, address=address))
        assert {fired for _, fired, _ in scene.hits(borrowed.detection())} == {(20 * DAY + 9 * 60) * 1_000}
        assert len(scene.hits(borrowed.detection())) == 15


def test_a_look_from_home_is_none(scene: Scene) -> None:
    """Nine documents in an hour, or fifty over a day."""
    scene.add(*at_work(), *away(9))
    assert scene.hits(borrowed.detection()) == []
    scene.clear()
    scene.add(*at_work(), *away(50, pause=1_000))
    assert scene.hits(borrowed.detection()) == []


def test_who_has_no_past_or_many_places_is_left_alone(scene: Scene) -> None:
    """Five days, and somebody who is on the road."""
    scene.add(*at_work(days=5), *away(30))
    assert scene.hits(borrowed.detection()) == []
    scene.clear()
    road = [read(n, n * DAY, **{"src_endpoint.ip": f"10.0.{n}.1"}) for n in range(15)]
    scene.add(*road, *away(30))
    assert scene.hits(borrowed.detection()) == []


def test_the_second_day_at_home_is_no_new_place(scene: Scene) -> None:
    """Work from where one was before."""
    scene.add(*at_work(), *away(2, day=16), *away(30, day=20))
    assert scene.hits(borrowed.detection()) == []


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_the_same(seed: int) -> None:
    """Logins with more or less of a past, who read more or less in up to five other places, again and again."""
    rng = random.Random(seed)
    events = []
    for who in range(8):
        name = {"principal": f"p{who}"}
        events += [{**event, **name} for event in at_work(days=rng.choice([5, 11, 15]))]
        for place in range(rng.randrange(5)):
            day, pause = rng.choice([10, 12, 20, 40]), rng.choice([0, 60, 399, 400, 1_000])
            away_ = away(rng.randrange(5, 30), day, pause, f"198.51.{rng.choice([place, 9])}.7")
            events += [{**event, **name, "document": f"/d/{rng.randrange(60)}"} for event in away_]
    same(events, borrowed.detection(), rng=rng)


def test_the_property_says_something() -> None:
    """A theft among what is compared."""
    assert same([*at_work(), *away(15)], borrowed.detection(), rng=random.Random(1))


def test_who_is_on_the_road_in_one_country_is_missed_abroad(scene: Scene) -> None:
    """By the places that an operator's files tell: a network each day, one country; then ten documents from another."""
    provider, country = borrowed.placed()
    here = {"src_endpoint.location.country": "NZ", "src_endpoint.autonomous_system.number": 64496}
    there = {"src_endpoint.location.country": "RO", "src_endpoint.autonomous_system.number": 64497}
    road = [read(n, n * DAY, **{"src_endpoint.ip": f"10.0.{n}.1", **here}) for n in range(15)]
    scene.add(*road, *({**one, **there} for one in away(15)))
    assert scene.hits(borrowed.detection()) == []
    for detection in (provider, country):
        assert {fired for _, fired, _ in scene.hits(detection)} == {(20 * DAY + 9 * 60) * 1_000}
    scene.clear()
    scene.add(*road, *({**one, **here} for one in away(15)))
    for detection in (provider, country):
        assert scene.hits(detection) == []


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_the_same_of_countries(seed: int) -> None:
    """People who travel, with and without a place that is known."""
    rng = random.Random(seed)
    where = "src_endpoint.location.country"
    events = []
    for who in range(5):
        for event in [*at_work(days=rng.choice([11, 15])), *away(20, 20, 60), *away(20, 25, 400)]:
            events.append({**event, "principal": f"p{who}", where: rng.choice(["NZ", "NZ", "NZ", None])})  # noqa: PERF401  # plain
        for event in away(rng.randrange(5, 30), 30, rng.choice([60, 400])):
            events.append({**event, "principal": f"p{who}", where: rng.choice(["RO", "AU"])})  # noqa: PERF401  # plain
    same(events, borrowed.placed()[1], rng=rng)
