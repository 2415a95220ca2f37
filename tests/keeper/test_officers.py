"""Officers' acts: who may, how many must, and that every one is on record."""

import hashlib
from typing import Any

import pytest

from strongroom.audit import event
from strongroom.audit.pseudonym import erase_patient
from strongroom.clock import DAY, Millis
from strongroom.fhir.people import signing_bytes
from strongroom.identity import keyfile
from strongroom.identity.officers import compose_act, sign_act
from strongroom.identity.token import session_id
from strongroom.ids import AccountId, new_id
from strongroom.keeper import disclosures
from strongroom.keeper import protocol as p
from strongroom.keeper.acts import RULES, Act, ActDone, ActRefused, Health, Signature
from strongroom.rehearse.feed import feed
from strongroom.rehearse.population import make_population
from tests.keeper.conftest import House

OWNER, DOCTOR = "person-8", "staff-1"


def test_every_act_has_a_rule_and_a_function(house: House) -> None:
    """And none is open to nobody."""

    async def work(h: House) -> None:
        assert h.keeper is not None
        assert set(h.keeper.acts._acts) == set(RULES)
        assert all(rule.roles and rule.signatures >= 1 for rule in RULES.values())

    house.run(work)


def test_what_is_not_signed_by_the_right_officers_is_refused_and_recorded(house: House) -> None:
    """No such act, wrong role, one signature for two, garbage, a replay, another attachment."""

    async def work(h: House) -> None:
        assert h.keeper is not None
        before = h.parts.log.size
        for op, officers in (("no-such-act", ("privacy",)), ("who-read", ("operator",)), ("grant", ("security",))):
            assert isinstance(await h.act(op, {}, *officers), ActRefused)
        garbage = Act(body=b"{}", signatures=(Signature(officer="privacy", value=b"x"),))
        assert isinstance(await h.keeper.acts.handle(garbage, 0), ActRefused)
        assert h.parts.log.size >= before + 3
        body = compose_act("unit", "frozen", {}, h.clock.now())
        key = keyfile.read(h.layout.root / "officers" / "privacy.key")
        act = Act(body=body, signatures=(Signature(officer="privacy", value=sign_act(key, body)),))
        assert isinstance(await h.keeper.acts.handle(act, 0), ActDone)
        assert isinstance(await h.keeper.acts.handle(act, 0), ActRefused)
        odd = Act(body=compose_act("unit", "frozen", {}, h.clock.now()), signatures=act.signatures, attachment=b"x")
        assert isinstance(await h.keeper.acts.handle(odd, 0), ActRefused)
        body = compose_act("unit", "people-status", {}, h.clock.now())
        slipped = Act(body=body, signatures=(Signature(officer="privacy", value=sign_act(key, body)),), attachment=b"x")
        refused = await h.keeper.acts.handle(slipped, 0)
        assert isinstance(refused, ActRefused)
        assert "attachment" in refused.why
        health = await h.keeper.acts.handle(Health(), 0)
        assert isinstance(health, ActDone)

    house.run(work)


def test_freezes_are_listed_lifted_and_survive_a_restart(house: House) -> None:
    """With who, why and since when."""

    async def first(h: House) -> None:
        await h.done("freeze", {"scope": "class", "name": "export", "reason": "review"}, "operator")
        await h.done("freeze", {"scope": "module", "name": "", "reason": "night"}, "operator")
        for wrong in (
            {"scope": "class", "name": "x"},
            {"scope": "house", "name": "x"},
            {"scope": "session", "name": ""},
        ):
            assert isinstance(await h.act("freeze", {**wrong, "reason": "r"}, "operator"), ActRefused)

    async def second(h: House) -> None:
        frozen = (await h.done("frozen", {}, "privacy"))["frozen"]
        assert [(one["scope"], one["name"], one["why"], one["by"]) for one in frozen] == [
            ("class", "export", "review", "operator"), ("module", "strangers", "night", "operator")]  # fmt: skip
        assert isinstance(
            await h.act("unfreeze", {"scope": "module", "name": "", "reason": "r"}, "operator"), ActRefused
        )
        await h.done("unfreeze", {"scope": "module", "name": "", "reason": "r"}, "security")
        nothing = await h.act("unfreeze", {"scope": "module", "name": "", "reason": "r"}, "security")
        assert isinstance(nothing, ActRefused)
        assert "Nothing is frozen" in nothing.why

    house.run(first)
    house.run(second)


