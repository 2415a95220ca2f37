"""From the names in the log back to people and documents, as far as the map still knows them.

What it does not know is a `Gap`: a value in the answer, never a silence.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from strongroom.audit.pseudonym import Naming, document_name, month_at
from strongroom.audit.sqlite_reader import Named, Reader
from strongroom.errors import Tampered
from strongroom.ids import DocumentId, PatientId

DocumentsOf = Callable[[PatientId], Iterable[DocumentId]]
"""Every document a patient ever had, deleted ones included. The keeper's database knows."""


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
    """Looks names up, and keeps the latest in memory."""

    def __init__(self, reader: Reader, documents_of: DocumentsOf) -> None:
        """`documents_of` may name nobody's documents; then documents are gaps."""
        self._reader = reader
        self._named = lru_cache(maxsize=131_072)(reader.named)
        self._real = lru_cache(maxsize=4_096)(reader.real)
        self._names_of = lru_cache(maxsize=4_096)(_Hashed(reader, documents_of))

    def who(self, index: int, number: int | None, shown: str | None) -> str | Gap | None:
        """Whom name `number` of entry `index` stands for. Raises Tampered if the entry shows another name."""
        if number is None and shown is None:
            return None
        named: Named | None = None if number is None else self._named(number)
        if named is None or named.shown != shown:
            msg = f"Entry {index} is filed under another name than the one it shows."
            raise Tampered(msg, advice="Restore the keeper's directory from a backup and keep this one for inspection.")
        return Gap(named.kind, named.month, named.shown) if named.real is None else named.real

    def network(self, t: int, shown: str) -> str | Gap:
        """The network behind a token in an entry of time `t`."""
        real = self._real(Naming.NETWORK, month_at(t), shown)
        return Gap(Naming.NETWORK, month_at(t), shown) if real is None else real

    def document(self, patient: str | Gap | None, t: int, shown: str) -> DocumentId | Gap:
        """The document of `patient` behind a keyed hash in an entry of time `t`."""
        month = month_at(t)
        found = self._names_of(PatientId(patient), month).get(shown) if isinstance(patient, str) else None
        return found or Gap("document", month, shown)

    def shown_as(self, document: DocumentId) -> dict[str, str]:
        """What stands in the log for a document, by month."""
        return {month: document_name(key, document) for month, key in self._reader.month_keys().items()}


class _Hashed:
    """Keyed hash to document, for a patient and a month. Holds no resolver: none lives on through its cache."""

    def __init__(self, reader: Reader, documents_of: DocumentsOf) -> None:
        self._reader = reader
        self._documents_of = documents_of
        self._keys: dict[str, bytes] = {}

    def __call__(self, patient: PatientId, month: str) -> dict[str, DocumentId]:
        if month not in self._keys:
            self._keys = self._reader.month_keys()
        key = self._keys.get(month)
        if key is None:
            return {}
        return {document_name(key, document): document for document in self._documents_of(patient)}
