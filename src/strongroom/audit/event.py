"""What the keeper tells the log, in real identifiers: a `Draft`, and one small function for each kind of event.

A draft names people. The log's writer turns it into an `Entry` that does not (`compose.py`). Nothing here decides
anything or stores anything.
"""

import msgspec

from strongroom.authz.facts import Action
from strongroom.budget.scope import Disclosure, Kind, Scopes
from strongroom.clock import Millis
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId
from strongroom.tlog.entry import Op

Shown = tuple[DocumentId, int]
"""One version of one document."""
READ = "read"
"""The `action` of a listing of one document that was asked for by its id. Listings of a record, and all those written
before there was a difference, have none.
"""


class Target(msgspec.Struct, frozen=True, gc=False):
    """What an act is upon: `scope` as in freezes (account, session, client, organisation, network, class, module, key).

    Accounts, patients, sessions and networks are written under their pseudonyms, everything else as it stands.
    """

    scope: str
    name: str


class Draft(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event before it is written. Fields as in `tlog.entry.Entry`, but real; `details` is text, kept erasable."""

    t: Millis
    op: Op
    actor: AccountId | None = None
    patient: PatientId | None = None
    network: str | None = None
    session: SessionId | None = None
    client: str | None = None
    organisation: OrganisationId | None = None
    document: DocumentId | None = None
    version: int | None = None
    documents: tuple[Shown, ...] = ()
    action: str | None = None
    basis: str | None = None
    reason: str | None = None
    kind: Kind | None = None
    charged: int | None = None
    bytes: int | None = None
    complete: bool | None = None
    purpose: str | None = None
    policy: str | None = None
    count: int | None = None
    until: int | None = None
    ref: int | None = None
    target: Target | None = None
    details: str | None = None

    def covers(self) -> frozenset[Shown]:
        """The versions whose keys a receipt for this event may open."""
        if self.document is None or self.version is None:
            return frozenset(self.documents)
        return frozenset({(self.document, self.version), *self.documents})


class Ground(msgspec.Struct, frozen=True, gc=False):
    """Why something was permitted: the reason code, the purpose of use, and the policy's hash (16 hex digits)."""

    basis: str
    purpose: str
    policy: str


class Attempt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who wanted to do what to what, whatever came of it."""

    at: Millis
    scopes: Scopes
    action: Action
    patient: PatientId | None = None
    document: DocumentId | None = None
    version: int | None = None
    purpose: str | None = None
    policy: str | None = None


def released(what: Disclosure, ground: Ground, *, charged: int) -> Draft:
    """The key of one version goes out. `charged`: 1, or 0 where the ledger charged this version just before."""
    return _disclosed(Op.RELEASED, what, ground, (), charged)


def listed(what: Disclosure, ground: Ground, shown: tuple[Shown, ...], *, named: bool = False) -> Draft:
    """The metadata keys of these versions go out, all of one patient. `named`: of the one version that was asked for."""
    return msgspec.structs.replace(_disclosed(Op.LISTED, what, ground, shown, None), action=READ if named else None)


def delivered(at: Millis, release: int, size: int, *, complete: bool) -> Draft:
    """The app's word on how many bytes of the release with this index reached the client."""
    return Draft(t=at, op=Op.DELIVERED, ref=release, bytes=size, complete=complete)


def denied(attempt: Attempt, reason: str) -> Draft:
    """The policy said no."""
    return _attempted(Op.DENIED, attempt, reason=reason)


def denials(at: Millis, account: AccountId, count: int, first: int | None) -> Draft:
    """`count` further denials of one account, told in one entry (`denials.py`). `first`: index of the first of them."""
    return Draft(t=at, op=Op.DENIALS, actor=account, count=count, ref=first)


def refused(attempt: Attempt, reason: str, kind: Kind) -> Draft:
    """A budget said no."""
    return _attempted(Op.REFUSED, attempt, reason=reason, kind=kind)


def decoy(attempt: Attempt) -> Draft:
    """Somebody touched a document that no honest person was ever shown."""
    return _attempted(Op.DECOY, attempt, reason="decoy")


def done(
    op: Op,
    attempt: Attempt,
    basis: str,
    *,
    kind: Kind | None = None,
    until: int | None = None,
    target: Target | None = None,
    details: str | None = None,
) -> Draft:
    """A permitted act that is no disclosure: deposit, deletion, relabelling, share, delegation, break-glass ...

    `kind`: what it was charged as, where it widens access or takes it away; None where it is not charged.
    """
    return _attempted(op, attempt, basis=basis, kind=kind, until=until, target=target, details=details)


def related(
    op: Op,
    at: Millis,
    organisation: OrganisationId,
    patient: PatientId,
    *,
    account: AccountId | None = None,
    until: int | None = None,
) -> Draft:
    """A feed began (RELATED) or ended (UNRELATED) a relation of its own patient, to `account` if one is concerned."""
    target = None if account is None else Target("account", account)
    return Draft(t=at, op=op, organisation=organisation, patient=patient, until=until, target=target)


def imported(at: Millis, organisation: OrganisationId, count: int, details: str | None = None) -> Draft:
    """A signed feed with `count` people was taken in."""
    return Draft(t=at, op=Op.IMPORTED, organisation=organisation, count=count, details=details)


def granted(at: Millis, service: AccountId, organisation: OrganisationId, purpose: str, until: int) -> Draft:
    """A service account may read an organisation's patients for a purpose until a time."""
    return Draft(
        t=at, op=Op.GRANTED, organisation=organisation, purpose=purpose, until=until, target=Target("account", service)
    )


def frozen(
    at: Millis,
    target: Target,
    reason: str,
    *,
    by: AccountId | None = None,
    until: int | None = None,
    details: str | None = None,
) -> Draft:
    """Nothing more for `target`; `by` is None where a budget did it."""
    return Draft(t=at, op=Op.FROZEN, actor=by, reason=reason, until=until, target=target, details=details)


def unfrozen(at: Millis, target: Target, reason: str, *, by: AccountId | None, details: str | None = None) -> Draft:
    """A freeze was lifted."""
    return Draft(t=at, op=Op.UNFROZEN, actor=by, reason=reason, target=target, details=details)


def officer(
    at: Millis,
    by: AccountId,
    act: str,
    *,
    target: Target | None = None,
    count: int | None = None,
    details: str | None = None,
) -> Draft:
    """An officer's act that has no op of its own. `details` names everybody who signed it."""
    return Draft(t=at, op=Op.OFFICER, actor=by, action=act, target=target, count=count, details=details)


def key(
    at: Millis,
    act: str,
    target: Target,
    *,
    by: AccountId | None = None,
    count: int | None = None,
    details: str | None = None,
) -> Draft:
    """A key was made, rotated or destroyed; or `count` keys were wrapped under another."""
    return Draft(t=at, op=Op.KEY, actor=by, action=act, target=target, count=count, details=details)


def reencrypting(at: Millis, of: tuple[PatientId, DocumentId, int], *, by: AccountId, began: int) -> Draft:
    """The old and the new keys of a version go to the program that re-encrypts. `began`: index of the officers' act."""
    patient, document, version = of
    return Draft(
        t=at, op=Op.REENCRYPTING, actor=by, patient=patient, document=document, version=version, ref=began
    )  # fmt: skip


def reencrypted(at: Millis, of: tuple[PatientId, DocumentId, int], *, by: AccountId, began: int) -> Draft:
    """From here on the version is read with its new keys."""
    patient, document, version = of
    return Draft(t=at, op=Op.REENCRYPTED, actor=by, patient=patient, document=document, version=version, ref=began)


def erased(at: Millis, patient: PatientId, document: DocumentId) -> Draft:
    """The delay of a deleted document is over: its keys are gone with this entry."""
    return Draft(t=at, op=Op.ERASED, patient=patient, document=document)


def undeleted(at: Millis, patient: PatientId, document: DocumentId, *, by: AccountId, details: str) -> Draft:
    """An officer brought a deleted document back."""
    return Draft(t=at, op=Op.UNDELETED, actor=by, patient=patient, document=document, details=details)


def policy(at: Millis, digest: str) -> Draft:
    """From here on this policy decides (first 16 hex digits of the SHA-256 of its published text)."""
    return Draft(t=at, op=Op.POLICY, policy=digest)


def alarm(at: Millis, reason: str, *, target: Target | None = None, details: str | None = None) -> Draft:
    """Something the officers must look at."""
    return Draft(t=at, op=Op.ALARM, reason=reason, target=target, details=details)


def started(at: Millis, digest: str, *, details: str | None = None) -> Draft:
    """The keeper opened the door under this policy."""
    return Draft(t=at, op=Op.STARTED, policy=digest, details=details)


def stopped(at: Millis) -> Draft:
    """The keeper closed the door in good order. A start without a stop before it was a crash."""
    return Draft(t=at, op=Op.STOPPED)


def restored(at: Millis, officers: tuple[AccountId, ...], abandoned: str, details: str) -> Draft:
    """Officers let the log go on from an earlier state. `abandoned`: the published checkpoint they gave up, base64."""
    told = f"{details}\nAccepted by {', '.join(officers)}."
    return Draft(t=at, op=Op.RESTORED, actor=officers[0], target=Target("checkpoint", abandoned), details=told)


def _disclosed(op: Op, what: Disclosure, ground: Ground, shown: tuple[Shown, ...], charged: int | None) -> Draft:
    who = what.scopes
    return Draft(
        t=what.at, op=op, actor=who.account, patient=what.patient, network=who.network, session=who.session,
        client=who.client, organisation=who.organisation, document=what.document,
        version=None if what.document is None else what.version, documents=shown, basis=ground.basis, kind=what.kind,
        charged=charged, bytes=what.size, purpose=ground.purpose, policy=ground.policy,
    )  # fmt: skip


def _attempted(
    op: Op,
    what: Attempt,
    *,
    basis: str | None = None,
    reason: str | None = None,
    kind: Kind | None = None,
    until: int | None = None,
    target: Target | None = None,
    details: str | None = None,
) -> Draft:
    who = what.scopes
    return Draft(
        t=what.at, op=op, actor=who.account, patient=what.patient, network=who.network, session=who.session,
        client=who.client, organisation=who.organisation, document=what.document, version=what.version,
        action=what.action.value, basis=basis, reason=reason, kind=kind, purpose=what.purpose, policy=what.policy,
        until=until, target=target, details=details,
    )  # fmt: skip
