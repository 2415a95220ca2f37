"""Taking in feeds: what an organisation may say of whom, and what becomes of the rest."""

import asyncio
import hashlib
import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from strongroom.clock import DAY
from strongroom.fhir.people import ACCOUNT, signing_bytes
from strongroom.identity import keyfile
from strongroom.ids import OrganisationId
from strongroom.keeper import people
from strongroom.keeper import protocol as p
from strongroom.keeper.acts import ActDone, ActRefused
from strongroom.keeper.people import Intake, Taken, is_signed
from tests.keeper.conftest import House

if TYPE_CHECKING:
    from strongroom.identity.signing import SigningKey

ORG = "clinic-x"


class Clinic:
    """An organisation of a test's own, with its feed key."""

    def __init__(self, house: House, name: str = ORG) -> None:
        self.house, self.name, self.sequence = house, name, 0
        self.key: SigningKey = keyfile.create(house.layout.root / "officers" / f"feed-{name}.pem")

    async def register(self) -> "Clinic":
        """Make its key known."""
        args: dict[str, object] = {"organisation": self.name, "name": "Clinic", "key": self.key.public_bytes.hex()}
        await self.house.done("register-feed", args, "privacy")
        return self

    def raw(self, *rows: dict[str, Any]) -> bytes:
        """A feed of these resources."""
        self.sequence += 1
        header = {"resourceType": "Parameters", "parameter": [
            {"name": "organisation", "valueId": self.name}, {"name": "sequence", "valueInteger": self.sequence},
            {"name": "created", "valueInstant": "2026-01-01T00:00:00Z"},
        ]}  # fmt: skip
        return b"".join(json.dumps(row).encode() + b"\n" for row in (header, *rows))

    async def send(self, *rows: dict[str, Any]) -> ActDone | ActRefused:
        """Sign a feed and have it taken in."""
        raw = self.raw(*rows)
        args: dict[str, object] = {"signature": self.key.sign(signing_bytes(hashlib.sha256(raw).digest())).hex()}
        return await self.house.act("people-import", args, "operator", attachment=raw)

    async def problems(self, *rows: dict[str, Any]) -> list[str]:
        """What was wrong with a feed that was taken in."""
        reply = await self.send(*rows)
        assert isinstance(reply, ActDone), reply
        result = json.loads(reply.result)
        assert result["problem_count"] == len(result["problems"])
        return [one["sentence"] for one in result["problems"]]

    def login(self, subject: str) -> dict[str, str]:
        """A login as an identifier."""
        return {"system": ACCOUNT, "value": f"{self.house.config.issuer_url}|{subject}"}

    def patient(  # one parameter a field
        self, key: str, nhi: str, subject: str = "", *, active: bool = True, more: str = "", name: str = "Aroha"
    ) -> dict[str, Any]:
        """A patient with one identifier or two, and a login if they have one."""
        found = [{"system": "nhi", "value": one} for one in (nhi, more) if one]
        linked = [self.login(subject)] if subject else []
        return {"resourceType": "Patient", "id": key, "name": [{"text": name}], "birthDate": "1990-01-01",
                "identifier": [*found, *linked], "active": active}  # fmt: skip

    def doctor(self, subject: str, *, active: bool = True, name: str = "Dr Y") -> dict[str, Any]:
        """Somebody who works there."""
        return {"resourceType": "Practitioner", "id": subject, "name": [{"text": name}],
                "identifier": [self.login(subject)], "active": active}  # fmt: skip

    def relative(self, patient: str, subject: str, code: str = "CAREGIVER", *, active: bool = True) -> dict[str, Any]:
        """Somebody who may act for a patient."""
        return {"resourceType": "RelatedPerson", "id": f"r-{subject}", "name": [{"text": "Carer"}], "active": active,
                "patient": {"reference": f"Patient/{patient}"}, "relationship": [{"coding": [{"code": code}]}],
                "period": {"start": "2026-01-01"}, "identifier": [self.login(subject)]}  # fmt: skip


async def known(h: House, subject: str) -> p.Known:
    """What a login may name."""
    answer = await h.ask(p.WhoAmI(asking=h.asking(subject)))
    assert isinstance(answer, p.Known)
    return answer


