"""Who and what a disclosure is charged to."""

from enum import Enum, unique

import msgspec

from strongroom.clock import Millis
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId


@unique
class Kind(Enum):
    """The kind of a disclosure, as the relations alone tell it (never as the decision says)."""

    OWN = "own"
    """By the patient, or by a delegate whose delegation is older than a day."""
    CARE = "care"
    """By a clinician within a live care relation."""
    GLASS = "glass"
    """By a clinician through break-glass."""
    SERVICE = "service"
    """By a service account."""
    STRANGER = "stranger"
    """Everything else that a login reaches: young delegations, and whatever a broken check lets through."""


class Scopes(msgspec.Struct, frozen=True, gc=False):
    """Everything one disclosure is charged to, at once or not at all. The module is always charged too."""

    session: SessionId
    account: AccountId
    client: str
    organisation: OrganisationId | None
    network: str
    """A declared organisation network's name (`org:NAME`), else the /32 or /64 as text. Never an identity by itself."""


class Disclosure(msgspec.Struct, frozen=True, gc=False):
    """What would be disclosed, to whom. The charge of it is decided by `Ledger.charge`."""

    at: Millis
    kind: Kind
    scopes: Scopes
    patient: PatientId
    document: DocumentId | None
    """None for a listing."""
    version: int
    size: int
    """Bytes."""
