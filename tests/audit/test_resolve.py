"""Names back to people: exact while the map knows, a gap when it does not, an error when it was bent."""

import gc
import weakref

import pytest

from strongroom.audit import pseudonym
from strongroom.audit.log import Log
from strongroom.audit.resolve import Gap, Resolver
from strongroom.audit.sqlite_reader import Reader
from strongroom.errors import Tampered
from strongroom.ids import DocumentId
from strongroom.tlog.entry import decode
from tests.audit.conftest import START, Store, release

FEBRUARY = START + 40 * 86_400_000


def test_people_and_networks(store: Store, log: Log) -> None:
    """Whoever is in the map is found, by the number and the name together."""
    log.append_now(release())
    row = next(store.reader().entries(0, 1))
    entry, found = decode(row.body), store.resolver()
    assert found.who(0, row.columns.patient, entry.patient) == "pat"
    assert found.who(0, row.columns.actor, entry.actor) == "anna"
    assert found.who(0, None, None) is None
    assert found.network(entry.t, entry.network or "") == "203.0.113.7"
    assert found.network(FEBRUARY, entry.network or "") == Gap("network", "2026-02", entry.network or "")


def test_an_erased_person_is_a_gap(store: Store, log: Log) -> None:
    """The name stays in the log, and stands for nobody."""
    log.append_now(release())
    log.append_now(release(patient="other"), pseudonym.erase_patient("pat"))
    row = next(store.reader().entries(0, 1))
    shown = decode(row.body).patient or ""
    assert store.resolver().who(0, row.columns.patient, shown) == Gap("patient", "2026-01", shown)


def test_a_bent_map_is_noticed(store: Store, log: Log) -> None:
    """An entry that is filed under another name than it shows accuses nobody."""
    log.append_now(release())
    row = next(store.reader().entries(0, 1))
    for number, shown in (
        (row.columns.actor, decode(row.body).patient),
        (None, "x"),
        (row.columns.actor, None),
        (99, "x"),
    ):
        with pytest.raises(Tampered, match="Entry 0"):
            store.resolver().who(0, number, shown)


def test_documents_are_recognised_among_the_patients_own(store: Store, log: Log) -> None:
    """By the key of the month; a document that is no longer known, or whose patient is erased, is a gap."""
    store.documents = {"pat": ["doc", "other"]}
    log.append_now(release())
    found = store.resolver()
    shown = decode(next(store.reader().entries(0, 1)).body).document or ""
    assert found.document("pat", START, shown) == "doc"
    assert found.shown_as(DocumentId("doc")) == {"2026-01": shown}
    for patient in ("stranger", None, Gap("patient", "2026-01")):
        assert found.document(patient, START, shown) == Gap("document", "2026-01", shown)
    assert found.document("pat", FEBRUARY, shown) == Gap("document", "2026-02", shown)


def test_a_resolver_leaves_no_connection_behind(store: Store, log: Log) -> None:
    """Whoever asks once a request must not gather open files until somebody cleans up."""
    store.documents = {"pat": ["doc"]}
    log.append_now(release())
    gc.collect()
    gc.disable()
    try:
        reader = Reader.open(store.place.database)
        gone = weakref.ref(reader)
        found = Resolver(reader, lambda _: [DocumentId("doc")])
        found.document("pat", START, "unknown")
        del reader, found
        assert gone() is None
    finally:
        gc.enable()


def test_a_month_that_begins_while_the_resolver_lives(store: Store, log: Log) -> None:
    """Keys of later months are found, too."""
    store.documents = {"pat": ["doc"]}
    log.append_now(release())
    found = store.resolver()
    first = decode(next(store.reader().entries(0, 1)).body).document or ""
    assert found.document("pat", START, first) == "doc"
    log.append_now(release(FEBRUARY))
    second = decode(next(store.reader().entries(1, 2)).body).document or ""
    assert found.document("pat", FEBRUARY, second) == "doc"