def test_a_feed_makes_patients_staff_and_carers_and_ends_them(house: House) -> None:
    """What one feed says, the next may end; the patient stays, with their own login."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        assert await clinic.problems(
            clinic.patient("1", "N1", "x-one"), clinic.patient("2", "N2"), clinic.doctor("x-doc"),
            clinic.relative("2", "x-carer"),
        ) == []  # fmt: skip
        [own] = (await known(h, "x-one")).own
        [cared] = (await known(h, "x-carer")).delegated
        assert own != cared
        assert (await known(h, "x-doc")).kind == "clinician"
        listing = p.List(asking=h.asking("x-doc"), patient=cared)
        assert (await h.ask(listing)).receipt is not None
        assert await clinic.problems(
            clinic.patient("1", "N1", "x-one", active=False), clinic.patient("2", "N2"),
            clinic.doctor("x-doc", active=False), clinic.relative("2", "x-carer", active=False),
        ) == []  # fmt: skip
        assert (await known(h, "x-one")).own == (own,)
        assert (await known(h, "x-carer")).delegated == ()
        assert (await h.ask(p.List(asking=h.asking("x-doc"), patient=cared))).receipt is None

    house.run(work)


def test_two_records_of_one_feed_name_one_login(house: House) -> None:
    """A carer of two, who is a patient too, is one account."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        assert await clinic.problems(
            clinic.patient("1", "N1", "x-one"), clinic.patient("2", "N2"), clinic.patient("3", "N3"),
            clinic.relative("2", "x-one"), clinic.relative("3", "x-one"),
        ) == []  # fmt: skip
        found = await known(h, "x-one")
        assert (len(found.own), len(found.delegated)) == (1, 2)

    house.run(work)


def test_an_identifier_or_id_that_comes_twice_makes_one_patient(house: House) -> None:
    """The first is taken, the second is a problem: two records of one person would never be found again."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        before = len(h.parts.catalog.rows("select 1 from patient"))
        sentences = await clinic.problems(
            clinic.patient("1", "N1"), clinic.patient("2", "N1"), clinic.patient("1", "N2")
        )
        assert len(sentences) == 2
        assert all("same id or identifier" in one for one in sentences)
        assert len(h.parts.catalog.rows("select 1 from patient")) == before + 1

    house.run(work)


def test_identifiers_of_two_people_are_not_made_one(house: House) -> None:
    """A record with one person's number and another's is refused."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        await clinic.problems(clinic.patient("1", "N1"), clinic.patient("2", "N2"))
        [sentence] = await clinic.problems(clinic.patient("1", "N1", more="N2"))
        assert "two people's" in sentence

    house.run(work)


def test_a_patient_of_another_organisation_is_out_of_reach(house: House) -> None:
    """With their staff, their relatives and by their number; nothing of it changes."""

    async def work(h: House) -> None:
        mine, other = await Clinic(h).register(), await Clinic(h, "clinic-y").register()
        await mine.problems(mine.patient("1", "N1", "x-one"))
        [own] = (await known(h, "x-one")).own
        sentences = await other.problems(
            other.patient("9", "N1"), other.relative("9", "y-thief"), other.doctor("y-doc")
        )
        assert len(sentences) == 2
        assert (await known(h, "y-thief")).delegated == ()
        assert (await h.ask(p.List(asking=h.asking("y-doc"), patient=own))).receipt is None
        assert not h.parts.catalog.is_reachable(own, OrganisationId("clinic-y"), h.clock.now())

    house.run(work)


async def name(h: House, subject: str) -> str:
    """What a login is called here."""
    account = (await known(h, subject)).account
    return str(h.parts.veil.open(h.parts.catalog.name_of("account", account), "account", account))


def test_a_feed_renames_no_login_that_another_brought(house: House) -> None:
    """A doctor may work in two places, and a carer care for patients of two; the second feed's name for them is told."""

    async def work(h: House) -> None:
        mine, other = await Clinic(h).register(), await Clinic(h, "clinic-y").register()
        await mine.problems(mine.doctor("x-doc"), mine.patient("1", "N1", "x-one"), mine.relative("1", "x-carer"))
        sentences = await other.problems(
            other.doctor("x-doc", name="Dr Evil"), other.patient("9", "N9"), other.relative("9", "x-carer"),
            other.relative("9", "x-one"),
        )  # fmt: skip
        assert len(sentences) == 2
        assert all("was not changed" in one for one in sentences)
        assert [await name(h, one) for one in ("x-doc", "x-one", "x-carer")] == ["Dr Y", "Aroha", "Carer"]
        assert len((await known(h, "x-carer")).delegated) == 2
        [ninth] = (await known(h, "x-one")).delegated
        assert isinstance(await h.ask(p.List(asking=h.asking("x-doc"), patient=ninth)), p.Listed)
        assert await mine.problems(mine.doctor("x-doc", name="Dr New")) == []
        assert await name(h, "x-doc") == "Dr New"

    house.run(work)


