"""What the policy promises, each promise over the whole fact space, in words that do not come from its code."""

import dataclasses
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

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
from strongroom.authz.policy import (
    UPON_DOCUMENT,
    Basis,
    Deny,
    Obligation,
    Permit,
    Reason,
    decide,
    unsafe_permit_everything,
)
from strongroom.authz.space import cases

READING = {Action.LIST, Action.RELEASE}
LETTER = Document(Category.NORMAL, State.AVAILABLE)
OWNER = Person(disabled=False, mfa=True, fresh=True, standing=Standing.OWNER)
DOCTOR = Clinician(
    disabled=False,
    mfa=True,
    care=Care.PRACTICE,
    withheld=False,
    glass=Glass.NONE,
    ruled_out=False,
    reason=False,
    quota=Quota.WITHIN,
)


def everything() -> Iterator[tuple[Case, Permit | Deny]]:
    """Every question with its answer."""
    yield from ((case, decide(case)) for action in Action for case in cases(action))


@pytest.fixture(scope="module")
def permitted() -> list[tuple[Case, Permit]]:
    """Every question that is answered with yes."""
    found = [(case, outcome) for case, outcome in everything() if isinstance(outcome, Permit)]
    assert found, "A policy that permits nothing keeps every promise."
    return found


def _reason(case: Case) -> Reason | None:
    outcome = decide(case)
    return outcome.reason if isinstance(outcome, Deny) else None


class TestWhoGetsNothing:
    def test_nobody_without_a_second_factor(self, permitted: list[tuple[Case, Permit]]) -> None:
        """People and clinicians; programs and feeds prove a key instead."""
        assert all(case.asker.mfa for case, _ in permitted if isinstance(case.asker, Person | Clinician))

    def test_nobody_disabled(self, permitted: list[tuple[Case, Permit]]) -> None:
        """People, clinicians and programs."""
        assert not any(case.asker.disabled for case, _ in permitted if not isinstance(case.asker, Feed))

    def test_no_stranger_and_nobody_whose_delegation_is_over(self, permitted: list[tuple[Case, Permit]]) -> None:
        """Whatever else is true of them."""
        standings = {case.asker.standing for case, _ in permitted if isinstance(case.asker, Person)}
        assert standings == {Standing.OWNER, Standing.DELEGATE_READ, Standing.DELEGATE_FULL}

    def test_no_clinician_without_care_but_through_the_glass(self, permitted: list[tuple[Case, Permit]]) -> None:
        """Then they read and do nothing else."""
        for case, permit in permitted:
            if isinstance(case.asker, Clinician) and case.asker.care is Care.NONE:
                assert permit.basis is Basis.BREAK_GLASS
                assert case.action is Action.BREAK_GLASS or (case.action in READING and case.asker.glass is Glass.LIVE)

    def test_no_program_beyond_its_grant(self, permitted: list[tuple[Case, Permit]]) -> None:
        """Nor in the past, until a second person agreed."""
        grants = {case.asker.grant for case, _ in permitted if isinstance(case.asker, Service)}
        assert grants == {Grant.COVERS, Grant.PAST_AGREED}

    def test_no_feed_but_for_relations_of_its_own_patients(self, permitted: list[tuple[Case, Permit]]) -> None:
        """Signed under a registered key; and relations come from feeds alone."""
        feeds = [case for case, _ in permitted if isinstance(case.asker, Feed)]
        assert feeds == [Case(Action.RELATE, Feed(trusted=True, own_patient=True), None)]
        assert [case for case, _ in permitted if case.action is Action.RELATE] == feeds