def test_a_revoked_session_is_over_now_and_after_a_restart(house: House) -> None:
    """Tokens of it that are still good are not believed."""

    async def first(h: House) -> None:
        document = h.documents(h.demo.own[OWNER])[0]
        assert isinstance(await h.ask(p.Release(asking=h.asking(OWNER), document=document)), p.Released)
        session = session_id(h.config.issuer_url, "sid", f"one-{OWNER}")
        await h.done("revoke-session", {"session": session}, "security")
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=document))).why == "login"

    async def second(h: House) -> None:
        document = h.documents(h.demo.own[OWNER])[0]
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=document))).why == "login"
        assert isinstance(await h.ask(p.Release(asking=h.asking(OWNER, sid="two"), document=document)), p.Released)

    house.run(first)
    house.run(second)


def test_who_read_is_exact_and_the_same_for_the_same_log(house: House) -> None:
    """Every listing and release of a session, with names; nothing else; as of any size of the log."""

    async def work(h: House) -> None:
        patient = next(one for one in sorted(h.demo.readable[DOCTOR]) if len(h.documents(one)) > 1)
        one, two, *_ = h.documents(patient)
        await h.ask(p.Release(asking=h.asking(DOCTOR), document=one))
        size = h.parts.log.size
        released = await h.ask(p.Release(asking=h.asking(DOCTOR), document=two))
        await h.ask(p.Deliveries(words=(p.Delivered(receipt=released.receipt, bytes=2, complete=True),)))
        selectors: dict[str, object] = {"session": session_id(h.config.issuer_url, "sid", f"one-{DOCTOR}")}
        found = await h.done("who-read", selectors, "privacy")
        assert [row["documents"] for row in found["rows"]] == [[f"{one}.1"], [f"{two}.1"]]
        assert (found["people"], found["rows"][1]["delivered"], found["gaps"]) == (1, 2, [])
        assert found["rows"][0]["name"].startswith("Dr ")
        then = await h.done("who-read", {**selectors, "size": size}, "privacy")
        assert then["rows"] == found["rows"][:1]
        of_patient = await h.done("who-read", {"patient": patient, "document": two, "since": 0}, "security")
        assert [row["documents"] for row in of_patient["rows"]] == [[f"{two}.1"]]
        assert isinstance(await h.act("who-read", {}, "privacy"), ActRefused)
        assert isinstance(await h.act("who-read", {"patient": 7}, "privacy"), ActRefused)
        assert isinstance(await h.act("who-read", {"patient": patient, "since": -1}, "privacy"), ActRefused)

    house.run(work)


def signature(h: House, raw: bytes, practice: str = "practice-1") -> str:
    """The practice's signature over its feed."""
    key = keyfile.read(h.layout.root / "officers" / f"feed-{practice}.pem")
    return key.sign(signing_bytes(hashlib.sha256(raw).digest())).hex()


def test_a_feed_is_taken_in_when_it_is_signed_and_new(house: House) -> None:
    """An old one, an unsigned one, one of an unknown organisation: nothing of it."""

    async def work(h: House) -> None:
        town = make_population(h.clock.now(), patients=16)
        raw = feed(town, "practice-1", h.config.issuer_url, 1, h.clock.now())
        args: dict[str, object] = {"signature": signature(h, raw)}
        assert isinstance(await h.act("people-import", args, "privacy", attachment=raw), ActRefused)
        raw = feed(town, "practice-1", h.config.issuer_url, 2, h.clock.now())
        wrong: dict[str, object] = {"signature": "00" * 64}
        assert isinstance(await h.act("people-import", wrong, "privacy", attachment=raw), ActRefused)
        assert isinstance(await h.act("people-import", {"signature": "xyz"}, "privacy", attachment=raw), ActRefused)
        result = await h.done("people-import", {"signature": signature(h, raw)}, "operator", attachment=raw)
        assert (result["sequence"], result["problem_count"]) == (2, 0)
        status = (await h.done("people-status", {}, "security"))["organisations"]
        assert [(one["organisation"], one["sequence"]) for one in status] == [("practice-1", 2), ("practice-2", 1)]
        assert all(one["age_hours"] is not None for one in status)
        strange = raw.replace(b'"practice-1"', b'"practice-9"')
        assert isinstance(await h.act("people-import", args, "privacy", attachment=strange), ActRefused)
        assert isinstance(await h.act("people-import", args, "privacy", attachment=b"garbage"), ActRefused)

    house.run(work)


