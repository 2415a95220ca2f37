"""Documents that were fetched though nobody had listed them."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.detect import unlisted
from tests.detect.conftest import Scene, read
from tests.detect.replayed import same

DAY = 86_400


def page(at: int, **more: Any) -> dict[str, Any]:
    """The list was opened, at a second."""
    return {"time": at * 1_000, "route": "/list", "document": None, **more}


def came(number: int, at: int, **more: Any) -> list[dict[str, Any]]:
    """The list, and a document from it."""
    return [page(at - 30, **more), read(number, at, **more)]


def honest(days: int = 30, people: int = 60) -> list[dict[str, Any]]:
    """Everybody comes once in some days, by the list."""
    return [
        event
        for person in range(people)
        for day in range(person % 5, days, 5)
        for event in came(person * 100 + day, day * DAY + 30_000 + person * 60, principal=f"p{person}")
    ]


def test_the_fifth_document_without_a_list_fires(scene: Scene) -> None:
    """One in an hour, none of them twice; what it read by the list is none of it."""
    theft = [read(90_000 + n, 20 * DAY + n * 3_600, principal="eve") for n in range(8)]
    scene.add(*honest(), *came(1, 19 * DAY, principal="eve"), *theft)
    found = scene.hits(unlisted.detection())
    assert {(about, fired) for about, fired, _ in found} == {("login eve", (20 * DAY + 4 * 3_600) * 1_000)}
    assert len(found) == 8


def test_an_open_list_leads_to_all_that_is_read_from_it(scene: Scene) -> None:
    """Thirty documents within the half day after."""
    scene.add(*honest(), page(20 * DAY, principal="ann"))
    scene.add(*(read(90_000 + n, 20 * DAY + n * 1_000, principal="ann") for n in range(30)))
    assert scene.hits(unlisted.detection()) == []


def test_a_link_now_and_then_is_no_theft(scene: Scene) -> None:
    """Two a day for a week, each opened again and again."""
    links = [
        read(90_000 + day * 2 + n % 2, (20 + day) * DAY + n * 600, principal="ann")
        for day in range(7)
        for n in range(20)
    ]
    scene.add(*honest(), *links)
    assert scene.hits(unlisted.detection()) == []


@pytest.mark.parametrize("newcomers", [0, 1])
def test_programs_that_never_list_are_left_alone(scene: Scene, newcomers: int) -> None:
    """Those who did so when the log began, and others of their kind that came later, under a new version."""

    def program(n: int, first: int) -> list[dict[str, Any]]:
        agent = f"Sync/{1 + first // 10}.{n}"
        return [
            read(
                70_000 + n * 1_000 + day * 10 + k,
                day * DAY + k,
                principal=f"sync{n}",
                **{"http_request.user_agent": agent},
            )
            for day in range(first, 30)
            for k in range(8)
        ]

    scene.add(*honest(), *program(1, 0), *(event for n in range(newcomers) for event in program(2 + n, 15)))
    assert scene.hits(unlisted.detection()) == []


def test_where_people_come_without_a_list_nothing_is_learned(scene: Scene) -> None:
    """A site whose documents are linked from everywhere."""
    direct = [read(n, day * DAY + n * 60, principal=f"p{n}") for n in range(60) for day in range(0, 30, 3)]
    scene.add(*direct, *(read(90_000 + n, 20 * DAY + n * 60, principal="eve") for n in range(30)))
    assert scene.hits(unlisted.detection()) == []


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_the_same(seed: int) -> None:
    """People who come by a list or not, at the same instant or half a day later; programs, old and new; two kinds of documents."""
    rng = random.Random(seed)
    events = []
    for person in range(rng.choice([40, 90])):
        for day in range(person % 2, 9, 2):
            before = rng.choice([0, 30, 30, 43_200]) if rng.random() < 0.995 else 43_201
            at, route = day * DAY + 43_300 + person * 60, rng.choice(["/d/{int}", "/d/{int}", "/n/{int}"])
            events += [
                page(at - before, principal=f"p{person}"),
                read(person * 100 + day, at, principal=f"p{person}", route=route),
            ]
    for thief in range(rng.randrange(1, 3)):
        first, agent = rng.choice([0, 2, 4, 5, 6, 7]), rng.choice([f"Sync{thief}/1", "Sync/2.0", "Phone"])
        for n in range(rng.randrange(3, 15)):
            at = first * DAY + 40_000 + n * rng.choice([0, 60, 60, 60, 20_000])
            number = 90_000 + thief * 100 + rng.choice([n, n // 2])
            events.append(read(number, at, principal=f"t{thief}", **{"http_request.user_agent": agent}))
            if rng.random() < 0.03:
                events.append(page(at + rng.choice([0, 0, 1]), principal=f"t{thief}"))
    same(events, unlisted.detection(), rng=rng)


def test_the_property_says_something() -> None:
    """A theft is among what is compared."""
    theft = [read(90_000 + n, 8 * DAY + n * 3_600, principal="eve") for n in range(8)]
    assert same([*honest(10, 40), *theft], unlisted.detection(), rng=random.Random(1))
