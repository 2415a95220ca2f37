"""Reading: who gets a key, what is logged, and that nothing tells what is not theirs."""

import os

import msgspec
import pytest

from strongroom.clock import DAY, HOUR, MINUTE
from strongroom.ids import new_id
from strongroom.keeper import protocol as p
from strongroom.keeper import reading
from strongroom.keeper.acts import ActRefused
from strongroom.tlog.entry import decode
from strongroom.wiring.rehearsal import Rehearsal
from tests.keeper.conftest import House

OWNER, OTHER, DOCTOR = "person-8", "person-9", "staff-1"


def said(receipt: int, size: int, *, complete: bool = True) -> p.Deliveries:
    """The app's word on one release."""
    return p.Deliveries(words=(p.Delivered(receipt=receipt, bytes=size, complete=complete),))


def test_the_owner_reads_lists_and_sees_it_in_the_history(house: House) -> None:
    """Keys of their own documents; the same version's metadata; and both as accesses of their own."""

    async def work(h: House) -> None:
        patient = h.demo.own[OWNER]
        known = await h.ask(p.WhoAmI(asking=h.asking(OWNER)))
        assert (known.kind, known.own, known.mfa) == ("person", (patient,), True)
        [document, *_] = h.documents(patient)
        released = await h.ask(p.Release(asking=h.asking(OWNER), document=document))
        assert isinstance(released, p.Released)
        assert (released.patient, released.version, len(released.key)) == (patient, 1, 32)
        part = await h.ask(p.Release(asking=h.asking(OWNER), document=document, version=1, start=5, length=3))
        assert part.key == released.key
        one = await h.ask(p.List(asking=h.asking(OWNER), document=document))
        assert [row.document for row in one.rows] == [document]
        assert one.rows[0].metadata_key != released.key
        listed = await h.ask(p.List(asking=h.asking(OWNER), patient=patient))
        assert set(h.documents(patient)) <= {row.document for row in listed.rows}
        assert await h.ask(said(released.receipt, 5, complete=False)) == p.Done()
        assert await h.ask(said(released.receipt, 9)) == p.Done()
        history = await h.ask(p.History(asking=h.asking(OWNER), patient=patient, limit=3))
        assert [row.op for row in history.rows] == ["listed", "listed", "released"]
        assert [row.one for row in history.rows] == [False, True, False]
        assert history.more
        assert all(row.own for row in history.rows)
        older = await h.ask(
            p.History(asking=h.asking(OWNER), patient=patient, before=history.rows[-1].index + 1, limit=200)
        )
        first = next(row for row in older.rows if row.index == released.receipt)
        assert (first.documents, first.bytes, first.complete, first.basis) == ((document,), 5, False, "owner")
        none = await h.ask(p.History(asking=h.asking(OWNER), patient=patient, since=0, until=1))
        assert none.rows == ()

    house.run(work)


def test_foreign_missing_and_malformed_are_the_same_answer(house: House) -> None:
    """For bytes, metadata, whole records and histories."""

    async def work(h: House) -> None:
        (document, patient), *_ = h.foreign(OWNER)
        for name in ("a" * 26, new_id(), "x"):
            for wanted in (document, name):
                assert await h.ask(p.Release(asking=h.asking(OWNER), document=wanted)) == p.Refused(why="absent")
                assert await h.ask(p.List(asking=h.asking(OWNER), document=wanted)) == p.Refused(why="absent")
        for wanted in (patient, new_id()):
            assert await h.ask(p.List(asking=h.asking(OWNER), patient=wanted)) == p.Listed(receipt=None, rows=())
            assert await h.ask(p.History(asking=h.asking(OWNER), patient=wanted)) == p.Accesses(rows=())
        both = p.List(asking=h.asking(OWNER), patient=patient, document=document)
        assert (await h.ask(both)).why == "malformed"
        assert (await h.ask(p.List(asking=h.asking(OWNER)))).why == "malformed"

    house.run(work)


