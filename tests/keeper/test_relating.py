"""Relations that people make themselves: withhold, share, delegate, break-glass; and stepping up."""

import asyncio
import sqlite3
from typing import Any

import pytest

from strongroom.authz.relations import OPENINGS_ACCOUNT
from strongroom.clock import DAY, HOUR, YEAR
from strongroom.ids import new_id
from strongroom.keeper import protocol as p
from tests.keeper.conftest import House

DOCTOR, STRANGER = "staff-1", "staff-2"


def patient_of_practice(h: House) -> tuple[str, str, str]:
    """(owner's subject, patient, document) of somebody whom DOCTOR may read and STRANGER may not."""
    for subject, patient in sorted(h.demo.own.items()):
        if patient in h.demo.readable[DOCTOR] and h.documents(patient) and subject != "person-1":
            return subject, patient, h.documents(patient)[0]
    raise AssertionError


async def account(h: House, subject: str) -> str:
    """A login's account id."""
    return str((await h.ask(p.WhoAmI(asking=h.asking(subject)))).account)


def test_a_share_opens_and_ends(house: House) -> None:
    """For the clinician it names, until its time or until it is ended; only with a fresh second factor, only by the owner."""

    async def work(h: House) -> None:
        owner, patient, document = patient_of_practice(h)
        doctor = await account(h, STRANGER)
        until = h.clock.now() + 2 * DAY
        share = p.Share(asking=h.asking(owner), patient=patient, party=doctor, until=until)
        assert (
            await h.ask(p.Share(asking=h.asking(owner, old=True), patient=patient, party=doctor, until=until))
        ).why == "step-up"
        assert (
            await h.ask(p.Share(asking=h.asking("person-9"), patient=patient, party=doctor, until=until))
        ).why == "absent"
        for wrong in (1, h.clock.now() + 6 * YEAR):
            assert (
                await h.ask(p.Share(asking=h.asking(owner), patient=patient, party=doctor, until=wrong))
            ).why == "malformed"
        assert (await h.ask(p.Share(asking=h.asking(owner), patient=patient, party="", until=until))).why == "malformed"
        assert (await h.ask(p.Release(asking=h.asking(STRANGER), document=document))).why == "absent"
        assert isinstance(await h.ask(share), p.Done)
        assert isinstance(await h.ask(p.Release(asking=h.asking(STRANGER), document=document)), p.Released)
        assert isinstance(await h.ask(p.Share(asking=h.asking(owner), patient=patient, party=doctor, until=0)), p.Done)
        assert (await h.ask(p.Release(asking=h.asking(STRANGER), document=document))).why == "absent"

    house.run(work)


def test_withholding_shuts_clinicians_out_and_break_glass_opens_it_unless_ruled_out(house: House) -> None:
    """By category or the whole record; lifting ends it."""

    async def work(h: House) -> None:
        owner, patient, document = patient_of_practice(h)

        async def read() -> p.Reply:
            answer: p.Reply = await h.ask(p.Release(asking=h.asking(DOCTOR), document=document))
            return answer

        assert isinstance(await read(), p.Released)
        hide = p.Withhold(asking=h.asking(owner), patient=patient, party="", category="normal")
        assert isinstance(await h.ask(hide), p.Done)
        assert await read() == p.Refused(why="absent")
        glass = await h.ask(p.BreakGlass(asking=h.asking(DOCTOR), patient=patient, reason="unconscious"))
        assert isinstance(glass, p.Glass)
        assert isinstance(await read(), p.Released)
        ruled = p.Withhold(asking=h.asking(owner), patient=patient, party="", category="normal", rule_out_glass=True)
        await h.ask(ruled)
        assert await read() == p.Refused(why="absent")
        await h.ask(p.Withhold(asking=h.asking(owner), patient=patient, party="", category="normal", lift=True))
        assert isinstance(await read(), p.Released)
        wrong = p.Withhold(asking=h.asking(owner), patient=patient, party="", category="x")
        assert (await h.ask(wrong)).why == "malformed"

    house.run(work)


