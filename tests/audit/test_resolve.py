"""Names back to people: exact while the map knows, a gap when it does not, an error when it was bent."""

import gc
import weakref
from collections.abc import Sequence

import pytest

from strongroom.audit import pseudonym, resolve
from strongroom.audit.log import Log
from strongroom.audit.resolve import Gap, Resolver
from strongroom.audit.sqlite_reader import Reader
from strongroom.errors import Tampered
from strongroom.ids import DocumentId, PatientId
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
        found = Resolver(reader, lambda patients: [(one, [DocumentId("doc")]) for one in patients])
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


def test_what_was_expected_is_not_asked_for_again(store: Store, log: Log) -> None:
    """Names and documents that were looked up together are there; memory has an end, and answers stay the same."""
    store.documents = {"pat": ["doc"], "other": ["o"]}
    log.append_now(release())
    log.append_now(release(patient="other", document="o"))
    rows = list(store.reader().entries(0, 2))
    asked: list[list[str]] = []

    def documents_of(patients: Sequence[PatientId]) -> list[tuple[PatientId, list[DocumentId]]]:
        asked.append([str(one) for one in patients])
        return [(one, [DocumentId(held) for held in store.documents[one]]) for one in patients]

    found = Resolver(store.reader(), documents_of)
    found.expect_names([*(row.columns.patient for row in rows), None])
    found.expect_documents({("pat", "2026-01"), ("other", "2026-01")})
    for row, patient, document in zip(rows, ("pat", "other"), ("doc", "o"), strict=True):
        entry = decode(row.body)
        assert found.who(row.index, row.columns.patient, entry.patient) == patient
        assert found.document(patient, entry.t, entry.document or "") == document
        assert found.network(entry.t, entry.network or "") == found.network(entry.t, entry.network or "")
    assert asked == [["other", "pat"]]


def test_memory_has_an_end(store: Store, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for one of each, every answer is the same."""
    monkeypatch.setattr(resolve, "MAX_NAMES", 1)
    monkeypatch.setattr(resolve, "MAX_HASHED", 1)
    store.documents = {"pat": ["doc"], "other": ["o"]}
    for _ in range(2):
        log.append_now(release())
        log.append_now(release(patient="other", document="o"))
    found = store.resolver()
    told = [
        (
            found.who(row.index, row.columns.patient, entry.patient),
            found.document(patient, entry.t, entry.document or ""),
        )
        for row, patient in zip(store.reader().entries(0, 4), ("pat", "other") * 2, strict=True)
        for entry in [decode(row.body)]
    ]
    assert told == [("pat", "doc"), ("other", "o")] * 2


def test_what_a_batch_knows_is_not_forgotten_for_what_it_does_not(
    store: Store, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When memory is full, all that is expected is looked up together, and nothing of it again one by one."""
    monkeypatch.setattr(resolve, "MAX_HASHED", 2)
    store.documents = {name: [f"of-{name}"] for name in "abc"}
    for name in "abc":
        log.append_now(release(patient=name, document=f"of-{name}"))
    entries = [decode(row.body) for row in store.reader().entries(0, 3)]
    asked: list[list[str]] = []

    def documents_of(patients: Sequence[PatientId]) -> list[tuple[PatientId, list[DocumentId]]]:
        asked.append([str(one) for one in patients])
        return [(one, [DocumentId(held) for held in store.documents[one]]) for one in patients]

    found = Resolver(store.reader(), documents_of)
    for batch in ("ab", "bc"):
        found.expect_documents({(name, "2026-01") for name in batch})
        for name in batch:
            shown = entries["abc".index(name)].document or ""
            assert found.document(name, START, shown) == f"of-{name}"
    assert asked == [["a", "b"], ["b", "c"]]
