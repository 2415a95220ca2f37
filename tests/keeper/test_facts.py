"""From rows to facts: what a login is to a patient, and which budget a disclosure belongs to whatever was decided."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from strongroom.authz.facts import Care, Category, Clinician, Feed, Glass, Grant, Person, Service, Standing, State
from strongroom.budget.scope import Kind
from strongroom.clock import DAY, Millis
from strongroom.identity import token
from strongroom.identity.token import Verified
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId
from strongroom.keeper import facts
from strongroom.keeper.rows import AccountRow, DelegationRow, DocumentRow, GrantRow, SubjectRow, VersionRow

NOW = Millis(20_000 * DAY)
P = PatientId("p")
UNKNOWN = AccountRow(None, None, disabled=False, patient=None)
PERSON = AccountRow(AccountId("a"), "person", disabled=False, patient=None)
OWNER = replace(PERSON, patient=P)
CLINICIAN = replace(PERSON, kind="clinician")
SERVICE = replace(PERSON, kind="service")
NOTHING = SubjectRow(
    P, b"", 1, "1990-01-01", frozenset(), None, None, False, frozenset(), None, None, False, False, None
)
GRANT = GrantRow(OrganisationId("o"), "TREAT", int(NOW), 10, int(NOW) + 1)
WISH = facts.Wish(NOW, "TREAT", Category.NORMAL, int(NOW))


def verified(**changes: Any) -> Verified:
    """Somebody with a second factor."""
    fields: dict[str, Any] = {"mfa": True, "fresh": True, "bound": True, **changes}
    return Verified("i", "s", SessionId("s"), "cli", **fields, expires=NOW, auth_time=NOW, made_by=token._MADE_HERE)  # fmt: skip


def delegation(since: int, *, until: int = int(NOW) + 1, basis: str = "grant", level: str = "full") -> SubjectRow:
    """The patient, who lets the login act."""
    return replace(NOTHING, delegation=DelegationRow(level, basis, since, until))


OLD, YOUNG = int(NOW) - DAY, int(NOW) - DAY + 1


@pytest.mark.parametrize(
    ("account", "subject", "expected"),
    [
        (OWNER, NOTHING, Kind.OWN),
        (PERSON, delegation(OLD), Kind.OWN),
        (PERSON, delegation(OLD, level="read"), Kind.OWN),
        (PERSON, delegation(YOUNG), Kind.STRANGER),
        (PERSON, delegation(OLD, until=int(NOW)), Kind.STRANGER),
        (PERSON, delegation(OLD, basis="parent"), Kind.STRANGER),
        (PERSON, NOTHING, Kind.STRANGER),
        (replace(OWNER, patient=PatientId("q")), NOTHING, Kind.STRANGER),
        (UNKNOWN, NOTHING, Kind.STRANGER),
        (CLINICIAN, replace(NOTHING, practice=OrganisationId("o")), Kind.CARE),
        (CLINICIAN, replace(NOTHING, shared=True), Kind.CARE),
        (CLINICIAN, replace(NOTHING, glass_until=int(NOW) + 1), Kind.GLASS),
        (CLINICIAN, replace(NOTHING, glass_until=int(NOW) + 1, shared=True), Kind.CARE),
        (CLINICIAN, replace(NOTHING, glass_until=int(NOW)), Kind.STRANGER),
        (CLINICIAN, replace(NOTHING, home=OrganisationId("o")), Kind.STRANGER),
        (CLINICIAN, delegation(OLD), Kind.STRANGER),
        (SERVICE, replace(NOTHING, grant=GRANT, granted_patient=True), Kind.SERVICE),
        (SERVICE, replace(NOTHING, grant=GRANT), Kind.STRANGER),
        (SERVICE, replace(NOTHING, grant=replace(GRANT, until=int(NOW)), granted_patient=True), Kind.STRANGER),
        (SERVICE, replace(NOTHING, granted_patient=True), Kind.STRANGER),
    ],
)
def test_the_kind_of_a_disclosure_follows_the_relations(
    account: AccountRow, subject: SubjectRow, expected: Kind
) -> None:
    """A delegation counts as the patient's own from a day on, to the millisecond; without a relation: a stranger."""
    assert facts.kind(account, subject, NOW) is expected


