"""The published Cedar text and the code are one policy: the same answer to every question there is."""

import re

import cedarpy
import pytest

from strongroom.authz import published
from strongroom.authz.facts import Action
from strongroom.authz.policy import Basis, Obligation, Reason, decide
from strongroom.authz.space import cases
from tests.authz import cedar

WHOLE_SPACE = 75_600
BOUND = 300_000
"""Beyond this many cases nobody would wait for the proof, and it would be switched off."""


@pytest.mark.parametrize("action", Action)
def test_cedar_and_the_code_answer_alike(action: Action) -> None:
    """Decision, basis or reason, and obligations, in every case of the action; Cedar without an evaluation error."""
    unlike = [(case, answer) for case, answer in cedar.table(action) if cedar.said(decide(case)) != answer]
    assert unlike[:3] == []


def test_the_whole_space_is_walked_and_is_small() -> None:
    """A new fact multiplies the space: whoever adds one sees it here. Every case is asked once."""
    walked = [case for action in Action for case in cases(action)]
    assert len(walked) == len(set(walked)) == WHOLE_SPACE <= BOUND
    assert len({tuple(cedar.request(case).values()) for case in walked}) == WHOLE_SPACE


def test_the_text_is_valid_in_strict_mode() -> None:
    """Every policy type-checks against the schema."""
    result = cedarpy.validate_policies(published.text(published.POLICY), cedar.schema())
    assert (result.validation_passed, result.errors) == (True, [])


def test_validation_can_fail() -> None:
    """A word the schema does not know is refused."""
    wrong = published.text(published.POLICY).replace("principal.withheld", "principal.hidden")
    assert not cedarpy.validate_policies(wrong, cedar.schema()).validation_passed


def test_cedar_numbers_the_policies_in_the_order_of_the_text() -> None:
    """The first policy on the page is the one with the lowest number: that names the answer."""
    on_the_page = re.findall(r'^@(basis|reason)\("([a-z-]+)"\)$', published.text(published.POLICY), re.MULTILINE)
    found = sorted(cedar.annotations().items(), key=lambda item: cedar.place(item[0]))
    assert [cedar.place(name) for name, _ in found] == list(range(len(on_the_page)))
    assert [(word, notes[word]) for _, notes in found for word in ("basis", "reason") if word in notes] == on_the_page


def test_permits_have_a_basis_and_forbids_a_reason() -> None:
    """And the words are the code's, all of them but UNSAFE."""
    text = published.text(published.POLICY)
    kinds = re.findall(
        r'^@(basis|reason)\("[a-z-]+"\)\n(?:@obligation\("[a-z-]+"\)\n)?(permit|forbid)\b', text, re.MULTILINE
    )
    assert set(kinds) == {("basis", "permit"), ("reason", "forbid")}
    assert len(kinds) == len(cedar.annotations()) == len(re.findall(r"^(?:permit|forbid)\b", text, re.MULTILINE))
    said = {word: {notes[word] for notes in cedar.annotations().values() if word in notes} for word in _WORDS}
    assert said == _WORDS


_WORDS = {
    "basis": {basis.value for basis in Basis} - {Basis.UNSAFE.value},
    "reason": {reason.value for reason in Reason},
    "obligation": {obligation.value for obligation in Obligation},
}


def test_every_rule_on_the_page_decides_something() -> None:
    """A rule that never names an answer would mislead its reader."""
    naming = {answer.rule for action in Action for _, answer in cedar.table(action)}
    assert naming == set(cedar.annotations())


def test_a_silent_or_mistaken_cedar_is_no_answer() -> None:
    """The oracle raises where no rule applies, or where evaluation went wrong."""
    case = next(cases(Action.LIST))
    policies = (
        'permit(principal, action == Action::"share", resource);',
        "permit(principal, action, resource in principal.x);",
    )
    for text in policies:
        result = cedarpy.is_authorized(cedar.request(case), text, cedar.entities())
        with pytest.raises(LookupError, match="No answer"):
            cedar.read(result)