def test_twenty_different_ids_within_an_hour_freeze_the_session(house: House) -> None:
    """The same one again is no probe; another session of the login goes on."""

    async def work(h: House) -> None:
        one = new_id()
        for _ in range(30):
            assert (await h.ask(p.Release(asking=h.asking(OWNER), document=one))).why == "absent"
        for _ in range(30):
            last = await h.ask(p.Release(asking=h.asking(OWNER), document=new_id()))
        assert last.why == "frozen"
        [mine, *_] = h.documents(h.demo.own[OWNER])
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=mine))).why == "frozen"
        assert isinstance(await h.ask(p.Release(asking=h.asking(OWNER, sid="two"), document=mine)), p.Released)
        entries = h.parts.catalog.rows("select count(*) from log_entry where op = 'denied'")
        assert entries[0][0] == 20

    house.run(work)


def test_no_second_factor_no_token_and_strange_tokens_are_told_apart_from_nothing_else(house: House) -> None:
    """A login without its second factor is told so; garbage is told to sign in; a context that nobody signed is our own fault."""

    async def work(h: House) -> None:
        [document, *_] = h.documents(h.demo.own[OWNER])
        assert (await h.ask(p.Release(asking=h.asking(OWNER, mfa=False), document=document))).why == "mfa"
        good = h.asking(OWNER)
        for asking, why in (
            (p.Asking(token="x", context=good.context), "login"),
            (p.Asking(token=good.token, context="x"), "unavailable"),
            (p.Asking(token=good.token, context=h.asking(OTHER).context), "login"),
        ):
            for request in (p.WhoAmI(asking=asking), p.Release(asking=asking, document=document),
                            p.List(asking=asking, patient="x"), p.List(asking=asking, document="x"),
                            p.History(asking=asking, patient="x"), p.StepUp(asking=asking),
                            p.BreakGlass(asking=asking, patient="x", reason="r"), p.Delete(asking=asking, document="x"),
                            p.Share(asking=asking, patient="x", party="y", until=0),
                            p.Deposit(asking=asking, patient="x", category="normal", content_type="text/plain")):  # fmt: skip
                assert (await h.ask(request)).why == why
        unknown = await h.ask(p.WhoAmI(asking=h.asking("nobody-we-know")))
        assert (unknown.kind, unknown.own, unknown.delegated) == ("person", (), ())
        assert (await h.ask(p.Release(asking=h.asking("nobody-we-know"), document=document))).why == "absent"

    house.run(work)


def test_a_mother_reads_her_children_until_they_are_sixteen(house: House) -> None:
    """The delegation ends at the birthday, whatever its period says."""

    async def work(h: House) -> None:
        known = await h.ask(p.WhoAmI(asking=h.asking("person-1")))
        assert len(known.delegated) == 5
        children = {child: h.documents(child) for child in known.delegated}
        for documents in children.values():
            for document in documents[:1]:
                assert isinstance(await h.ask(p.Release(asking=h.asking("person-1"), document=document)), p.Released)
        h.clock.advance(16 * 366 * DAY)
        later = await h.ask(p.WhoAmI(asking=h.asking("person-1")))
        assert later.delegated == ()
        document = next(documents[0] for documents in children.values() if documents)
        assert (await h.ask(p.Release(asking=h.asking("person-1"), document=document))).why == "absent"

    house.run(work)


def test_clinicians_read_what_their_practice_may(house: House) -> None:
    """Patients of the practice, clinician-only documents too, sensitive ones not; other practices' patients not at all."""

    async def work(h: House) -> None:
        patient = next(one for one in sorted(h.demo.readable[DOCTOR]) if h.documents(one))
        [document, *_] = h.documents(patient)
        released = await h.ask(p.Release(asking=h.asking(DOCTOR), document=document))
        assert isinstance(released, p.Released)
        hidden: dict[str, object] = {}
        for one in [one for owner in sorted(h.demo.readable[DOCTOR]) for one in h.documents(owner, hidden=True)]:
            if {type(answer) for answer in hidden.values()} != {p.Released, p.Refused}:
                hidden[one] = await h.ask(p.Release(asking=h.asking(DOCTOR), document=one))
        assert {type(answer) for answer in hidden.values()} == {p.Released, p.Refused}
        page = await h.ask(p.List(asking=h.asking(DOCTOR, sid="another"), patient=patient))
        sensitive = {one for one, answer in hidden.items() if isinstance(answer, p.Refused)}
        assert {row.document for row in page.rows}.isdisjoint(sensitive)
        (other, _), *_ = h.foreign(DOCTOR)
        assert (await h.ask(p.Release(asking=h.asking(DOCTOR, sid="third"), document=other))).why == "absent"

    house.run(work)


