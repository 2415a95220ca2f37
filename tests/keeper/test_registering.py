"""Officers come and go by officers' hands, and no single key makes or unmakes one."""

import json
from typing import Any

import pytest

from strongroom.clock import HOUR
from strongroom.errors import Unavailable
from strongroom.identity import keyfile
from strongroom.identity.officers import Role
from strongroom.keeper.acts import ActDone, ActRefused
from tests.keeper.conftest import House, second_officer


def new_key(house: House, name: str) -> str:
    """A key file beside the others', not registered; the public key in hex."""
    return keyfile.create(house.layout.root / "officers" / f"{name}.key").public_bytes.hex()


async def added(house: House, name: str, role: Role, *by: str, **more: Any) -> str:
    """What is said when `by` register this officer: nothing where it is done."""
    key = more.pop("key", None) or new_key(house, name)
    args = {"name": name, "key": key, "roles": [role.value], "reason": "needed", **more}
    reply = await house.act("officer-add", args, *by)
    return "" if isinstance(reply, ActDone) else reply.why


async def dismissed(house: House, name: str, *by: str) -> str:
    """The same of dismissing."""
    reply = await house.act("officer-dismiss", {"name": name, "reason": "left"}, *by)
    return "" if isinstance(reply, ActDone) else reply.why


async def acts(house: House, name: str) -> bool:
    """Whether what this privacy or security officer signs counts: an act without its arguments is looked into, or not."""
    reply = await house.act("drop-key", {"issuer": "x", "kid": "x"}, name)
    assert isinstance(reply, ActRefused)
    return "`reason`" in reply.why


def test_from_registration_to_dismissal(house: House) -> None:
    """Two judges: at once, over a restart, until dismissed; then never again, and the name and key are nobody's to take."""
    key = new_key(house, "ana")

    async def first(h: House) -> None:
        assert not await acts(h, "ana")
        assert await added(h, "ana", Role.PRIVACY, "privacy", "security", key=key) == ""
        assert await acts(h, "ana")
        written = h.parts.catalog.rows("select body from log_entry where op = 'officer'", ())
        bodies = [json.loads(row[0]) for row in written]
        assert [one["target"] for one in bodies if one["action"] == "officer-add"] == ["officer:ana"]

    async def second(h: House) -> None:
        assert await acts(h, "ana")
        assert await dismissed(h, "privacy", "ana", "operator") == ""
        assert not await acts(h, "privacy")

    async def third(h: House) -> None:
        assert await acts(h, "ana")
        assert not await acts(h, "privacy")
        assert "or was" in await added(h, "privacy", Role.PRIVACY, "ana", "security", key="00" * 32)
        assert "or was" in await added(h, "cleo", Role.PRIVACY, "ana", "security", key=key)
        rows = {one["name"]: one["roles"] for one in (await h.done("officer-ls", {}, "operator"))["officers"]}
        assert rows == {
            "privacy": [], "security": ["security-officer"], "operator": ["operator"], "ana": ["privacy-officer"],
        }  # fmt: skip

    for work in (first, second, third):
        house.run(work)


def test_one_key_makes_and_unmakes_nobody(house: House) -> None:
    """Alone, or twice with one name, or with a watch beside: refused. Two who judge nothing: refused too."""
    second_officer(house, "watch", Role.WATCH)
    second_officer(house, "operator2", Role.OPERATOR)

    async def work(h: House) -> None:
        for by in (("privacy",), ("privacy", "watch"), ("privacy", "privacy"), ("operator", "operator2")):
            assert await added(h, "ana", Role.OPERATOR, *by, key="00" * 32)
            assert await dismissed(h, "operator2", *by)
        assert await acts(h, "security")

    house.run(work)


def test_an_operator_and_one_judge_do_not_make_two(house: House) -> None:
    """A judge whom one judge brought waits for three days, and any one judge ends that; a new operator does not wait."""

    async def first(h: House) -> None:
        assert await added(h, "puppet", Role.SECURITY, "operator", "security") == ""
        assert await added(h, "puppet2", Role.SECURITY, "operator", "security") == ""
        assert await added(h, "hand", Role.OPERATOR, "operator", "security") == ""
        assert isinstance(await h.act("frozen", {}, "hand"), ActDone)
        assert not await acts(h, "puppet")
        assert "Register a successor" not in await dismissed(h, "puppet", "privacy")
        assert await dismissed(h, "privacy", "operator", "security"), "who waits is nobody's successor yet"

    async def second(h: House) -> None:
        h.clock.advance(71 * HOUR)
        assert not await acts(h, "puppet2")
        h.clock.advance(HOUR)
        assert await acts(h, "puppet2")
        assert not await acts(h, "puppet")
        assert "two officers" in await dismissed(h, "puppet2", "privacy")

    for work in (first, second):
        house.run(work)


def test_the_last_hands_stay(house: House) -> None:
    """Nobody is dismissed whose acts nobody could do any more; what these are is said."""

    async def work(h: House) -> None:
        said = await dismissed(h, "privacy", "security", "operator")
        assert "Nobody would be left" in said
        assert "destroy" in said
        assert "rotate-root" in said
        assert await dismissed(h, "operator", "security", "privacy") == "", "whatever they do, others do too"
        assert await dismissed(h, "nobody", "security", "privacy") == "There is no such officer."

    house.run(work)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "Ana"}, "small letters"),
        ({"name": "../ana"}, "small letters"),
        ({"name": "a" * 41}, "small letters"),
        ({"key": "00" * 31}, "32 bytes"),
        ({"key": "zz"}, "hex"),
        ({"roles": []}, "at least one role"),
        ({"roles": ["king"]}, "at least one role"),
        ({"roles": [["operator"]]}, "at least one role"),
        ({"roles": "operator"}, "at least one role"),
        ({"roles": ["operator", "watch"]}, "no person"),
        ({"reason": " "}, "reason"),
    ],
)
def test_what_is_no_officer(house: House, wrong: dict[str, object], said: str) -> None:
    """Refused with what is wrong, and nobody is registered."""

    async def work(h: House) -> None:
        args = {"name": "ana", "key": "00" * 32, "roles": ["operator"], "reason": "needed", **wrong}
        reply = await h.act("officer-add", args, "privacy", "security")
        assert isinstance(reply, ActRefused)
        assert said in reply.why
        assert len((await h.done("officer-ls", {}, "privacy"))["officers"]) == 3

    house.run(work)


def test_what_cannot_be_written(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registration that is not in the log is none; a dismissal holds: it may be the answer to a stolen key."""

    async def full(*_: object, **__: object) -> None:
        msg = "The disk is full."
        raise Unavailable(msg)

    async def work(h: House) -> None:
        key = new_key(h, "ana")
        with monkeypatch.context() as patched:
            patched.setattr(h.parts.log, "append", full)
            assert "full" in await added(h, "ana", Role.PRIVACY, "privacy", "security", key=key)
            assert "full" in await dismissed(h, "operator", "privacy", "security")
        assert not await acts(h, "ana")
        assert isinstance(await h.act("frozen", {}, "operator"), ActRefused)
        assert await added(h, "ana", Role.PRIVACY, "privacy", "security", key=key) == ""

    house.run(work)
