"""The table of who may do which act, and that it is obeyed."""

import pytest

from strongroom.clock import DAY
from strongroom.errors import Malformed
from strongroom.identity.officers import Role
from strongroom.keeper import acts, officers
from strongroom.keeper import protocol as p
from strongroom.keeper.acts import RULES, Act, ActDone, ActRefused, Health, OfficersRequest
from strongroom.keeper.frame import Frames, frame
from tests.keeper.conftest import House, second_officer

WIDENING = {"agree", "grant", "grant-past", "relation-add", "relation-end", "rerun"}
NAMES = {Role.PRIVACY: "privacy", Role.SECURITY: "security", Role.OPERATOR: "operator"}


def test_widening_access_is_the_privacy_officers_alone() -> None:
    """An operator can stop everything and start nothing; the past, and destroying, take two."""
    for op in WIDENING:
        assert RULES[op].roles == {Role.PRIVACY}
    for op in ("unfreeze", "who-read", "relation-ls", "register-feed"):
        assert Role.OPERATOR not in RULES[op].roles
    for op in ("freeze", "revoke-session"):
        assert RULES[op].roles == set(Role) - {Role.WATCH}
    assert [op for op, rule in RULES.items() if Role.WATCH in rule.roles] == ["watch-freeze"]
    assert {op for op, rule in RULES.items() if rule.signatures > 1} == {
        "destroy",
        "grant-past",
        "officer-add",
        "reencrypt",
        "rerun",
        "rotate-log",
        "rotate-root",
    }


def test_nobody_does_an_act_that_is_not_theirs(house: House) -> None:
    """For every act and every role the table leaves out: refused, and on record."""

    async def work(h: House) -> None:
        wrong = [(op, name) for op, rule in RULES.items() for role, name in NAMES.items() if role not in rule.roles]
        for op, name in wrong:
            refused = await h.act(op, {}, name)
            assert isinstance(refused, ActRefused)
            assert "needs" in refused.why
        entries = h.parts.catalog.rows("select count(*) from log_entry where op = 'officer'")[0][0]
        assert entries >= len(wrong) > 10

    house.run(work)


PROGRAM: dict[str, object] = {
    "subject": "new-sync", "name": "New sync", "organisation": "practice-1", "purpose": "TREAT", "size": 10,
}  # fmt: skip


def test_two_different_officers_agree_to_a_rerun(house: House) -> None:
    """The same one twice is one; two are two, and the past can be read again for a day."""
    second_officer(house)

    async def work(h: House) -> None:
        account = (await h.done("grant", {**PROGRAM, "issuer": h.config.issuer_url}, "privacy"))["account"]
        patient = h.demo.own["person-8"]
        args: dict[str, object] = {"account": account, "patient": patient}
        for names in (("privacy",), ("privacy", "privacy"), ("privacy", "security")):
            assert isinstance(await h.act("rerun", args, *names), ActRefused)
        result = await h.done("rerun", args, "privacy", "second")
        assert result["until"] > h.clock.now()
        assert h.parts.catalog.rows("select account, subject from agreement") == [(account, patient)]

    house.run(work)


def test_the_signature_that_agrees_to_break_glass_agrees_to_no_rerun(house: House) -> None:
    """One officer's act upon a program is refused, as two officers' upon a clinician, or upon nobody."""
    second_officer(house)

    async def work(h: House) -> None:
        program = (await h.done("grant", {**PROGRAM, "issuer": h.config.issuer_url}, "privacy"))["account"]
        doctor = (await h.ask(p.WhoAmI(asking=h.asking("staff-1")))).account
        patient = h.demo.own["person-8"]
        for op, account, whose in (("agree", program, patient), ("agree", "a" * 26, patient), ("rerun", doctor, patient),
                                   ("rerun", program, "b" * 26), ("rerun", program, "nobody")):  # fmt: skip
            assert isinstance(await h.act(op, {"account": account, "patient": whose}, "privacy", "second"), ActRefused)
        assert h.parts.catalog.rows("select * from agreement") == []

    house.run(work)


def test_a_grant_of_the_past_takes_two(house: House) -> None:
    """Of a new program as of one that has read it already; the last day is not the past."""
    second_officer(house)

    async def work(h: House) -> None:
        program = {**PROGRAM, "issuer": h.config.issuer_url}
        for cursor in (0, h.clock.now() - DAY - 1):
            assert isinstance(await h.act("grant", {**program, "cursor": cursor}, "privacy", "second"), ActRefused)
            assert isinstance(await h.act("grant-past", {**program, "cursor": cursor}, "privacy"), ActRefused)
        assert h.parts.catalog.rows("select 1 from account a join service_grant g on g.account = a.id where cursor < ?",
                                    (h.clock.now() - DAY,)) == []  # fmt: skip
        await h.done("grant", {**program, "cursor": h.clock.now() - DAY + 60_000}, "privacy")
        account = (await h.done("grant-past", {**program, "cursor": 5}, "privacy", "second"))["account"]
        assert h.parts.catalog.rows("select cursor from service_grant where account = ?", (account,)) == [(5,)]

    house.run(work)


def test_an_answer_that_does_not_fit_one_reply_says_what_to_do(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """By bytes and by rows; the officer asks in pieces."""

    async def work(h: House) -> None:
        patient = h.demo.own["person-8"]
        whole = await h.done("who-read", {"organisation": "practice-1"}, "privacy")
        assert "rows" in whole
        monkeypatch.setattr(officers, "MAX_ANSWER", 1_100)
        refused = await h.act("relation-ls", {"patient": patient}, "privacy")
        assert isinstance(refused, ActRefused)
        assert "pieces" in refused.advice

    house.run(work)


def test_only_acts_and_questions_of_health_arrive() -> None:
    """Anything else on the officers' socket does not parse."""
    frames: Frames[OfficersRequest] = Frames(OfficersRequest, acts.MAX_ACT)  # type: ignore[arg-type]  # a union
    act = Act(body=b"{}", signatures=(), attachment=b"x")
    assert list(frames.feed(frame(1, act) + frame(2, Health()))) == [(1, act), (2, Health())]
    with pytest.raises(Malformed):
        list(frames.feed(frame(3, ActDone(receipt=1))))
