"""Who there is in a large store: arithmetic that must agree with itself."""

import pytest

from bench.scale.world import SIZES, Numbered, Sizes, World
from strongroom.ids import is_ours
from tests.bench.conftest import SMALL


@pytest.mark.parametrize("count", [1, 1_000, 1_048_576, 1_048_577, 50_000_000])
def test_ids_are_ours_and_in_the_order_of_their_numbers(count: int) -> None:
    """So that what is written by number is written sorted, and no two are the same."""
    numbered = Numbered(count, World(SMALL, 1).documents.tails)
    numbers = sorted({0, count // 3, count // 3 + 1, count // 2, max(0, count - 2), count - 1})
    ids = [numbered.id(number) for number in numbers if number < count]
    assert all(map(is_ours, ids))
    assert ids == sorted(set(ids))


def test_every_document_is_somebodys() -> None:
    """The documents of all patients are all documents, each once, and each is its owner's."""
    world = World(SMALL, 1)
    held = [(number, one) for number in range(SMALL.patients) for one in world.documents_of(number)]
    assert sorted(one for _, one in held) == list(range(SMALL.documents))
    assert all(world.owner(one) == number for number, one in held)


@pytest.mark.parametrize("sizes", [SMALL, *SIZES.values()])
def test_the_theft_is_as_large_as_it_is_said_to_be(sizes: Sizes) -> None:
    """So many releases of so many different people, wherever they are."""
    world = World(sizes, 1)
    victims = {world.victim(number) for number in range(sizes.victims)}
    assert len(victims) == sizes.victims
    each, more = divmod(sizes.stolen, sizes.victims)
    assert [len(world.loot(number)) for number in (0, more - 1, more, sizes.victims - 1)] == [
        each + 1, each + 1, each, each,
    ]  # fmt: skip
    favoured = sum(one < world.favoured for one in victims)
    assert abs(favoured / sizes.victims - world.favoured / sizes.patients) < 0.05


def test_the_seed_decides() -> None:
    """The same seed, the same ids; another one, others."""
    assert World(SMALL, 1).document(7) == World(SMALL, 1).document(7) != World(SMALL, 2).document(7)
    everybody = {str(World(SMALL, 1).login(number)) for number in range(SMALL.patients)}
    assert everybody.isdisjoint({str(World(SMALL, 1).clinician(number)) for number in range(SMALL.clinicians)})
