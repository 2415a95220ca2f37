"""Keys that went out are replaced, by two officers' word, one version at a time, and only those that are on the plan."""

import asyncio
from typing import Any

import pytest

from strongroom.errors import Malformed
from strongroom.identity.token import session_id
from strongroom.keeper import protocol as p
from strongroom.keeper import reencrypting
from strongroom.keeper.acts import ActDone, ActRefused, Move, Take, Taken, Which
from tests.keeper.conftest import House

OWNER, OTHER = "person-8", "person-9"
TWO = ("privacy", "security")
NOW = {"since": 0, "reason": "stolen login", "most": 1_000}


def release(h: House, subject: str, number: int = 0, **changes: Any) -> p.Release:
    """Somebody reads a document of their own."""
    return p.Release(asking=h.asking(subject, **changes), document=h.documents(h.demo.own[subject])[number])


async def ask(h: House, request: Any) -> Any:
    """What the keeper says to the program that re-encrypts."""
    assert h.keeper is not None
    return await h.keeper.acts.handle(request, 0)


async def begun(h: House, **args: object) -> str:
    """A run's ticket."""
    ticket: str = (await h.done("reencrypt", {**NOW, "since": h.clock.now(), **args}, *TWO))["ticket"]
    return ticket


async def move(h: House, ticket: str, taken: Taken, *, done: bool = True) -> Any:
    """The program says that it wrote what it was given keys for."""
    return await ask(h, Move(ticket=ticket, document=taken.document, version=taken.version, done=done))


def entries(h: House, op: str) -> int:
    """How many entries of this kind there are."""
    return int(h.parts.catalog.rows("select count(*) from log_entry where op = ?", (op,))[0][0])


def test_the_plan_is_what_went_out_since_then_and_to_whom(house: House) -> None:
    """Released or opened, by anybody or by the one who is named; what was merely listed only where that is asked for."""

    async def work(h: House) -> None:
        h.clock.advance(1_000)
        since = h.clock.now()
        empty = await h.done("reencrypt-plan", {"since": since}, "privacy")
        assert (empty["versions"], empty["patients"], empty["bytes"], empty["gaps"]) == (0, 0, 0, 0)
        one, two = await h.ask(release(h, OWNER)), await h.ask(release(h, OTHER))
        await h.ask(release(h, OWNER))
        await h.ask(p.List(asking=h.asking(OWNER), patient=h.demo.own[OWNER]))
        listed = len(h.documents(h.demo.own[OWNER]))
        opened = await h.ask(
            p.Deposit(asking=h.asking(OWNER), patient=h.demo.own[OWNER], category="normal", content_type="text/plain")
        )
        asked: dict[str, dict[str, object]] = {
            "all": {},
            "session": {"session": session_id(h.config.issuer_url, "sid", f"one-{OTHER}")},
            "patient": {"patient": h.demo.own[OWNER]},
            "document": {"document": one.document},
            "listed": {"listed": True},
            "before": {"until": since},
        }
        plans = {
            name: await h.done("reencrypt-plan", {"since": since, **args}, "security") for name, args in asked.items()
        }
        assert {name: plan["versions"] for name, plan in plans.items()} == {
            "all": 2, "session": 1, "patient": 1, "document": 1, "listed": max(listed, 1) + 1, "before": 0,
        }  # fmt: skip
        assert (plans["all"]["patients"], plans["all"]["bytes"]) == (2, one.size + two.size)
        await h.ask(p.Deposited(ticket=opened.ticket, size=3, sealed_size=75))  # its keys went out to be written with
        assert (await h.done("reencrypt-plan", {"since": since}, "privacy"))["versions"] == 3

    house.run(work)


def test_two_officers_and_no_more_than_they_saw(house: House) -> None:
    """One does not begin it; nor do two when more is on the plan by now. A selector that names nobody is refused."""

    async def work(h: House) -> None:
        since = h.clock.now()
        await h.ask(release(h, OWNER))
        args = {**NOW, "since": since}
        assert isinstance(await h.act("reencrypt", args, "privacy"), ActRefused)
        more = await h.act("reencrypt", {**args, "most": 0}, *TWO)
        assert isinstance(more, ActRefused)
        assert "agreed" in more.why
        for wrong in ({"patient": "a" * 26}, {"document": "b" * 26}):
            assert isinstance(await h.act("reencrypt-plan", {"since": since, **wrong}, "privacy"), ActRefused)
        assert isinstance(await h.act("reencrypt", args, *TWO), ActDone)

    house.run(work)


