from itertools import product

from strongroom.authz.facts import Action, Care, Category, Clinician, Feed, Person, Service, Standing, State
from strongroom.authz.space import askers, cases, documents


def test_everybody_who_can_ask_is_there_once() -> None:
    """Four kinds, each with every combination of its facts."""
    walked = list(askers())
    counts = {kind: sum(isinstance(asker, kind) for asker in walked) for kind in (Person, Clinician, Service, Feed)}
    assert counts == {Person: 2**3 * 5, Clinician: 2**2 * 3 * 2 * 2 * 2 * 2 * 3, Service: 2 * 5, Feed: 2**2}
    assert len(set(walked)) == len(walked) == sum(counts.values())
    assert {asker.standing for asker in walked if isinstance(asker, Person)} == set(Standing)
    assert {asker.care for asker in walked if isinstance(asker, Clinician)} == set(Care)


def test_every_kind_of_document_is_there_once_and_the_record() -> None:
    """Every category in every state, and None."""
    first, *others = documents()
    assert first is None
    assert {(document.category, document.state) for document in others if document} == set(product(Category, State))
    assert len(others) == len(Category) * len(State)


def test_every_action_is_asked_by_everybody_about_everything() -> None:
    """Questions of the wrong shape too: they have an answer as well."""
    for action in Action:
        walked = list(cases(action))
        assert {case.action for case in walked} == {action}
        assert len(set(walked)) == len(list(askers())) * len(list(documents()))