def test_glass_that_was_ruled_out_stays_so_when_something_else_is_withheld(house: House) -> None:
    """Each withholding says it for itself."""

    async def work(h: House) -> None:
        owner, patient, document = patient_of_practice(h)
        everybody = p.Withhold(
            asking=h.asking(owner), patient=patient, party="", category="normal", rule_out_glass=True
        )
        other = p.Withhold(asking=h.asking(owner), patient=patient, party="practice-2", category="sensitive")
        for ask in (everybody, other, p.BreakGlass(asking=h.asking(DOCTOR), patient=patient, reason="r")):
            assert not isinstance(await h.ask(ask), p.Refused)
        assert await h.ask(p.Release(asking=h.asking(DOCTOR), document=document)) == p.Refused(why="absent")

    house.run(work)


def test_a_delegate_acts_within_what_was_given(house: House) -> None:
    """Reading or full; a new one is charged as a stranger for a day; ending it ends it."""

    async def work(h: House) -> None:
        owner, patient, document = patient_of_practice(h)
        helper = next(subject for subject in sorted(h.demo.own) if subject not in (owner, "person-1"))
        until = h.clock.now() + 30 * DAY
        ask = p.Delegate(
            asking=h.asking(owner), patient=patient, account=await account(h, helper), full=False, until=until
        )
        assert isinstance(await h.ask(ask), p.Done)
        assert isinstance(await h.ask(p.Release(asking=h.asking(helper), document=document)), p.Released)
        kinds = h.parts.catalog.rows("select body from log_entry where op = 'released' order by idx desc limit 1")
        assert b'"kind":"stranger"' in kinds[0][0]
        h.clock.advance(2 * DAY)
        await h.ask(p.Release(asking=h.asking(helper), document=document))
        kinds = h.parts.catalog.rows("select body from log_entry where op = 'released' order by idx desc limit 1")
        assert b'"kind":"own"' in kinds[0][0]
        again = p.Deposit(asking=h.asking(helper), patient=patient, category="normal", content_type="text/plain")
        assert (await h.ask(again)).why == "absent"
        ended = p.Delegate(
            asking=h.asking(owner), patient=patient, account=await account(h, helper), full=False, until=0
        )
        assert isinstance(await h.ask(ended), p.Done)
        assert (await h.ask(p.Release(asking=h.asking(helper), document=document))).why == "absent"

    house.run(work)


def test_break_glass_needs_a_reason_is_told_to_the_patient_and_ends(house: House) -> None:
    """Three a day, then a second person; the patient sees it at once, with its reason; it lasts an hour."""

    async def work(h: House) -> None:
        foreign = [(document, patient) for document, patient in h.foreign(STRANGER) if patient in h.demo.own.values()]
        (document, patient), *others = foreign
        owner = next(subject for subject, own in h.demo.own.items() if own == patient)
        assert (await h.ask(p.BreakGlass(asking=h.asking(STRANGER), patient=patient, reason="  "))).why == "reason"
        assert (await h.ask(p.BreakGlass(asking=h.asking(owner), patient=patient, reason="x"))).why == "absent"
        assert (await h.ask(p.BreakGlass(asking=h.asking(STRANGER), patient=new_id(), reason="x"))).why == "absent"
        opened = await h.ask(p.BreakGlass(asking=h.asking(STRANGER), patient=patient, reason="unconscious"))
        assert isinstance(opened, p.Glass)
        assert isinstance(await h.ask(p.Release(asking=h.asking(STRANGER), document=document)), p.Released)
        seen = await h.ask(p.History(asking=h.asking(owner), patient=patient))
        [glass] = [row for row in seen.rows if row.op == "glass"]
        assert (glass.reason, glass.own, glass.actor_kind) == ("unconscious", False, "clinician")
        assert h.parts.catalog.rows("select kind from notice where patient = ?", (patient,)) == [("break-glass",)]
        for _, other in others[: OPENINGS_ACCOUNT - 1]:
            assert isinstance(await h.ask(p.BreakGlass(asking=h.asking(STRANGER), patient=other, reason="x")), p.Glass)
        fourth = others[OPENINGS_ACCOUNT - 1][1]
        ask = p.BreakGlass(asking=h.asking(STRANGER), patient=fourth, reason="x")
        assert (await h.ask(ask)).why == "second-person"
        await h.done("agree", {"account": await account(h, STRANGER), "patient": fourth}, "privacy")
        assert isinstance(await h.ask(p.BreakGlass(asking=h.asking(STRANGER), patient=fourth, reason="x")), p.Glass)
        h.clock.advance(HOUR)
        assert (await h.ask(p.Release(asking=h.asking(STRANGER), document=document))).why == "absent"

    house.run(work)


