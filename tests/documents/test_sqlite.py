"""The catalogue."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from strongroom.documents.sqlite import Catalogue, Entry
from strongroom.errors import ConfigError, Conflict, Unavailable


def test_a_version_is_entered_once_and_found(tmp_path: Path) -> None:
    """Durable, and never overwritten; neither is an object's name."""
    path = tmp_path / "catalogue.db"
    Catalogue.create(path)
    with pytest.raises(Conflict):
        Catalogue.create(path)

    async def run() -> None:
        catalogue = Catalogue.open(path)
        await catalogue.put("d", 1, b"sealed", "blob1")
        with pytest.raises(Conflict):
            await catalogue.put("d", 1, b"other", "blob2")
        with pytest.raises(Conflict):
            await catalogue.put("d", 2, b"other", "blob1")
        assert await catalogue.get("d", 1, 0) == Entry(b"sealed", "blob1")
        assert await catalogue.get("d", 2, 0) is None
        assert await catalogue.blobs() == {"blob1"}
        catalogue.close()

    asyncio.run(run())


def test_a_catalogue_that_is_missing_locked_or_broken_says_so(tmp_path: Path) -> None:
    """Missing is a configuration error; locked and broken are refused until mended."""
    path = tmp_path / "catalogue.db"
    with pytest.raises(ConfigError):
        Catalogue.open(path)
    Catalogue.create(path)

    async def run() -> None:
        catalogue = Catalogue.open(path)
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("begin immediate")
        with pytest.raises(Unavailable):
            await catalogue.put("d", 1, b"", "b")
        holder.execute("rollback")
        await catalogue.put("d", 1, b"", "b")
        holder.execute("drop table entry")
        holder.close()
        with pytest.raises(Unavailable):
            await catalogue.get("d", 1, 0)
        catalogue.close()

    asyncio.run(run())


def test_a_catalogue_that_goes_away_is_not_made_anew(tmp_path: Path) -> None:
    """An empty one in its place would say that no document is there."""
    path = tmp_path / "catalogue.db"
    Catalogue.create(path)
    catalogue = Catalogue.open(path)
    path.unlink()

    async def run() -> None:
        with pytest.raises(Unavailable):
            await catalogue.get("d", 1, 0)
        with pytest.raises(Unavailable):
            await catalogue.put("d", 1, b"", "b")

    asyncio.run(run())
    catalogue.close()
    assert not path.exists()


@pytest.mark.parametrize("end", ["", "-wal"])
def test_a_catalogue_that_is_moved_while_it_is_open_is_not_written_to(tmp_path: Path, end: str) -> None:
    """The next start would not find what was entered. Put back, it goes on."""
    path = tmp_path / "catalogue.db"
    Catalogue.create(path)

    async def run() -> None:
        catalogue = Catalogue.open(path)
        await catalogue.put("d", 1, b"", "b")
        place = Path(f"{path}{end}")
        away = place.rename(tmp_path / "away")  # noqa: ASYNC240  # a moment in a test
        for _ in range(2):
            with pytest.raises(Unavailable, match="not in its place"):
                await catalogue.put("d", 2, b"", "c")
        away.rename(place)
        await catalogue.put("d", 2, b"", "c")
        catalogue.close()

    asyncio.run(run())
