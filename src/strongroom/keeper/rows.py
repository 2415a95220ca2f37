"""Rows of the keeper's own database, as `sqlite.Catalog` answers.

Those that each decision is made from are structs: a frozen dataclass of many fields takes eight times as long to make.
"""

from dataclasses import dataclass

from msgspec import Struct

from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId


class AccountRow(Struct, frozen=True, gc=False):
    """A login as the keeper knows it. `id` is None for one it does not."""

    id: AccountId | None
    kind: str | None
    disabled: bool
    patient: PatientId | None


class DelegationRow(Struct, frozen=True, gc=False):
    """One login acting for one patient. Times in ms; `level` read or full; `basis` parent, carer or grant."""

    level: str
    basis: str
    since: int
    until: int


class GrantRow(Struct, frozen=True, gc=False):
    """A service account's grant. `size` is documents per 24 h."""

    organisation: OrganisationId
    purpose: str
    cursor: int
    size: int
    until: int


class SubjectRow(Struct, frozen=True, gc=False):
    """A patient, and how the asking login stands to them, as stored. `born` is YYYY-MM-DD."""

    patient: PatientId
    wrapped: bytes
    key_version: int
    born: str | None
    ruled_out: frozenset[str]
    """Of what is withheld, what break-glass may not open either."""
    delegation: DelegationRow | None
    practice: OrganisationId | None
    """An organisation both are with, today."""
    shared: bool
    withheld: frozenset[str]
    """Categories withheld from this login or its organisations; the empty one stands for the whole record."""
    glass_until: int | None
    grant: GrantRow | None
    granted_patient: bool
    agreed: bool
    home: OrganisationId | None


class DocumentRow(Struct, frozen=True, gc=False):
    """A document as the keeper knows it."""

    id: DocumentId
    category: str
    state: str
    newest: int
    decoy: bool


class VersionRow(Struct, frozen=True, gc=False):
    """One version. Sizes in bytes; `created` in ms."""

    document: DocumentId
    version: int
    state: str
    content_type: str
    size: int
    sealed_size: int
    created: int
    author: AccountId | None
    wrapped_content: bytes
    wrapped_metadata: bytes
    edition: int
    """Which encryption of the version this is: 0 the first, one more each time it was re-encrypted."""
    keyed: int
    """Entries of the log before this index gave out keys of earlier editions."""


@dataclass(frozen=True, slots=True)
class DestructionRow:
    """A patient's key that is to be destroyed, or was, or was not after all. Times in ms."""

    patient: PatientId
    asked: int
    due: int
    cancelled: int | None
    done: int | None
    life: bytes | None


@dataclass(frozen=True, slots=True)
class TicketRow:
    """The right of one deposit to be finished. `upon`: the newest version its writer had seen; `opened` in ms."""

    document: DocumentId
    version: int
    upon: int
    account: AccountId
    opened: int
