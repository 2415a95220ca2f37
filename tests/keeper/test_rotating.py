"""Another root key, while everybody reads and writes on; after a crash it goes on where it was."""

import asyncio

import pytest

from strongroom.keeper import protocol as p
from strongroom.keeper import rotating
from strongroom.keeper.acts import ActDone, ActRefused
from strongroom.keys.file import FileRootKey
from strongroom.keys.ring import Ring
from tests.keeper.conftest import House

OWNER, OTHER = "person-8", "person-9"
TWO = ("privacy", "security")


def release(h: House, subject: str, number: int = 0) -> p.Release:
    """Somebody reads a document of their own."""
    return p.Release(asking=h.asking(subject), document=h.documents(h.demo.own[subject])[number])


async def finish(h: House) -> int:
    """As many seconds as it takes."""
    seconds = 0
    while (await rotating.progress(h.parts)).turning:
        await rotating.turn(h.parts)
        seconds += 1
    return seconds


def test_everybody_reads_and_writes_at_every_moment_of_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, at each batch, and after; with keys held and not. Then the old key is gone and opens nothing."""
    monkeypatch.setattr(rotating, "BATCH", 5)
    path = house.layout.root_key
    old = FileRootKey.read(path)

    async def work(h: House) -> None:
        before = (await h.ask(release(h, OWNER))).key
        assert isinstance(await h.act("rotate-root", {}, "privacy"), ActRefused)
        assert isinstance(await h.act("rotate-root", {}, *TWO), ActDone)
        refused = await h.act("rotate-root", {}, *TWO)
        assert isinstance(refused, ActRefused)
        assert "already" in refused.why
        told = [await h.done("rotate-status", {}, "operator")]
        while told[-1]["turning"]:
            h.parts.custody._cache.clear()
            asked = await asyncio.gather(h.ask(release(h, OWNER)), h.ask(release(h, OTHER)), rotating.turn(h.parts))
            assert [type(one) for one in asked[:2]] == [p.Released, p.Released]
            deposit = p.Deposit(
                asking=h.asking(OWNER), patient=h.demo.own[OWNER], category="normal", content_type="text/plain"
            )
            opened = await h.ask(deposit)
            assert isinstance(await h.ask(p.Deposited(ticket=opened.ticket, size=1, sealed_size=73)), p.Done)
            told.append(await h.done("rotate-status", {}, "operator"))
        assert [one["done"] for one in told] == sorted(one["done"] for one in told)
        assert told[-1]["done"] == told[-1]["patients"] == 16
        assert len(told) >= 5
        h.parts.custody._cache.clear()
        assert (await h.ask(release(h, OWNER))).key == before
        ops = h.parts.catalog.rows("select count(*) from log_entry where op = 'key'")
        assert ops[0][0] >= 6

    async def again(h: House) -> None:
        assert isinstance(await h.ask(release(h, OWNER)), p.Released)
        assert not isinstance(h.parts.custody._root, Ring)
        assert isinstance(await h.act("rotate-root", {}, *TWO), ActDone)
        await finish(h)

    house.run(work)
    assert not path.exists()
    new = FileRootKey.read(path.with_name("root.key.2"))
    assert new._key != old._key
    house.run(again)
    assert [one.name for one in path.parent.glob("root.key*")] == ["root.key.3"]


def test_after_a_crash_it_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed when the new key was made, after a batch, and between the last entry and the old key's end."""
    monkeypatch.setattr(rotating, "BATCH", 6)
    roots: list[object] = []

    async def begun(h: House) -> None:
        await h.done("rotate-root", {}, *TWO)

    async def one_batch(h: House) -> None:
        roots.append(h.parts.custody._root)
        await rotating.turn(h.parts)
        assert (await rotating.progress(h.parts)).done == 6
        assert isinstance(await h.ask(release(h, OWNER)), p.Released)

    async def nearly(h: House) -> None:
        assert (await rotating.progress(h.parts)).done == 6
        with monkeypatch.context() as killed:
            killed.setattr(h.parts.roots, "finish", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                await finish(h)

    async def over(h: House) -> None:
        assert isinstance(await h.ask(release(h, OTHER)), p.Released)
        await finish(h)
        assert isinstance(await h.ask(release(h, OTHER, 1)), p.Released)

    for work in (begun, one_batch, nearly, over):
        house.run(work)
    assert isinstance(roots[0], Ring)
    assert [one.name for one in house.layout.keeper.glob("root.key*")] == ["root.key.2"]
