"""FHIR AuditEvents, in resources of the forms that HL7 and IHE give."""

import base64
from typing import Any

import msgspec
import pytest

from bench.fuzz.lines import FILES
from strongroom.logs.record import NO_JSON, NO_TIME, NOT_THIS_FORMAT, Unreadable
from tests.logs.rows import one, reason, rows, some

EVENT: dict[str, Any] = msgspec.json.decode(FILES["fhir-audit"])


def test_an_event() -> None:
    """Who asked, what was read and whose it is; programs beside the person are not who."""
    expected = {
        "time": 1_766_998_800_250, "metadata.log_name": "fhir", "status_id": 1, "act": "read", "principal": "Practitioner/ann",
        "principal.kind": "login", "src_endpoint.ip": "203.0.113.9", "api.operation": "read", "api.service.name": "Device/store",
        "document": "DocumentReference/4711", "number": 4_711, "patient": "Patient/p-9", "store": None,
        "metadata.uid": "Device/store 2025-12-29T22:00:00.250+13:00 e-1",
    }  # fmt: skip
    found = one(EVENT, "fhir-audit")
    assert {name: found[name] for name in expected} == expected


def test_a_bundle() -> None:
    """Each entry is an event; another resource among them is counted."""
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": "u", "resource": EVENT}, {"resource": EVENT}],
    }
    assert len(rows(msgspec.json.encode(bundle), "fhir-audit")) == 2
    assert len(rows(msgspec.json.format(msgspec.json.encode(EVENT), indent=2), "fhir-audit")) == 1


def test_release_5() -> None:
    """Its own places for the code, the outcome, the patient and the network."""
    entry = {
        "resourceType": "AuditEvent", "recorded": "2025-12-29T09:00:00Z", "action": "R",
        "code": {"coding": [{"code": "search-type"}]}, "outcome": {"code": {"code": "fatal"}},
        "patient": {"reference": "Patient/p-9"}, "source": {"observer": {"display": "store"}},
        "agent": [{"who": {"identifier": {"value": "ann"}}, "requestor": True, "networkString": "203.0.113.9"}],
        "entity": [{"role": {"coding": [{"code": "24"}]}, "query": "c2VhcmNo"}],
    }  # fmt: skip
    names = (
        "act",
        "status_id",
        "api.response.error",
        "patient",
        "principal",
        "src_endpoint.ip",
        "document",
        "metadata.uid",
    )
    assert some(one(entry, "fhir-audit"), *names) == [
        "list",
        2,
        "fatal",
        "Patient/p-9",
        "ann",
        "203.0.113.9",
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("query", "document"),
    [
        (b"GET /fhir/Patient/p-9/$everything", "Patient/p-9/$everything"),
        (b"https://a.example/Patient/p-9/%24everything?_count=500", "Patient/p-9/$everything"),
        (b"GET /fhir/Patient/p-9/$summary", None),
        (b"", None),
    ],
)
def test_everything_of_a_person_is_read(query: bytes, document: str | None) -> None:
    """By an operation that says so; another reads nothing that is known."""
    whose = {"what": {"reference": "Patient/p-9"}, "role": {"code": "1"}}
    asked = {"role": {"code": "24"}, "query": base64.b64encode(query).decode()}
    found = one({**EVENT, "action": "E", "subtype": [{"code": "operation"}], "entity": [whose, asked]}, "fhir-audit")
    assert (found["act"], found["document"], found["patient"]) == (
        "read" if document else "other", document, "Patient/p-9",
    )  # fmt: skip


def test_a_query_that_is_none() -> None:
    """What is no base64 tells nothing; and without a patient it is whose address says."""
    operation = {**EVENT, "action": "E", "subtype": [{"code": "operation"}]}
    assert one({**operation, "entity": [{"role": {"code": "24"}, "query": "a"}]}, "fhir-audit")["act"] == "other"
    query = base64.b64encode(b"GET /Patient/7/$everything").decode()
    found = one({**operation, "entity": [{"role": {"code": "24"}, "query": query}]}, "fhir-audit")
    assert (found["act"], found["document"], found["patient"]) == ("read", "/Patient/7/$everything", None)


def test_two_things_are_two_events() -> None:
    """And one that is named twice is one."""
    thing = {"what": {"reference": "Binary/1"}, "role": {"code": "4"}}
    other = {"name": "a letter", "role": {"code": "4"}}
    found = rows(msgspec.json.encode({**EVENT, "entity": [thing, other, thing]}), "fhir-audit")
    assert [(row["document"], row["patient"]) for row in found] == [("Binary/1", None), ("a letter", None)]


@pytest.mark.parametrize(
    ("agents", "who", "kind"),
    [
        ([{"who": {"reference": "Device/d"}, "requestor": True}], "Device/d", "role"),
        ([{"who": {"reference": "Device/d"}}], "Device/d", "service"),
        ([{"altId": "ann", "requestor": False}], "ann", "login"),
        ([{"network": {"address": "203.0.113.9"}}], "203.0.113.9", "address"),
        ([], "nobody", "service"),
    ],
)
def test_who(agents: list[object], who: str, kind: str) -> None:
    """A program where there is nobody else; an address; or nobody."""
    assert some(one({**EVENT, "agent": agents}, "fhir-audit"), "principal", "principal.kind") == [who, kind]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"resourceType": "Patient"}, NOT_THIS_FORMAT),
        ({**EVENT, "recorded": "soon"}, NO_TIME), ({**EVENT, "recorded": 7}, NO_TIME),
        (b"{", NO_JSON),
    ],
)  # fmt: skip
def test_what_cannot_be_read_has_a_reason(entry: object, expected: Unreadable) -> None:
    """Other resources, times that are none."""
    assert reason(entry, "fhir-audit") == expected
