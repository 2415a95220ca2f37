"""`$docref` finds the documents of a time and a kind."""

import json
from typing import Any

import pytest

from strongroom.fhir.docref import DocRef, is_wanted, understand
from strongroom.fhir.fault import Unreadable
from strongroom.fhir.parse import parse_document_reference

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, True),
        ({"start": "2026-03-01"}, True),
        ({"start": "2026-03-02"}, False),
        ({"end": "2026-02-27"}, True),
        ({"end": "2026-02-26"}, False),
        ({"start": "2026-02-28", "end": "2026-02-28"}, True),
        ({"type": "http://loinc.org|18842-5"}, True),
        ({"type": "http://loinc.org|1,18842-5"}, True),
        ({"type": "http://loinc.org|1"}, False),
        ({"on_demand": True}, False),
    ],
)
def test_care_within_the_time_is_found(valid: Json, asked: Json, found: bool) -> None:
    """The period of care overlaps the time asked for, ends included."""
    document = parse_document_reference(json.dumps(valid).encode())
    assert is_wanted(document, understand(DocRef(patient="p", **asked))) == found


def test_the_date_stands_in_for_the_period(valid: Json) -> None:
    """And a document without either is not left out."""
    del valid["context"]
    early = understand(DocRef(patient="p", end="2026-01"))
    assert not is_wanted(parse_document_reference(json.dumps(valid).encode()), early)
    del valid["date"]
    assert is_wanted(parse_document_reference(json.dumps(valid).encode()), early)
    assert not is_wanted(parse_document_reference(json.dumps(valid | {"type": {"text": "x"}}).encode()),
                         understand(DocRef(patient="p", type="x")))  # fmt: skip


def test_dates_that_are_none_are_refused() -> None:
    """And a patient may be given as a reference."""
    assert understand(DocRef(patient="Patient/p")).patient == "p"
    with pytest.raises(Unreadable):
        understand(DocRef(patient="p", start="soon"))