def test_stepping_up_without_a_freeze_changes_nothing(house: House) -> None:
    """And does not lift an officer's freeze."""

    async def work(h: House) -> None:
        assert await h.ask(p.StepUp(asking=h.asking("person-8"))) == p.Done()
        name = await account(h, "person-8")
        await h.done("freeze", {"scope": "account", "name": name, "reason": "stolen"}, "security")
        assert await h.ask(p.StepUp(asking=h.asking("person-8"))) == p.Done()
        document = h.documents(h.demo.own["person-8"])[0]
        assert (await h.ask(p.Release(asking=h.asking("person-8"), document=document))).why == "frozen"
        await h.done("unfreeze", {"scope": "account", "name": name, "reason": "called back"}, "security")
        assert isinstance(await h.ask(p.Release(asking=h.asking("person-8"), document=document)), p.Released)

    house.run(work)


def test_a_grant_names_somebody(house: House) -> None:
    """Nobody is to believe something shared, given or withheld that is not; whatever is there can be ended."""

    async def work(h: House) -> None:
        owner, patient, _ = patient_of_practice(h)
        until, doctor, helper = h.clock.now() + DAY, await account(h, DOCTOR), await account(h, "person-9")
        _, foreign = h.foreign(owner)[0]

        async def why(ask: p.AppRequest) -> str:
            return str(getattr(await h.ask(ask), "why", ""))

        for name, given, shared in (("", 0, 0), (new_id(), 0, 0), (doctor, 0, 1), (helper, 1, 0), ("practice-1", 0, 1)):
            for record, no in ((patient, "malformed"), (foreign, "absent")):
                ask: p.AppRequest = p.Delegate(
                    asking=h.asking(owner), patient=record, account=name, full=True, until=until
                )
                assert await why(ask) == (no if record == foreign or not given else "")
                share = p.Share(asking=h.asking(owner), patient=record, party=name, until=until)
                assert await why(share) == (no if record == foreign or not shared else "")
                hide = p.Withhold(asking=h.asking(owner), patient=record, party=name)
                assert await why(hide) == (no if record == foreign or not (shared or not name) else "")
            assert await why(p.Share(asking=h.asking(owner), patient=patient, party=name, until=0)) == ""
            assert await why(p.Withhold(asking=h.asking(owner), patient=patient, party=name, lift=True)) == ""
            ended = p.Delegate(asking=h.asking(owner), patient=patient, account=name, full=True, until=0)
            assert await why(ended) == ""

    house.run(work)


def test_a_frozen_clinician_breaks_no_glass_and_tells_no_patient(house: House) -> None:
    """Writing is frozen: no opening, no notice."""

    async def work(h: House) -> None:
        _, patient = h.foreign(STRANGER)[0]
        await h.done("freeze", {"scope": "class", "name": "write", "reason": "r"}, "operator")
        assert (await h.ask(p.BreakGlass(asking=h.asking(STRANGER), patient=patient, reason="r"))).why == "frozen"
        assert h.parts.catalog.rows("select * from glass") == []
        assert h.parts.catalog.rows("select * from notice") == []

    house.run(work)


