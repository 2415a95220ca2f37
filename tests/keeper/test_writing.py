"""Writing: versions are added, never overwritten, and nobody reads what is not finished."""

import asyncio
from typing import Any

import pytest

from strongroom.clock import DAY
from strongroom.ids import new_id
from strongroom.keeper import protocol as p
from tests.keeper.conftest import House

OWNER, OTHER, DOCTOR = "person-8", "person-9", "staff-1"


def deposit(h: House, subject: str = OWNER, **changes: Any) -> p.Deposit:
    """A deposit into the subject's own record."""
    fields: dict[str, Any] = {
        "patient": h.demo.own.get(subject, "x"),
        "category": "normal",
        "content_type": "text/plain",
    }
    return p.Deposit(asking=h.asking(subject), **{**fields, **changes})


def test_a_deposit_is_read_by_nobody_until_it_is_finished(house: House) -> None:
    """Then by its owner; finishing may be repeated, but not with other sizes."""

    async def work(h: House) -> None:
        opened = await h.ask(deposit(h))
        assert isinstance(opened, p.Opened)
        assert opened.key != opened.metadata_key
        read = p.Release(asking=h.asking(OWNER), document=opened.document)
        assert await h.ask(read) == p.Refused(why="absent")
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=opened.document, version=1))).why == "absent"
        finish = p.Deposited(ticket=opened.ticket, size=3, sealed_size=75)
        assert isinstance(await h.ask(finish), p.Done)
        assert await h.ask(finish) == p.Done()
        assert (await h.ask(p.Deposited(ticket=opened.ticket, size=4, sealed_size=76))).why == "conflict"
        released = await h.ask(read)
        assert (released.key, released.size, released.sealed_size) == (opened.key, 3, 75)
        listed = await h.ask(p.List(asking=h.asking(OWNER), document=opened.document))
        assert listed.rows[0].metadata_key == opened.metadata_key

    house.run(work)


def test_a_ticket_is_good_for_a_day_and_for_sensible_sizes(house: House) -> None:
    """Made-up tickets, negative and absurd sizes, and late ones finish nothing."""

    async def work(h: House) -> None:
        opened = await h.ask(deposit(h))
        for ticket, size, sealed in (
            (new_id(), 1, 73),
            (opened.ticket, -1, 73),
            (opened.ticket, 2**50, 73),
            (opened.ticket, 1, 0),
        ):
            assert (await h.ask(p.Deposited(ticket=ticket, size=size, sealed_size=sealed))).why == "absent"
        h.clock.advance(DAY + 1)
        assert (await h.ask(p.Deposited(ticket=opened.ticket, size=1, sealed_size=73))).why == "absent"

    house.run(work)


def test_superseding_wants_the_newest_version_and_keeps_the_old_one(house: House) -> None:
    """A writer who saw an older version is told; both versions can be read afterwards."""

    async def work(h: House) -> None:
        [document, *_] = h.documents(h.demo.own[OWNER])
        assert (await h.ask(deposit(h, document=document, expected=7))).why == "conflict"
        assert (await h.ask(deposit(h, document=document, expected=1, patient="x"))).why == "conflict"
        opened = await h.ask(deposit(h, document=document, expected=1))
        assert (opened.document, opened.version) == (document, 2)
        before = await h.ask(p.Release(asking=h.asking(OWNER), document=document))
        assert before.version == 1
        await h.ask(p.Deposited(ticket=opened.ticket, size=1, sealed_size=73))
        after = await h.ask(p.Release(asking=h.asking(OWNER), document=document))
        old = await h.ask(p.Release(asking=h.asking(OWNER), document=document, version=1))
        assert (after.version, old.version, old.key) == (2, 1, before.key)
        third = await h.ask(deposit(h, document=document, expected=2))
        assert third.version == 3

    house.run(work)


def test_nobody_writes_into_somebody_elses_record(house: House) -> None:
    """New or superseding, by strangers or into nowhere: the same answer."""

    async def work(h: House) -> None:
        (document, patient), *_ = h.foreign(OWNER)
        for changes in ({"patient": patient}, {"patient": new_id()}, {"document": document, "expected": 1},
                        {"document": new_id(), "expected": 1}):  # fmt: skip
            assert await h.ask(deposit(h, **changes)) == p.Refused(why="absent")
        assert (await h.ask(deposit(h, category="secret"))).why == "malformed"
        assert (await h.ask(deposit(h, content_type=""))).why == "malformed"

    house.run(work)


def test_deleting_is_a_tombstone_and_relabelling_is_the_clinicians(house: House) -> None:
    """Out of every list at once; the bytes' keys stay in the database."""

    async def work(h: House) -> None:
        patient = next(
            one for one in sorted(h.demo.readable[DOCTOR]) if h.documents(one) and one in h.demo.own.values()
        )
        owner = next(subject for subject, own in h.demo.own.items() if own == patient)
        [document, *_] = h.documents(patient)
        assert (await h.ask(p.Relabel(asking=h.asking(owner), document=document, category="sensitive"))).why == "absent"
        assert (await h.ask(p.Relabel(asking=h.asking(DOCTOR), document=document, category="x"))).why == "malformed"
        done = await h.ask(p.Relabel(asking=h.asking(DOCTOR), document=document, category="sensitive"))
        assert isinstance(done, p.Done)
        assert (await h.ask(p.Release(asking=h.asking(DOCTOR), document=document))).why == "absent"
        assert (await h.ask(p.Delete(asking=h.asking(DOCTOR), document=document))).why == "absent"
        assert isinstance(await h.ask(p.Delete(asking=h.asking(owner), document=document)), p.Done)
        assert (await h.ask(p.Release(asking=h.asking(owner), document=document))).why == "absent"
        assert (await h.ask(p.Delete(asking=h.asking(owner), document=document))).why == "absent"
        listed = await h.ask(p.List(asking=h.asking(owner), patient=patient))
        assert document not in {row.document for row in listed.rows}
        assert h.parts.catalog.version(document, 1).wrapped_content

    house.run(work)


