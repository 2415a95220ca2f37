import inspect
from enum import Enum

import pytest
from msgspec.structs import fields

from strongroom.authz import facts
from strongroom.authz.facts import Action, Case, Clinician, Document, Feed, Person, Service

RECORDS = (Person, Clinician, Service, Feed, Document, Case)


def test_facts_are_small_closed_sets() -> None:
    """Truth values and enums only: a number or a text would make the fact space endless."""
    for record in RECORDS[:-1]:
        for field in fields(record):
            closed = isinstance(field.type, type) and (field.type is bool or issubclass(field.type, Enum))
            assert closed, f"{record.__name__}.{field.name}"


def test_words_are_written_as_the_log_writes_them() -> None:
    """Lower case and hyphens, each the member's own name."""
    enums = [
        thing
        for _, thing in inspect.getmembers(facts, inspect.isclass)
        if issubclass(thing, Enum) and thing is not Enum
    ]
    for member in (member for enum in enums for member in enum):
        assert member.value == member.name.lower().replace("_", "-")
    assert len(enums) == 8


def test_actions_stand_in_alphabetical_order() -> None:
    """So that a new one has one place."""
    assert [action.value for action in Action] == sorted(action.value for action in Action)


def test_a_person_has_no_care_and_a_clinician_no_standing() -> None:
    """Impossible combinations cannot be written down."""
    names = {record: {field.name for field in fields(record)} for record in RECORDS}
    assert "care" not in names[Person]
    assert "standing" not in names[Clinician]
    assert "mfa" not in names[Service] | names[Feed]


def test_facts_do_not_change() -> None:
    """What was decided upon is what was loaded."""
    asker = Feed(trusted=False, own_patient=False)
    with pytest.raises(AttributeError):
        asker.trusted = True  # type: ignore[misc]  # the point of the test