def test_a_feed_reaches_its_own_patients_only(house: House) -> None:
    """Another practice's patient is a problem, not an enrolment; who left is unenrolled; other organisations are not named."""

    async def work(h: House) -> None:
        town = make_population(h.clock.now(), patients=16)
        theirs = feed(town, "practice-2", h.config.issuer_url, 1, h.clock.now()).splitlines()
        lines = feed(town, "practice-1", h.config.issuer_url, 5, h.clock.now()).splitlines()
        stolen = next(line for line in theirs if b'"Patient"' in line)
        gone = next(line for line in lines if b'"Patient"' in line and b"person-8" not in line)
        left = gone[:-1] + b', "active": false}'
        fired = next(line for line in lines if b'"Practitioner"' in line)[:-1] + b', "active": false}'
        ended = next(line for line in lines if b'"RelatedPerson"' in line)[:-1] + b', "active": false}'
        orphan = ended.replace(b'"Patient/', b'"Patient/none-')
        other = b'{"resourceType": "Organization", "id": "practice-9", "name": "Other"}'
        body = [line for line in lines if line != gone and b'"RelatedPerson"' not in line]
        body += [stolen, left, fired, ended, orphan, other, b"not json"]
        raw = b"\n".join(body)
        result = await h.done("people-import", {"signature": signature(h, raw)}, "privacy", attachment=raw)
        sentences = " ".join(problem["sentence"] for problem in result["problems"])
        assert result["problem_count"] == 4
        for words in ("another organisation", "other than the feed's own", "not in this feed", "Not a resource"):
            assert words in sentences

    house.run(work)


def test_officers_add_end_and_list_relations(house: House) -> None:
    """Of every kind; unknown kinds and patients are refused."""

    async def work(h: House) -> None:
        (document, patient), *_ = h.foreign("staff-2")
        account = (await h.ask(p.WhoAmI(asking=h.asking("person-9")))).account
        for kind, other in (
            ("enrolment", "practice-2"),
            ("share", (await h.ask(p.WhoAmI(asking=h.asking("staff-2")))).account),
            ("delegate", account),
            ("parent", account),
        ):
            args: dict[str, object] = {"kind": kind, "patient": patient, "other": other}
            await h.done("relation-add", args, "privacy")
            listed = (await h.done("relation-ls", {"patient": patient}, "security"))["relations"]
            assert any(one["other"] == other for one in listed)
            await h.done("relation-end", args, "privacy")
        assert (await h.ask(p.Release(asking=h.asking("staff-2"), document=document))).why == "absent"
        for wrong in ({"kind": "friend", "patient": patient}, {"kind": "share", "patient": new_id()}):
            assert isinstance(await h.act("relation-add", {**wrong, "other": account}, "privacy"), ActRefused)

    house.run(work)


def test_a_dropped_key_signs_nobody_in_now_and_after_a_restart(house: House) -> None:
    """Whose tokens were believed a moment ago; keys and issuers that there are none of are told."""
    key = house.signing.kid

    async def first(h: House) -> None:
        assert isinstance(await h.ask(p.WhoAmI(asking=h.asking(OWNER))), p.Known)
        for issuer, kid in ((h.config.issuer_url, "other"), ("https://nowhere", key)):
            refused = await h.act("drop-key", {"issuer": issuer, "kid": kid, "reason": "stolen"}, "security")
            assert isinstance(refused, ActRefused)
            assert "No pinned issuer" in refused.why
        args: dict[str, object] = {"issuer": h.config.issuer_url, "kid": key, "reason": "stolen"}
        assert isinstance(await h.act("drop-key", args, "operator"), ActRefused)
        assert isinstance(await h.ask(p.WhoAmI(asking=h.asking(OWNER))), p.Known)
        thumbprint = (await h.done("drop-key", args, "security"))["thumbprint"]
        assert (await h.ask(p.WhoAmI(asking=h.asking(OWNER)))).why == "login"
        assert (await h.done("drop-key", args, "security"))["thumbprint"] == thumbprint
        [body] = h.parts.catalog.rows("select body from log_entry where op = 'key' order by idx desc limit 1")[0]
        assert f'"target":"key:{thumbprint}"'.encode() in body

    async def then(h: House) -> None:
        assert (await h.ask(p.WhoAmI(asking=h.asking(OWNER)))).why == "login"

    house.run(first)
    house.run(then)


