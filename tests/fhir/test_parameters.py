"""However an operation's input is written, it means the same or is refused."""

import json

import msgspec
import pytest

from strongroom.fhir.fault import Unacceptable, Unreadable
from strongroom.fhir.parameters import read_body, read_pairs, typed


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An operation's input."""

    patient: str
    full: bool = False


PARAMETERS = [
    {"name": "patient", "valueReference": {"reference": "Patient/p"}},
    {"name": "full", "valueBoolean": True},
]


def test_three_ways_are_one() -> None:
    """Parameters, plain JSON and a query string."""
    ways = [
        read_body(json.dumps({"resourceType": "Parameters", "parameter": PARAMETERS}).encode()),
        read_body(b'{"patient": "Patient/p", "full": true}'),
        read_pairs([("patient", "Patient/p"), ("full", "true"), ("empty", "")]),
    ]
    assert {typed(way, Order) for way in ways} == {Order(patient="Patient/p", full=True)}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({"valueCodeableConcept": {"coding": [{"system": "s", "code": "c"}]}}, "s|c"),
        ({"valueCoding": {"code": "c"}}, "c"),
        ({"valueIdentifier": {"system": "s", "value": "v"}}, "v"),
        ({"valueInstant": "2026-01-01T00:00:00Z"}, "2026-01-01T00:00:00Z"),
    ],
)
def test_concepts_and_references_become_texts(value: dict[str, object], plain: str) -> None:
    """The one text that says it."""
    raw = json.dumps({"resourceType": "Parameters", "parameter": [{"name": "x", **value}]}).encode()
    assert read_body(raw) == {"x": plain}


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Parameters", "parameter": [PARAMETERS[0], PARAMETERS[0]]},
        {"resourceType": "Parameters", "parameter": [{"name": "x"}]},
        {"resourceType": "Parameters", "parameter": [{"valueString": "x"}]},
        {"resourceType": "Parameters", "parameter": [{"name": "x", "valueString": "a", "valueCode": "b"}]},
        {"resourceType": "Parameters", "parameter": [7]},
    ],
)
def test_what_is_ambiguous_is_refused(body: dict[str, object]) -> None:
    """Twice, without a name, without a value, with two."""
    with pytest.raises((Unreadable, Unacceptable)):
        read_body(json.dumps(body).encode())


@pytest.mark.parametrize("values", [{}, {"patient": "p", "other": 1}, {"patient": 7, "full": "perhaps"}])
def test_missing_unknown_and_mistyped_are_one_fault(values: dict[str, object]) -> None:
    """It says what the operation takes."""
    with pytest.raises(Unacceptable, match="patient, full"):
        typed(values, Order)
    assert typed({"patient": "p"}, Order) == Order(patient="p")


def test_parameters_without_any_are_empty() -> None:
    """An empty Parameters resource is no fault of form."""
    assert read_body(b'{"resourceType": "Parameters"}') == {}