def test_a_feed_gives_its_patient_no_login_of_somebody_else(house: House) -> None:
    """Not staff's, not another patient's; the patient is taken without it, and it is told. A carer may be a patient."""

    async def work(h: House) -> None:
        mine, other = await Clinic(h).register(), await Clinic(h, "clinic-y").register()
        await mine.problems(mine.doctor("x-doc"), mine.patient("1", "N1", "x-one"), mine.relative("1", "x-carer"))
        before = [await known(h, one) for one in ("x-doc", "x-one")]
        for feed in (other, mine):
            sentences = await feed.problems(
                feed.patient("7", f"{feed.name}7", "x-doc"), feed.patient("8", f"{feed.name}8", "x-one", name="Evil")
            )
            assert len(sentences) == 2
            assert [await known(h, one) for one in ("x-doc", "x-one")] == before
        assert [await name(h, one) for one in ("x-doc", "x-one")] == ["Dr Y", "Aroha"]
        [renamed] = await other.problems(other.patient("9", "N9", "x-carer", name="Evil"))
        assert "name" in renamed
        assert await name(h, "x-carer") == "Carer"
        own = (await known(h, "x-carer")).own
        assert len(own) == 1
        assert len(await mine.problems(mine.patient("2", "N2", "x-carer"))) == 1
        assert (await known(h, "x-carer")).own == own

    house.run(work)


def test_a_patients_or_a_programs_login_becomes_no_staff_and_staff_no_carer(house: House) -> None:
    """Whoever brought it: what kind of login it is never changes, and is not mixed."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        await clinic.problems(clinic.patient("1", "N1", "x-one"), clinic.doctor("x-doc"))
        grant: dict[str, object] = {
            "issuer": h.config.issuer_url, "subject": "x-sync", "name": "Sync", "organisation": ORG, "purpose": "TREAT",
        }  # fmt: skip
        program = (await h.done("grant", grant, "privacy"))["account"]
        sentences = await clinic.problems(
            clinic.patient("1", "N1"), clinic.doctor("x-one"), clinic.relative("1", "x-doc"), clinic.doctor("x-sync")
        )
        assert len(sentences) == 3
        assert all("another kind" in one for one in sentences)
        for account in (program, (await known(h, "x-one")).account):
            assert h.parts.catalog.rows("select 1 from member where account = ?", (account,)) == []
        refused = await h.act("grant", {**grant, "subject": "x-one", "name": "Evil"}, "privacy")
        assert isinstance(refused, ActRefused)
        assert await name(h, "x-one") == "Aroha"

    house.run(work)


def test_a_feed_takes_up_again_whom_it_let_go_and_nobody_else_has(house: House) -> None:
    """Whom an officer took away, or who has gone elsewhere meanwhile, stays out of its reach."""

    async def work(h: House) -> None:
        mine, other = await Clinic(h).register(), await Clinic(h, "clinic-y").register()
        await mine.problems(mine.patient("1", "N1", "x-one"), mine.doctor("x-doc"))
        [own] = (await known(h, "x-one")).own

        async def reached() -> bool:
            return (await h.ask(p.List(asking=h.asking("x-doc"), patient=own))).receipt is not None

        async def hand(op: str, organisation: str) -> None:
            await h.done(f"relation-{op}", {"kind": "enrolment", "patient": own, "other": organisation}, "privacy")

        assert await mine.problems(mine.patient("1", "N1", active=False)) == []
        assert not await reached()
        assert await mine.problems(mine.patient("1", "N1")) == []
        assert await reached()
        await mine.problems(mine.patient("1", "N1", active=False))
        await hand("add", "clinic-y")
        [sentence] = await mine.problems(mine.patient("1", "N1"))
        assert "another organisation" in sentence
        assert not await reached()
        assert await other.problems(other.patient("9", "N1", active=False)) == []
        assert await mine.problems(mine.patient("1", "N1")) == []
        assert await reached()
        await hand("end", ORG)
        for active in (True, False, True):
            assert len(await mine.problems(mine.patient("1", "N1", active=active))) == 1
        assert not await reached()

    house.run(work)


def test_what_the_patient_gave_or_ended_no_feed_changes(house: House) -> None:
    """Nor does it begin anything for somebody who leaves with it, or end what never was."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        carer, one = clinic.relative("1", "x-carer"), clinic.patient("1", "N1", "x-one")
        await clinic.problems(one, carer, clinic.patient("2", "N2", "x-two"))
        [own] = (await known(h, "x-one")).own
        helper, until = (await known(h, "x-two")).account, h.clock.now() + DAY
        account = (await known(h, "x-carer")).account
        ended = p.Delegate(asking=h.asking("x-one"), patient=own, account=account, full=True, until=0)
        given = p.Delegate(asking=h.asking("x-one"), patient=own, account=helper, full=False, until=until)
        assert [type(await h.ask(ask)) for ask in (ended, given)] == [p.Done, p.Done]
        sentences = await clinic.problems(
            one, carer, clinic.relative("1", "x-two", active=False), clinic.relative("1", "x-two")
        )
        assert len(sentences) == 3
        assert (await known(h, "x-carer")).delegated == ()
        assert (await known(h, "x-two")).delegated == (own,)
        leaves = clinic.patient("2", "N2", active=False)
        assert len(await clinic.problems(leaves, clinic.relative("2", "x-new"))) == 1
        assert len(await clinic.problems(one, clinic.relative("1", "x-new", active=False))) == 1
        assert (
            len(await clinic.problems(clinic.doctor("x-new", active=False), clinic.patient("3", "N3", active=False)))
            == 2
        )
        assert (await known(h, "x-new")).delegated == ()
        assert h.parts.catalog.patient_by_identifier(h.parts.veil.identifier("nhi", "N3")) is None

    house.run(work)