def test_a_history_names_no_document_that_may_not_be_listed(house: House) -> None:
    """That a doctor read something is told; a document for clinicians only is not, until it is relabelled."""

    async def work(h: House) -> None:
        owner, patient = next(
            (one, own) for one, own in sorted(h.demo.own.items()) if own in h.demo.readable[DOCTOR] and h.documents(own)
        )
        document = h.documents(patient)[0]

        async def told() -> list[tuple[str, ...]]:
            rows = (await h.ask(p.History(asking=h.asking(owner), patient=patient, limit=5))).rows
            return [row.documents for row in rows if row.op in {"released", "relabelled"}]

        assert isinstance(await h.ask(p.Release(asking=h.asking(DOCTOR), document=document)), p.Released)
        assert await told() == [(document,)]
        relabel = p.Relabel(asking=h.asking(DOCTOR), document=document, category="clinician-only")
        assert isinstance(await h.ask(relabel), p.Done)
        assert await told() == [(), ()]
        relabel = p.Relabel(asking=h.asking(DOCTOR), document=document, category="normal")
        assert isinstance(await h.ask(relabel), p.Done)
        assert await told() == [(document,)] * 3

    house.run(work)


def test_pages_are_full_and_end(house: House) -> None:
    """Every permitted row once, in order, however small the pages; hidden rows leave no gap and no empty page."""

    async def work(h: House) -> None:
        owner = next(subject for subject, patient in h.demo.own.items() if len(h.documents(patient)) >= 100)
        patient = h.demo.own[owner]
        assert h.documents(patient, hidden=True)
        seen: list[str] = []
        after = None
        while True:
            page = await h.ask(p.List(asking=h.asking(owner), patient=patient, after=after, limit=25))
            seen += [row.document for row in page.rows]
            assert page.rows
            if not page.more:
                break
            assert len(page.rows) == 25
            after = page.rows[-1].document
        assert seen == sorted(set(seen))
        assert set(h.documents(patient)) <= set(seen)

    house.run(work)


def test_programs_read_their_organisation_within_their_grant(house: House) -> None:
    """Bound token, declared purpose, own patients, not the past; rerunning it needs two people."""

    async def work(h: House) -> None:
        patient = next(one for one in sorted(h.demo.readable[DOCTOR]) if h.documents(one))
        document = h.documents(patient)[0]
        ask = p.Release(asking=h.program("sync-practice-1"), document=document)
        assert isinstance(await h.ask(ask), p.Released)
        for asking in (h.program("sync-practice-1", "HMARKT"), h.program("sync-practice-1", bound=False),
                       h.program("sync-practice-2")):  # fmt: skip
            assert (await h.ask(p.Release(asking=asking, document=document))).why == "absent"
        h.clock.advance(3 * DAY)
        new = await h.ask(
            p.Deposit(asking=h.asking(DOCTOR), patient=patient, category="normal", content_type="text/plain")
        )
        await h.ask(p.Deposited(ticket=new.ticket, size=3, sealed_size=75))
        assert isinstance(
            await h.ask(p.Release(asking=h.program("sync-practice-1"), document=new.document)), p.Released
        )
        past = await h.ask(p.Release(asking=h.program("sync-practice-1"), document=document))
        assert past.why == "second-person"
        account = (await h.ask(p.WhoAmI(asking=h.program("sync-practice-1")))).account
        args: dict[str, object] = {"account": account, "patient": patient}
        refused = await h.act("rerun", args, "privacy")
        assert isinstance(refused, ActRefused)
        assert "needs 2" in refused.why

    house.run(work)


def test_a_range_of_the_same_version_is_one_document(house: House) -> None:
    """Within five minutes and one session; later it counts again."""

    async def work(h: House) -> None:
        [document, *_] = h.documents(h.demo.own[OWNER])
        for _ in range(3):
            await h.ask(p.Release(asking=h.asking(OWNER), document=document, start=0, length=1))
        h.clock.advance(6 * MINUTE)
        last = await h.ask(p.Release(asking=h.asking(OWNER), document=document, start=10**9))
        assert isinstance(last, p.Released)
        rows = h.parts.catalog.rows("select body from log_entry where op = 'released' order by idx desc limit 4")
        charged = [b'"charged":1' in row[0] for row in rows]
        assert charged == [True, False, False, True]

    house.run(work)


