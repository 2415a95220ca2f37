"""Walks of several who take turns."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.detect import relay
from tests.detect.conftest import Scene, read
from tests.detect.replayed import same


def test_twenty_addresses_walk_together(scene: Scene) -> None:
    """Each takes every twentieth id, and honest readers come in between; the tenth id fires."""
    rng = random.Random(3)
    walk = [read(5_000 + n, n * 2, principal=f"a{n % 20}", route="/d/{int}") for n in range(60)]
    others = [read(rng.randrange(100_000), n * 6 + 1, principal=f"p{n}", route="/d/{int}") for n in range(20)]
    scene.add(*walk, *others)
    found = scene.hits(relay.detection())
    assert {about for about, _, _ in found} == {"walk on /d/{int}"}
    assert 9 * 2_000 <= found[0][1] <= 14 * 2_000
    assert len(found) >= 55


def test_who_walks_alone_is_told_of_elsewhere(scene: Scene) -> None:
    """One login from one address, or two."""
    scene.add(*(read(5_000 + n, n, principal=f"a{n % 2}", route="/d/{int}") for n in range(60)))
    assert scene.hits(relay.detection()) == []


def test_what_was_put_in_today_is_looked_at_in_no_order(scene: Scene) -> None:
    """Six thousand new ids, of which a thousand people open one each."""
    rng = random.Random(4)
    scene.add(*(read(rng.randrange(6_000), n * 20, principal=f"p{n}", route="/d/{int}") for n in range(1_000)))
    assert scene.hits(relay.detection()) == []


def test_pages_that_everybody_turns_are_no_documents(scene: Scene) -> None:
    """Numbers that many ask for, one after the other."""
    turned = [
        read(n, n * 10 + person, principal=f"p{person}", route="/news/{int}") for person in range(8) for n in range(40)
    ]
    scene.add(*turned)
    assert scene.hits(relay.detection()) == []


def test_news_that_are_read_in_no_order_are_none(scene: Scene) -> None:
    """Sixty of them, by addresses of a search engine and by people, a few a day: any two of so few numbers are neighbours."""
    rng = random.Random(5)
    scene.add(*(read(rng.randint(1, 60), n * 9_000, principal=f"p{n % 30}", route="/news/{int}") for n in range(150)))
    assert scene.hits(relay.detection()) == []


def test_who_goes_on_where_all_ended_walks(scene: Scene) -> None:
    """A kind of address that nobody had known: by gaps of up to nine, from its first id on, up or down."""
    for sign, route in ((1, "/old/{int}"), (-1, "/older/{int}")):
        scene.add(*(read(5_000 + sign * (n * 5 + n % 5), n, principal=f"a{n % 9}", route=route) for n in range(40)))
    fired = {about: at for about, at, _ in scene.hits(relay.detection())}
    assert set(fired) == {"walk on /old/{int}", "walk on /older/{int}"}
    assert max(fired.values()) <= 12_000


def test_who_had_a_document_before_is_no_shield(scene: Scene) -> None:
    """Ids that their owners read three weeks ago are as new as others."""
    owners = [read(5_000 + n * 23 % 60 * 10, n * 60, principal=f"p{n}") for n in range(60)]
    scene.add(*owners, *(read(5_000 + n * 10, 21 * 86_400 + n * 2, principal=f"a{n % 20}") for n in range(60)))
    assert min(fired for _, fired, _ in scene.hits(relay.detection())) == (21 * 86_400 + 9 * 2) * 1_000


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_the_same(seed: int) -> None:
    """Walks by turns of few and many, over midnights and weeks, among others, on pages that many or few turn as well."""
    rng = random.Random(seed)
    events = []
    for _ in range(rng.randrange(2, 9)):
        begin, pace = rng.choice([604_700, rng.randrange(3 * 604_800)]), rng.choice([0, 1, 60, 900, 90_000, 400_000])
        who, first = rng.choice([2, 3, 20]), rng.choice([5_000, rng.randrange(9_000)])
        step = rng.choice([1, 1, -1, 4])
        readers, route = rng.choice([1, 1, 3, 4, 6]), rng.choice(["/d/{int}", "/n/{int}"])
        for n in range(rng.randrange(5, 40)):
            for reader in range(readers):
                at = begin + n * pace + rng.choice([0, reader * 3, reader * 5_000])
                events.append(
                    read(abs(first + n * step), at, principal=f"a{(n + reader) % (who + readers - 1)}", route=route)
                )
    events += [
        read(rng.randrange(9_000), rng.randrange(3 * 604_800), principal=f"p{n}") for n in range(rng.randrange(150))
    ]
    same(events, relay.detection(), rng=rng)


def test_the_property_says_something() -> None:
    """A walk among what is compared."""
    walk = [read(5_000 + n, n * 2, principal=f"a{n % 20}") for n in range(60)]
    assert same(walk, relay.detection(), rng=random.Random(1))