class TestWhatIsNeverGiven:
    def test_nothing_unavailable_is_touched(self, permitted: list[tuple[Case, Permit]]) -> None:
        """Not listed, released, replaced, deleted or relabelled: by anybody."""
        assert {case.document.state for case, _ in permitted if case.document} == {State.AVAILABLE}

    def test_nothing_for_clinicians_only_reaches_a_person(self, permitted: list[tuple[Case, Permit]]) -> None:
        """Not even the patient."""
        seen = {case.document.category for case, _ in permitted if case.document and isinstance(case.asker, Person)}
        assert seen == {Category.NORMAL, Category.SENSITIVE}

    def test_nothing_sensitive_reaches_a_reading_delegate_or_a_practice(
        self, permitted: list[tuple[Case, Permit]]
    ) -> None:
        """A practice may through broken glass."""
        for case, permit in permitted:
            if case.document and case.document.category is Category.SENSITIVE:
                asker = case.asker
                assert not (isinstance(asker, Person) and asker.standing is Standing.DELEGATE_READ)
                practice = isinstance(asker, Clinician) and asker.care is Care.PRACTICE
                assert not practice or permit.basis is Basis.BREAK_GLASS

    def test_nothing_withheld_reaches_a_clinician_but_through_the_glass(
        self, permitted: list[tuple[Case, Permit]]
    ) -> None:
        """And not even then where the patient ruled that out."""
        for case, permit in permitted:
            if isinstance(case.asker, Clinician) and case.asker.withheld and case.action is not Action.BREAK_GLASS:
                assert permit.basis is Basis.BREAK_GLASS
                assert case.asker.glass is Glass.LIVE
                assert not case.asker.ruled_out

    def test_only_the_fresh_patient_changes_who_may_read(self, permitted: list[tuple[Case, Permit]]) -> None:
        """And only the patient deletes."""
        for case, permit in permitted:
            if case.action in {Action.DELEGATE, Action.SHARE, Action.WITHHOLD}:
                assert permit.basis is Basis.OWNER
                assert isinstance(case.asker, Person)
                assert case.asker.fresh
            if case.action is Action.DELETE:
                assert permit.basis is Basis.OWNER

    def test_the_glass_breaks_only_with_a_reason_and_within_the_quota(
        self, permitted: list[tuple[Case, Permit]]
    ) -> None:
        """Or a second person's yes."""
        broken = [case.asker for case, _ in permitted if case.action is Action.BREAK_GLASS]
        assert broken
        for asker in broken:
            assert isinstance(asker, Clinician)
            assert asker.reason
            assert asker.quota in {Quota.WITHIN, Quota.AGREED}


class TestMoreFactsAgainst:
    def test_a_disabled_login_is_told_so_first(self) -> None:
        """Nothing about the patient is learned through it."""
        for case, outcome in everything():
            if not isinstance(case.asker, Feed) and case.asker.disabled and _well_formed(case):
                assert outcome == Deny(Reason.DISABLED)

    def test_withholding_never_opens(self) -> None:
        """What is denied stays denied when the patient withholds it too."""
        for case, outcome in everything():
            if isinstance(case.asker, Clinician) and not case.asker.withheld and isinstance(outcome, Deny):
                withheld = replace(case, asker=replace(case.asker, withheld=True))
                if isinstance(decide(withheld), Permit):
                    pytest.fail(str(withheld))

    def test_an_open_glass_changes_no_permit_that_care_gives(self) -> None:
        """Where care is enough, care is the basis, and the reading is not counted as break-glass."""
        for case, outcome in everything():
            if isinstance(case.asker, Clinician) and isinstance(outcome, Permit):
                assert decide(replace(case, asker=replace(case.asker, glass=Glass.LIVE))) == outcome


def _well_formed(case: Case) -> bool:
    return (case.action in UPON_DOCUMENT) is (case.document is not None)


class TestAnswers:
    def test_a_question_of_the_wrong_shape_is_malformed(self) -> None:
        """And no other is."""
        for case, outcome in everything():
            assert (outcome == Deny(Reason.MALFORMED)) is not _well_formed(case)

    def test_actions_upon_a_document(self) -> None:
        """The five of them."""
        assert {action.value for action in UPON_DOCUMENT} == {"list", "release", "supersede", "delete", "relabel"}

    def test_a_permit_is_for_the_action_that_was_asked(self, permitted: list[tuple[Case, Permit]]) -> None:
        """The keeper charges and logs by it."""
        assert all(permit.action is case.action for case, permit in permitted)

    def test_the_patient_is_told_of_every_broken_glass_and_of_nothing_else(
        self, permitted: list[tuple[Case, Permit]]
    ) -> None:
        """The obligation is the permit's own: no caller can forget it."""
        for case, permit in permitted:
            told = {Obligation.TELL_PATIENT} if case.action is Action.BREAK_GLASS else set()
            assert permit.obligations == told

    def test_every_basis_but_unsafe_and_every_reason_occurs(self) -> None:
        """A word that no question leads to would be dead."""
        bases = {outcome.basis for _, outcome in everything() if isinstance(outcome, Permit)}
        reasons = {outcome.reason for _, outcome in everything() if isinstance(outcome, Deny)}
        assert bases == set(Basis) - {Basis.UNSAFE}
        assert reasons == set(Reason)

    def test_every_reason_has_a_sentence_of_its_own(self) -> None:
        """Which ends as sentences do."""
        sentences = [reason.sentence for reason in Reason]
        assert len(set(sentences)) == len(sentences)
        assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in sentences)