@pytest.mark.parametrize("path", ["release", "list", "deposit", "delete"])
def test_a_decoy_steps_up_at_the_first_touch_and_freezes_at_the_second(house: House, path: str) -> None:
    """It is in no list, answers like nothing, and is a finding."""

    async def work(h: House) -> None:
        decoys = [str(row[0]) for row in h.parts.catalog.rows("select id from document where decoy = 1")]
        requests: dict[str, object] = {
            "release": lambda one: p.Release(asking=h.asking(OWNER), document=one),
            "list": lambda one: p.List(asking=h.asking(OWNER), document=one),
            "delete": lambda one: p.Delete(asking=h.asking(OWNER), document=one),
            "deposit": lambda one: p.Deposit(asking=h.asking(OWNER), patient=h.demo.own[OWNER], category="normal",
                                             content_type="text/plain", document=one, expected=1),
        }  # fmt: skip
        touch = requests[path]
        assert await h.ask(touch(decoys[0])) == p.Refused(why="absent")  # type: ignore[operator]  # one of the above
        [mine, *_] = h.documents(h.demo.own[OWNER])
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=mine))).why == "step-up"
        assert isinstance(await h.ask(p.StepUp(asking=h.asking(OWNER))), p.Done)
        assert isinstance(await h.ask(p.Release(asking=h.asking(OWNER), document=mine)), p.Released)
        await h.ask(touch(decoys[0]))  # type: ignore[operator]  # as above
        await h.ask(touch(decoys[1]))  # type: ignore[operator]  # as above
        assert await h.ask(p.StepUp(asking=h.asking(OWNER))) is not None
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=mine))).why == "frozen"
        found = h.parts.catalog.rows("select count(*) from log_entry where op = 'decoy'")
        assert found[0][0] == 3

    house.run(work)


def test_strangers_are_bounded_when_authorization_is_broken(house: House) -> None:
    """Three people, then the account is frozen until a fresh second factor; five in a year; a restart forgets nothing."""
    house.rehearsal = Rehearsal(broken_authorization=True)

    async def first(h: House) -> None:
        answers = [
            await h.ask(p.Release(asking=h.asking(OWNER), document=document)) for document, _ in h.foreign(OWNER)[:6]
        ]
        assert [isinstance(answer, p.Released) for answer in answers] == [True] * 3 + [False] * 3
        assert answers[3].why == "spent"
        assert answers[4].why == "step-up"

    async def second(h: House) -> None:
        document, _ = h.foreign(OWNER)[0]
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=document))).why == "step-up"
        assert (await h.ask(p.StepUp(asking=h.asking(OWNER, old=True)))).why == "step-up"
        assert isinstance(await h.ask(p.StepUp(asking=h.asking(OWNER))), p.Done)
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=h.foreign(OWNER)[4][0]))).why == "spent"
        await h.ask(p.StepUp(asking=h.asking(OWNER)))
        h.clock.advance(DAY + HOUR)
        answers = [
            await h.ask(p.Release(asking=h.asking(OWNER), document=document)) for document, _ in h.foreign(OWNER)[4:8]
        ]
        assert [isinstance(answer, p.Released) for answer in answers] == [True, True, False, False]

    house.run(first)
    house.run(second)


