"""From stored rows to the facts of a decision, and to the kind of a disclosure. Pure.

The two are told apart on purpose: `asker` feeds the policy; `kind` feeds the budgets from the relations alone, so that a
policy that permits too much still charges a stranger as a stranger.
"""

from msgspec import Struct

from strongroom.authz import relations
from strongroom.authz.facts import (
    Asker,
    Care,
    Category,
    Clinician,
    Document,
    Grant,
    Person,
    Quota,
    Service,
    Standing,
    State,
)
from strongroom.budget.scope import Kind
from strongroom.clock import DAY, Millis
from strongroom.identity.token import Verified
from strongroom.ids import AccountId, OrganisationId, encode
from strongroom.keeper.rows import AccountRow, DelegationRow, DocumentRow, GrantRow, SubjectRow, VersionRow

CURSOR_OVERLAP = DAY
"""How far behind its cursor a service may read without a second person: nightly runs overlap and arrive out of order."""

_DOCUMENTS = {(one.value, state.value): Document(one, state) for one in Category for state in State}
"""All facts there are about a document, by its stored category and state."""


class Wish(Struct, frozen=True, gc=False):
    """What of the question bears on the facts. `created` is the time of the version asked for, None for a record."""

    now: Millis
    purpose: str
    category: Category | None = None
    created: int | None = None
    reason: bool = False
    quota: Quota = Quota.WITHIN


def account_id(login: bytes, account: AccountRow) -> AccountId:
    """The login's id; for one the keeper does not know, a name made of its hash, so that it has budgets all the same."""
    return account.id if account.id is not None else AccountId(encode(login))


def asker(verified: Verified, account: AccountRow, subject: SubjectRow, wish: Wish) -> Asker:
    """The facts about who asks. A login that the keeper does not know is a person without any relation."""
    if account.kind == "clinician":
        return Clinician(
            disabled=account.disabled,
            mfa=verified.mfa,
            care=relations.care(practice=subject.practice is not None, shared=subject.shared),
            withheld=relations.is_withheld(subject.withheld, wish.category),
            glass=relations.glass(subject.glass_until, wish.now),
            ruled_out=relations.is_withheld(subject.ruled_out, wish.category),
            reason=wish.reason,
            quota=wish.quota,
        )
    if account.kind == "service":
        return Service(disabled=account.disabled, grant=_grant(subject, wish, bound=verified.bound))
    return Person(
        disabled=account.disabled, mfa=verified.mfa, fresh=verified.fresh, standing=standing(account, subject, wish.now)
    )


def standing(account: AccountRow, subject: SubjectRow, now: Millis) -> Standing:
    """How a person's login stands to the patient."""
    return relations.standing(
        own=account.patient is not None and account.patient == subject.patient,
        delegation=_delegation(subject.delegation),
        born=relations.parse_born(subject.born),
        now=now,
    )


def acts(row: DelegationRow, born: str | None, now: Millis) -> bool:
    """Whether this delegation lets its login act now."""
    found = relations.standing(own=False, delegation=_delegation(row), born=relations.parse_born(born), now=now)
    return found in {Standing.DELEGATE_READ, Standing.DELEGATE_FULL}


def kind(account: AccountRow, subject: SubjectRow, now: Millis) -> Kind:
    """What budget a disclosure belongs to, whatever the policy said."""
    if account.kind == "clinician":
        if relations.care(practice=subject.practice is not None, shared=subject.shared) is not Care.NONE:
            return Kind.CARE
        live = subject.glass_until is not None and now < subject.glass_until
        return Kind.GLASS if live else Kind.STRANGER
    if account.kind == "service":
        live = subject.grant is not None and now < subject.grant.until
        return Kind.SERVICE if live and subject.granted_patient else Kind.STRANGER
    stands = standing(account, subject, now)
    if stands is Standing.OWNER:
        return Kind.OWN
    acting = stands in {Standing.DELEGATE_READ, Standing.DELEGATE_FULL}
    return Kind.OWN if acting and relations.is_established(_delegation(subject.delegation), now) else Kind.STRANGER


def organisation(account: AccountRow, subject: SubjectRow) -> OrganisationId | None:
    """The organisation a disclosure is charged to: the one both are with, else the login's own."""
    if account.kind == "service":
        return subject.grant.organisation if subject.grant is not None else None
    return subject.practice or subject.home


def document(row: DocumentRow, version: VersionRow | None) -> Document:
    """The facts about a document. A version that is not there, or still being written, is not available."""
    there = version is not None and version.state == "available"
    known = _DOCUMENTS[
        row.category, row.state
    ]  # whether or not it is needed: absent and foreign ones take the same time
    return known if there else _DOCUMENTS[row.category, State.PENDING.value]


def bearing(account: AccountRow, row: DocumentRow, version: VersionRow) -> tuple[object, ...]:
    """What of a version bears on the decision: of two of one patient's that have the same, who may read one may read both."""
    created = version.created if account.kind == "service" else None  # no other's decision looks at it (`_grant`)
    return row.category, row.state, version.state, created


def _delegation(row: DelegationRow | None) -> relations.Delegation | None:
    if row is None:
        return None
    return relations.Delegation(row.level == "full", relations.Ground(row.basis), row.since, row.until)


def _grant(subject: SubjectRow, wish: Wish, *, bound: bool) -> Grant:
    grant = subject.grant
    # A program proves a key of its own with each request: its token alone, found in a log, is worth nothing.
    if grant is None or wish.now >= grant.until or not bound:
        return Grant.NONE
    if not subject.granted_patient or wish.purpose != grant.purpose:
        return Grant.OUTSIDE
    if wish.created is None or wish.created >= grant.cursor - CURSOR_OVERLAP:
        return Grant.COVERS
    return Grant.PAST_AGREED if subject.agreed else Grant.PAST


def declared(grant: GrantRow | None) -> int | None:
    """Documents in 24 h that a service declared."""
    return None if grant is None else grant.size