@pytest.mark.parametrize("scope", ["class", "account", "module"])
def test_a_freeze_of_writing_stops_writing_alone(house: House, scope: str) -> None:
    """By class; a frozen account stops everything; strangers' freeze stops no owner."""

    async def work(h: House) -> None:
        account = (await h.ask(p.WhoAmI(asking=h.asking(OWNER)))).account
        name = {"class": "write", "account": account, "module": ""}[scope]
        await h.done("freeze", {"scope": scope, "name": name, "reason": "test"}, "operator")
        [document, *_] = h.documents(h.demo.own[OWNER])
        wrote = await h.ask(deposit(h))
        deleted = await h.ask(p.Delete(asking=h.asking(OWNER), document=document))
        read = await h.ask(p.Release(asking=h.asking(OWNER), document=document))
        listed = await h.ask(p.List(asking=h.asking(OWNER), patient=h.demo.own[OWNER]))
        history = await h.ask(p.History(asking=h.asking(OWNER), patient=h.demo.own[OWNER]))
        share = await h.ask(p.Share(asking=h.asking(OWNER), patient=h.demo.own[OWNER], party="staff", until=0))
        stopped = [isinstance(one, p.Refused) for one in (wrote, deleted, share, listed, history)]
        expected = {"class": [True, True, True, False, False], "account": [True] * 5, "module": [False] * 5}[scope]
        assert stopped == expected
        if scope != "module":
            assert wrote.why == "frozen"
        assert isinstance(read, p.Refused) is (scope != "class" or not isinstance(read, p.Released))

    house.run(work)


def test_of_two_who_write_upon_the_same_version_the_second_is_told(house: House) -> None:
    """However their steps interleave. What the first wrote stays the newest, and the second's is never readable."""

    async def work(h: House) -> None:
        [document, *_] = h.documents(h.demo.own[OWNER])
        first = await h.ask(deposit(h, document=document, expected=1))
        second = await h.ask(deposit(h, document=document, expected=1))
        assert (first.version, second.version) == (2, 3)
        late, early = [p.Deposited(ticket=one.ticket, size=3, sealed_size=75) for one in (first, second)]
        assert isinstance(await h.ask(early), p.Done)
        assert (await h.ask(late)).why == "conflict"
        assert (await h.ask(late)).why == "conflict"
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=document))).version == 3
        lost = p.Release(asking=h.asking(OWNER), document=document, version=2)
        assert (await h.ask(lost)).why == "absent"

    house.run(work)


def test_a_version_of_a_document_that_was_deleted_meanwhile_is_not_finished(house: House) -> None:
    """Its writer is told; the document stays deleted."""

    async def work(h: House) -> None:
        [document, *_] = h.documents(h.demo.own[OWNER])
        opened = await h.ask(deposit(h, document=document, expected=1))
        assert isinstance(await h.ask(p.Delete(asking=h.asking(OWNER), document=document)), p.Done)
        assert (await h.ask(p.Deposited(ticket=opened.ticket, size=3, sealed_size=75))).why == "conflict"
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=document))).why == "absent"

    house.run(work)


def test_of_two_writers_at_once_one_is_told(house: House) -> None:
    """Two new versions, two deletions, two finishings in the same moment: each is done once."""

    async def work(h: House) -> None:
        [document, *_] = h.documents(h.demo.own[OWNER])
        answers = await asyncio.gather(*[h.ask(deposit(h, document=document, expected=1)) for _ in range(4)])
        opened = [one for one in answers if isinstance(one, p.Opened)]
        assert opened
        assert len({one.version for one in opened}) == len(opened)
        assert all(one.why == "conflict" for one in answers if isinstance(one, p.Refused))
        finish = p.Deposited(ticket=opened[0].ticket, size=3, sealed_size=75)
        finished = await asyncio.gather(*[h.ask(finish) for _ in range(4)])
        assert all(isinstance(one, p.Done) for one in finished)
        assert len([one for one in finished if one.receipt is not None]) == 1
        assert await h.ask(finish) == p.Done()
        remove = [h.ask(p.Delete(asking=h.asking(OWNER), document=document)) for _ in range(2)]
        removed = await asyncio.gather(*remove)
        assert sorted(type(one).__name__ for one in removed) == ["Done", "Refused"]
        assert (await h.ask(p.Ping())).open

    house.run(work)


def test_a_deposit_is_recorded_with_who_wrote_for_whom(house: House) -> None:
    """By a clinician, for their patient; each step an entry; the writer's ticket is nobody else's document."""

    async def work(h: House) -> None:
        patient = next(one for one in sorted(h.demo.readable[DOCTOR]))
        opened = await h.ask(deposit(h, DOCTOR, patient=patient, category="sensitive"))
        assert opened.patient == patient
        assert isinstance(await h.ask(p.Deposited(ticket=opened.ticket, size=0, sealed_size=72)), p.Done)
        ops = h.parts.catalog.rows("select op from log_entry order by idx desc limit 2")
        assert ops == [("deposited",), ("opened",)]
        assert h.parts.catalog.version(opened.document, 1).author is not None
        assert (await h.ask(p.Release(asking=h.asking(DOCTOR), document=opened.document))).why == "absent"

    house.run(work)
