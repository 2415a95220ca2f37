"""What the tests of this room share: published examples, where they are at hand, and one valid document.

HL7's and IHE's examples are not part of the project. Where they are not at hand, the tests that read them are not
collected, and pytest counts them as deselected: what they check beside is checked on resources of our own as well.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]

EXAMPLES = Path(os.environ.get("STRONGROOM_TESTDATA", "../shared/data")).absolute() / "fhir"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what reads published examples that are not at hand."""
    if not EXAMPLES.is_dir():
        left_out = [item for item in items if "examples" in getattr(item, "fixturenames", ())]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder of the published examples."""
    return EXAMPLES


def resources(value: object, kind: str) -> Iterator[Json]:
    """Every resource of `kind` in `value`, however deep."""
    if isinstance(value, dict):
        if value.get("resourceType") == kind:
            yield value
        for member in value.values():
            yield from resources(member, kind)
    elif isinstance(value, list):
        for member in value:
            yield from resources(member, kind)


@pytest.fixture(scope="session")
def published(examples: Path) -> list[Json]:
    """Every published DocumentReference."""
    files = sorted(examples.glob("*/*.json"))
    return [found for file in files for found in resources(json.loads(file.read_text()), "DocumentReference")]


@pytest.fixture
def valid() -> Json:
    """A DocumentReference that we take."""
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": "18842-5", "display": "Discharge summary"}]},
        "category": [{"coding": [{"system": "urn:x", "code": "letters"}]}],
        "subject": {"reference": "Patient/mfrggzdfmztwq2lknnwg23tpoa"},
        "date": "2026-03-01T10:00:00+13:00",
        "author": [{"reference": "Practitioner/p1"}],
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"},
        "identifier": [{"system": "urn:x", "value": "7", "use": "official"}],
        "content": [{"attachment": {"contentType": "text/plain", "data": "SGVsbG8=", "title": "A letter"}}],
        "context": {"period": {"start": "2026-02-27", "end": "2026-03-01"}},
    }
