"""Drafts say what happened, completely and in the right fields."""

import pytest
from msgspec.structs import replace

from strongroom.audit import event
from strongroom.audit.event import Attempt, Draft, Target
from strongroom.authz.facts import Action
from strongroom.budget.scope import Kind
from strongroom.clock import Millis
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId
from strongroom.tlog.entry import Op
from tests.audit.conftest import GROUND, START, disclosure, scopes

AT = Millis(START)
DOCTOR = AccountId("doctor")
SHOWN = ((DocumentId("a"), 1), (DocumentId("b"), 3))
ATTEMPT = Attempt(
    at=AT, scopes=scopes(), action=Action.RELEASE, patient=PatientId("pat"), document=DocumentId("doc"), version=2,
    purpose="TREAT", policy="ff",
)  # fmt: skip


def said(draft: Draft) -> dict[str, object]:
    """The fields that are set."""
    names = [name for name in Draft.__struct_fields__ if getattr(draft, name) not in (None, ())]
    return {name: getattr(draft, name) for name in names}


WHO = {
    "t": AT, "actor": "anna", "session": "session-1", "client": "portal", "organisation": "clinic",
    "network": "203.0.113.7",
}  # fmt: skip
TRIED = WHO | {
    "patient": "pat", "document": "doc", "version": 2, "action": "release", "purpose": "TREAT", "policy": "ff",
}  # fmt: skip
GROUNDS = {"basis": "owner", "purpose": "PATRQT", "policy": "0123456789abcdef", "kind": Kind.OWN, "patient": "pat"}
CLINIC = OrganisationId("clinic")
TARGET = Target("account", "anna")

TABLE = [
    (
        event.released(disclosure(), GROUND, charged=0),
        WHO | GROUNDS | {"op": Op.RELEASED, "document": "doc", "version": 1, "charged": 0, "bytes": 252_000},
    ),
    (
        event.listed(disclosure(document=None, size=0), GROUND, SHOWN),
        WHO | GROUNDS | {"op": Op.LISTED, "documents": SHOWN, "bytes": 0},
    ),
    (
        event.delivered(AT, 7, 100, complete=False),
        {"t": AT, "op": Op.DELIVERED, "ref": 7, "bytes": 100, "complete": False},
    ),
    (event.denied(ATTEMPT, "no-relation"), TRIED | {"op": Op.DENIED, "reason": "no-relation"}),
    (
        event.denials(AT, DOCTOR, 40, 7),
        {"t": AT, "op": Op.DENIALS, "actor": "doctor", "count": 40, "ref": 7},
    ),
    (
        event.refused(ATTEMPT, "people-day", Kind.STRANGER),
        TRIED | {"op": Op.REFUSED, "reason": "people-day", "kind": Kind.STRANGER},
    ),
    (event.decoy(ATTEMPT), TRIED | {"op": Op.DECOY, "reason": "decoy"}),
    (
        event.done(Op.SHARED, ATTEMPT, "owner", until=9, target=TARGET, details="why"),
        TRIED | {"op": Op.SHARED, "basis": "owner", "until": 9, "target": TARGET, "details": "why"},
    ),
    (
        event.related(Op.RELATED, AT, CLINIC, PatientId("pat"), account=AccountId("anna"), until=9),
        {"t": AT, "op": Op.RELATED, "organisation": "clinic", "patient": "pat", "target": TARGET, "until": 9},
    ),
    (
        event.related(Op.UNRELATED, AT, CLINIC, PatientId("pat")),
        {"t": AT, "op": Op.UNRELATED, "organisation": "clinic", "patient": "pat"},
    ),
    (
        event.imported(AT, CLINIC, 12, "feed 3"),
        {"t": AT, "op": Op.IMPORTED, "organisation": "clinic", "count": 12, "details": "feed 3"},
    ),
    (
        event.granted(AT, AccountId("anna"), CLINIC, "HRESCH", 9),
        {"t": AT, "op": Op.GRANTED, "organisation": "clinic", "purpose": "HRESCH", "until": 9, "target": TARGET},
    ),
    (
        event.frozen(AT, TARGET, "probing", by=DOCTOR, until=9, details="why"),
        {
            "t": AT, "op": Op.FROZEN, "actor": "doctor", "reason": "probing", "until": 9, "target": TARGET,
            "details": "why",
        },
    ),
    (
        event.unfrozen(AT, TARGET, "step-up", by=None),
        {"t": AT, "op": Op.UNFROZEN, "reason": "step-up", "target": TARGET},
    ),
    (
        event.officer(AT, DOCTOR, "agree", target=TARGET, count=2, details="signed by two"),
        {
            "t": AT, "op": Op.OFFICER, "actor": "doctor", "action": "agree", "target": TARGET, "count": 2,
            "details": "signed by two",
        },
    ),
    (
        event.key(AT, "rotated", Target("key", "root"), by=DOCTOR),
        {"t": AT, "op": Op.KEY, "actor": "doctor", "action": "rotated", "target": Target("key", "root")},
    ),
    (event.policy(AT, "ff"), {"t": AT, "op": Op.POLICY, "policy": "ff"}),
    (event.alarm(AT, "surge", target=TARGET), {"t": AT, "op": Op.ALARM, "reason": "surge", "target": TARGET}),
    (event.started(AT, "ff", details="1.0"), {"t": AT, "op": Op.STARTED, "policy": "ff", "details": "1.0"}),
    (event.stopped(AT), {"t": AT, "op": Op.STOPPED}),
    (
        event.restored(AT, (DOCTOR, AccountId("anna")), "QQ==", "smaller"),
        {
            "t": AT, "op": Op.RESTORED, "actor": "doctor", "target": Target("checkpoint", "QQ=="),
            "details": "smaller\nAccepted by doctor, anna.",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "expected"), TABLE, ids=[draft.op.value for draft, _ in TABLE])
def test_every_kind_of_event(draft: Draft, expected: dict[str, object]) -> None:
    """Exactly these fields, and no other."""
    assert said(draft) == expected


def test_a_receipt_covers_what_the_event_names() -> None:
    """One version of a release, the versions of a listing, nothing where no version is named."""
    assert event.released(disclosure(), GROUND, charged=1).covers() == {("doc", 1)}
    assert event.listed(disclosure(document=None), GROUND, SHOWN).covers() == set(SHOWN)
    assert event.denied(Attempt(at=AT, scopes=scopes(), action=Action.LIST), "no").covers() == frozenset()


def test_a_listing_of_one_document_says_that_it_was_asked_for() -> None:
    """Everything else is as in a listing of a record, which says nothing, as it always did."""
    record, one = (event.listed(disclosure(document=None), GROUND, SHOWN, named=named) for named in (False, True))
    assert (record.action, one.action) == (None, "read")
    assert replace(one, action=None) == record
