"""Findings that are one campaign."""

import pytest

from strongroom.detect import group, say, shape
from strongroom.detect.detection import Detection
from strongroom.detect.finding import findings
from strongroom.detect.hunt import run
from strongroom.sigma.rule import Head
from tests.detect.conftest import Scene, read


def by(name: str, where: str, about: str) -> Detection:
    """A detection that hits some events."""
    head = Head(name, name, "high", "", (), (), ())
    hits = f"SELECT {about} AS about, min(time) OVER () AS fired, rowid AS event FROM event WHERE {where}"  # noqa: S608  # a test's own
    return Detection(head, hits)


LOGINS = by("logins", "principal LIKE 'thief%'", "'login ' || principal")
WALK = by("walk", "number BETWEEN 100 AND 199", "'walk'")


def grouped(scene: Scene, *detections: Detection) -> list[group.Campaign]:
    """What the detections find, grouped."""
    ran = run(detections, scene.engine, [])
    return group.campaigns(scene.engine, findings(scene.engine, ran))


def test_those_who_share_addresses_are_one(scene: Scene) -> None:
    """Three logins from two addresses of their own; every document counts once, and what was lost is by the first to fire."""
    theft = [
        read(
            100 + n % 20,
            n,
            principal=f"thief{n % 3}",
            patient=f"p{n % 5}",
            **{"src_endpoint.ip": f"198.51.100.{n % 2}"},
        )
        for n in range(60)
    ]
    scene.add(*theft, read(1, 5, principal="thief9", **{"src_endpoint.ip": "203.0.113.9"}))
    (one,) = grouped(scene, LOGINS)
    assert len(one.findings) == 3
    assert (one.documents, one.people, one.addresses, one.principals, one.lost) == (20, 5, 2, 3, 1)
    assert (one.first, one.last, one.fired) == (0, 59_000, 0)
    assert say.campaign(one).startswith(
        "3 findings are one campaign: 20 documents of 5 people, 3 principals from 2 addresses, "
    )
    assert "; 1 document had left when" in say.campaign(one)
    assert shape.campaign(one)["findings"] == list(one.findings)


def test_those_who_saw_the_same_are_one(scene: Scene) -> None:
    """A walk, and the logins that walked, each from an address with many others behind it."""
    walk = [read(100 + n, n, principal=f"thief{n % 2}", **{"src_endpoint.ip": f"192.0.2.{n % 2}"}) for n in range(40)]
    others = [read(9_000 + n, n, principal=f"p{n}", **{"src_endpoint.ip": f"192.0.2.{n % 2}"}) for n in range(200)]
    scene.add(*walk, *others)
    (one,) = grouped(scene, LOGINS, WALK)
    assert len(one.findings) == 3


@pytest.mark.parametrize("honest", [2, 100])
def test_an_address_of_many_joins_nobody(scene: Scene, honest: int) -> None:
    """Two findings behind one clinic are two, as long as the clinic does other things."""
    both = [read(5 + n, n, principal=f"thief{n % 2}", **{"src_endpoint.ip": "192.0.2.1"}) for n in range(10)]
    scene.add(*both, *(read(900 + n, n, principal=f"p{n}", **{"src_endpoint.ip": "192.0.2.1"}) for n in range(honest)))
    assert len(grouped(scene, LOGINS)) == (1 if honest == 2 else 0)
