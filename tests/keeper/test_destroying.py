"""Destroying a patient's key: two officers, 72 hours, a few a day; then nothing opens, and the rest goes on."""

import asyncio
from typing import Any

import pytest

from strongroom.clock import DAY, HOUR
from strongroom.keeper import destroying
from strongroom.keeper import protocol as p
from strongroom.keeper.acts import ActDone, ActRefused
from strongroom.keeper.destroying import DELAY, destroy_due, finish_destroyed
from strongroom.keys.life import life_of
from tests.keeper.conftest import House

OWNER, OTHER, DOCTOR = "person-8", "person-9", "staff-1"
TWO = ("privacy", "security")


async def ask(h: House, patient: str, *officers: str) -> ActDone | ActRefused:
    """Officers ask for it."""
    return await h.act("destroy", {"patient": patient, "reason": "erasure request"}, *(officers or TWO))


def test_it_takes_two_officers_and_72_hours(house: House) -> None:
    """One is refused; asked twice is refused; until it is due everything is as before."""

    async def work(h: House) -> None:
        patient = h.demo.own[OWNER]
        document = h.documents(patient)[0]
        assert isinstance(await ask(h, patient, "privacy"), ActRefused)
        assert isinstance(await ask(h, patient, "operator", "privacy"), ActRefused)
        assert isinstance(await ask(h, "a" * 26), ActRefused)
        assert isinstance(await ask(h, patient), ActDone)
        assert isinstance(await ask(h, patient), ActRefused)
        h.clock.advance(DELAY - HOUR)
        assert await destroy_due(h.parts) == 0
        assert isinstance(await h.ask(p.Release(asking=h.asking(OWNER), document=document)), p.Released)
        [row] = (await h.done("destroy-ls", {}, "operator"))["destructions"]
        assert (row["patient"], row["cancelled"], row["done"]) == (patient, None, None)

    house.run(work)


def test_afterwards_nothing_of_the_patients_opens_and_others_read_on(house: House) -> None:
    """Not for the patient, not for the doctor, not from a copy of the database made before."""

    async def work(h: House) -> None:
        patient = h.demo.own[OWNER]
        [document, *_] = h.documents(patient)
        assert isinstance(
            await h.ask(p.Release(asking=h.asking(OWNER), document=document)), p.Released
        )  # now it is held
        wrapped, _ = h.parts.catalog.key_of(patient)
        await ask(h, patient)
        h.clock.advance(DELAY)
        assert h.keeper is not None
        await h.keeper._second(minute=True)
        for who in (OWNER, DOCTOR):
            assert (await h.ask(p.Release(asking=h.asking(who), document=document))).why == "absent"
            assert (await h.ask(p.List(asking=h.asking(who), patient=patient))).rows == ()
        assert h.parts.catalog.key_of(patient) is None
        assert h.parts.catalog.versions_of(patient) == []
        assert h.parts.custody._life.is_destroyed(life_of(wrapped))
        assert patient not in {subject.patient for subject in h.parts.custody._cache}
        other = h.documents(h.demo.own[OTHER])[0]
        assert isinstance(await h.ask(p.Release(asking=h.asking(OTHER), document=other)), p.Released)
        [row] = (await h.done("destroy-ls", {}, "operator"))["destructions"]
        assert row["done"] is not None
        assert isinstance(await ask(h, patient), ActRefused)
        ops = h.parts.catalog.rows("select count(*) from log_entry where op = 'key'")
        assert ops[0][0] >= 2

    house.run(work)


def test_one_officer_can_stop_it(house: House) -> None:
    """Until it is done; then it can be asked for again."""

    async def work(h: House) -> None:
        patient = h.demo.own[OWNER]
        cancel: dict[str, Any] = {"patient": patient, "reason": "by mistake"}
        assert isinstance(await h.act("destroy-cancel", cancel, "operator"), ActRefused)
        await ask(h, patient)
        await h.done("destroy-cancel", cancel, "operator")
        h.clock.advance(DELAY + HOUR)
        assert await destroy_due(h.parts) == 0
        assert h.parts.catalog.key_of(patient) is not None
        assert isinstance(await ask(h, patient), ActDone)

    house.run(work)


def test_only_a_few_a_day(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled ones count; the next day there are more."""
    monkeypatch.setattr(destroying, "A_DAY", 2)

    async def work(h: House) -> None:
        patients = [h.demo.own[one] for one in (OWNER, OTHER, "person-10")]
        for patient in patients[:2]:
            assert isinstance(await ask(h, patient), ActDone)
        await h.done("destroy-cancel", {"patient": patients[0], "reason": "r"}, "privacy")
        refused = await ask(h, patients[2])
        assert isinstance(refused, ActRefused)
        assert "24 hours" in refused.why
        h.clock.advance(DAY)
        assert isinstance(await ask(h, patients[2]), ActDone)

    house.run(work)


def test_a_crash_between_entry_and_life_key_is_mended_at_the_start(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the log says was destroyed is destroyed."""
    found: list[bytes] = []

    async def work(h: House) -> None:
        patient = h.demo.own[OWNER]
        found.append(life_of(h.parts.catalog.key_of(patient)[0]))
        await ask(h, patient)
        h.clock.advance(DELAY)
        with monkeypatch.context() as killed:
            killed.setattr(h.parts.custody, "destroy", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                await destroy_due(h.parts)
        assert not h.parts.custody._life.is_destroyed(found[0])

    async def again(h: House) -> None:
        finish_destroyed(h.parts)
        assert h.parts.custody._life.is_destroyed(found[0])

    house.run(work)
    house.run(again)


def test_another_key_for_a_patient_and_everybody_reads_on(house: House) -> None:
    """All versions are under it, the old key opens none of them; reading and writing go on meanwhile."""

    async def work(h: House) -> None:
        patient = h.demo.own[OWNER]
        documents = h.documents(patient)
        before = {one: (await h.ask(p.Release(asking=h.asking(OWNER), document=one))).key for one in documents[:5]}
        old, version = h.parts.catalog.key_of(patient)
        reading = [h.ask(p.Release(asking=h.asking(OWNER), document=one)) for one in documents[:5]]
        writing = h.ask(
            p.Deposit(asking=h.asking(OWNER), patient=patient, category="normal", content_type="text/plain")
        )
        rotated, opened, *released = await asyncio.gather(
            h.done("rotate-patient", {"patient": patient}, "security"), writing, *reading
        )
        assert rotated["key_version"] == version + 1
        assert all(isinstance(one, p.Released) for one in released)
        assert isinstance(opened, p.Opened) or opened.why == "conflict"
        new, now = h.parts.catalog.key_of(patient)
        assert now == version + 1
        assert new != old
        after = {one: (await h.ask(p.Release(asking=h.asking(OWNER), document=one))).key for one in documents[:5]}
        assert after == before
        fresh = await h.ask(
            p.Deposit(asking=h.asking(OWNER), patient=patient, category="normal", content_type="text/plain")
        )
        await h.ask(p.Deposited(ticket=fresh.ticket, size=3, sealed_size=75))
        read = await h.ask(p.Release(asking=h.asking(OWNER), document=fresh.document))
        assert read.key == fresh.key
        if isinstance(opened, p.Opened):
            await h.ask(p.Deposited(ticket=opened.ticket, size=3, sealed_size=75))
            read = await h.ask(p.Release(asking=h.asking(OWNER), document=opened.document))
            assert read.key == opened.key
        assert isinstance(await h.act("rotate-patient", {"patient": "nobody"}, "security"), ActRefused)

    house.run(work)