def test_a_release_is_forgotten_when_many_came_after(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the app says of it then is not believed, and it counts as wholly delivered."""
    monkeypatch.setattr(reading, "MAX_RELEASES", 2)

    async def work(h: House) -> None:
        documents = h.documents(h.demo.own[OWNER])[:3]
        receipts = [(await h.ask(p.Release(asking=h.asking(OWNER), document=one))).receipt for one in documents]
        for receipt in (*receipts, 10**6, -1):
            assert await h.ask(said(receipt, 1)) == p.Done()
        found = h.parts.catalog.rows("select ref from log_entry where op = 'delivered' order by idx")
        assert found == [(receipts[1],), (receipts[2],)]

    house.run(work)


def test_words_on_many_deliveries_are_told_together(house: House) -> None:
    """An entry for each release that the door made, the first word on it, and none for others."""

    async def work(h: House) -> None:
        documents = h.documents(h.demo.own[OWNER])[:3]
        one, two, three = [(await h.ask(p.Release(asking=h.asking(OWNER), document=d))).receipt for d in documents]
        told = [(three, 3), (one, 1), (10**6, 9), (one, 2), (two, 2)]
        words = tuple(p.Delivered(receipt=receipt, bytes=size, complete=size < 3) for receipt, size in told)
        assert await h.ask(p.Deliveries(words=words)) == p.Done()
        bodies = h.parts.catalog.rows("select body from log_entry where op = 'delivered' order by idx")
        found = [decode(bytes(body)) for (body,) in bodies]
        assert [(entry.ref, entry.bytes, entry.complete) for entry in found] == [
            (three, 3, False), (one, 1, True), (two, 2, True),
        ]  # fmt: skip

    house.run(work)


def test_a_frozen_search_lists_nothing(house: House) -> None:
    """One document's metadata and a record's are both a search; reading goes on."""

    async def work(h: House) -> None:
        patient = h.demo.own[OWNER]
        document = h.documents(patient)[0]
        await h.done("freeze", {"scope": "class", "name": "search", "reason": "r"}, "operator")
        assert (await h.ask(p.List(asking=h.asking(OWNER), patient=patient))).why == "frozen"
        assert (await h.ask(p.List(asking=h.asking(OWNER), document=document))).why == "frozen"
        assert isinstance(await h.ask(p.Release(asking=h.asking(OWNER), document=document)), p.Released)

    house.run(work)


def test_a_page_of_metadata_is_one_charge_and_one_entry_that_names_all_it_showed(house: House) -> None:
    """However many rows; and its keys open metadata only, each its own."""

    async def work(h: House) -> None:
        patient = h.demo.own[OWNER]
        page = await h.ask(p.List(asking=h.asking(OWNER), patient=patient))
        assert len({row.metadata_key for row in page.rows}) == len(page.rows) > 1
        body = h.parts.catalog.rows("select body from log_entry where op = 'listed' order by idx desc")
        assert len(body) == 1
        assert len(msgspec.json.decode(body[0][0])["documents"]) == len(page.rows)
        assert [row.document for row in page.rows] == sorted(row.document for row in page.rows)

    house.run(work)


def test_a_list_of_the_readers_leaves_no_file_open(house: House) -> None:
    """Histories, lists of who read and reopenings close what they opened."""

    async def work(h: House) -> None:
        def handles() -> int:
            return sum(os.path.realpath(f"/proc/self/fd/{one}").startswith(str(h.layout.root))
                       for one in os.listdir("/proc/self/fd"))  # noqa: PTH208  # fmt: skip

        patient = h.demo.own[OWNER]
        before = handles()
        for _ in range(3):
            await h.ask(p.History(asking=h.asking(OWNER), patient=patient))
            await h.done("who-read", {"patient": patient}, "privacy")
            assert list(h.keeper.recount(0)) is not None  # type: ignore[union-attr]  # it is open
        assert handles() == before

    house.run(work)


def test_a_list_shows_no_row_that_could_not_be_read(house: House) -> None:
    """What is sensitive or not finished is in no clinician's page; the page is full all the same."""

    async def work(h: House) -> None:
        patient = next(one for one in sorted(h.demo.readable[DOCTOR]) if 1 < len(h.documents(one)) < 50)  # one page
        opened = []
        for category in ("sensitive", "normal", "normal"):
            ask = p.Deposit(asking=h.asking(DOCTOR), patient=patient, category=category, content_type="text/plain")
            opened.append(await h.ask(ask))
        for one in opened[:2]:
            await h.ask(p.Deposited(ticket=one.ticket, size=1, sealed_size=73))
        sensitive, normal, pending = (one.document for one in opened)
        page = await h.ask(p.List(asking=h.asking(DOCTOR), patient=patient))
        shown = [row.document for row in page.rows]
        assert normal in shown
        assert not {sensitive, pending} & set(shown)
        for document in shown:
            answer = await h.ask(p.List(asking=h.asking(DOCTOR), document=document))
            assert [row.document for row in answer.rows] == [document]
        one = await h.ask(p.List(asking=h.asking(DOCTOR), patient=patient, after=shown[0], limit=1))
        assert [row.document for row in one.rows] == shown[1:2]
        assert one.more is (len(shown) > 2)

    house.run(work)
