"""From the names in the log back to people and documents, as far as the map still knows them.

What it does not know is a `Gap`: a value in the answer, never a silence.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from strongroom.audit.pseudonym import DocumentHash, Naming, document_digest, document_name, month_at
from strongroom.audit.sqlite_reader import Named, Reader
from strongroom.errors import Tampered
from strongroom.ids import DocumentId, PatientId

K = TypeVar("K")
V = TypeVar("V")
DocumentsOf = Callable[[Sequence[PatientId]], Iterable[tuple[PatientId, Sequence[DocumentId]]]]
"""Every document that each of these patients ever had, deleted ones included. The keeper's database knows."""
MAX_NAMES = 131_072
"""Names kept in memory, about 40 MB."""
MAX_HASHED = 4_096
"""Patients, times months, whose documents are kept hashed in memory; at 28 documents each about 25 MB."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What cannot be told: `count` names of this kind of this month (2026-01) that were erased or are unknown.

    `shown` is what stands in the log, where it is one name in one entry.
    """

    kind: str
    month: str
    shown: str = ""
    count: int = 1


class Resolver:
    """Looks names up, and keeps the latest in memory. `expect_names` and `expect_documents` look many up at once."""

    def __init__(self, reader: Reader, documents_of: DocumentsOf) -> None:
        """`documents_of` may name nobody's documents; then documents are gaps."""
        self._reader = reader
        self._documents_of = documents_of
        self._named: dict[int, Named | None] = {}
        self._real: dict[tuple[str, str, str], str | None] = {}
        self._hashes: dict[str, DocumentHash] = {}
        self._hashed: dict[tuple[str, str], dict[bytes, DocumentId]] = {}

    def who(self, index: int, number: int | None, shown: str | None) -> str | Gap | None:
        """Whom name `number` of entry `index` stands for. Raises Tampered if the entry shows another name."""
        if number is None and shown is None:
            return None
        named = None if number is None else self._name(number)
        if named is None or named.shown != shown:
            msg = f"Entry {index} is filed under another name than the one it shows."
            raise Tampered(msg, advice="Restore the keeper's directory from a backup and keep this one for inspection.")
        return Gap(named.kind, named.month, named.shown) if named.real is None else named.real

    def network(self, t: int, shown: str) -> str | Gap:
        """The network behind a token in an entry of time `t`."""
        asked = str(Naming.NETWORK), month_at(t), shown
        if asked not in self._real:
            _missing(self._real, {asked}, MAX_NAMES)
            self._real[asked] = self._reader.real(*asked)
        real = self._real[asked]
        return Gap(Naming.NETWORK, month_at(t), shown) if real is None else real

    def document(self, patient: str | Gap | None, t: int, shown: str) -> DocumentId | Gap:
        """The document of `patient` behind a keyed hash in an entry of time `t`."""
        month = month_at(t)
        if isinstance(patient, str):
            place = patient, month
            if place not in self._hashed:
                self.expect_documents({place})
            found = self._hashed[place].get(document_digest(shown))
            if found is not None:
                return found
        return Gap("document", month, shown)

    def shown_as(self, document: DocumentId) -> dict[str, str]:
        """What stands in the log for a document, by month."""
        return {month: document_name(key, document) for month, key in self._reader.month_keys().items()}

    def expect_names(self, numbers: Iterable[int | None]) -> None:
        """These will be asked for: look up at once those that are not known yet."""
        wanted = {number for number in numbers if number is not None}
        new = _missing(self._named, wanted, MAX_NAMES)
        self._named.update(self._reader.names([*new]))

    def expect_documents(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Documents of these patients will be asked for in these months (2026-01): hash at once what is not known yet."""
        new = _missing(self._hashed, {*pairs}, MAX_HASHED)
        held = dict(self._documents_of(sorted({PatientId(patient) for patient, _ in new})))
        for patient, month in new:
            hashed = self._hash(month)
            self._hashed[patient, month] = {} if hashed is None else hashed.by_digest(held.get(PatientId(patient), ()))

    def _name(self, number: int) -> Named | None:
        if number not in self._named:
            _missing(self._named, {number}, MAX_NAMES)
            self._named[number] = self._reader.named(number)
        return self._named[number]

    def _hash(self, month: str) -> DocumentHash | None:
        if month not in self._hashes:  # it may have begun since they were read
            self._hashes = {one: DocumentHash(key) for one, key in self._reader.month_keys().items()}
        return self._hashes.get(month)


def _missing(kept: dict[K, V], wanted: set[K], most: int) -> set[K]:
    """What of `wanted` is to be looked up. Forgets everything rather than keep more than `most`: what is asked for together
    comes together; then all of it is to be looked up.
    """
    new = wanted - kept.keys()
    if len(kept) + len(new) > most:
        kept.clear()
        return wanted
    return new
