"""The catalogue."""

import asyncio
import sqlite3
import threading
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


def test_editions_of_a_version(tmp_path: Path) -> None:
    """Each has a row; earlier ones are due when they are retired; the last is never taken away, whatever its row says."""
    Catalogue.create(tmp_path / "catalogue.db")

    async def work() -> None:
        catalogue = Catalogue.open(tmp_path / "catalogue.db")
        await catalogue.put("d", 1, b"", "a")
        await catalogue.put("d", 1, b"", "b", 1)
        await catalogue.put("d", 1, b"", "c", 2)
        await catalogue.put("e", 1, b"", "only")
        assert await catalogue.unsettled() == [("d", 1)]
        assert await catalogue.after("d", 1, 0) == [(("d", 1, 1), "b"), (("d", 1, 2), "c")]
        await catalogue.retire("d", 1, 2, 7)
        await catalogue.retire("d", 1, 2, 9)  # what is retired stays so
        await catalogue.retire("d", 1, 3, 7)  # nobody does this: the newest is not the last then
        await catalogue.retire("e", 1, 1, 7)
        assert await catalogue.unsettled() == []
        assert await catalogue.due(6, 10) == []
        assert await catalogue.due(7, 10) == [(("d", 1, 0), "a"), (("d", 1, 1), "b")]
        assert await catalogue.due(7, 1) == [(("d", 1, 0), "a")]
        await catalogue.remove(("d", 1, 0), "b")  # another object's
        assert await catalogue.get("d", 1, 0) == Entry(b"", "a")
        await catalogue.remove(("d", 1, 0), "a")
        assert await catalogue.get("d", 1, 0) is None
        catalogue.close()

    asyncio.run(work())


def test_a_disk_that_does_not_come_back_is_not_waited_for(tmp_path: Path) -> None:
    """Whoever enters or looks is told; once the disk answers, the next ones are served."""
    Catalogue.create(tmp_path / "c.db")
    gate = threading.Event()

    async def run() -> None:
        catalogue = Catalogue.open(tmp_path / "c.db", 0.05)
        hanging = [asyncio.ensure_future(catalogue._run(lambda _: gate.wait(60))) for _ in range(4)]
        await asyncio.sleep(0)  # they hold every thread
        with pytest.raises(Unavailable, match="did not answer"):
            await catalogue.put("d", 1, b"m", "b")
        gate.set()
        await asyncio.gather(*hanging)
        catalogue._patience = 60.0
        await catalogue.put("d", 2, b"m", "b2")
        assert await catalogue.get("d", 2, 0) == Entry(b"m", "b2")
        catalogue.close()

    asyncio.run(run())