def test_a_parent_is_made_no_carer_beside_it(house: House) -> None:
    """A second line would lift the age limit; another feed's, too."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        parent, carer = clinic.relative("1", "x-p", "PRN"), clinic.relative("1", "x-p", "HPOWATT")
        child = clinic.patient("1", "N1")
        for lines in ([parent, carer], [carer], [carer, parent]):
            assert len(await clinic.problems(child, *lines)) == 1
            assert (await known(h, "x-p")).delegated == ()
        gone = clinic.relative("1", "x-p", "PRN", active=False)
        assert await clinic.problems(child, gone, carer) == []
        assert len((await known(h, "x-p")).delegated) == 1

    house.run(work)


def test_the_login_that_a_feed_gives_a_patient_is_on_record(house: House) -> None:
    """The entry names it, as it names a carer's."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        await clinic.problems(clinic.patient("1", "N1", "x-one"))
        [body] = h.parts.catalog.rows("select body from log_entry where op = 'related' order by idx desc limit 1")[0]
        assert b'"target":"account:' in body

    house.run(work)


def test_a_feed_that_is_not_trusted_changes_nothing(house: House) -> None:
    """Were the signature's check ever missed, the policy still refuses every record that touches a person."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        lines = clinic.raw(clinic.patient("1", "N1"), clinic.doctor("x-doc"), clinic.relative("1", "x-c")).splitlines()
        taken = Taken(OrganisationId(ORG), 1)
        await Intake(h.parts, OrganisationId(ORG), trusted=False, now=h.clock.now(), taken=taken).run(lines)
        assert (taken.persons, taken.relations, len(taken.problems)) == (0, 0, 3)
        assert (await known(h, "x-doc")).kind == "person"

    house.run(work)


def test_a_feed_longer_than_a_batch_is_taken_in_whole(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every record once."""
    monkeypatch.setattr(people, "BATCH", 3)

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        before = len(h.parts.catalog.rows("select 1 from patient"))
        assert await clinic.problems(*[clinic.patient(str(n), f"N{n}") for n in range(8)]) == []
        assert len(h.parts.catalog.rows("select 1 from patient")) == before + 8

    house.run(work)


def test_a_feed_that_the_log_cannot_take_is_refused_and_can_be_sent_again(house: House) -> None:
    """Half a feed is no feed: its sequence was not used up."""

    async def work(h: House) -> None:
        assert h.keeper is not None
        clinic = await Clinic(h).register()
        holder = sqlite3.connect(h.layout.database, isolation_level=None)
        holder.execute("begin immediate")
        rows = [clinic.patient(str(n), f"N{n}") for n in range(600)]
        refused = await clinic.send(*rows)
        assert isinstance(refused, ActRefused)
        holder.execute("rollback")
        holder.close()
        await h.keeper._second(minute=False)
        clinic.sequence -= 1
        h.clock.advance(1)
        assert await clinic.problems(*rows[:3]) == []

    house.run(work)