def test_a_young_delegation_is_bounded_like_a_stranger(house: House) -> None:
    """A thief who steals three accounts and appoints themselves reads three people today, no fourth."""

    async def work(h: House) -> None:
        thief = "person-9"
        name = await account(h, thief)
        until = h.clock.now() + 30 * DAY
        victims = [
            (subject, own, h.documents(own)[0])
            for subject, own in sorted(h.demo.own.items())
            if subject != thief and own not in h.demo.readable[thief] and h.documents(own)
        ][:4]
        assert len(victims) == 4
        answers = []
        for subject, own, document in victims:
            ask = p.Delegate(asking=h.asking(subject), patient=own, account=name, full=False, until=until)
            assert isinstance(await h.ask(ask), p.Done)
            answers.append(await h.ask(p.Release(asking=h.asking(thief), document=document)))
        assert [type(one) for one in answers] == [p.Released] * 3 + [p.Refused]
        assert answers[3].why == "spent"

    house.run(work)


def test_of_many_openings_at_once_no_more_are_alone_than_of_one_after_the_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A burst does not get round the second person, though the log takes its time."""

    async def work(h: House) -> None:
        append = h.parts.log.append

        async def slow(*given: Any, **named: Any) -> Any:
            await asyncio.sleep(0.02)
            return await append(*given, **named)

        monkeypatch.setattr(h.parts.log, "append", slow)
        patients = [patient for _, patient in h.foreign(STRANGER)][: 2 * OPENINGS_ACCOUNT]
        asked = [h.ask(p.BreakGlass(asking=h.asking(STRANGER), patient=one, reason="x")) for one in patients]
        answers = await asyncio.gather(*asked)
        assert len(answers) == 2 * OPENINGS_ACCOUNT
        assert [isinstance(one, p.Glass) for one in answers].count(True) == OPENINGS_ACCOUNT
        assert {one.why for one in answers if isinstance(one, p.Refused)} == {"second-person"}

    house.run(work)


def test_a_user_ends_their_own_session_for_good(house: House) -> None:
    """The token that is still good is believed no longer, after a restart neither; their other sessions go on."""

    async def first(h: House) -> None:
        token, other, second = h.asking("person-8"), h.asking("person-8", sid="other"), h.asking("person-9")
        assert (await h.ask(p.Logout(asking=token))).receipt == h.parts.log.size - 1
        for ask in (p.WhoAmI(asking=token), p.Logout(asking=token), p.WhoAmI(asking=h.asking("person-8"))):
            assert (await h.ask(ask)).why == "login"
        for asking in (other, second):
            assert isinstance(await h.ask(p.WhoAmI(asking=asking)), p.Known)
        [body] = h.parts.catalog.rows("select body from log_entry where op = 'logged-out'")[0]
        assert b'"session":' in body

    async def then(h: House) -> None:
        assert (await h.ask(p.WhoAmI(asking=h.asking("person-8")))).why == "login"
        assert isinstance(await h.ask(p.WhoAmI(asking=h.asking("person-8", sid="other"))), p.Known)

    house.run(first)
    house.run(then)


def test_logging_out_needs_no_second_factor_and_no_leave(house: House) -> None:
    """Who is frozen may go, too; who is nobody here ends nothing."""

    async def work(h: House) -> None:
        await h.done("freeze", {"scope": "class", "name": "write", "reason": "r"}, "operator")
        assert isinstance(await h.ask(p.Logout(asking=h.asking("person-8", mfa=False))), p.Done)
        assert isinstance(await h.ask(p.Logout(asking=h.asking("unknown-login"))), p.Done)
        assert (await h.ask(p.Logout(asking=p.Asking(token="x", context="y")))).why == "unavailable"
        context = h.asking("person-8").context
        assert (await h.ask(p.Logout(asking=p.Asking(token="x", context=context)))).why == "login"

    house.run(work)


def test_a_logout_that_could_not_be_written_is_none(house: House) -> None:
    """The user is told to try again, and can."""

    async def work(h: House) -> None:
        assert h.keeper is not None
        holder = sqlite3.connect(h.layout.database, isolation_level=None)
        holder.execute("begin immediate")
        assert (await h.ask(p.Logout(asking=h.asking("person-8")))).why == "unavailable"
        holder.execute("rollback")
        holder.close()
        await h.keeper._second(minute=False)
        assert isinstance(await h.ask(p.Logout(asking=h.asking("person-8"))), p.Done)

    house.run(work)
