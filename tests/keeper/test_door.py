"""The door's steps: what is charged, what is undone, what is frozen, and that one answer tells nothing that another hides."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from strongroom.audit.denials import SINGLE
from strongroom.authz.policy import Basis
from strongroom.budget.freeze import Freeze, Target, Upon
from strongroom.budget.ledger import Ledger
from strongroom.clock import HOUR, Millis
from strongroom.ids import new_id
from strongroom.keeper import protocol as p
from strongroom.keeper.acts import ActRefused
from strongroom.keeper.reading import PURPOSES
from strongroom.wiring.rehearsal import Rehearsal
from tests.keeper.conftest import House

OWNER, DOCTOR = "person-8", "staff-1"
Make = Callable[[House, str, str, str], p.AppRequest]

UPON_A_DOCUMENT: dict[str, Make] = {
    "release": lambda h, who, doc, _: p.Release(asking=h.asking(who), document=doc),
    "release-old": lambda h, who, doc, _: p.Release(asking=h.asking(who), document=doc, version=7),
    "list": lambda h, who, doc, _: p.List(asking=h.asking(who), document=doc),
    "delete": lambda h, who, doc, _: p.Delete(asking=h.asking(who), document=doc),
    "relabel": lambda h, who, doc, _: p.Relabel(asking=h.asking(who), document=doc, category="normal"),
    "supersede": lambda h, who, doc, patient: p.Deposit(
        asking=h.asking(who), patient=patient, category="normal", content_type="text/plain", document=doc, expected=1
    ),
}
UPON_A_PATIENT: dict[str, Make] = {
    "list": lambda h, who, _, patient: p.List(asking=h.asking(who), patient=patient),
    "history": lambda h, who, _, patient: p.History(asking=h.asking(who), patient=patient),
    "deposit": lambda h, who, _, patient: p.Deposit(
        asking=h.asking(who), patient=patient, category="normal", content_type="text/plain"
    ),
    "share": lambda h, who, _, patient: p.Share(asking=h.asking(who), patient=patient, party="x", until=0),
    "delegate": lambda h, who, _, patient: p.Delegate(
        asking=h.asking(who), patient=patient, account="x", full=True, until=0
    ),
    "withhold": lambda h, who, _, patient: p.Withhold(asking=h.asking(who), patient=patient, party=""),
    "glass": lambda h, who, _, patient: p.BreakGlass(asking=h.asking(who), patient=patient, reason="r"),
}


def entries(h: House, op: str) -> list[dict[str, Any]]:
    """The log's entries of one kind."""
    rows = h.parts.catalog.rows("select body from log_entry where op = ? order by idx", (op,))
    return [msgspec.json.decode(row[0]) for row in rows]


def shape(entry: dict[str, Any]) -> dict[str, Any]:
    """What an entry tells besides the time and the hash of what was named."""
    return {name: value for name, value in entry.items() if name not in {"t", "document"}}


@pytest.mark.parametrize("frozen", ["", "module", "class"])
@pytest.mark.parametrize(("who", "name"), [(who, name) for who in (OWNER, DOCTOR) for name in UPON_A_DOCUMENT])
def test_a_foreign_document_is_answered_and_logged_as_a_missing_one(
    house: House, who: str, name: str, frozen: str
) -> None:
    """For every request that names a document, with nothing frozen, strangers frozen, or a class frozen."""

    async def work(h: House) -> None:
        if frozen:
            target = {"module": "strangers", "class": "read"}[frozen]
            await h.done("freeze", {"scope": frozen, "name": target, "reason": "r"}, "operator")
        document, patient = h.foreign(who)[0]
        make = UPON_A_DOCUMENT[name]
        before = len(entries(h, "denied"))
        answers = [await h.ask(make(h, who, one, patient)) for one in (document, new_id(), "nothing")]
        assert answers[0] == answers[1] == answers[2]
        assert isinstance(answers[0], p.Refused)
        logged = [shape(one) for one in entries(h, "denied")[before:]]
        assert len(logged) == 3
        assert {name: logged[0][name] for name in logged[0] if name not in {"reason", "rows"}} == {
            name: logged[1][name] for name in logged[1] if name not in {"reason", "rows"}
        }

    house.run(work)


@pytest.mark.parametrize("name", UPON_A_PATIENT)
def test_a_foreign_patient_is_answered_as_a_missing_one(house: House, name: str) -> None:
    """For every request that names a patient."""

    async def work(h: House) -> None:
        _, patient = h.foreign(OWNER)[0]
        make = UPON_A_PATIENT[name]
        answers = [await h.ask(make(h, OWNER, "", one)) for one in (patient, new_id(), "nobody")]
        assert answers[0] == answers[1] == answers[2]

    house.run(work)


