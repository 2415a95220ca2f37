"""The facts a decision is made from, as small closed sets, so that the whole fact space can be walked.

A `Case` is one question: an `Action`, by somebody (`Person`, `Clinician`, `Service` or `Feed`), upon a document
(`Document`) or a patient's record as a whole (`None`). The facts are loaded by the keeper from its own database in one
indexed query; kind and relations are looked up by issuer and subject and never taken from a token's claims.
Impossible combinations cannot be written down: a clinician has no `standing`, a person no `care`.
"""

from enum import Enum, unique

import msgspec


@unique
class Action(Enum):
    """Everything the door decides. Alphabetical."""

    BREAK_GLASS = "break-glass"
    DELEGATE = "delegate"
    DELETE = "delete"
    DEPOSIT = "deposit"
    HISTORY = "history"
    LIST = "list"
    RELABEL = "relabel"
    RELATE = "relate"
    RELEASE = "release"
    SHARE = "share"
    SUPERSEDE = "supersede"
    WITHHOLD = "withhold"


@unique
class Standing(Enum):
    """How a person's login stands to the patient."""

    STRANGER = "stranger"
    OWNER = "owner"
    DELEGATE_READ = "delegate-read"
    """A live delegation that covers normal documents only."""
    DELEGATE_FULL = "delegate-full"
    """A live delegation that covers all the patient's own login may read."""
    LAPSED = "lapsed"
    """A delegation that is over: period ended, child grew past the age limit, or the patient ended it."""


@unique
class Care(Enum):
    """A clinician's live care relation to the patient."""

    NONE = "none"
    PRACTICE = "practice"
    """Member of an organisation that the patient is enrolled with, today."""
    SHARE = "share"
    """The patient shared the record with this clinician or their organisation, and the share is live."""


@unique
class Glass(Enum):
    """Break-glass for this clinician and this patient."""

    NONE = "none"
    LIVE = "live"


@unique
class Quota(Enum):
    """Break-glass openings of the last 24 h against 3 an account and 10 an organisation."""

    WITHIN = "within"
    USED_UP = "used-up"
    AGREED = "agreed"
    """Used up, and a second person has agreed to this one."""


@unique
class Grant(Enum):
    """A service account's grant against what it asks for."""

    NONE = "none"
    OUTSIDE = "outside"
    """Another organisation's patient, another purpose, or beyond the declared size."""
    COVERS = "covers"
    PAST = "past"
    """Covered, but behind the cursor: a rerun of the past, which two people must agree to."""
    PAST_AGREED = "past-agreed"


@unique
class Category(Enum):
    """What kind of document it is, for the policy. Set at deposit, changed by relabel."""

    NORMAL = "normal"
    SENSITIVE = "sensitive"
    CLINICIAN_ONLY = "clinician-only"


@unique
class State(Enum):
    """Where a document is in its life."""

    AVAILABLE = "available"
    PENDING = "pending"
    """Being uploaded, or held back until it is looked at."""
    DELETED = "deleted"


class Person(msgspec.Struct, frozen=True, gc=False):
    """A patient's or carer's login."""

    disabled: bool
    mfa: bool
    fresh: bool
    """A second factor was shown within the last five minutes."""
    standing: Standing


class Clinician(msgspec.Struct, frozen=True, gc=False):
    """A clinician's login."""

    disabled: bool
    mfa: bool
    care: Care
    withheld: bool
    """The patient withheld the record, or this category of it, from this clinician or their organisation."""
    glass: Glass
    ruled_out: bool
    """The patient ruled out that break-glass opens what they withheld."""
    reason: bool
    """A reason was given (break-glass only; false elsewhere)."""
    quota: Quota


class Service(msgspec.Struct, frozen=True, gc=False):
    """A program's login."""

    disabled: bool
    grant: Grant


class Feed(msgspec.Struct, frozen=True, gc=False):
    """An organisation's signed feed of people and relations."""

    trusted: bool
    """The signature holds under a key that the operators registered for this organisation."""
    own_patient: bool
    """The patient is enrolled with this organisation, or is new and becomes so by this very feed."""


Asker = Person | Clinician | Service | Feed


class Document(msgspec.Struct, frozen=True, gc=False):
    """The document asked for."""

    category: Category
    state: State


class Case(msgspec.Struct, frozen=True, gc=False):
    """One question to the policy. `document` is None where the action is upon the record as a whole."""

    action: Action
    asker: Asker
    document: Document | None
