"""The policy: facts in, `Permit` or `Deny` out. Total, pure, and all of it is on this page.

Deny by default: what no rule permits is denied, an unforeseen shape of question too. The same policy stands beside it as
Cedar text (`policy.cedar`); the two are proven equal over the whole fact space in the tests, reason codes included.

Who may do what:

* nobody without a second factor (people and clinicians; programs prove a key instead), nobody disabled;
* the patient: everything of their own but what is for clinicians only; widening access needs a *fresh* second factor;
* a full delegate: lists, reads, deposits and sees the history as the patient would; a reading delegate lists and reads
  normal documents. Neither can delegate, share, withhold or delete;
* a clinician in live care: lists and reads; through a practice not what is sensitive, through a share that too; what the
  patient withheld only while break-glass is open, unless the patient ruled that out;
* a program: what its grant covers; the past again only when a second person agreed;
* an organisation's feed: relations of its own patients.
"""

from dataclasses import InitVar, dataclass
from enum import Enum, unique

from strongroom.authz.facts import (
    Action,
    Care,
    Case,
    Category,
    Clinician,
    Document,
    Feed,
    Glass,
    Grant,
    Person,
    Quota,
    Service,
    Standing,
    State,
)

_MADE_HERE = object()


@unique
class Basis(Enum):
    """Why something is permitted. Alphabetical."""

    BREAK_GLASS = "break-glass"
    CARE = "care"
    DELEGATE = "delegate"
    FEED = "feed"
    GRANT = "grant"
    OWNER = "owner"
    UNSAFE = "unsafe"
    """Authorization was switched off, in a store that a rehearsal made."""


@unique
class Reason(Enum):
    """Why something is denied. Alphabetical. `sentence` says it to an officer; the asker learns less."""

    CLINICIAN_ONLY = "clinician-only"
    DISABLED = "disabled"
    LAPSED = "lapsed"
    MALFORMED = "malformed"
    MFA = "mfa"
    NO_RELATION = "no-relation"
    NOT_AVAILABLE = "not-available"
    NOT_THEIRS_TO_DO = "not-theirs-to-do"
    OUTSIDE_GRANT = "outside-grant"
    REASON = "reason"
    SECOND_PERSON = "second-person"
    SENSITIVE = "sensitive"
    STEP_UP = "step-up"
    UNTRUSTED_FEED = "untrusted-feed"
    WITHHELD = "withheld"

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.CLINICIAN_ONLY: "The document is for clinicians only.",
    Reason.DISABLED: "The login is disabled.",
    Reason.LAPSED: "The delegation is over.",
    Reason.MALFORMED: "The question has no such form.",
    Reason.MFA: "No second factor was shown.",
    Reason.NO_RELATION: "There is no live relation to this patient.",
    Reason.NOT_AVAILABLE: "The document is not available.",
    Reason.NOT_THEIRS_TO_DO: "This kind of login does not do that.",
    Reason.OUTSIDE_GRANT: "The program's grant does not cover it.",
    Reason.REASON: "Break-glass needs a reason.",
    Reason.SECOND_PERSON: "A second person must agree first.",
    Reason.SENSITIVE: "The document is sensitive, and was not shared.",
    Reason.STEP_UP: "A fresh second factor is needed.",
    Reason.UNTRUSTED_FEED: "The feed is not signed by this organisation, or the patient is not theirs.",
    Reason.WITHHELD: "The patient withheld it.",
}


@unique
class Obligation(Enum):
    """What a permit binds the keeper to do."""

    TELL_PATIENT = "tell-patient"


@dataclass(frozen=True, slots=True)
class Permit:
    """Yes, and why. Only `decide` makes one."""

    action: Action
    basis: Basis
    obligations: frozenset[Obligation]
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        """Refuses a permit that was made up."""
        if made_by is not _MADE_HERE:
            msg = "A permit is made by the policy alone."
            raise TypeError(msg)


@dataclass(frozen=True, slots=True)
class Deny:
    """No, and why."""

    reason: Reason


_PERMITS = {
    (action, basis): Permit(
        action, basis, frozenset({Obligation.TELL_PATIENT} if action is Action.BREAK_GLASS else ()), _MADE_HERE
    )
    for action in Action
    for basis in Basis
}
"""Every permit there can be: few, and nothing in them changes."""

UPON_DOCUMENT = frozenset({Action.LIST, Action.RELEASE, Action.SUPERSEDE, Action.DELETE, Action.RELABEL})
"""Actions upon one document; all others are upon the record as a whole."""

_WIDENING = frozenset({Action.DELEGATE, Action.SHARE, Action.WITHHOLD})
"""What needs a fresh second factor. Withholding too: a thief who withholds locks clinicians out."""
_OWNERS = _WIDENING | {
    Action.LIST, Action.RELEASE, Action.DEPOSIT, Action.SUPERSEDE, Action.DELETE, Action.HISTORY,
}  # fmt: skip
_READING = frozenset({Action.LIST, Action.RELEASE})
_FULL_DELEGATES = _READING | {Action.DEPOSIT, Action.HISTORY}
_CLINICIANS = _READING | {Action.DEPOSIT, Action.SUPERSEDE, Action.RELABEL}
_PROGRAMS = _READING | {Action.DEPOSIT}