def test_a_version_is_read_with_its_old_keys_until_it_has_the_new_ones(house: House) -> None:
    """Each step is an entry; who-read counts none of them; and a plan that is made again has nothing left."""

    async def work(h: House) -> None:
        since, keys = h.clock.now(), entries(h, "key")
        before = await h.ask(release(h, OWNER))
        reads = (await h.done("who-read", {"patient": h.demo.own[OWNER]}, "privacy"))["rows"]
        ticket = await begun(h, since=since)
        taken = await ask(h, Take(ticket=ticket))
        assert (taken.document, taken.content, taken.edition) == (before.document, before.key, 0)
        assert taken.sealed_size == before.sealed_size
        assert len({taken.content, taken.metadata, taken.new_content, taken.new_metadata}) == 4
        assert "redacted" in repr(taken)
        assert ticket not in repr(Take(ticket=ticket))
        meanwhile = await h.ask(release(h, OWNER))
        assert (meanwhile.key, meanwhile.edition) == (before.key, 0)
        assert isinstance(await move(h, ticket, taken), ActDone)
        moved = h.clock.now()
        h.clock.advance(10)
        after = await h.ask(release(h, OWNER))
        assert (after.key, after.edition) == (taken.new_content, 1)
        row = (await h.ask(p.List(asking=h.asking(OWNER), document=before.document))).rows[0]
        assert (row.metadata_key, row.edition) == (taken.new_metadata, 1)
        last = await ask(h, Take(ticket=ticket))
        assert last.result == b'{"left":0,"broken":0}'
        await ask(h, Take(ticket=ticket))
        assert (entries(h, "reencrypting"), entries(h, "reencrypted"), entries(h, "key")) == (1, 1, keys + 2)
        again = (await h.done("who-read", {"patient": h.demo.own[OWNER]}, "privacy"))["rows"]
        assert len(again) == len(reads) + 3
        edition = await ask(h, Which(ticket=ticket, document=before.document, version=1))
        assert edition.result == b'{"edition":1}'
        nothing = await ask(h, Which(ticket=ticket, document="b" * 26, version=1))
        assert nothing.result == b'{"edition":null}'
        left = await h.done("reencrypt-plan", {"since": since, "until": moved}, "privacy")
        assert left["versions"] == 0
        assert (await h.done("reencrypt-plan", {"since": since}, "privacy"))["versions"] == 1  # the new key went out

    house.run(work)


def test_only_the_newest_ticket_opens_anything_and_not_forever(house: House) -> None:
    """None, another, an older one, one of a run that was a day ago, or of a keeper that was restarted: refused."""

    async def work(h: House) -> str:
        since = h.clock.now()
        await h.ask(release(h, OWNER))
        assert isinstance(await ask(h, Take(ticket="")), ActRefused)
        old = await begun(h, since=since)
        taken = await ask(h, Take(ticket=old))
        new = await begun(h, since=since)
        assert isinstance(await move(h, old, taken), ActRefused)
        assert isinstance(await move(h, new, taken), ActRefused)  # taken in another run
        assert (await h.ask(release(h, OWNER))).edition == 0
        assert isinstance(await ask(h, Take(ticket="x" * 26)), ActRefused)
        last = await begun(h, since=since)
        h.clock.advance(reencrypting.TICKET_LIFE + 1)
        assert isinstance(await ask(h, Take(ticket=last)), ActRefused)
        return await begun(h, since=since)

    ticket = house.run(work)

    async def restarted(h: House) -> None:
        assert isinstance(await ask(h, Take(ticket=ticket)), ActRefused)

    house.run(restarted)


def test_what_changes_meanwhile_is_taken_again(house: House) -> None:
    """The patient's key is rotated between taking and moving: the move fails, the version is as it was, and comes again."""

    async def work(h: House) -> None:
        since = h.clock.now()
        before = await h.ask(release(h, OWNER))
        ticket = await begun(h, since=since)
        for _ in range(reencrypting.TRIES):
            taken = await ask(h, Take(ticket=ticket))
            assert isinstance(taken, Taken)
            await h.done("rotate-patient", {"patient": h.demo.own[OWNER]}, "privacy")
            assert isinstance(await move(h, ticket, taken), ActRefused)
        assert isinstance(await ask(h, Take(ticket=ticket)), ActDone)
        assert (await h.ask(release(h, OWNER))).key == before.key
        ticket = await begun(h, since=since)
        taken = await ask(h, Take(ticket=ticket))
        rotate = h.done("rotate-patient", {"patient": h.demo.own[OWNER]}, "privacy")
        await asyncio.gather(rotate, move(h, ticket, taken))  # whichever is first, the version opens with what is kept
        found = await h.ask(release(h, OWNER))
        assert found.key == {0: taken.content, 1: taken.new_content}[found.edition]
        await h.done("rotate-patient", {"patient": h.demo.own[OWNER]}, "privacy")
        assert (await h.ask(release(h, OWNER))).key == found.key

    house.run(work)


def test_what_is_gone_or_broken_or_given_up_is_passed_over(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Erased since the plan: not taken. A key that does not open: counted. Given up by the program: as it was."""

    async def work(h: House) -> None:
        since = h.clock.now()
        await h.ask(release(h, OWNER))
        await h.ask(release(h, OTHER))
        ticket = await begun(h, since=since)
        with monkeypatch.context() as changed:
            changed.setattr(h.parts.catalog, "key_of", lambda _: None)
            assert (await ask(h, Take(ticket=ticket))).result == b'{"left":0,"broken":0}'

        async def broken(*_: object) -> None:
            raise Malformed("x")

        ticket = await begun(h, since=since)
        with monkeypatch.context() as changed:
            changed.setattr(h.parts.custody, "reopen", broken)
            assert (await ask(h, Take(ticket=ticket))).result == b'{"left":0,"broken":2}'
        ticket = await begun(h, since=since)
        taken = await ask(h, Take(ticket=ticket))
        assert isinstance(await move(h, ticket, taken, done=False), ActRefused)
        await ask(h, Take(ticket=ticket))
        assert (await h.ask(release(h, OWNER))).edition == (await h.ask(release(h, OTHER))).edition == 0
        ticket = await begun(h, since=since)
        assert isinstance(await ask(h, Take(ticket=ticket)), Taken)
        taken = await ask(h, Take(ticket=ticket))
        with monkeypatch.context() as changed:
            changed.setattr(reencrypting, "MAX_VERSIONS", 1)
            assert isinstance(await h.act("reencrypt-plan", {"since": since}, "privacy"), ActRefused)

    house.run(work)
