"""Strangers, where relations are told."""

from collections.abc import Iterator

import pytest

from strongroom.detect import foreign
from strongroom.detect.duckdb import Engine
from strongroom.logs.mapping import Mapping
from tests.detect.conftest import Scene, read


@pytest.fixture
def related() -> Iterator[Scene]:
    """Ann has a relation to herself and to her child; documents 0 to 99 are of patients p0 to p99."""
    with Engine() as engine:
        scene = Scene(engine)
        yield scene


def fill(scene: Scene) -> None:
    """The operator's tables."""
    owners = tuple((f"/d/{number}", f"p{number}") for number in range(100))
    Mapping((), owners, (("ann", "p0"), ("ann", "p1"))).fill(scene.engine)


def test_the_second_stranger_fires(related: Scene) -> None:
    """With one document of each; her own and her child's count as nothing."""
    related.add(*(read(number, number) for number in (0, 1, 0, 50, 50, 51, 52)))
    fill(related)
    found = related.hits(foreign.detection())
    assert {(about, fired) for about, fired, _ in found} == {("login ann", 51_000)}
    assert [time for _, _, time in found] == [50_000, 50_000, 51_000, 52_000]


def test_one_stranger_may_be_a_relation_that_is_not_known_yet(related: Scene) -> None:
    """It is left alone, and so is a refusal."""
    refused = read(60, 60, **{"status_id": 2, "http_response.code": 403})
    related.add(read(0, 0), read(50, 50), refused)
    fill(related)
    assert related.hits(foreign.detection()) == []


def test_a_relation_of_a_group_is_one_of_everybody_in_it(related: Scene) -> None:
    """A nurse may read the people of both practices she works at, and of no third one."""
    related.add(*(read(number, number, principal="nurse") for number in (10, 20, 30, 31)))
    owners = tuple((f"/d/{number}", f"p{number}") for number in range(100))
    groups = (("north", "p10"), ("south", "p20"), ("east", "p30"))
    members = (("nurse", "nurse", "north"), ("nurse", "nurse", "south"))
    Mapping((), owners, groups, accounts=members).fill(related.engine)
    found = related.hits(foreign.detection())
    assert [time for _, _, time in found] == [30_000, 31_000]
