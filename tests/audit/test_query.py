"""Who read what: exactly the disclosures that happened, by whatever selector, for anyone, again and again."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from strongroom.audit import event, pseudonym
from strongroom.audit.event import Attempt, Draft
from strongroom.audit.log import Log
from strongroom.audit.query import Affected, Query, Read, Selectors, Window
from strongroom.audit.resolve import Gap, Resolver
from strongroom.authz.facts import Action
from strongroom.budget.scope import Disclosure, Kind, Scopes
from strongroom.clock import Millis
from strongroom.errors import Tampered, Unavailable, UsageError
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId
from strongroom.tlog.entry import Op
from tests.audit.conftest import GROUND, START, Store, listing, release

PAT, ANNA = PatientId("pat"), AccountId("anna")
DAY = 86_400_000


def rows(found: list[Read | Gap]) -> list[Read]:
    """What is known."""
    return [one for one in found if isinstance(one, Read)]


def test_a_row_tells_all(store: Store, log: Log) -> None:
    """Who, whom, what, when, on what ground, and how much of it went out by the app's word."""
    store.documents = {"pat": ["doc"]}
    log.append_now(release())
    log.append_now(event.delivered(Millis(START + 5), 0, 1_000, complete=False))
    log.append_now(event.delivered(Millis(START + 9), 0, 252_000, complete=True))
    (row,) = rows(list(store.query().who_read(Selectors(patient=PAT), store.window())))
    assert msgspec.structs.replace(row, session=None) == Read(
        index=0, t=START, op=Op.RELEASED, account=ANNA, patient=PAT, session=None, client="portal",
        organisation=OrganisationId("clinic"), documents=((DocumentId("doc"), 1),), bytes=252_000, delivered=252_000,
        complete=True, basis="owner", kind="own", reason=None, purpose="PATRQT",
    )  # fmt: skip


def test_delivery_never_takes_anybody_off_the_list(store: Store, log: Log) -> None:
    """Nothing delivered, or nothing said about it: released is released."""
    log.append_now(release())
    log.append_now(release(document="second"))
    log.append_now(event.delivered(Millis(START), 0, 0, complete=False))
    found = rows(list(store.query().who_read(Selectors(account=ANNA), store.window())))
    assert [(row.delivered, row.complete) for row in found] == [(0, False), (None, None)]


def test_same_size_same_list(store: Store, log: Log) -> None:
    """The list up to a checkpoint does not change by what comes after it, deliveries included."""
    log.append_now(release())
    window = store.window()
    before = list(store.query().who_read(Selectors(account=ANNA), window))
    log.append_now(event.delivered(Millis(START), 0, 1, complete=True))
    log.append_now(release(patient="other"))
    assert list(store.query().who_read(Selectors(account=ANNA), window)) == before
    assert len(list(store.query().who_read(Selectors(account=ANNA), store.window()))) == 2


def test_times_have_edges(store: Store, log: Log) -> None:
    """From `since` on, and before `until`."""
    for t in (1, 2, 3):
        log.append_now(release(START + t))
    window = store.window(since=START + 2, until=START + 3)
    assert [row.t for row in rows(list(store.query().who_read(Selectors(patient=PAT), window)))] == [START + 2]


def test_only_disclosures_are_on_the_list(store: Store, log: Log) -> None:
    """Denials, refusals and other acts disclose nothing."""
    who = Scopes(SessionId("session-1"), ANNA, "portal", None, "203.0.113.7")
    attempt = Attempt(at=Millis(START), scopes=who, action=Action.RELEASE, patient=PAT)
    for draft in (
        event.denied(attempt, "x"), event.refused(attempt, "x", Kind.STRANGER), event.decoy(attempt),
        event.done(Op.DEPOSITED, attempt, "owner"),
    ):  # fmt: skip
        log.append_now(draft)
    assert list(store.query().who_read(Selectors(patient=PAT), store.window())) == []


def test_everything_is_asked_for_by_naming_it(store: Store) -> None:
    """No selector is a mistake, not the whole log."""
    with pytest.raises(UsageError):
        Selectors()
    with pytest.raises(UsageError):
        Selectors(client="")


def test_people_are_counted_once(store: Store, log: Log) -> None:
    """Each with the number of listings and releases, the first and the last time."""
    for draft in (
        listing(START), release(START + 3), release(START + 1, patient="other"), release(START + 9),
        release(START, account="bert"),
    ):  # fmt: skip
        log.append_now(draft)
    assert store.query().people(Selectors(account=ANNA), store.window()) == (
        Affected(PAT, 1, 2, START, START + 9),
        Affected(PatientId("other"), 0, 1, START + 1, START + 1),
    )


