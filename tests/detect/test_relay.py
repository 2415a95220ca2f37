"""Walks of several who take turns."""

import random

from strongroom.detect import relay
from tests.detect.conftest import Scene, read


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
