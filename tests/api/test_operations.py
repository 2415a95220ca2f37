"""An operation is parsed, put to the door, and answered; the door alone decides."""

from typing import Any

import pytest
from fhir.resources.R4B.parameters import Parameters

from strongroom.clock import HOUR, iso
from strongroom.fhir.dates import instant
from strongroom.keeper import protocol as p
from tests.api.conftest import DOCTOR, OWNER, PATIENT, STRANGER, House, issue

PARTY = "c" * 26
UNTIL = "2026-12-31T00:00:00Z"


def _do(house: House, path: str, body: Any, who: dict[str, str] = OWNER) -> Any:
    return house.client.post(f"/fhir/{path}", json=body, headers=who)


ORDERS = [
    ("$share", {"party": PARTY, "until": UNTIL}, p.Share, {"party": PARTY, "until": instant(UNTIL)}),
    ("$share", {"party": f"Organization/{PARTY}", "end": True}, p.Share, {"party": PARTY, "until": 0}),
    ("$delegate", {"account": PARTY, "until": UNTIL}, p.Delegate,
     {"account": PARTY, "full": False, "until": instant(UNTIL)}),
    ("$delegate", {"account": PARTY, "full": True, "end": True}, p.Delegate, {"full": True, "until": 0}),
    ("$withhold", {"party": PARTY, "category": "sensitive", "ruleOutGlass": True}, p.Withhold,
     {"party": PARTY, "category": "sensitive", "rule_out_glass": True, "lift": False}),
    ("$withhold", {"party": "everybody"}, p.Withhold, {"party": "", "category": "", "lift": False}),
    ("$withhold", {"party": "everybody", "end": True}, p.Withhold, {"party": "", "lift": True}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "kind", "said"), ORDERS)
def test_what_the_patient_orders_reaches_the_door(
    house: House, name: str, body: dict[str, Any], kind: type, said: dict[str, Any]
) -> None:
    """As plain JSON; the patient is the one in the address."""
    answer = _do(house, f"Patient/{PATIENT}/{name}", body)
    assert answer.status_code == 200
    assert issue(answer)["severity"] == "information"
    asked = house.door.words(kind)[0]
    assert asked.patient == PATIENT
    assert {key: getattr(asked, key) for key in said} == said


def test_parameters_are_taken_too(house: House) -> None:
    """FHIR's own form of the same."""
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "party", "valueReference": {"reference": f"Practitioner/{PARTY}"}},
            {"name": "until", "valueInstant": UNTIL},
        ],
    }
    assert _do(house, f"Patient/{PATIENT}/$share", body).status_code == 200
    assert house.door.words(p.Share)[0].party == PARTY


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"Patient/{PATIENT}/$share", {"party": PARTY}, 422),
        (f"Patient/{PATIENT}/$share", {"party": PARTY, "until": "later"}, 422),
        (f"Patient/{PATIENT}/$share", {"until": UNTIL}, 422),
        (f"Patient/{PATIENT}/$share", {"party": "x" * 200, "until": UNTIL}, 422),
        (f"Patient/{PATIENT}/$delegate", {"account": PARTY, "full": "perhaps", "until": UNTIL}, 422),
        (f"Patient/{PATIENT}/$withhold", {"party": PARTY, "category": "secret"}, 422),
        (f"Patient/{PATIENT}/$withhold", {"party": PARTY, "surplus": 1}, 422),
        (f"Patient/{PATIENT}/$withhold", {"category": "sensitive"}, 422),
        (f"Patient/{PATIENT}/$withhold", {}, 422),
        (f"DocumentReference/{PARTY}/$relabel", {"category": "public"}, 422),
        (f"DocumentReference/{PARTY}/$relabel", {}, 422),
        (f"Patient/{PATIENT}/$break-glass", {"reason": "x" * 2_000}, 422),
        (f"Patient/{PATIENT}/$break-glass", {"reason": "x" * 20_000}, 413),
    ],
)
def test_what_makes_no_sense_does_not_reach_the_door(house: House, path: str, body: Any, status: int) -> None:
    """Nothing is given for ever, to nobody, or in words the keeper does not know."""
    answer = _do(house, path, body)
    assert answer.status_code == status
    assert issue(answer)
    assert house.door.asked == []


def test_breaking_the_glass(house: House) -> None:
    """The answer says until when, in the shape of HL7's example; without a reason it is refused by the door."""
    answer = _do(house, f"Patient/{PATIENT}/$break-glass", {"reason": " unconscious "}, DOCTOR)
    Parameters.model_validate(answer.json())
    until, outcome = answer.json()["parameter"]
    assert until == {"name": "until", "valueInstant": iso(house.clock.now() + HOUR)}
    assert outcome["resource"]["issue"][0]["code"] == "suppressed"
    assert house.door.words(p.BreakGlass)[0].reason == "unconscious"
    empty = _do(house, f"Patient/{PATIENT}/$break-glass", {"reason": "  x".replace("x", "")}, DOCTOR)
    assert empty.status_code == 422


def test_relabelling(house: House) -> None:
    """The label that is shown follows."""
    one = house.put()["id"]
    assert _do(house, f"DocumentReference/{one}/$relabel", {"category": "sensitive"}).status_code == 200
    assert house.get(f"DocumentReference/{one}").json()["securityLabel"][0]["coding"][0]["code"] == "R"


def test_operations_upon_others_are_one_answer(house: House) -> None:
    """Foreign, unknown and malformed patients and documents."""
    one = house.put()["id"]
    answers = [
        _do(house, f"Patient/{who}/$share", {"party": PARTY, "end": True}, STRANGER) for who in (PATIENT, PARTY, "1")
    ]
    answers += [
        _do(house, f"DocumentReference/{which}/$relabel", {"category": "normal"}, STRANGER)
        for which in (one, PARTY, "1")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_logging_out(house: House) -> None:
    """One question, no input; an answer like any other."""
    assert house.client.post("/fhir/$logout", headers=OWNER).status_code == 200
    assert len(house.door.words(p.Logout)) == 1


def test_stepping_up(house: House) -> None:
    """One question, no input."""
    assert house.client.post("/fhir/$step-up", headers=OWNER).status_code == 200
    assert len(house.door.words(p.StepUp)) == 1


@pytest.mark.parametrize(
    ("party", "said"), [("Organization/practice-1", "practice-1"), ("practice-1", "practice-1"), ("a b", "a" * 26)]
)
def test_organisations_have_ids_of_their_own(house: House, party: str, said: str) -> None:
    """A share with a practice reaches that practice; what is no id at all is nobody's."""
    assert _do(house, f"Patient/{PATIENT}/$share", {"party": party, "until": UNTIL}).status_code == 200
    assert house.door.words(p.Share)[0].party == said