def test_a_disclosure_without_a_patient_is_a_gap(store: Store, log: Log) -> None:
    """No keeper writes one; if there is one, it is shown."""
    log.append_now(replace(release(), patient=None))
    assert store.query().people(Selectors(account=ANNA), store.window()) == (
        Affected(Gap("patient", "2026-01"), 0, 1, START, START),
    )


def test_an_erased_patient_is_a_gap_never_a_silence(store: Store, log: Log) -> None:
    """On somebody else's list the row stays without its name; on the patient's own list the gap is told."""
    log.append_now(release())
    log.append_now(release(patient="other"))
    log.append_now(event.started(Millis(START), "ff"), pseudonym.erase_patient("pat"))
    query = store.query()
    found = rows(list(query.who_read(Selectors(account=ANNA), store.window())))
    erased = found[0].patient
    assert isinstance(erased, Gap)
    assert (erased.kind, erased.month, found[1].patient) == ("patient", "2026-01", "other")
    assert [
        one.patient for one in query.people(Selectors(account=ANNA), store.window()) if isinstance(one, Affected)
    ] == [
        erased,
        "other",
    ]
    gap = Gap("patient", "2026-01", count=1)
    assert list(query.who_read(Selectors(patient=PAT), store.window())) == [gap]
    assert query.people(Selectors(patient=PAT), store.window()) == (gap,)
    assert list(query.who_read(Selectors(patient=PAT), store.window(until=START))) == []
    assert list(query.who_read(Selectors(patient=PAT), store.window(since=START + 40 * DAY))) == []
    assert list(query.who_read(Selectors(client="else"), store.window())) == []


def test_a_bent_index_accuses_nobody(store: Store, log: Log) -> None:
    """An entry filed under another patient is named, not listed."""
    log.append_now(release())
    log.append_now(release(patient="other"))
    log.close()
    with closing(sqlite3.connect(store.place.database)) as db, db:
        db.execute("drop trigger log_entry_stays")
        db.execute("update log_entry set patient = (select patient from log_entry where idx = 0) where idx = 1")
    with pytest.raises(Tampered, match="Entry 1"):
        list(store.query().who_read(Selectors(patient=PAT), store.window()))


def test_history_is_newest_first_and_pages(store: Store, log: Log) -> None:
    """Reads and changes of one's own record, in pages, over months, without denials."""
    who = Scopes(SessionId("s"), ANNA, "portal", None, "203.0.113.7")
    attempt = Attempt(at=Millis(START), scopes=who, action=Action.BREAK_GLASS, patient=PAT)
    log.append_now(release(START))
    log.append_now(event.denied(attempt, "no"))
    log.append_now(event.done(Op.GLASS, attempt, "break-glass", details="unconscious"))
    log.append_now(release(START, patient="other"))
    log.append_now(listing(START + 40 * DAY))
    query, window = store.query(), store.window()
    found = query.history(PAT, window, 10)
    assert [(row.index, row.op) for row in found] == [(4, Op.LISTED), (2, Op.GLASS), (0, Op.RELEASED)]
    assert found[1].details == "unconscious"
    assert [row.index for row in query.history(PAT, window, 2)] == [4, 2]
    assert [row.index for row in query.history(PAT, window, 2, before=2)] == [0]
    assert [row.index for row in query.history(PAT, store.window(since=START + 1), 9)] == [4]
    assert [row.index for row in query.history(PAT, store.window(until=START + 1), 9)] == [2, 0]
    assert [row.index for row in query.history(PAT, window, 9, ops=frozenset({Op.DENIED}))] == [1]
    assert query.history(PatientId("nobody"), window, 9) == ()


def test_closed(store: Store) -> None:
    """After the last question the connection is given back."""
    query = store.query()
    query.close()
    query.close()
    with pytest.raises(Unavailable):
        query.history(PAT, store.window(), 1)


def test_details_that_were_erased_are_a_gap(store: Store, log: Log) -> None:
    """And without the key that opens them they are not shown."""
    who = Scopes(SessionId("s"), ANNA, "portal", None, "203.0.113.7")
    attempt = Attempt(at=Millis(START), scopes=who, action=Action.BREAK_GLASS, patient=PAT)
    log.append_now(event.done(Op.GLASS, attempt, "break-glass", details="unconscious"))
    blind = Query(store.reader(), Resolver(store.reader(), lambda _: ()))
    assert blind.history(PAT, store.window(), 9)[0].details is None
    log.append_now(event.started(Millis(START), "ff"), pseudonym.erase_account("anna"))
    (row,) = store.query().history(PAT, store.window(), 9)
    assert row.details == Gap("details", "2026-01")
    assert isinstance(row.account, Gap)


