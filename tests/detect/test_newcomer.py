"""Who reads from a store for the first time."""

import random
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.detect import newcomer
from tests.detect.conftest import Scene, read
from tests.detect.replayed import same

DAY = 86_400
APP = "arn:aws:sts::1:assumed-role/app/i-{}"


def by_role(number: int, at: int, who: str, **more: Any) -> dict[str, Any]:
    """A role's session reads an object."""
    return read(
        number,
        at,
        principal=who,
        store="papers",
        **{"principal.kind": "role", "metadata.log_name": "cloudtrail", **more},
    )


def usual(days: int = 20) -> list[dict[str, Any]]:
    """The application, from a new machine every day."""
    return [by_role(day, day * DAY, APP.format(day)) for day in range(days)]


def test_the_first_document_fires(scene: Scene) -> None:
    """A role that never was there; what it reads in its first day is the finding."""
    thief = "arn:aws:sts::1:assumed-role/waf/i-1"
    scene.add(*usual(), *(by_role(900 + n, 10 * DAY + n, thief) for n in range(5)))
    found = scene.hits(newcomer.detection())
    assert {(about, fired) for about, fired, _ in found} == {(f"role {thief}", 10 * DAY * 1_000)}
    assert len(found) == 5


def test_new_machines_of_a_role_are_nobody_new(scene: Scene) -> None:
    """Nor is whoever was there in the first week."""
    scene.add(*usual(), by_role(1, 5 * DAY, "arn:aws:sts::1:assumed-role/backup/b"))
    assert scene.hits(newcomer.detection()) == []


def test_where_many_read_one_more_is_nothing(scene: Scene) -> None:
    """A store for everybody; and a refusal is no reading."""
    scene.add(*(by_role(n, n * 3_600, f"key{n}") for n in range(30)), by_role(99, 10 * DAY, "new"))
    assert scene.hits(newcomer.detection()) == []
    scene.clear()
    scene.add(*usual(), by_role(99, 10 * DAY, "new", **{"status_id": 2, "http_response.code": 403}))
    assert scene.hits(newcomer.detection()) == []


def link(number: int, at: int, address: str, by: str) -> dict[str, Any]:
    """Somebody follows a link that a key signed."""
    return by_role(number, at, address, **{"principal.kind": "address", "actor.user.name": by})


def test_a_key_that_signed_links_and_reads_itself_is_somebody_new(scene: Scene) -> None:
    """Followers of its links are nobody, however many: the portal's people. The links of another key are."""
    scene.add(*(link(n, n * 3_600, f"192.0.2.{n % 250}", "portal") for n in range(300)))
    assert scene.hits(newcomer.detection()) == []
    scene.add(*(by_role(400 + n, 10 * DAY + n, "portal") for n in range(3)), link(500, 11 * DAY, "192.0.2.9", "backup"))
    found = scene.hits(newcomer.detection())
    assert {(about, fired) for about, fired, _ in found} == {
        ("role portal", 10 * DAY * 1_000),
        ("address 192.0.2.9", 11 * DAY * 1_000),
    }


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_the_same(seed: int) -> None:
    """Stores with few and many readers, of whom some come late, some at once, and some under several sessions."""
    rng = random.Random(seed)
    events = []
    for store in range(4):
        for who in range(rng.choice([2, 5, 14])):
            first = rng.choice([0, 3, 8 * DAY, 9 * DAY, rng.randrange(20 * DAY)])
            session = APP.format(who).replace("app", f"app{who}") if rng.random() < 0.5 else f"key{who}"
            for n in range(rng.randrange(1, 6)):
                more = f"{n}" if session.startswith("arn") and rng.random() < 0.5 else ""
                at = first + n * rng.choice([0, 60, 20_000])
                reads = by_role if rng.random() < 0.7 else partial(link, by="app")
                events.append({**reads(n, at, session + more), "store": f"s{store}"})
    same(events, newcomer.detection(), rng=rng)


def test_the_property_says_something() -> None:
    """Three newcomers in one world."""
    late = [by_role(900 + n, (10 + n) * DAY, f"key{n}") for n in range(3)]
    assert len(same([*usual(), *late], newcomer.detection(), rng=random.Random(1))) == 3