def test_a_delegation_from_a_feed_is_as_old_as_the_feed_says(house: House) -> None:
    """Of a patient new with it: a mother of years is not charged as a stranger on the day of the first feed."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        await clinic.problems(clinic.patient("1", "N1"), clinic.relative("1", "x-c"))
        [patient] = (await known(h, "x-c")).delegated
        await h.ask(p.List(asking=h.asking("x-c"), patient=patient))
        entries = h.parts.catalog.rows("select body from log_entry where op = 'listed' order by idx desc limit 1")
        assert b'"kind":"own"' in entries[0][0]
        assert h.clock.now() > DAY

    house.run(work)


def test_a_later_relation_is_as_old_as_the_store_knows_it(house: House) -> None:
    """Whatever the feed says: with a stolen feed key a thief's delegations would be old, and charged as the patient's own."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        await clinic.problems(clinic.patient("1", "N1"))
        for _ in range(2):  # sent again, it grows no older than it is
            assert await clinic.problems(clinic.patient("1", "N1"), clinic.relative("1", "x-c")) == []
        [patient] = (await known(h, "x-c")).delegated
        for days, kind in ((0, b'"kind":"stranger"'), (1, b'"kind":"own"')):
            h.clock.advance(days * DAY)
            await h.ask(p.List(asking=h.asking("x-c"), patient=patient))
            [body] = h.parts.catalog.rows("select body from log_entry where op = 'listed' order by idx desc limit 1")[0]
            assert kind in body

    house.run(work)


def test_who_works_nowhere_breaks_no_glass_alone(house: House) -> None:
    """A doctor who left is none of whom an emergency may be; a second person may still agree."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        await clinic.problems(clinic.doctor("x-doc"))
        _, patient = h.foreign("staff-2")[0]

        async def opened() -> p.Reply:
            reply: p.Reply = await h.ask(p.BreakGlass(asking=h.asking("x-doc"), patient=patient, reason="r"))
            return reply

        assert isinstance(await opened(), p.Glass)
        await clinic.problems(clinic.doctor("x-doc", active=False))
        refused = await opened()
        assert isinstance(refused, p.Refused)
        assert refused.why == "second-person"
        account = (await known(h, "x-doc")).account
        await h.done("agree", {"account": account, "patient": patient}, "privacy")
        assert isinstance(await opened(), p.Glass)

    house.run(work)


def test_a_signature_holds_for_its_key_and_its_bytes_only(house: House) -> None:
    """And a key that is none refuses."""
    clinic = Clinic(house)
    digest = hashlib.sha256(b"feed").digest()
    signature = clinic.key.sign(signing_bytes(digest))
    assert is_signed(digest, clinic.key.public_bytes, signature)
    assert not is_signed(hashlib.sha256(b"other").digest(), clinic.key.public_bytes, signature)
    assert not is_signed(digest, clinic.key.public_bytes, signature[:-1])
    assert not is_signed(digest, b"short", signature)
    assert not is_signed(digest, clinic.key.public_bytes, clinic.key.sign(digest))


def test_registering_a_key_that_is_no_key_lets_nothing_in(house: House) -> None:
    """Text that is not hex is refused at once; too short a key verifies nothing."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        for key in ("zz", "abc", "AB", ""):
            args: dict[str, object] = {"organisation": ORG, "name": "Clinic", "key": key}
            assert isinstance(await h.act("register-feed", args, "privacy"), ActRefused)
        await h.done("register-feed", {"organisation": ORG, "name": "Clinic", "key": "ab"}, "privacy")
        assert isinstance(await clinic.send(clinic.patient("1", "N1")), ActRefused)

    house.run(work)


def test_of_two_imports_at_once_each_patient_is_made_once(house: House) -> None:
    """The second waits for the first, and then knows its patients; the same feed twice is refused once."""

    async def work(h: House) -> None:
        clinic = await Clinic(h).register()
        before = len(h.parts.catalog.rows("select 1 from patient"))
        replies = await asyncio.gather(clinic.send(clinic.patient("1", "N1")), clinic.send(clinic.patient("1", "N1")))
        assert [type(one) for one in replies] == [ActDone, ActDone]
        assert len(h.parts.catalog.rows("select 1 from patient")) == before + 1
        clinic.sequence -= 1
        assert isinstance(await clinic.send(clinic.patient("2", "N2")), ActRefused)
        assert len(h.parts.catalog.rows("select 1 from patient")) == before + 1

    house.run(work)
