"""What was replaced is taken away when it is due, and a store that is away only delays that."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from strongroom.api import sweep as module
from strongroom.api.sweep import Sweeper
from strongroom.clock import ManualClock, Millis
from strongroom.documents.sqlite import Catalogue
from strongroom.errors import Unavailable
from tests.api.standins import Blobs


async def _chunks() -> AsyncIterator[bytes]:
    yield b"cipher"


def test_a_look_takes_what_is_due_and_the_next_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what is being read, not what is not due; while the store is away nothing is forgotten; a crash loses nothing."""
    monkeypatch.setattr(module, "PAUSE", 0.0)
    Catalogue.create(tmp_path / "catalogue.db")

    async def work() -> None:
        blobs, catalogue = Blobs(), Catalogue.open(tmp_path / "catalogue.db")
        read = {"b"}
        for number, name in enumerate("abcd"):
            await blobs.put(name, _chunks())
            await catalogue.put(name, 1, b"", name)
            await catalogue.put(name, 1, b"", f"new-{name}", edition=1)
            if name != "d":
                await catalogue.retire(name, 1, 1, 100 + number)
        sweeper = Sweeper(blobs, catalogue, read.__contains__, ManualClock(Millis(101)))
        blobs.down = True
        with pytest.raises(Unavailable):
            await sweeper.sweep()
        looks = asyncio.ensure_future(sweeper.run())
        await asyncio.sleep(0)
        blobs.down = False
        async with asyncio.timeout(60):
            while "a" in blobs.objects:  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0)
        assert sorted(blobs.objects) == ["b", "c", "d"]
        read.clear()
        del blobs.objects["b"]  # a crash between object and row: the row is still there
        async with asyncio.timeout(60):
            while await catalogue.get("b", 1, 0) is not None:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0)
        looks.cancel()
        assert await catalogue.unsettled() == [("d", 1)]
        assert await catalogue.blobs() == {"c", "d", *(f"new-{name}" for name in "abcd")}
        catalogue.close()

    asyncio.run(work())