def test_glass_cannot_be_broken_upon_nobody(house: House) -> None:
    """A clinician who names no patient that there is opens nothing, whatever the name."""

    async def work(h: House) -> None:
        for patient in (new_id(), "nobody"):
            answer = await h.ask(p.BreakGlass(asking=h.asking(DOCTOR), patient=patient, reason="r"))
            assert answer == p.Refused(why="absent")
        assert h.parts.catalog.rows("select * from glass") == []
        refused = await h.act("relation-add", {"kind": "share", "patient": "nobody", "other": "x"}, "privacy")
        assert isinstance(refused, ActRefused)

    house.run(work)


def test_denials_are_told_singly_and_then_counted(house: House) -> None:
    """Twenty an hour for each login; the rest as one entry that points to the first, when the hour is over."""

    async def work(h: House) -> None:
        assert h.keeper is not None
        one = new_id()
        before = len(entries(h, "denied"))
        for _ in range(SINGLE + 10):
            await h.ask(p.Release(asking=h.asking(OWNER), document=one))
        assert len(entries(h, "denied")) == before + SINGLE
        await h.keeper._second(minute=False)
        assert entries(h, "denials") == []
        h.clock.advance(HOUR)
        await h.keeper._second(minute=False)
        [told] = entries(h, "denials")
        assert told["count"] == 10
        first = h.parts.catalog.rows("select body from log_entry where idx = ?", (told["ref"],))[0][0]
        assert b'"op":"denied"' in first

    house.run(work)


def test_a_probing_session_stays_frozen_after_a_restart(house: House) -> None:
    """It is the session; step-up does not lift it; an officer does."""
    session: list[str] = []

    async def first(h: House) -> None:
        while (await h.ask(p.Release(asking=h.asking(OWNER), document=new_id()))).why != "frozen":
            pass
        session.append(str(h.parts.freezes.all(h.clock.now())[0].target.name))

    async def second(h: House) -> None:
        mine = p.Release(asking=h.asking(OWNER), document=h.documents(h.demo.own[OWNER])[0])
        assert (await h.ask(mine)).why == "frozen"
        assert isinstance(await h.ask(p.StepUp(asking=h.asking(OWNER))), p.Done)
        assert (await h.ask(mine)).why == "frozen"
        await h.done("unfreeze", {"scope": "session", "name": session[0], "reason": "r"}, "security")
        assert isinstance(await h.ask(mine), p.Released)

    house.run(first)
    house.run(second)


def test_a_spent_budget_discloses_nothing_and_is_on_record(house: House) -> None:
    """The fourth stranger's key is not given, nobody is listed as having been read, and the account is frozen."""
    house.rehearsal = Rehearsal(broken_authorization=True)

    async def work(h: House) -> None:
        foreign = h.foreign(OWNER)
        for document, _ in foreign[:3]:
            assert isinstance(await h.ask(p.Release(asking=h.asking(OWNER), document=document)), p.Released)
        before = h.parts.ledger.snapshot()
        spent = await h.ask(p.Release(asking=h.asking(OWNER), document=foreign[3][0]))
        assert spent.why == "spent"
        assert h.parts.ledger.snapshot() == before
        [refused] = entries(h, "refused")
        assert (refused["kind"], refused["reason"]) == ("stranger", "account-stranger-people-24h")
        found = await h.done("who-read", {"patient": foreign[3][1], "since": h.clock.now() - HOUR}, "privacy")
        assert not any(row["kind"] == "stranger" for row in found["rows"])
        [freeze] = h.parts.freezes.all(h.clock.now())
        assert (freeze.target.upon, freeze.why) == (Upon.ACCOUNT, "account-stranger-people-24h")

    house.run(work)


@pytest.mark.parametrize("kind", ["list", "history", "share", "delegate", "withhold", "glass"])
def test_a_broken_policy_meets_strangers_budgets_on_every_way(house: House, kind: str) -> None:
    """Reading histories is not charged, and changes nothing; every other way ends after three people."""
    house.rehearsal = Rehearsal(broken_authorization=True)

    async def work(h: House) -> None:
        make = UPON_A_PATIENT[kind]
        answers = [await h.ask(make(h, OWNER, "", patient)) for _, patient in h.foreign(OWNER)[:6]]
        stopped = [isinstance(one, p.Refused) for one in answers]
        assert stopped == ([False] * 6 if kind == "history" else [False] * 3 + [True] * 3)

    house.run(work)