@given(st.sampled_from([UNKNOWN, PERSON, CLINICIAN, SERVICE]), st.booleans(), st.booleans(), st.sampled_from(["", "x"]))
def test_without_a_relation_everybody_is_a_stranger(account: AccountRow, mfa: bool, ruled: bool, home: str) -> None:
    """Whatever the token says, and wherever the login works."""
    subject = replace(
        NOTHING, ruled_out=frozenset({""} if ruled else ()), home=OrganisationId(home) if home else None, agreed=mfa
    )
    assert facts.kind(account, subject, NOW) is Kind.STRANGER
    asker = facts.asker(verified(mfa=mfa), account, subject, WISH)
    match asker:
        case Clinician():
            assert (asker.care, asker.glass) == (Care.NONE, Glass.NONE)
        case Service():
            assert asker.grant is Grant.NONE
        case Person():
            assert asker.standing is Standing.STRANGER


def test_a_login_that_is_not_known_has_a_name_for_its_budgets() -> None:
    """The same one each time, and another one for another login."""
    one, two = facts.account_id(b"1" * 16, UNKNOWN), facts.account_id(b"2" * 16, UNKNOWN)
    assert one == facts.account_id(b"1" * 16, UNKNOWN) != two
    assert facts.account_id(b"1" * 16, PERSON) == "a"


def test_the_kind_of_asker_is_the_keepers_word() -> None:
    """What a login is, and whether it was shut off, is looked up; the token tells of factors only."""
    seen = [facts.asker(verified(mfa=False), one, NOTHING, WISH) for one in (PERSON, CLINICIAN, SERVICE, UNKNOWN)]
    assert [type(one) for one in seen] == [Person, Clinician, Service, Person]
    shut = [facts.asker(verified(), replace(one, disabled=True), NOTHING, WISH) for one in (PERSON, CLINICIAN, SERVICE)]
    assert all(not isinstance(one, Feed) and one.disabled for one in shut)


@pytest.mark.parametrize(
    ("subject", "wish", "bound", "expected"),
    [
        (NOTHING, WISH, True, Grant.NONE),
        (replace(NOTHING, grant=replace(GRANT, until=int(NOW)), granted_patient=True), WISH, True, Grant.NONE),
        (replace(NOTHING, grant=GRANT, granted_patient=True), WISH, False, Grant.NONE),
        (replace(NOTHING, grant=GRANT), WISH, True, Grant.OUTSIDE),
        (replace(NOTHING, grant=GRANT, granted_patient=True), replace(WISH, purpose="HMARKT"), True, Grant.OUTSIDE),
        (replace(NOTHING, grant=GRANT, granted_patient=True), replace(WISH, purpose=""), True, Grant.OUTSIDE),
        (replace(NOTHING, grant=GRANT, granted_patient=True), WISH, True, Grant.COVERS),
        (replace(NOTHING, grant=GRANT, granted_patient=True), replace(WISH, created=None), True, Grant.COVERS),
        (replace(NOTHING, grant=GRANT, granted_patient=True), replace(WISH, created=OLD), True, Grant.COVERS),
        (replace(NOTHING, grant=GRANT, granted_patient=True), replace(WISH, created=OLD - 1), True, Grant.PAST),
        (replace(NOTHING, grant=GRANT, granted_patient=True, agreed=True), replace(WISH, created=OLD - 1), True,
         Grant.PAST_AGREED),
    ],
)  # fmt: skip
def test_a_grant_covers_what_it_says_and_no_more(
    subject: SubjectRow, wish: facts.Wish, bound: bool, expected: Grant
) -> None:
    """Until its end, for its purpose and patients, from its cursor less a day on, and with a token that is bound."""
    asker = facts.asker(verified(bound=bound), SERVICE, subject, wish)
    assert isinstance(asker, Service)
    assert asker.grant is expected


