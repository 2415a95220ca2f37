"""A search finds what it asks for, says what it took, and is never wider than it reads."""

import json
from typing import Any

import pytest

from strongroom.fhir.fault import Unreadable
from strongroom.fhir.parse import parse_document_reference
from strongroom.fhir.resource import DocumentReference
from strongroom.fhir.search import MAX_COUNT, PARAMETERS, Query, matches, parse_search, sort_key

Json = dict[str, Any]


@pytest.fixture
def document(valid: Json) -> DocumentReference:
    """One with a value for every parameter."""
    valid["context"] |= {
        "event": [{"coding": [{"system": "urn:e", "code": "birth"}]}],
        "facilityType": {"coding": [{"system": "urn:f", "code": "hospital"}]},
        "practiceSetting": {"coding": [{"system": "urn:s", "code": "ward"}]},
        "related": [{"reference": "ServiceRequest/r1"}],
    }
    valid["content"][0]["format"] = {"system": "urn:o", "code": "pdf"}
    valid["content"][0]["attachment"]["creation"] = "2026-02"
    valid["securityLabel"] = [{"coding": [{"system": "urn:c", "code": "R"}]}]
    valid |= {"id": "d1", "meta": {"lastUpdated": "2026-03-02T00:00:00.000Z"}}
    return parse_document_reference(json.dumps(valid).encode())


def _query(text: str, *, strict: bool = False) -> Query:
    pairs = [(name, value) for name, _, value in (part.partition("=") for part in text.split("&"))]
    return parse_search(pairs, strict=strict)


HITS_AND_MISSES = [
    ("_lastUpdated=ge2026-03-02", "_lastUpdated=lt2026-03-02"),
    ("author=Practitioner/p1", "author=Practitioner/p2"),
    ("author=p1", "author:Organization=p1"),
    ("author:Practitioner=p1", "author=Patient/p1"),
    ("category=letters", "category=urn:y|letters"),
    ("contenttype=text/plain", "contenttype=application/pdf"),
    ("creation=2026-02", "creation=2026-02-01"),
    ("date=2026-02-28", "date=2026-03-01"),
    ("date=ge2026-02&date=le2026-02", "date=ge2026-02&date=lt2026-02"),
    ("event=urn:e|birth", "event=death"),
    ("facility=hospital", "facility=home"),
    ("format=urn:o|pdf", "format=|pdf"),
    ("identifier=urn:ietf:rfc:3986|urn:oid:1.2.3", "identifier=urn:x|8"),
    ("identifier=7", "identifier=|7"),
    ("period=2026", "period=2026-02"),
    ("period=ge2026-02-28", "period=sa2026-02-28"),
    ("related=ServiceRequest/r1", "related=Task/r1"),
    ("security-label=R", "security-label=N"),
    ("setting=ward", "setting=clinic"),
    ("status=current", "status=superseded"),
    ("status=superseded,current", "status=current&status=superseded"),
    ("type=http://loinc.org|18842-5", "type=http://loinc.org|1"),
    ("type=|x,18842-5", "type=|18842-5"),
    ("_id=d0,d1", "_id=d0"),
    ("_id=d1", "_id=d1&_id=d0"),
]


@pytest.mark.parametrize(("hit", "miss"), HITS_AND_MISSES)
def test_every_parameter_finds_and_leaves(document: DocumentReference, hit: str, miss: str) -> None:
    """Each parameter has one search that finds the document and one that does not."""
    assert matches(document, _query(hit))
    assert not matches(document, _query(miss))


def test_every_parameter_is_among_them() -> None:
    """A parameter without a case above would be a claim without a proof."""
    assert set(PARAMETERS) <= {hit.partition("=")[0] for hit, _ in HITS_AND_MISSES}


