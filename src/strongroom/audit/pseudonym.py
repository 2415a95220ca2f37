"""Names that the log uses instead of people, and how to forget them.

An account, patient, session or network is a random token that changes every month. The map from token to person lies
beside the tree; taking a person out of the map breaks no hash. Documents are keyed hashes, so that a patient's
documents can be recognised by whoever knows which documents the patient has. Clients and organisations are no people
and stand in the log as they are; they are numbered here only so that the log can be searched by them.
"""

import base64
import binascii
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum, unique
from functools import lru_cache
from typing import Protocol

from strongroom.audit.effect import Effect
from strongroom.clock import DAY, SECOND, month_of
from strongroom.envelope.keyed import keyed_hash
from strongroom.ids import DocumentId

MAX_KEPT = 65_536
"""Names kept in memory, about 20 MB."""
TOKEN_BYTES = 16
DOCUMENT_BYTES = 12
"""Of the keyed hash: two documents of one patient are confused once in 2**96."""


@unique
class Naming(StrEnum):
    """What a name is of. Alphabetical."""

    ACCOUNT = "account"
    CLIENT = "client"
    NETWORK = "network"
    ORGANISATION = "organisation"
    PATIENT = "patient"
    SESSION = "session"


HIDDEN = frozenset({Naming.ACCOUNT, Naming.NETWORK, Naming.PATIENT, Naming.SESSION})
"""These are written under tokens; the others as they stand."""


class NameStore(Protocol):
    """Where the map is kept. Called within the transaction that uses the name."""

    def find_name(self, kind: str, real: str, month: str) -> tuple[int, str] | None:
        """(number, what stands in the log), if it has a name in this month."""

    def add_name(self, kind: str, real: str, month: str, shown: str) -> int:
        """Keep a name; its number."""

    def month_key(self, month: str) -> bytes | None:
        """The key that documents are hashed with in this month."""

    def add_month_key(self, month: str, key: bytes) -> None:
        """Keep a month's key."""


class Pseudonyms:
    """Names by (kind, real, month), made at first use. Keeps the most recently used ones in memory."""

    def __init__(self, store: NameStore, most: int = MAX_KEPT) -> None:
        self._store = store
        self._most = most
        self._kept: OrderedDict[tuple[Naming, str, str], tuple[int, str]] = OrderedDict()
        self._hashes: dict[str, DocumentHash] = {}

    def name(self, kind: Naming, real: str, month: str) -> tuple[int, str]:
        """(number, what stands in the log) for `real` in this month."""
        place = (kind, real, month if kind in HIDDEN else "")
        found = self._kept.get(place)
        if found is not None:
            self._kept.move_to_end(place)
            return found
        found = self._store.find_name(kind, real, place[2]) or self._make(*place)
        self._kept[place] = found
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return found

    def document(self, document: DocumentId, month: str) -> str:
        """What stands in the log for a document in this month."""
        hashed = self._hashes.get(month)
        if hashed is None:
            key = self._store.month_key(month)
            if key is None:
                key = secrets.token_bytes(32)
                self._store.add_month_key(month, key)
            hashed = self._hashes[month] = DocumentHash(key)
        return _urlsafe(hashed.digest(document))

    def forget(self) -> None:
        """Drop what is kept in memory: the map was changed, or the transaction that made names did not commit."""
        self._kept.clear()
        self._hashes.clear()

    def _make(self, kind: Naming, real: str, month: str) -> tuple[int, str]:
        shown = _urlsafe(secrets.token_bytes(TOKEN_BYTES)) if kind in HIDDEN else real
        return self._store.add_name(kind, real, month, shown), shown


def document_name(key: bytes, document: DocumentId) -> str:
    """HMAC-SHA256 under the month's key, 12 bytes as base64url (16 characters)."""
    return _urlsafe(hmac.digest(key, document.encode(), "sha256")[:DOCUMENT_BYTES])


class DocumentHash:
    """`document_name` for many documents of one month: the key is taken in once, and a document costs a third."""

    __slots__ = ("_hashed",)

    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes."""
        self._hashed = keyed_hash(key)

    def digest(self, document: DocumentId) -> bytes:
        """The 12 bytes that `document_name` writes as text."""
        return self._hashed(document.encode())[:DOCUMENT_BYTES]

    def by_digest(self, documents: Iterable[DocumentId]) -> dict[bytes, DocumentId]:
        """Many documents by their 12 bytes: there are millions on a long list."""
        hashed = self._hashed
        return {hashed(document.encode())[:DOCUMENT_BYTES]: document for document in documents}


def document_digest(shown: str) -> bytes:
    """The 12 bytes of what stands in the log for a document; nothing where it is no such name."""
    try:
        return binascii.a2b_base64(shown.replace("-", "+").replace("_", "/"), strict_mode=True)
    except ValueError:
        return b""


def month_at(t: int) -> str:
    """`clock.month_of`, remembered for the last few days."""
    return _month_of_day(t // DAY)


def month_span(month: str) -> tuple[int, int]:
    """First millisecond of a month (2026-01), and of the month after it."""
    year, number = int(month[:4]), int(month[5:])
    first = datetime(year, number, 1, tzinfo=UTC)
    after = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return int(first.timestamp()) * SECOND, int(after.timestamp()) * SECOND


_FORGET_DETAILS = (
    "delete from log_details where idx in (select idx from log_entry where {column} in"
    " (select id from log_name where kind = ? and real = ?))"
)
_FORGET_NAMES = "update log_name set real = null where kind = ? and real = ?"
_FORGET_MONTHS = "update log_name set real = null where month < ? and month <> ''"
_ERASING = frozenset({_FORGET_NAMES, _FORGET_MONTHS})


def erase_patient(real: str) -> tuple[Effect, ...]:
    """Take a patient out of the map, for good, with the details of every entry about them. To be sent with a draft.

    Their entries stay, and are counted as gaps from then on. Budgets are a function of log and map: what was disclosed
    of an erased patient is no longer counted after the next start.
    """
    return _erase(Naming.PATIENT, "patient", real)


def erase_account(real: str) -> tuple[Effect, ...]:
    """As `erase_patient`, for a login and the details of what it did."""
    return _erase(Naming.ACCOUNT, "actor", real)


def erase_months(before: str) -> tuple[Effect, ...]:
    """Empty the map of all months before this one (2026-01), when their time is over. To be sent with a draft."""
    return (Effect(_FORGET_MONTHS, (before,)),)


def erases(effect: Effect) -> bool:
    """Whether names kept in memory are no longer true after this effect."""
    return effect.sql in _ERASING


def _erase(kind: Naming, column: str, real: str) -> tuple[Effect, ...]:
    return (
        Effect(_FORGET_DETAILS.format(column=column), (kind, real)),
        Effect(_FORGET_NAMES, (kind, real)),
    )


@lru_cache(maxsize=64)
def _month_of_day(day: int) -> str:
    return month_of(day * DAY)


def _urlsafe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