def test_officers_relate_nobody_who_is_not_there(house: House) -> None:
    """A slip of the pen would look like a relation."""

    async def work(h: House) -> None:
        patient = h.demo.own[OWNER]
        person, doctor = [(await h.ask(p.WhoAmI(asking=h.asking(one)))).account for one in (OWNER, DOCTOR)]
        for kind, other in (("enrolment", "practice-9"), ("enrolment", doctor), ("share", person), ("share", "x"),
                            ("delegate", doctor), ("parent", "practice-1"), ("login", doctor)):  # fmt: skip
            refused = await h.act("relation-add", {"kind": kind, "patient": patient, "other": other}, "privacy")
            assert isinstance(refused, ActRefused)
            assert "nobody of this name" in refused.why

    house.run(work)


def test_officers_say_whose_login_it_is(house: House) -> None:
    """Taken away it reaches nothing more, and is nobody's until it is given again; somebody's is not given to another."""

    async def work(h: House) -> None:
        patient, other = h.demo.own[OWNER], h.demo.own["person-9"]
        account = (await h.ask(p.WhoAmI(asking=h.asking(OWNER)))).account
        args: dict[str, object] = {"kind": "login", "patient": patient, "other": account}
        mine = p.Release(asking=h.asking(OWNER), document=h.documents(patient)[0])
        listed = (await h.done("relation-ls", {"patient": patient}, "security"))["relations"]
        assert {"kind": "login", "other": account, "since": None, "until": None} in listed
        assert isinstance(await h.act("relation-add", {**args, "patient": other}, "privacy"), ActRefused)
        assert isinstance(await h.act("relation-end", {**args, "patient": other}, "privacy"), ActRefused)
        await h.done("relation-end", args, "privacy")
        assert (await h.ask(mine)).why == "absent"
        assert h.parts.catalog.brought_by(account) is None
        await h.done("relation-add", args, "privacy")
        assert isinstance(await h.ask(p.Release(asking=h.asking(OWNER), document=h.documents(patient)[0])), p.Released)

    house.run(work)


def test_programs_are_granted_and_reruns_take_two(house: House) -> None:
    """A grant makes the login; two privacy officers would agree to a rerun, one alone may not."""

    async def work(h: House) -> None:
        args: dict[str, object] = {
            "issuer": h.config.issuer_url, "subject": "new-sync", "name": "New sync", "organisation": "practice-1",
            "purpose": "TREAT", "cursor": h.clock.now() - DAY // 2, "size": 10, "until": h.clock.now() + DAY,
        }  # fmt: skip
        account = (await h.done("grant", args, "privacy"))["account"]
        assert (await h.done("grant", args, "privacy"))["account"] == account
        patient = next(one for one in sorted(h.demo.readable[DOCTOR]) if h.documents(one))
        ask = p.Release(asking=h.program("new-sync"), document=h.documents(patient)[0])
        assert isinstance(await h.ask(ask), p.Released)
        rerun: dict[str, object] = {"account": account, "patient": patient}
        assert isinstance(await h.act("rerun", rerun, "privacy", "operator"), ActRefused)
        h.clock.advance(2 * DAY)
        assert (await h.ask(p.Release(asking=h.program("new-sync"), document=h.documents(patient)[0]))).why == "absent"

    house.run(work)


@pytest.mark.parametrize("count", [0, 10_001])
def test_decoys_are_made_in_sensible_numbers(house: House, count: int) -> None:
    """And are in nobody's list."""

    async def work(h: House) -> None:
        assert isinstance(await h.act("decoys", {"count": count}, "security"), ActRefused)
        made = (await h.done("decoys", {"count": 3}, "security"))["decoys"]
        assert len(set(made)) == 3

    house.run(work)


def test_the_clock_moves_only_in_rehearsals(house: House) -> None:
    """Elsewhere the act is refused."""

    async def work(h: House) -> None:
        before = h.clock.now()
        await h.done("clock-advance", {"by": DAY}, "operator")
        assert h.clock.now() >= Millis(before + DAY)
        assert h.keeper is not None
        acts: Any = h.keeper.acts
        acts._advance = None
        assert isinstance(await h.act("clock-advance", {"by": DAY}, "operator"), ActRefused)

    house.run(work)


