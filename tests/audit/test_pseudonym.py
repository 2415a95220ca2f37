"""Names in the log: random, different every month, forgotten on demand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.audit import pseudonym
from strongroom.audit.pseudonym import (
    HIDDEN,
    DocumentHash,
    Naming,
    Pseudonyms,
    document_digest,
    document_name,
    month_at,
    month_span,
)
from strongroom.clock import month_of
from strongroom.ids import DocumentId

JANUARY, FEBRUARY = "2026-01", "2026-02"


class Memory:
    """A map in memory, that counts how often it is asked."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], tuple[int, str]] = {}
        self.keys: dict[str, bytes] = {}
        self.asked = 0

    def find_name(self, kind: str, real: str, month: str) -> tuple[int, str] | None:
        """The row, if there is one."""
        self.asked += 1
        return self.rows.get((kind, real, month))

    def add_name(self, kind: str, real: str, month: str, shown: str) -> int:
        """Number the rows from 1."""
        self.rows[kind, real, month] = (len(self.rows) + 1, shown)
        return len(self.rows)

    def month_key(self, month: str) -> bytes | None:
        """The key, if there is one."""
        self.asked += 1
        return self.keys.get(month)

    def add_month_key(self, month: str, key: bytes) -> None:
        """Keep it."""
        self.keys[month] = key


@pytest.mark.parametrize("kind", sorted(HIDDEN))
def test_people_have_a_random_name_a_month(kind: Naming) -> None:
    """The same within a month, another in the next, and none that tells who it is."""
    names = Pseudonyms(Memory())
    number, shown = names.name(kind, "anna", JANUARY)
    assert names.name(kind, "anna", JANUARY) == (number, shown)
    assert names.name(kind, "anna", FEBRUARY)[1] != shown
    assert names.name(kind, "bob", JANUARY)[1] != shown
    assert len(shown) == 22
    assert "anna" not in shown


@pytest.mark.parametrize("kind", [Naming.CLIENT, Naming.ORGANISATION])
def test_programs_and_organisations_stand_as_they_are(kind: Naming) -> None:
    """They are numbered, once for all months."""
    names = Pseudonyms(Memory())
    assert names.name(kind, "portal", JANUARY) == names.name(kind, "portal", FEBRUARY) == (1, "portal")


def test_two_kinds_never_share_a_name() -> None:
    """A patient and an account with the same id are different names."""
    names = Pseudonyms(Memory())
    assert names.name(Naming.PATIENT, "x", JANUARY) != names.name(Naming.ACCOUNT, "x", JANUARY)


def test_memory_is_bounded_and_the_map_is_asked_again() -> None:
    """The least recently used name leaves memory; the map still knows it."""
    store = Memory()
    names = Pseudonyms(store, most=2)
    first = names.name(Naming.PATIENT, "a", JANUARY)
    names.name(Naming.PATIENT, "b", JANUARY)
    names.name(Naming.PATIENT, "a", JANUARY)
    names.name(Naming.PATIENT, "c", JANUARY)  # "b" goes, not "a"
    asked = store.asked
    assert names.name(Naming.PATIENT, "a", JANUARY) == first
    assert store.asked == asked
    names.name(Naming.PATIENT, "b", JANUARY)
    assert store.asked == asked + 1


def test_forgetting_asks_the_map_again() -> None:
    """What is kept in memory is dropped, names and keys."""
    store = Memory()
    names = Pseudonyms(store)
    shown, hashed = names.name(Naming.PATIENT, "a", JANUARY), names.document(DocumentId("d"), JANUARY)
    store.rows.clear()
    names.forget()
    assert names.name(Naming.PATIENT, "a", JANUARY) != shown
    assert names.document(DocumentId("d"), JANUARY) == hashed
    store.keys.clear()
    names.forget()
    assert names.document(DocumentId("d"), JANUARY) != hashed


def test_documents_are_keyed_hashes_of_the_month() -> None:
    """Recomputed from the month's key; another month, another hash."""
    store = Memory()
    names = Pseudonyms(store)
    shown = names.document(DocumentId("d"), JANUARY)
    assert shown == names.document(DocumentId("d"), JANUARY) == document_name(store.keys[JANUARY], DocumentId("d"))
    assert names.document(DocumentId("d"), FEBRUARY) != shown
    assert names.document(DocumentId("e"), JANUARY) != shown
    assert len(shown) == 16
    assert len(store.keys[JANUARY]) == 32


@given(st.binary(min_size=32, max_size=32), st.lists(st.text(max_size=80).map(DocumentId), unique=True, max_size=5))
def test_hashing_many_documents_is_hashing_each(key: bytes, documents: list[DocumentId]) -> None:
    """The short way gives what HMAC gives, and text and bytes of a name stand for each other."""
    hashed = DocumentHash(key)
    names = [document_name(key, one) for one in documents]
    assert [hashed.digest(one) for one in documents] == [document_digest(name) for name in names]
    assert hashed.by_digest(documents) == {document_digest(document_name(key, one)): one for one in documents}


@pytest.mark.parametrize("shown", ["unknown", "é", "AAAAAAAAAAAAAAA", "AAAA AAAA", "AAAA=AAA"])
def test_what_is_no_name_of_a_document_is_nobodys(shown: str) -> None:
    """An entry that no keeper wrote is a gap in a list and no error."""
    assert document_digest(shown) == b""


@given(st.integers(0, 4_102_444_800_000))
def test_months_have_edges(t: int) -> None:
    """A time lies within the span of its month, and the edges lie in different months."""
    month = month_at(t)
    first, after = month_span(month)
    assert month == month_of(t)
    assert first <= t < after
    assert (month_of(first), month_of(after - 1)) == (month, month)
    assert month_of(after) != month


def test_erasing_is_recognised() -> None:
    """Effects that change the map say so; the details' do not."""
    person = pseudonym.erase_patient("a")
    assert [pseudonym.erases(effect) for effect in person] == [False, True]
    assert [pseudonym.erases(effect) for effect in pseudonym.erase_account("a")] == [False, True]
    assert [pseudonym.erases(effect) for effect in pseudonym.erase_months(JANUARY)] == [True]
