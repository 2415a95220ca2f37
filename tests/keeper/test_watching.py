"""What a watch may ask of the keeper, and what it may not: a forged line in a log must not be a weapon."""

import asyncio
import json
from typing import Any

import pytest

from strongroom.clock import HOUR
from strongroom.errors import Unavailable
from strongroom.identity.officers import Role
from strongroom.keeper import protocol as p
from strongroom.keeper.acts import RULES, ActDone, ActRefused
from tests.keeper.conftest import House, second_officer


def asked(house: House, name: str, **more: Any) -> dict[str, object]:
    """A login of the built-in sign-in."""
    return {"name": name, "issuer": house.config.issuer_url, "reason": "Ids in a row (alert 7)", **more}


async def freeze(house: House, name: str, **more: Any) -> str:
    """What is said: nothing where it is frozen now."""
    reply = await house.act("watch-freeze", asked(house, name, **more), "watch")
    return "" if isinstance(reply, ActDone) else reply.why


def people(house: House) -> list[str]:
    """Logins of persons."""
    return sorted(house.demo.own)


async def reads(house: House, who: str) -> str:
    """What comes of reading one's own document."""
    reply = await house.ask(p.Release(asking=house.asking(who), document=house.documents(house.demo.own[who])[0]))
    return reply.why if isinstance(reply, p.Refused) else "read"


def test_a_watch_has_a_login_frozen_until_a_second_factor(house: House) -> None:
    """Logged with its name, reason and end; lifted by the person, and not frozen again by the watch, over a restart too."""
    second_officer(house, "watch", Role.WATCH)
    one, other = people(house)[:2]

    async def first(h: House) -> None:
        assert [await reads(h, one), await reads(h, other)] == ["read", "read"]
        assert await freeze(h, one) == ""
        assert [await reads(h, one), await reads(h, other)] == ["step-up", "read"]
        assert await freeze(h, one) == "It is frozen already."
        (row,) = (await h.done("frozen", {}, "privacy"))["frozen"]
        assert (row["scope"], row["why"], row["by"]) == ("account", "watch", None)
        (entry,) = h.parts.catalog.rows("select actor, body from log_entry where op = 'frozen'")
        written = json.loads(entry[1])
        assert (written["reason"], written["until"] - written["t"]) == ("watch", 4 * HOUR)
        assert h.parts.catalog.rows("select real from log_name where id = ?", (entry[0],)) == [("officer:watch",)]

    async def second(h: House) -> None:
        h.clock.advance(2_000)
        assert await reads(h, one) == "step-up"
        assert isinstance(await h.ask(p.StepUp(asking=h.asking(one))), p.Done)
        assert await reads(h, one) == "read"

    async def third(h: House) -> None:
        assert await freeze(h, one) == "It was lifted lately."
        assert await freeze(h, other) == ""
        h.clock.advance(4 * HOUR)
        assert await reads(h, other) == "read", "it ends by itself"

    for work in (first, second, third):
        house.run(work)


def test_the_bounds_are_the_keepers(house: House) -> None:
    """Three in an hour by default, whatever is asked, also of those that were lifted, and after a restart."""
    second_officer(house, "watch", Role.WATCH)
    names = people(house)[:5]

    async def first(h: House) -> None:
        assert [await freeze(h, name, hours=999, an_hour=999) for name in names[:3]] == ["", "", ""]
        account = (await h.done("frozen", {}, "privacy"))["frozen"][0]["name"]
        await h.done("unfreeze", {"scope": "account", "name": account, "reason": "called"}, "security")

    async def second(h: House) -> None:
        assert "3 were frozen for a watch in the last hour" in await freeze(h, names[3])
        h.clock.advance(HOUR)
        assert await freeze(h, names[3]) == ""
        assert sum([await freeze(h, name) == "It was lifted lately." for name in names[:3]]) == 1

    house.run(first)
    house.run(second)


def test_nobody_is_a_watch_until_they_are_made_one(house: House) -> None:
    """The officers there are may not ask as one, and a watch may do nothing else: not lift, not list, not freeze everybody."""
    second_officer(house, "watch", Role.WATCH)
    one = people(house)[0]

    async def work(h: House) -> None:
        for officer in ("operator", "privacy", "security"):
            assert isinstance(await h.act("watch-freeze", asked(h, one), officer), ActRefused)
        for op in RULES:
            if op != "watch-freeze":
                reply = await h.act(op, {"scope": "module", "name": "", "reason": "r"}, "watch")
                assert isinstance(reply, ActRefused)
                assert "needs" in reply.why
        assert h.parts.freezes.all(h.clock.now()) == ()

    house.run(work)


def test_whom_a_watch_cannot_have_frozen(house: House) -> None:
    """Programs, which show no second factor; whom the keeper does not know; another issuer's login of the same name; nothing."""
    second_officer(house, "watch", Role.WATCH)

    async def work(h: House) -> None:
        one = people(h)[0]
        every: tuple[dict[str, object], ...] = (
            asked(h, "small-sync"), asked(h, "nobody"), asked(h, one, issuer="https://else.example"), asked(h, ""),
            asked(h, one, reason=""), {"name": one, "reason": "r"}, {"scope": "module", "reason": "r"},
        )  # fmt: skip
        for args in every:
            assert isinstance(await h.act("watch-freeze", args, "watch"), ActRefused)
        assert h.parts.freezes.all(h.clock.now()) == ()

    house.run(work)


def test_names_of_our_own_log(house: House) -> None:
    """Whom the log calls by a name of this month; the name of a patient or of a document is nobody's."""
    second_officer(house, "watch", Role.WATCH)
    one = people(house)[0]

    async def work(h: House) -> None:
        assert await reads(h, one) == "read"
        rows = h.parts.catalog.rows("select kind, shown, real from log_name where month <> ''")
        mine = h.parts.catalog.account(h.parts.veil.login(h.config.issuer_url, one)).id
        shown = {kind: name for kind, name, real in rows if kind != "account" or real == mine}
        for kind in ("patient", "session"):
            reply = await h.act("watch-freeze", {"name": shown[kind], "reason": "r"}, "watch")
            assert isinstance(reply, ActRefused)
        await h.done("watch-freeze", {"name": shown["account"], "reason": "r"}, "watch")
        assert await reads(h, one) == "step-up"

    house.run(work)


def test_what_cannot_be_logged_is_not_frozen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could say who asked for it. It counts all the same, so that a log that fails lifts no bound."""
    second_officer(house, "watch", Role.WATCH)

    async def broken(_draft: object, _effects: object, *, on_failure: Any) -> None:
        await asyncio.sleep(0)
        on_failure()
        raise Unavailable("The log cannot be written.")

    async def work(h: House) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(h.parts.log, "append", broken)
            assert await freeze(h, people(h)[0]) == "The log cannot be written."
        assert h.parts.freezes.all(h.clock.now()) == ()
        assert sum([await freeze(h, name) == "" for name in people(h)[1:5]]) == 2

    house.run(work)