# ---- against a naive reading of the same events ---------------------------------------------------------------------


PEOPLE = st.sampled_from(["p1", "p2", "p3"])
DOCUMENTS = st.sampled_from(["d1", "d2", "d3"])
SCOPES = st.builds(
    Scopes, st.sampled_from(["s1", "s2"]).map(SessionId), st.sampled_from(["a1", "a2"]).map(AccountId),
    st.sampled_from(["c1", "c2"]), st.sampled_from(["o1", None]).map(lambda one: one and OrganisationId(one)),
    st.just("203.0.113.7"),
)  # fmt: skip
TIMES = st.integers(0, 70).map(lambda days: Millis(START + days * DAY))


def _disclosure(scopes: Scopes, patient: str, document: str | None, t: Millis) -> Disclosure:
    shown = None if document is None else DocumentId(document)
    return Disclosure(t, Kind.OWN, scopes, PatientId(patient), shown, 1, 9)


RELEASES = st.builds(_disclosure, SCOPES, PEOPLE, DOCUMENTS, TIMES).map(
    lambda what: event.released(what, GROUND, charged=1)
)
LISTINGS = st.builds(
    lambda what, shown: event.listed(what, GROUND, tuple((DocumentId(one), 2) for one in sorted(shown))),
    st.builds(_disclosure, SCOPES, PEOPLE, st.none(), TIMES), st.sets(DOCUMENTS),
)  # fmt: skip
OTHERS = TIMES.map(lambda t: event.started(t, "ff"))
SELECTORS = st.fixed_dictionaries(
    {},
    optional={
        "patient": PEOPLE, "document": DOCUMENTS, "session": st.sampled_from(["s1", "s2"]),
        "account": st.sampled_from(["a1", "a2"]), "client": st.sampled_from(["c1", "c2"]),
        "organisation": st.sampled_from(["o1", "o2"]),
    },
).filter(bool)  # fmt: skip
NAMED: dict[str, Callable[[Draft], object]] = {
    "patient": lambda draft: draft.patient, "session": lambda draft: draft.session,
    "client": lambda draft: draft.client, "account": lambda draft: draft.actor,
    "organisation": lambda draft: draft.organisation,
}  # fmt: skip


def fits(draft: Draft, selectors: dict[str, str]) -> bool:
    """The question, asked of a draft."""
    shown = {draft.document, *[document for document, _ in draft.documents]}
    return draft.op in (Op.LISTED, Op.RELEASED) and all(
        value in shown if name == "document" else NAMED[name](draft) == value for name, value in selectors.items()
    )


@settings(max_examples=60)
@given(
    st.lists(RELEASES | LISTINGS | OTHERS, max_size=25), st.lists(SELECTORS, min_size=1, max_size=6), TIMES, TIMES,
    st.integers(0, 25),
)  # fmt: skip
def test_exact(drafts: list[Draft], asked: list[dict[str, str]], since: int, until: int, size: int) -> None:
    """Every list equals the one a naive pass over the events gives, in order, with people and documents named."""
    with TemporaryDirectory() as folder:
        store = Store(
            Path(folder) / "keeper", documents={one: ["d1", "d2", "d3"] for one in ("p1", "p2", "p3")}
        ).create()
        log = store.open()
        if drafts:
            log._write([(draft, ()) for draft in drafts])
        window = Window(size, since, until)
        query = store.query()
        for selectors in asked:
            expected = [
                (index, draft.patient, draft.actor, draft.covers())
                for index, draft in enumerate(drafts[:size])
                if since <= draft.t < until and fits(draft, selectors)
            ]
            found = list(query.who_read(Selectors(**selectors), window))  # type: ignore[arg-type]  # a table
            listed: list[object] = [(row.index, row.patient, row.account, set(row.documents)) for row in rows(found)]
            assert listed == expected
            assert len(rows(found)) == len(found)
            people = query.people(Selectors(**selectors), window)  # type: ignore[arg-type]  # a table
            assert [one.patient for one in people if isinstance(one, Affected)] == list(
                dict.fromkeys(patient for _, patient, _, _ in expected)
            )
        store.close()