def test_a_document_without_values_is_found_by_no_parameter() -> None:
    """Absent is not equal to anything, and breaks nothing."""
    bare = parse_document_reference(
        b'{"resourceType":"DocumentReference","status":"current","subject":{"reference":"Patient/p"},'
        b'"content":[{"attachment":{"contentType":"a/b"}}]}'
    )
    found = {hit for hit, _ in HITS_AND_MISSES if matches(bare, _query(hit))}
    assert found == {"status=current", "status=superseded,current"}
    assert matches(bare, _query("patient=p"))


@pytest.mark.parametrize("patient", ["patient=p1", "subject=p1", "patient=Patient/p1", "subject:Patient=p1",
                                     "patient=p1&subject=Patient/p1"])  # fmt: skip
def test_the_ways_to_name_a_patient_are_one(patient: str) -> None:
    """`id` and `Patient/id`, `patient` and `subject`."""
    assert _query(patient).patient == "p1"


def test_a_patient_elsewhere_is_nobody_here() -> None:
    """An absolute address is not cut down to an id of ours."""
    assert _query("patient=https://example.org/fhir/Patient/p1").patient == "https://example.org/fhir/Patient/p1"


REFUSED = [
    "patient=a,b",
    "patient=a&patient=b",
    "patient=a&subject=b",
    "patient=",
    "_id=",
    "_page=",
    "patient:Group=a",
    "type:not=a",
    "type:text=a",
    "date:missing=true",
    "_id:not=a",
    "author:x=a",
    "type=,",
    "date=x",
    "_count=x",
    "_count=-1",
    "&".join(["type=a"] * 65),
    "type=" + "a," * 200,
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    """Whatever would change the meaning of a search is a 400, also without strict handling."""
    with pytest.raises(Unreadable):
        _query(text)


def test_unknown_parameters_are_left_out_or_refused() -> None:
    """Leniently they are not in the `self` link; strictly they are refused."""
    query = _query("patient=p&colour=red&type=a&_sort=title&_format=json")
    assert query.used == (("patient", "p"), ("type", "a"))
    assert _query("patient=p&_format=json", strict=True).used == (("patient", "p"),)
    for text in ("colour=red", "_sort=title", "patient.identifier=x", "<b>=x"):
        with pytest.raises(Unreadable) as caught:
            _query(text, strict=True)
        assert caught.value.faults[0].code == "not-supported"
        assert "<" not in caught.value.faults[0].text


def test_a_parameter_without_a_value_is_as_if_it_were_not_there() -> None:
    """As FHIR has it, where nothing cannot come to mean everything."""
    assert _query("type=&patient=p").used == (("patient", "p"),)


def test_ids_that_exclude_each_other_ask_for_nothing(document: DocumentReference) -> None:
    """The empty case refuses: it must not read as "any id"."""
    query = _query("_id=d1&_id=d2")
    assert query.ids
    assert not matches(document, query)


def test_counts_are_capped() -> None:
    """More than a page is asked for and not given."""
    assert _query("_count=100000").count == MAX_COUNT
    assert _query("_count=0").count == 0


def test_sorting_is_total() -> None:
    """Newest first by default; ids settle what times leave open."""

    def made(name: str, day: str) -> DocumentReference:
        raw = {
            "resourceType": "DocumentReference", "id": name, "status": "current", "subject": {"reference": "Patient/p"},
            "date": f"{day}T00:00:00Z", "meta": {"lastUpdated": "2026-01-01T00:00:00Z"},
            "content": [{"attachment": {"contentType": "a/b"}}],
        }  # fmt: skip
        return parse_document_reference(json.dumps(raw).encode())

    documents = [made("b", "2026-01-02"), made("a", "2026-01-03"), made("c", "2026-01-01")]
    for sort, expected in (
        ("_sort=date", "cba"),
        ("_sort=-date", "abc"),
        ("_sort=_lastUpdated", "abc"),
        ("_count=1", "abc"),
    ):
        query = _query(sort)
        ordered = sorted(documents, key=lambda document, query=query: sort_key(document, query))  # type: ignore[misc]
        assert "".join(document.id or "" for document in ordered) == expected
