"""A searchset is FHIR's, empty or not."""

import json

from fhir.resources.R4B.bundle import Bundle

from strongroom.fhir.bundle import searchset
from strongroom.fhir.outcome import single


def test_the_oracle_takes_ours() -> None:
    """Entries are embedded as they are."""
    raw = searchset(3, {"self": "https://x/fhir/A?b=c"}, [("https://x/fhir/A/1", single("value", "x"))])
    bundle = Bundle.model_validate_json(raw)
    assert bundle.total == 3
    body = json.loads(raw)
    assert [link["relation"] for link in body["link"]] == ["self"]
    assert [entry["search"] for entry in body["entry"]] == [{"mode": "match"}]


def test_an_empty_answer_has_no_empty_lists() -> None:
    """FHIR has none."""
    assert json.loads(searchset(0, {}, [])) == {"resourceType": "Bundle", "type": "searchset", "total": 0}
