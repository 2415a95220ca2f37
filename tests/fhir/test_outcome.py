"""An OperationOutcome is FHIR's, and has something to say."""

import json
from pathlib import Path

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from strongroom.fhir.fault import Fault
from strongroom.fhir.outcome import glass_outcome, outcome, single


def test_the_oracle_takes_ours() -> None:
    """With and without a place."""
    for raw in (outcome([Fault("value", "x.", "A.b"), Fault("required", "y.")]), single("not-found", "z.")):
        OperationOutcome.model_validate_json(raw)
    assert json.loads(outcome([Fault("value", "x.", "A.b")]))["issue"] == [
        {"severity": "error", "code": "value", "details": {"text": "x."}, "expression": ["A.b"]}
    ]


def test_nothing_to_say_is_no_outcome() -> None:
    """FHIR wants one issue at least."""
    with pytest.raises(ValueError, match="at least one"):
        outcome([])


def test_breaking_the_glass_is_announced_as_hl7_does(examples: Path) -> None:
    """The same severity, code and coding as HL7's own example."""
    theirs = json.loads((examples / "hl7-r4/OperationOutcome-break-the-glass.json").read_text())["issue"][0]
    ours = json.loads(json.dumps(glass_outcome()))["issue"][0]
    OperationOutcome.model_validate(glass_outcome())
    assert (ours["severity"], ours["code"]) == (theirs["severity"], theirs["code"])
    assert ours["details"]["coding"] == theirs["details"]["coding"]
