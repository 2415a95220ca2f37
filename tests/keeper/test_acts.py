"""The table of who may do which act, and that it is obeyed."""

import msgspec
import pytest

from strongroom.errors import Malformed
from strongroom.identity import keyfile
from strongroom.identity.officers import Role
from strongroom.keeper import acts, officers
from strongroom.keeper.acts import RULES, Act, ActDone, ActRefused, Health, OfficersRequest
from strongroom.keeper.frame import Frames, frame
from strongroom.wiring.place import OfficerEntry
from tests.keeper.conftest import House

WIDENING = {"agree", "grant", "relation-add", "relation-end", "rerun"}
NAMES = {Role.PRIVACY: "privacy", Role.SECURITY: "security", Role.OPERATOR: "operator"}


def test_widening_access_is_the_privacy_officers_alone() -> None:
    """An operator can stop everything and start nothing; a rerun of the past takes two."""
    for op in WIDENING:
        assert RULES[op].roles == {Role.PRIVACY}
    for op in ("unfreeze", "who-read", "relation-ls", "register-feed"):
        assert Role.OPERATOR not in RULES[op].roles
    for op in ("freeze", "revoke-session"):
        assert RULES[op].roles == set(Role)
    assert {op for op, rule in RULES.items() if rule.signatures > 1} == {"rerun"}


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


def test_two_different_officers_agree_to_a_rerun(house: House) -> None:
    """The same one twice is one; two are two, and the past can be read again for a day."""
    key = keyfile.create(house.layout.root / "officers" / "second.key")
    path = house.layout.trust / "officers.json"
    entries = msgspec.json.decode(path.read_bytes(), type=list[OfficerEntry])
    entries.append(OfficerEntry(name="second", key=key.public_bytes.hex(), roles=(Role.PRIVACY.value,)))
    path.write_bytes(msgspec.json.encode(entries))

    async def work(h: House) -> None:
        args: dict[str, object] = {"account": "a", "patient": "p"}
        for names in (("privacy",), ("privacy", "privacy"), ("privacy", "security")):
            assert isinstance(await h.act("rerun", args, *names), ActRefused)
        result = await h.done("rerun", args, "privacy", "second")
        assert result["until"] > h.clock.now()
        assert h.parts.catalog.rows("select account, subject from agreement") == [("a", "p")]

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