def decide(case: Case) -> Permit | Deny:
    """The answer to one question. Never raises for a well-typed case."""
    if (case.document is not None) is not (case.action in UPON_DOCUMENT):
        return Deny(Reason.MALFORMED)
    outcome = _by_asker(case)
    if isinstance(outcome, Reason):
        return Deny(outcome)
    return _PERMITS[case.action, outcome]


def unsafe_permit_everything(case: Case) -> Permit:
    """Authorization assumed completely broken: yes to every question. For rehearsals only; never wired otherwise."""
    return Permit(case.action, Basis.UNSAFE, frozenset(), _MADE_HERE)


def _by_asker(case: Case) -> Basis | Reason:
    match case.asker:
        case Person():
            return _person(case.asker, case.action, case.document)
        case Clinician():
            return _clinician(case.asker, case.action, case.document)
        case Service():
            return _service(case.asker, case.action, case.document)
        case Feed():
            return _feed(case.asker, case.action)


def _is_unavailable(document: Document | None) -> bool:
    return document is not None and document.state is not State.AVAILABLE


def _is_category(document: Document | None, category: Category) -> bool:
    return document is not None and document.category is category


def _person(who: Person, action: Action, document: Document | None) -> Basis | Reason:
    if who.disabled:
        return Reason.DISABLED
    if not who.mfa:
        return Reason.MFA
    if who.standing is Standing.STRANGER:
        return Reason.NO_RELATION
    if who.standing is Standing.LAPSED:
        return Reason.LAPSED
    if _is_unavailable(document):
        return Reason.NOT_AVAILABLE
    if _is_category(document, Category.CLINICIAN_ONLY):
        return Reason.CLINICIAN_ONLY
    if who.standing is Standing.OWNER:
        return _owner(who, action)
    return _delegate(who, action, document)


def _owner(who: Person, action: Action) -> Basis | Reason:
    if action not in _OWNERS:
        return Reason.NOT_THEIRS_TO_DO
    if action in _WIDENING and not who.fresh:
        return Reason.STEP_UP
    return Basis.OWNER


def _delegate(who: Person, action: Action, document: Document | None) -> Basis | Reason:
    if who.standing is Standing.DELEGATE_FULL:
        return Basis.DELEGATE if action in _FULL_DELEGATES else Reason.NOT_THEIRS_TO_DO
    if action not in _READING:
        return Reason.NOT_THEIRS_TO_DO
    if _is_category(document, Category.SENSITIVE):
        return Reason.SENSITIVE
    return Basis.DELEGATE


def _clinician(who: Clinician, action: Action, document: Document | None) -> Basis | Reason:
    if who.disabled:
        return Reason.DISABLED
    if not who.mfa:
        return Reason.MFA
    if action is Action.BREAK_GLASS:
        return _break_glass(who)
    if action not in _CLINICIANS:
        return Reason.NOT_THEIRS_TO_DO
    if _is_unavailable(document):
        return Reason.NOT_AVAILABLE
    open_now = who.glass is Glass.LIVE and action in _READING
    if who.withheld:
        return Basis.BREAK_GLASS if open_now and not who.ruled_out else Reason.WITHHELD
    care = _care(who, document)
    return Basis.BREAK_GLASS if open_now and isinstance(care, Reason) else care


def _care(who: Clinician, document: Document | None) -> Basis | Reason:
    if who.care is Care.NONE:
        return Reason.NO_RELATION
    if who.care is Care.PRACTICE and _is_category(document, Category.SENSITIVE):
        return Reason.SENSITIVE
    return Basis.CARE


def _break_glass(who: Clinician) -> Basis | Reason:
    if not who.reason:
        return Reason.REASON
    if who.quota is Quota.USED_UP:
        return Reason.SECOND_PERSON
    return Basis.BREAK_GLASS


def _service(who: Service, action: Action, document: Document | None) -> Basis | Reason:
    if who.disabled:
        return Reason.DISABLED
    if action not in _PROGRAMS:
        return Reason.NOT_THEIRS_TO_DO
    if who.grant in (Grant.NONE, Grant.OUTSIDE):
        return Reason.OUTSIDE_GRANT
    if _is_unavailable(document):
        return Reason.NOT_AVAILABLE
    if who.grant is Grant.PAST:
        return Reason.SECOND_PERSON
    return Basis.GRANT


def _feed(who: Feed, action: Action) -> Basis | Reason:
    if action is not Action.RELATE:
        return Reason.NOT_THEIRS_TO_DO
    if not (who.trusted and who.own_patient):
        return Reason.UNTRUSTED_FEED
    return Basis.FEED
