"""An access is a FHIR AuditEvent that holds what BALP asks for, and names every document."""

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from strongroom.fhir.audit import SHAPES, audit_event
from strongroom.keeper.protocol import Access
from strongroom.tlog.entry import Op

PATIENT = "p" * 26
BASE = "https://x.example/fhir"


def _event(op: str, **more: Any) -> dict[str, Any]:
    access = Access(
        index=7, at=1_767_225_600_000, op=op, actor_name=more.pop("actor_name", "Dr Aroha Ngata"),
        actor_kind="clinician",
        organisation_name=more.pop("organisation_name", "Northland Clinic"), own=more.pop("own", False),
        documents=more.pop("documents", ("d1",)), basis="care", reason=more.pop("reason", ""), purpose="TREAT", **more,
    )  # fmt: skip
    return dict(json.loads(audit_event(access, PATIENT, BASE)))


@pytest.mark.parametrize("op", [op.value for op in Op])
def test_every_kind_of_entry_is_a_fhir_audit_event(op: str) -> None:
    """The oracle takes each, with documents and without."""
    AuditEvent.model_validate(_event(op, documents=()))
    event = _event(op, documents=("d1", "d2"), reason="budget", bytes=5, complete=False)
    AuditEvent.model_validate(event)
    named = [entity["what"]["reference"] for entity in event["entity"]]
    assert named == [f"Patient/{PATIENT}", "DocumentReference/d1", "DocumentReference/d2"]


def test_the_table_speaks_of_real_entries() -> None:
    """No shape is for an op that the log does not have."""
    assert set(SHAPES) <= {op.value for op in Op}


def _slices(profile: dict[str, Any]) -> dict[str, list[tuple[str, Any]]]:
    """Every fixed pattern of a profile: path without AuditEvent, and the pattern."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for element in profile["snapshot"]["element"]:
        for name, value in element.items():
            if name.startswith("pattern"):
                found.setdefault(element["id"].removeprefix("AuditEvent."), []).append((name, value))
    return found


def _holds(pattern: Any, value: Any) -> bool:
    """FHIR's pattern: all of it is there, more may be."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and _holds(one, value[name]) for name, one in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_holds(one, other) for other in value) for one in pattern)
    return bool(pattern == value)


@pytest.mark.parametrize(
    ("op", "one"),
    [("deposited", False), ("released", False), ("relabelled", False), ("deleted", False), ("listed", True)],
)
def test_a_claimed_profile_holds(examples: Path, op: str, one: bool) -> None:  # a row of the table
    """Each event that names a BALP profile has that profile's patterns in some slice."""
    event = _event(op, one=one)
    name = event["meta"]["profile"][0].rpartition(".")[2]
    profile = json.loads((examples / f"ihe-balp-profiles/StructureDefinition-IHE.BasicAudit.{name}.json").read_text())
    assert event["meta"]["profile"] == [profile["url"]]
    checked = 0
    for path, patterns in _slices(profile).items():
        where = path.split(".")[0].split(":")[0]
        if path.startswith(("entity:transaction", "agent:user.type")):
            continue  # optional slices
        values = event[where] if isinstance(event[where], list) else [event[where]]
        leaf = path.split(".")[1] if "." in path else None
        for _, pattern in patterns:
            assert any(_holds(pattern, value.get(leaf) if leaf else value) for value in values), path
            checked += 1
    assert checked >= 7
    for agent in event["agent"][1:]:
        assert agent["network"]
        assert agent["who"]


def test_a_listing_claims_no_profile() -> None:
    """We do not keep the text of the query, which BALP asks for."""
    assert "meta" not in _event("listed")
    assert "meta" not in _event("released", documents=())


def test_a_listing_of_one_document_is_a_read_of_its_metadata() -> None:
    """Not a search, and not a read of its bytes."""
    event = _event("listed", one=True)
    assert (event["action"], event["subtype"][0]["code"]) == ("R", "read")
    assert event["meta"]["profile"] == [
        "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead"
    ]
    assert event["entity"][1]["detail"] == [{"type": "part", "valueString": "metadata"}]
    assert (_event("listed")["action"], _event("listed")["subtype"][0]["code"]) == ("E", "search")


def test_who_it_was_is_told_and_where_from_is_masked() -> None:
    """Names for the patient; addresses and programs for the officers."""
    event = _event("released", own=True)
    user, client, _ = event["agent"]
    assert user["who"]["display"] == "Dr Aroha Ngata, Northland Clinic"
    assert user["role"] == [{"text": "patient"}]
    assert client["network"]["extension"][0]["valueCode"] == "masked"
    assert _event("released", actor_name="", organisation_name="")["agent"][0]["who"]["display"] == "unknown"


def test_a_broken_off_delivery_is_told() -> None:
    """Bytes and completeness stand at the document."""
    event = _event("released", bytes=512, complete=False)
    assert event["entity"][1]["detail"] == [
        {"type": "bytes", "valueString": "512"},
        {"type": "complete", "valueString": "false"},
    ]