@pytest.mark.parametrize(
    ("ruled_out", "expected"), [((), False), (("",), True), (("normal",), True), (("sensitive",), False)]
)
def test_glass_is_ruled_out_for_what_it_was_ruled_out_for(ruled_out: tuple[str, ...], expected: bool) -> None:
    """The record as a whole, or this category of it."""
    subject = replace(NOTHING, withheld=frozenset({"normal", "sensitive"}), ruled_out=frozenset(ruled_out))
    asker = facts.asker(verified(), CLINICIAN, subject, WISH)
    assert isinstance(asker, Clinician)
    assert (asker.withheld, asker.ruled_out) == (True, expected)


def test_what_is_charged_to_whose_organisation() -> None:
    """A service's to its grant's; a clinician's to the one shared with the patient, else to their own."""
    o, h = OrganisationId("o"), OrganisationId("h")
    assert facts.organisation(SERVICE, replace(NOTHING, grant=GRANT, home=h)) == o
    assert facts.organisation(SERVICE, replace(NOTHING, home=h)) is None
    assert facts.organisation(CLINICIAN, replace(NOTHING, practice=o, home=h)) == o
    assert facts.organisation(CLINICIAN, replace(NOTHING, home=h)) == h
    assert facts.organisation(PERSON, NOTHING) is None
    assert (facts.declared(GRANT), facts.declared(None)) == (10, None)


def test_a_version_that_is_not_finished_is_not_available() -> None:
    """Nor one that is not there; a deleted document stays deleted."""
    row = DocumentRow(DocumentId("d"), "normal", "available", 1, decoy=False)
    version = VersionRow(row.id, 1, "available", "text/plain", 1, 73, 1, None, b"", b"", 0, 0)
    assert facts.document(row, version).state is State.AVAILABLE
    assert facts.document(row, replace(version, state="pending")).state is State.PENDING
    assert facts.document(row, None).state is State.PENDING
    assert facts.document(replace(row, state="deleted"), version).state is State.DELETED


CREATED = st.sampled_from([0, int(NOW) - DAY - 1, int(NOW)])


@given(st.sampled_from([OWNER, PERSON, CLINICIAN, SERVICE]), st.lists(CREATED, min_size=2, max_size=2))
def test_what_of_a_version_bears_on_a_decision(account: AccountRow, created: list[int]) -> None:
    """Of versions that agree in it the facts are the same, and so is the answer; how new one is, is for programs alone."""
    row = DocumentRow(DocumentId("d"), "sensitive", "available", 1, decoy=False)
    subject = replace(NOTHING, grant=GRANT, granted_patient=True, withheld=frozenset({"sensitive"}), practice="o")
    versions = [VersionRow(row.id, at, "available", "text/plain", 1, 73, one, None, b"", b"", 0, 0)
                for at, one in enumerate(created)]  # fmt: skip
    first, second = (facts.bearing(account, row, one) for one in versions)
    assert (first == second) is (account is not SERVICE or created[0] == created[1])
    askers = [facts.asker(verified(), account, subject, facts.Wish(NOW, "TREAT", Category.SENSITIVE, one.created))
              for one in versions]  # fmt: skip
    assert first != second or askers[0] == askers[1]
    assert facts.bearing(account, replace(row, category="normal"), versions[0]) != first
    assert facts.bearing(account, row, replace(versions[0], state="pending")) != first


def test_whether_a_delegation_acts_now() -> None:
    """Read or full; not before it begins, not after it ends, not for a grown child."""
    live = DelegationRow("read", "carer", int(NOW), int(NOW) + 1)
    assert facts.acts(live, None, NOW)
    assert not facts.acts(replace(live, since=int(NOW) + 1), None, NOW)
    assert not facts.acts(replace(live, until=int(NOW)), None, NOW)
    assert not facts.acts(replace(live, basis="parent"), "1950-01-01", NOW)
    assert not facts.acts(replace(live, basis="parent"), None, NOW)