class TestPermits:
    def test_a_permit_cannot_be_made_elsewhere(self) -> None:
        """Whatever stands in for the policy's own mark."""
        for mark in (None, object(), True, "policy", Permit):
            with pytest.raises(TypeError, match="policy alone"):
                Permit(Action.RELEASE, Basis.OWNER, frozenset(), mark)

    def test_a_permit_cannot_be_turned_into_another(self) -> None:
        """Not changed, and not copied with a change."""
        permit = decide(Case(Action.LIST, OWNER, LETTER))
        assert isinstance(permit, Permit)
        with pytest.raises(dataclasses.FrozenInstanceError):
            permit.action = Action.DELETE  # type: ignore[misc]  # the point of the test
        with pytest.raises((TypeError, ValueError)):
            dataclasses.replace(permit, action=Action.DELETE)  # type: ignore[call-arg]  # the point of the test

    def test_the_unsafe_policy_says_yes_and_says_that_it_is_unsafe(self) -> None:
        """In the basis, so that the log shows it."""
        stranger = Case(Action.RELEASE, replace(OWNER, standing=Standing.STRANGER), LETTER)
        assert decide(stranger) == Deny(Reason.NO_RELATION)
        permit = unsafe_permit_everything(stranger)
        assert (permit.action, permit.basis, permit.obligations) == (Action.RELEASE, Basis.UNSAFE, frozenset())


EXAMPLES = [
    ("a patient reads a letter", Action.RELEASE, OWNER, LETTER, None),
    ("a patient reads what is sensitive", Action.RELEASE, OWNER, replace(LETTER, category=Category.SENSITIVE), None),
    ("a patient shares", Action.SHARE, OWNER, None, None),
    ("... with an old second factor", Action.SHARE, replace(OWNER, fresh=False), None, Reason.STEP_UP),
    ("a patient relabels", Action.RELABEL, OWNER, LETTER, Reason.NOT_THEIRS_TO_DO),
    ("a delegate reads", Action.RELEASE, replace(OWNER, standing=Standing.DELEGATE_READ), LETTER, None),
    ("a full delegate sees the history", Action.HISTORY, replace(OWNER, standing=Standing.DELEGATE_FULL), None, None),
    ("a practice reads", Action.RELEASE, DOCTOR, LETTER, None),
    ("... what is sensitive", Action.RELEASE, DOCTOR, replace(LETTER, category=Category.SENSITIVE), Reason.SENSITIVE),
    ("... what is for clinicians", Action.RELEASE, DOCTOR, replace(LETTER, category=Category.CLINICIAN_ONLY), None),
    ("... what was withheld", Action.RELEASE, replace(DOCTOR, withheld=True), LETTER, Reason.WITHHELD),
    ("... what is deleted", Action.LIST, DOCTOR, replace(LETTER, state=State.DELETED), Reason.NOT_AVAILABLE),
    ("another practice reads", Action.RELEASE, replace(DOCTOR, care=Care.NONE), LETTER, Reason.NO_RELATION),
    ("break-glass", Action.BREAK_GLASS, replace(DOCTOR, care=Care.NONE, reason=True), None, None),
    ("... without a reason", Action.BREAK_GLASS, replace(DOCTOR, care=Care.NONE), None, Reason.REASON),
    ("a program reads", Action.RELEASE, Service(disabled=False, grant=Grant.COVERS), LETTER, None),
    ("... again", Action.RELEASE, Service(disabled=False, grant=Grant.PAST), LETTER, Reason.SECOND_PERSON),
    ("a feed relates", Action.RELATE, Feed(trusted=True, own_patient=True), None, None),
    ("... others", Action.RELATE, Feed(trusted=True, own_patient=False), None, Reason.UNTRUSTED_FEED),
]


@pytest.mark.parametrize(
    ("action", "asker", "document", "reason"), [row[1:] for row in EXAMPLES], ids=[row[0] for row in EXAMPLES]
)
def test_examples(
    action: Action, asker: Person | Clinician | Service | Feed, document: Document | None, reason: Reason | None
) -> None:
    """Everyday questions, as a privacy officer would ask them."""
    assert _reason(Case(action, asker, document)) is reason