@pytest.mark.parametrize("name", ["delete", "relabel"])
def test_a_broken_policy_lets_no_thief_delete_or_unlock_everybodys(house: House, name: str) -> None:
    """Three strangers' documents, no fourth's; a restart counts them again."""
    house.rehearsal = Rehearsal(broken_authorization=True)
    kept: list[bytes] = []

    async def work(h: House) -> None:
        answers = [await h.ask(UPON_A_DOCUMENT[name](h, OWNER, one, "")) for one, _ in h.foreign(OWNER)[:5]]
        assert [isinstance(one, p.Done) for one in answers] == [True] * 3 + [False] * 2
        assert answers[3].why == "spent"
        kept.append(h.parts.ledger.snapshot())

    async def then(h: House) -> None:
        assert h.parts.ledger.snapshot() == kept[0]

    house.run(work)
    (house.layout.keeper / "budgets.snapshot").unlink(missing_ok=True)
    house.run(then)


def test_a_charge_is_undone_when_its_entry_is_not_written(house: House) -> None:
    """For those in the failing commit, and for those that come while the log is shut."""

    async def work(h: House) -> None:
        documents = h.documents(h.demo.own[OWNER])[:3]
        before = h.parts.ledger.snapshot()
        holder = sqlite3.connect(h.layout.database, isolation_level=None)
        holder.execute("begin immediate")
        asked = [h.ask(p.Release(asking=h.asking(OWNER), document=one)) for one in documents]
        assert {one.why for one in await asyncio.gather(*asked)} == {"unavailable"}
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=documents[0]))).why == "unavailable"
        assert h.parts.ledger.snapshot() == before
        holder.close()

    house.run(work)


def test_a_change_that_comes_too_late_is_not_charged_though_others_were_since(house: House) -> None:
    """Of two who delete the same document at once one is refused, and their charge alone is taken back."""

    async def work(h: House) -> None:
        one, other, *_ = h.documents(h.demo.own[OWNER])
        asked = [p.Delete(asking=h.asking(OWNER, sid=sid), document=one) for sid in ("a", "b")]
        reading = p.Release(asking=h.asking(OWNER), document=other)
        first, second, third = await asyncio.gather(h.ask(asked[0]), h.ask(asked[1]), h.ask(reading))
        assert isinstance(first, p.Done)
        assert second.why == "conflict"
        assert isinstance(third, p.Released)
        told = Ledger(h.parts.ledger._rules)
        assert h.keeper is not None
        for disclosure in h.keeper.recount(0):
            told.apply(disclosure)
        assert h.parts.ledger.snapshot() == told.snapshot()

    house.run(work)


def test_a_freeze_holds_although_it_could_not_be_written(house: House) -> None:
    """A full disk unfreezes nobody; a lift that could not be written is no lift."""

    async def work(h: House) -> None:
        assert h.keeper is not None
        args: dict[str, object] = {"scope": "class", "name": "read", "reason": "r"}
        mine = p.Release(asking=h.asking(OWNER), document=h.documents(h.demo.own[OWNER])[0])
        holder = sqlite3.connect(h.layout.database, isolation_level=None)
        holder.execute("begin immediate")
        assert isinstance(await h.act("freeze", args, "operator"), ActRefused)
        holder.execute("rollback")
        await h.keeper._second(minute=False)
        assert (await h.ask(mine)).why == "frozen"
        holder.execute("begin immediate")
        assert isinstance(await h.act("unfreeze", args, "security"), ActRefused)
        holder.execute("rollback")
        holder.close()
        await h.keeper._second(minute=False)
        assert (await h.ask(mine)).why == "frozen"
        await h.done("unfreeze", args, "security")
        assert isinstance(await h.ask(mine), p.Released)

    house.run(work)


def test_a_step_up_that_could_not_be_written_is_none(house: House) -> None:
    """The account stays frozen until the log has the entry."""

    async def work(h: House) -> None:
        assert h.keeper is not None
        account = (await h.ask(p.WhoAmI(asking=h.asking(OWNER)))).account
        freeze = Freeze(Target(Upon.ACCOUNT, account), "decoy", Millis(h.clock.now()))
        await h.keeper.door.freeze(freeze)
        holder = sqlite3.connect(h.layout.database, isolation_level=None)
        holder.execute("begin immediate")
        assert (await h.ask(p.StepUp(asking=h.asking(OWNER)))).why == "unavailable"
        holder.execute("rollback")
        holder.close()
        assert h.parts.freezes.all(h.clock.now()) == (freeze,)

    house.run(work)


