"""A large store in small, for the benches that use one."""

from collections.abc import Iterator

import pytest

from bench import CACHE, scale
from bench.scale import Standing, cast
from bench.scale.world import SIZES, Sizes

SMALL = Sizes(patients=240, clinicians=40, documents=6_000, entries=2_000, stolen=130, victims=30, bytes=20_000_000)
LEAST = Sizes(patients=80, clinicians=20, documents=2_000, entries=600, stolen=30, victims=9, bytes=10_000_000)


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """One store for all tests, made as a large one is; the benches find it, and the one it is held against, in their cache."""
    patch = pytest.MonkeyPatch()
    patch.setenv(CACHE, str(tmp_path_factory.mktemp("cache")))
    patch.setitem(SIZES, "small", SMALL)
    patch.setitem(SIZES, "least", LEAST)
    patch.setattr(cast, "MOST", 2)
    yield scale.stand("small")
    patch.undo()
