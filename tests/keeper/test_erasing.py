"""Deleted documents: brought back within the delay, erased after it, and never the other way round."""

import asyncio
import sqlite3

import pytest

from strongroom.clock import DAY
from strongroom.keeper import erasing
from strongroom.keeper import protocol as p
from strongroom.keeper.acts import ActRefused
from strongroom.keeper.erasing import erase_due
from tests.keeper.conftest import House

OWNER = "person-8"


async def deleted(h: House) -> str:
    """A document that its owner has just deleted."""
    document = h.documents(h.demo.own[OWNER])[0]
    assert isinstance(await h.ask(p.Delete(asking=h.asking(OWNER), document=document)), p.Done)
    return document


async def undelete(h: House, document: str) -> object:
    """A privacy officer brings it back."""
    return await h.act("undelete", {"document": document, "reason": "stolen login"}, "privacy")


def test_within_the_delay_nothing_is_erased_and_an_officer_brings_it_back(house: House) -> None:
    """With its bytes' key as before; the patient sees that an officer did it, and why."""

    async def work(h: House) -> None:
        document = h.documents(h.demo.own[OWNER])[0]
        release = p.Release(asking=h.asking(OWNER), document=document)
        before = await h.ask(release)
        await deleted(h)
        h.clock.advance(h.parts.settings.deletion_delay - DAY)
        assert await erase_due(h.parts) == 0
        assert not isinstance(await undelete(h, document), ActRefused)
        after = await h.ask(p.Release(asking=h.asking(OWNER), document=document))
        assert (after.key, after.version) == (before.key, before.version)
        history = await h.ask(p.History(asking=h.asking(OWNER), patient=h.demo.own[OWNER]))
        [seen] = [row for row in history.rows if row.op == "undeleted"]
        assert (seen.actor_kind, seen.documents, seen.reason) == ("officer", (document,), "stolen login")
        assert isinstance(await undelete(h, document), ActRefused)
        h.clock.advance(2 * DAY)
        assert await erase_due(h.parts) == 0

    house.run(work)


def test_after_the_delay_its_keys_are_gone_for_good(house: House) -> None:
    """Recorded; nobody brings it back; not one byte of a wrapped key is left in the database's file."""

    async def work(h: House) -> None:
        document = await deleted(h)
        kept = h.parts.catalog.version(document, 1).wrapped_content
        h.clock.advance(h.parts.settings.deletion_delay)
        assert await erase_due(h.parts) == 1
        assert await erase_due(h.parts) == 0
        assert h.parts.catalog.version(document, 1).wrapped_content == b""
        assert isinstance(await undelete(h, document), ActRefused)
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=document))).why == "absent"
        assert h.parts.catalog.rows("select count(*) from log_entry where op = 'erased'") == [(1,)]
        h.close()
        with sqlite3.connect(h.layout.database) as db:
            db.execute("pragma wal_checkpoint(truncate)")
        db.close()
        assert kept not in h.layout.database.read_bytes()

    house.run(work)


def test_a_refused_undelete_says_why(house: House) -> None:
    """Of a document that is there, and of one that never was; and not by any other officer."""

    async def work(h: House) -> None:
        for document in (h.documents(h.demo.own[OWNER])[0], "a" * 26):
            refused = await undelete(h, document)
            assert isinstance(refused, ActRefused)
            assert "no deleted document" in refused.why
        args: dict[str, object] = {"document": await deleted(h), "reason": "r"}
        assert isinstance(await h.act("undelete", args, "operator"), ActRefused)

    house.run(work)


def test_the_keeper_erases_by_itself_a_few_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its minute, so many at once and no more."""
    monkeypatch.setattr(erasing, "BATCH", 2)

    async def work(h: House) -> None:
        assert h.keeper is not None
        for document in h.documents(h.demo.own[OWNER])[:3]:
            await h.ask(p.Delete(asking=h.asking(OWNER), document=document))
        h.clock.advance(h.parts.settings.deletion_delay)
        counts = []
        for minute in (False, True, True):
            await h.keeper._second(minute=minute)
            counts.append(h.parts.catalog.rows("select count(*) from document where erased > 0")[0][0])
        assert counts == [0, 2, 3]

    house.run(work)


def test_of_erasing_and_bringing_back_at_once_one_happens(house: House) -> None:
    """Whichever comes first in the log."""

    async def work(h: House) -> None:
        document = await deleted(h)
        h.clock.advance(h.parts.settings.deletion_delay)
        erased, back = await asyncio.gather(erase_due(h.parts), undelete(h, document))
        assert (erased == 1) is isinstance(back, ActRefused)

    house.run(work)