@pytest.mark.parametrize("kind", ["list", "glass"])
def test_strangers_and_glass_stop_when_the_module_is_frozen(house: House, kind: str) -> None:
    """Care and one's own go on."""

    async def work(h: House) -> None:
        _, patient = h.foreign("staff-2")[0]
        assert isinstance(await h.ask(p.BreakGlass(asking=h.asking("staff-2"), patient=patient, reason="r")), p.Glass)
        await h.done("freeze", {"scope": "module", "name": "", "reason": "r"}, "operator")
        assert (await h.ask(UPON_A_PATIENT[kind](h, "staff-2", "", patient))).why == "frozen"
        own = h.demo.own[OWNER]
        assert isinstance(await h.ask(p.List(asking=h.asking(OWNER), patient=own)), p.Listed)
        mine = min(h.demo.readable[DOCTOR])
        assert isinstance(await h.ask(p.List(asking=h.asking(DOCTOR), patient=mine)), p.Listed)

    house.run(work)


async def decoys(h: House, count: int) -> list[str]:
    """New decoys."""
    return list((await h.done("decoys", {"count": count}, "security"))["decoys"])


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("name", UPON_A_DOCUMENT)
def test_a_decoy_is_answered_as_somebody_elses_document(house: House, name: str, frozen: bool) -> None:
    """Without a second factor, with one, and by somebody whose account is frozen already: nothing tells them apart."""

    async def work(h: House) -> None:
        made, (document, patient) = await decoys(h, 2), h.foreign(OWNER)[0]

        async def answer(wanted: str, *, mfa: bool) -> p.Reply:
            ask = UPON_A_DOCUMENT[name](h, OWNER, wanted, patient)
            reply: p.Reply = await h.ask(msgspec.structs.replace(ask, asking=h.asking(OWNER, mfa=mfa)))
            return reply

        if frozen:
            account = (await h.ask(p.WhoAmI(asking=h.asking(OWNER)))).account
            await h.done("freeze", {"scope": "account", "name": account, "reason": "r"}, "operator")
        expected = [await answer(document, mfa=mfa) for mfa in (False, True)]
        found = []
        for decoy, mfa in zip(made, (False, True), strict=True):
            found.append(await answer(decoy, mfa=mfa))
            for freeze in h.parts.freezes.all(h.clock.now()):
                if freeze.by is None:
                    h.parts.freezes._freezes.pop((freeze.target, True))
        assert found == expected

    house.run(work)


def test_a_second_decoy_freezes_the_session_though_a_step_up_lay_between(house: House) -> None:
    """Whoever shows a second factor after the first has used up their one mistake."""

    async def work(h: House) -> None:
        made = await decoys(h, 2)
        for decoy, upon in zip(made, (Upon.ACCOUNT, Upon.SESSION), strict=True):
            await h.ask(p.Release(asking=h.asking(OWNER), document=decoy))
            [freeze] = h.parts.freezes.all(h.clock.now())
            assert freeze.target.upon is upon
            h.clock.advance(1_000)
            await h.ask(p.StepUp(asking=h.asking(OWNER)))
        assert [freeze.target.upon for freeze in h.parts.freezes.all(h.clock.now())] == [Upon.SESSION]

    house.run(work)


def test_a_second_factor_shown_before_the_freeze_lifts_nothing(house: House) -> None:
    """A thief who holds the token of a user just signed in has no second factor."""

    async def work(h: House) -> None:
        stolen = h.asking(OWNER)
        h.clock.advance(1_000)
        [decoy] = await decoys(h, 1)
        await h.ask(p.Release(asking=stolen, document=decoy))
        assert (await h.ask(p.StepUp(asking=stolen))).why == "step-up"
        [freeze] = h.parts.freezes.all(h.clock.now())
        assert freeze.target.upon is Upon.ACCOUNT
        assert isinstance(await h.ask(p.StepUp(asking=h.asking(OWNER))), p.Done)
        assert h.parts.freezes.all(h.clock.now()) == ()

    house.run(work)


def test_a_reason_to_permit_has_a_purpose_to_log() -> None:
    """Whatever the policy permits can be written down when the asker named no purpose."""
    assert set(PURPOSES) == {basis.value for basis in Basis}
