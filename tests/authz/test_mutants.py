"""The proof can fail: every mutant of the code is caught, by Cedar's table or by the promises in test_relations.py."""

import inspect
from collections import Counter
from collections.abc import Callable
from random import Random
from types import ModuleType

import pytest

from strongroom.authz import policy, relations
from strongroom.authz.facts import Action, Case, Feed
from tests.authz import cedar, test_relations
from tests.authz.mutate import mutants

POLICY_MUTANTS = 300
RELATIONS_MUTANTS = 60
"""At least so many: a mutation tool that makes none proves nothing."""


@pytest.fixture(scope="module")
def oracle() -> list[tuple[Case, cedar.Answer]]:
    """Cedar's answer to every case, shuffled: most mutants are caught within the first thousand."""
    everything = [row for action in Action for row in cedar.table(action)]
    Random(2026).shuffle(everything)
    return everything


def _caught_by_cedar(mutant: ModuleType, oracle: list[tuple[Case, cedar.Answer]]) -> bool:
    try:
        return any(cedar.said(mutant.decide(case)) != answer for case, answer in oracle)
    except Exception:  # noqa: BLE001  # a mutant that falls over is caught, however it falls
        return True


def _caught_at_the_edges(mutant: ModuleType) -> bool:
    """What Cedar does not speak of: permits that were made up, the rehearsal's yes to everything, sentences."""
    try:
        yes = cedar.said(
            mutant.unsafe_permit_everything(Case(Action.LIST, Feed(trusted=False, own_patient=False), None))
        )
    except Exception:  # noqa: BLE001  # a mutant that falls over is caught, however it falls
        return True
    if yes != cedar.Answer(allowed=True, word="unsafe", obligations=frozenset()) or not _refuses_a_forgery(mutant):
        return True
    return any(reason.sentence != policy.Reason(reason.value).sentence for reason in mutant.Reason)


def _refuses_a_forgery(mutant: ModuleType) -> bool:
    try:
        mutant.Permit(Action.LIST, mutant.Basis.OWNER, frozenset(), object())
    except TypeError:
        return True
    except Exception:  # noqa: BLE001  # it refuses, but not as it promised
        return False
    return False


def _promises() -> list[Callable[[], None]]:
    return [promise for name, promise in inspect.getmembers(test_relations, inspect.isfunction) if name[:5] == "test_"]


def _breaks_a_promise(mutant: ModuleType, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(test_relations, "relations", mutant)
    try:
        for promise in _promises():
            promise()
    except (Exception, pytest.fail.Exception):  # noqa: BLE001  # a mutant that falls over is caught, however it falls
        return True
    finally:
        monkeypatch.undo()
    return False


MADE_UP = "A permit is made by the policy alone."


def test_the_oracle_catches_no_innocent(oracle: list[tuple[Case, cedar.Answer]]) -> None:
    """The policy itself is not caught."""
    assert not _caught_by_cedar(policy, oracle)
    assert not _caught_at_the_edges(policy)


def test_every_mutant_of_the_policy_is_caught(oracle: list[tuple[Case, cedar.Answer]]) -> None:
    """Whatever one thing is wrong in the policy, some question gets another answer, basis, reason or obligation."""
    survivors, made = [], Counter[str]()
    for mutant in mutants(policy):
        made[mutant.operator] += 1
        try:
            wrong = mutant.load()
        except TypeError as error:  # a guard that is wrong refuses the policy's own permits, made as it is loaded
            assert str(error) == MADE_UP  # noqa: PT017  # any other failure is one of this test
            continue
        if not (_caught_at_the_edges(wrong) or _caught_by_cedar(wrong, oracle)):
            survivors.append(str(mutant))
    print(f"mutants of the policy: {made.total()}", dict(made))  # noqa: T201  # the figure, for whoever runs with -s
    assert survivors == []
    assert made.total() >= POLICY_MUTANTS


def test_every_mutant_of_the_relations_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever one thing is wrong in the relations, a promise about ages, periods, quotas or standing is broken."""
    assert not _breaks_a_promise(relations, monkeypatch)
    survivors, made = [], 0
    for mutant in mutants(relations):
        made += 1
        if not _breaks_a_promise(mutant.load(), monkeypatch):
            survivors.append(str(mutant))
    print(f"mutants of the relations: {made}")  # noqa: T201  # the figure, for whoever runs with -s
    assert survivors == []
    assert made >= RELATIONS_MUTANTS