def test_an_act_that_fails_unforeseen_is_answered_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An officer is not left waiting, and is told nothing that was in the error."""

    async def work(h: House) -> None:
        assert h.keeper is not None

        async def boom(*_: object) -> None:
            raise RuntimeError("a patient's name")

        monkeypatch.setitem(h.keeper.acts._acts, "frozen", boom)
        refused = await h.act("frozen", {}, "privacy")
        assert isinstance(refused, ActRefused)
        assert "name" not in refused.why + refused.advice

    with caplog.at_level("ERROR", "strongroom.keeper"):
        house.run(work)
    assert "an officer's act failed" in caplog.text


def test_a_list_about_nobody_is_refused(house: House) -> None:
    """An empty answer would look like one."""

    async def work(h: House) -> None:
        for args in ({"patient": new_id()}, {"document": new_id()}, {"patient": "nobody", "document": new_id()}):
            refused = await h.act("who-read", dict(args), "privacy")
            assert isinstance(refused, ActRefused)
            assert "There is no such" in refused.why

    house.run(work)


def test_a_long_list_is_the_sum_of_its_pieces(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the log as it was at the first one, whatever was read meanwhile; each row once, gaps at the end."""

    async def work(h: House) -> None:
        patient = h.demo.own[OWNER]
        document = h.documents(patient)[0]
        for _ in range(3):
            await h.ask(p.Release(asking=h.asking(OWNER), document=document))
        args: dict[str, object] = {"patient": patient}
        whole = await h.done("who-read", args, "privacy")
        assert whole["next"] is None
        monkeypatch.setattr(disclosures, "PIECE", 1)  # less than a row: one comes all the same
        rows: list[object] = []
        found: dict[str, Any] = {"next": 0}
        while found["next"] is not None:
            found = await h.done("who-read", {**args, "size": whole["log_size"], "first": found["next"]}, "privacy")
            rows += found["rows"]
            await h.ask(p.Release(asking=h.asking(OWNER), document=document))
        assert rows == whole["rows"]
        assert len(rows) >= 3

    house.run(work)


def test_what_was_erased_is_told_as_a_gap(house: House) -> None:
    """The row stays without its name on the session's list; the patient's own list says that something is missing."""

    async def work(h: House) -> None:
        patient = h.demo.own[OWNER]
        await h.ask(p.Release(asking=h.asking(OWNER), document=h.documents(patient)[0]))
        await h.parts.log.append(event.officer(h.clock.now(), AccountId("officer:x"), "erase"), erase_patient(patient))
        whole = await h.done("who-read", {"session": session_id(h.config.issuer_url, "sid", f"one-{OWNER}")}, "privacy")
        assert len(whole["rows"]) == 1
        assert whole["rows"][0]["patient"] != patient
        own = await h.done("who-read", {"patient": patient}, "privacy")
        assert own["rows"] == []
        assert own["gaps"]

    house.run(work)


def test_a_programs_size_is_its_limit_and_its_refusals_are_collapsed(house: House) -> None:
    """What its grant declares, no document more; the twentieth refusal of an hour is the last that is an entry."""

    async def work(h: House) -> None:
        args: dict[str, object] = {
            "issuer": h.config.issuer_url, "subject": "small-sync", "name": "Small", "organisation": "practice-1",
            "purpose": "TREAT", "cursor": h.clock.now() - DAY // 2, "size": 2,
        }  # fmt: skip
        await h.done("grant", args, "privacy")
        patient = next(one for one in sorted(h.demo.readable[DOCTOR]) if len(h.documents(one)) > 3)
        documents = h.documents(patient)[:4]
        answers = [await h.ask(p.Release(asking=h.program("small-sync"), document=one)) for one in documents]
        assert [type(one) for one in answers] == [p.Released, p.Released, p.Refused, p.Refused]
        assert answers[3].why == "spent"
        for _ in range(25):
            assert (await h.ask(p.Release(asking=h.program("small-sync"), document=documents[3]))).why == "spent"
        assert h.parts.catalog.rows("select count(*) from log_entry where op = 'refused'") == [(20,)]
        assert h.parts.freezes.all(h.clock.now()) == ()

    house.run(work)
