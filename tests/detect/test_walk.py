"""Ids in a row: what a walk is, and what looks like one and is none."""

import random

import pytest

from strongroom.detect import ids, walk
from tests.detect.conftest import Scene, read

DETECTION = walk.detection()


@pytest.mark.parametrize("stride", [1, 7, -1, 37], ids=["ascending", "gapped", "descending", "in steps of 37"])
def test_a_walk_fires_at_its_tenth_id(scene: Scene, stride: int) -> None:
    """One after the other, with gaps, downwards, or in equal steps of any size."""
    scene.add(*(read(100_000 + at * stride, at) for at in range(30)))
    found = scene.hits(DETECTION)
    assert {about for about, _, _ in found} == {"login ann"}
    # A step is only known to be as far as another from the second on.
    first = 10 if abs(stride) > ids.STRIDE else 9
    assert {fired for _, fired, _ in found} == {first * 1_000}


def test_a_walk_among_honest_requests_and_misses(scene: Scene) -> None:
    """Refusals are part of it; every event of the walked ids is a hit, and no other."""
    rng = random.Random(1)
    honest = [read(rng.randrange(10**6), at, principal=f"p{rng.randrange(50)}") for at in range(200)]
    thief = [
        read(500_000 + at, 50 + at, principal="eve", **({"status_id": 2, "http_response.code": 404} if at % 3 else {}))
        for at in range(40)
    ]
    scene.add(*honest, *thief)
    found = scene.hits(DETECTION)
    assert {about for about, _, _ in found} == {"login eve"}
    assert len(found) == 40


def test_addresses_may_change_under_a_login(scene: Scene) -> None:
    """Who it is counts, and not where from."""
    scene.add(*(read(900 + at, at, **{"src_endpoint.ip": f"192.0.2.{at}"}) for at in range(12)))
    assert len(scene.hits(DETECTION)) == 12


@pytest.mark.parametrize(
    "numbers", [list(range(9)), random.Random(2).sample(range(10**6), 300)], ids=["nine", "random"]
)
def test_what_is_no_walk(scene: Scene, numbers: list[int]) -> None:
    """Fewer than ten in a row, and three hundred of one's own, sorted as a list shows them."""
    scene.add(*(read(number, at) for at, number in enumerate(sorted(numbers, reverse=True))))
    assert scene.hits(DETECTION) == []


def test_coming_back_to_ones_own_documents_is_no_walk(scene: Scene) -> None:
    """Five that were put in together, opened every day for two months: five ids, however often."""
    scene.add(*(read(700 + at % 5, at * 17_280) for at in range(5 * 60)))
    assert scene.hits(DETECTION) == []


def test_what_everybody_opens_in_a_row_is_no_walk(scene: Scene) -> None:
    """The pictures of a page have numbers too: known from the fourth principal on, and for the week after."""
    scene.add(*(read(at, at + 100 * person, principal=f"p{person}") for person in range(8) for at in range(20)))
    scene.add(*(read(at, at + 7 * 86_400, principal="late") for at in range(20)))
    assert {about for about, _, _ in scene.hits(DETECTION)} == {"login p0", "login p1", "login p2"}


def test_what_others_do_later_changes_nothing(scene: Scene) -> None:
    """A watch could not have known it."""
    thief = [read(at, at, principal="eve") for at in range(12)]
    scene.add(*thief, *(read(at, 1_000 + at, principal=f"p{at}{n}") for at in range(12) for n in range(9)))
    assert {(about, fired) for about, fired, _ in scene.hits(DETECTION)} == {("login eve", 9_000)}


def test_a_silence_ends_a_walk(scene: Scene) -> None:
    """Nine ids, and a tenth after more than a week."""
    scene.add(*(read(at, at) for at in range(9)), read(9, 8 + 7 * 86_400 + 1))
    assert scene.hits(DETECTION) == []
    scene.add(read(9, 8 + 7 * 86_400))
    assert {fired for _, fired, _ in scene.hits(DETECTION)} == {(8 + 7 * 86_400) * 1_000}


def test_the_same_id_again_is_no_step(scene: Scene) -> None:
    """A page that is loaded anew all day."""
    scene.add(*(read(5 + at % 3, at) for at in range(100)))
    assert scene.hits(DETECTION) == []


def test_different_people_do_not_walk_together(scene: Scene) -> None:
    """Ten people with neighbouring documents are ten people."""
    scene.add(*(read(at, at, principal=f"p{at}") for at in range(20)))
    assert scene.hits(DETECTION) == []


def test_few_documents_opened_again_and_again_are_no_walk(scene: Scene) -> None:
    """Five of one's own, week after week: ten steps, and no ten ids."""
    scene.add(*(read(at % 5, at * 86_400) for at in range(60)))
    assert scene.hits(DETECTION) == []
