"""The CapabilityStatement is FHIR's and claims what there is."""

import json
from pathlib import Path

from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from strongroom.fhir.capability import capability_statement
from strongroom.fhir.search import PARAMETERS

RAW = capability_statement("https://x.example/fhir", "0.1.0", "2026-11-01")


def test_the_oracle_takes_ours() -> None:
    """And no implementation guide is claimed."""
    statement = CapabilityStatement.model_validate_json(RAW)
    assert statement.fhirVersion == "4.0.1"
    assert statement.instantiates is None
    assert statement.format == ["json"]


def test_every_search_parameter_is_listed_with_a_published_definition(examples: Path) -> None:
    """What the search runs on is what is claimed, under HL7's and IHE's own names."""
    published = {}
    for file in [
        *examples.glob("hl7-r4-search/SearchParameter-*.json"),
        *examples.glob("ihe-mhd-definitions/SearchParameter-*"),
    ]:
        found = json.loads(file.read_text())
        published[found["url"]] = (found["code"], found["type"])
    for resource in json.loads(RAW)["rest"][0]["resource"]:
        for one in resource.get("searchParam", []):
            code, kind = published[one["definition"]]
            assert kind == one["type"]
            assert code in {one["name"], "https://profiles.ihe.net/ITI/MHD/SearchParameter/DocumentReference-Creation"}


def test_documents_are_searched_by_the_table() -> None:
    """Nothing in the table is unclaimed, nothing claimed is missing from it."""
    documents = next(one for one in json.loads(RAW)["rest"][0]["resource"] if one["type"] == "DocumentReference")
    assert {one["name"] for one in documents["searchParam"]} == {*PARAMETERS, "_id", "patient", "subject"}
