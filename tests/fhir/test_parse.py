"""A resource is taken whole or refused with its place; nothing is dropped on the way."""

import copy
import json
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.documentreference import DocumentReference as Oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from strongroom.errors import Malformed
from strongroom.fhir.fault import Faulty, Unacceptable
from strongroom.fhir.parse import parse_binary, parse_document_reference
from strongroom.fhir.resource import DocumentReference, decode_stored, encode

Json = dict[str, Any]


def _parse(resource: Json) -> DocumentReference:
    return parse_document_reference(json.dumps(resource).encode())


def _put(resource: Json, path: str, value: object) -> Json:
    """`resource` with `value` at a dotted path; None takes the member away."""
    changed = copy.deepcopy(resource)
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place: Any = changed
    for step in way:
        place = place[step]
    if value is None and isinstance(place, dict):
        place.pop(last, None)
    elif value is None:
        del place[last]
    else:
        place[last] = value
    return changed


def test_what_is_taken_comes_back_the_same(valid: Json) -> None:
    """Reading and writing changes nothing."""
    assert json.loads(encode(_parse(valid))) == valid
    assert decode_stored(encode(_parse(valid))) == _parse(valid)
    for raw in (b"", b"{}", b'{"resourceType":"Patient"}'):
        with pytest.raises(Malformed):
            decode_stored(raw)


def test_published_examples_have_a_place_for_everything(published: list[Json]) -> None:
    """Every element of HL7's and IHE's DocumentReferences is known, and survives the round."""
    assert len(published) > 30
    for resource in published:
        typed = msgspec.convert(resource, DocumentReference)
        assert json.loads(encode(typed)) == resource


WRONG = [
    # what fhir.resources takes and FHIR does not (each was tried)
    ("status", "bogus", "DocumentReference.status"),
    ("docStatus", "bogus", "DocumentReference.docStatus"),
    ("relatesTo", [{"code": "bogus", "target": {"reference": "DocumentReference/1"}}],
     "DocumentReference.relatesTo[0].code"),
    ("content.0.attachment.data", "no base64!", "DocumentReference.content[0].attachment.data"),
    ("subject.reference", "Observation/1", "DocumentReference.subject"),
    ("content.0.attachment.contentType", "zzz", "DocumentReference.content[0].attachment.contentType"),
    ("content.0.attachment.contentType", None, "DocumentReference.content[0].attachment.contentType"),
    ("content.0.attachment.hash", "SGVsbG8gdGhlcmU=", "DocumentReference.content[0].attachment.hash"),
    ("text", {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'><script/></div>"},
     "DocumentReference.text.div"),
    # what both refuse
    ("status", None, "DocumentReference.status"),
    ("content", None, "DocumentReference.content"),
    ("date", "yesterday", "DocumentReference.date"),
    ("date", "2026-02-30T10:00:00Z", "DocumentReference.date"),
    ("unknown", 1, "DocumentReference.unknown"),
    ("content.0.attachment.size", -1, "DocumentReference.content[0].attachment.size"),
    ("identifier.0.use", "mine", "DocumentReference.identifier[0].use"),
    # what a store of documents needs besides
    ("subject", None, "DocumentReference.subject"),
    ("subject", {"display": "somebody"}, "DocumentReference.subject"),
    ("author.0.reference", "Observation/1", "DocumentReference.author[0].reference"),
    ("author.0.reference", "#nobody", "DocumentReference.author[0].reference"),
    ("author.0.reference", "not a reference", "DocumentReference.author[0].reference"),
    ("author.0", {"type": "Practitioner"}, "DocumentReference.author[0]"),
    ("custodian", {"reference": "https://example.org/fhir/Patient/1"}, "DocumentReference.custodian.reference"),
    ("context.encounter", [{"reference": "Encounter/1"}, {"reference": "Patient/1"}],
     "DocumentReference.context.encounter[1].reference"),
    ("context.sourcePatientInfo", {"reference": "Practitioner/1"},
     "DocumentReference.context.sourcePatientInfo.reference"),
    ("context.related", [{"reference": "Task/1"}, {"reference": "?"}],
     "DocumentReference.context.related[1].reference"),
    ("relatesTo", [{"code": "signs", "target": {"reference": "Patient/1"}}],
     "DocumentReference.relatesTo[0].target.reference"),
    ("context.period", {"start": "2026-03", "end": "2026-01"}, "DocumentReference.context.period"),
    ("context.period", {"start": "2026-13"}, "DocumentReference.context.period.start"),
    ("content.0.attachment.creation", "2026-02-30", "DocumentReference.content[0].attachment.creation"),
    ("identifier.0.period", {"start": "2026-02-30"}, "DocumentReference.identifier[0].period"),
    ("modifierExtension", [{"url": "urn:x"}], "DocumentReference.modifierExtension"),
    ("resourceType", "Binary", "resourceType"),
    ("resourceType", None, "resourceType"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "expression"), WRONG)
def test_faults_have_a_place(valid: Json, path: str, value: object, expression: str) -> None:
    """Each fault names the element that is wrong."""
    with pytest.raises(Unacceptable) as caught:
        _parse(_put(valid, path, value))
    assert caught.value.faults[0].expression == expression
    assert caught.value.faults[0].text.endswith((".", "?"))


def test_two_contents_are_refused(valid: Json) -> None:
    """One document, one Binary."""
    with pytest.raises(Unacceptable):
        _parse(_put(valid, "content", valid["content"] * 2))


def test_contained_authors_are_known_by_what_they_are(valid: Json) -> None:
    """A reference into the resource itself is followed, and its target's kind checked."""
    inside = _put(valid, "contained", [{"resourceType": "Practitioner", "id": "a"}])
    assert _parse(_put(inside, "author.0.reference", "#a")).author[0].reference == "#a"
    wrong = _put(valid, "contained", [{"resourceType": "Location", "id": "a"}])
    with pytest.raises(Unacceptable):
        _parse(_put(wrong, "author.0.reference", "#a"))


@pytest.mark.parametrize("reference", ["urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7", "https://example.org/other"])
def test_references_that_say_no_kind_may_dangle(valid: Json, reference: str) -> None:
    """Dangling references are normal input."""
    assert _parse(_put(valid, "author.0.reference", reference)).author[0].reference == reference


def test_faults_repeat_no_values(valid: Json) -> None:
    """Neither a message nor a place gives back what the client wrote."""
    secret = "Ngaire-1984"
    for path in ("status", "date", "author.0.reference", "content.0.attachment.contentType", "identifier.0.use"):
        with pytest.raises(Faulty) as caught:
            _parse(_put(valid, path, secret))
        assert secret not in str(caught.value)
        assert secret not in str(caught.value.faults)


def test_a_huge_number_is_a_fault(valid: Json) -> None:
    """A number that fits no machine word is refused like any other."""
    with pytest.raises(Unacceptable):
        _parse(_put(valid, "content.0.attachment.size", 10**40))


_SCALARS: st.SearchStrategy[object] = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=5), st.just([]), st.just({})
)
_PATHS = st.sampled_from(
    ["status", "docStatus", "type", "type.coding", "type.coding.0.code", "category", "subject", "subject.reference",
     "date", "author", "author.0.reference", "identifier.0.value", "content", "content.0.attachment",
     "content.0.attachment.size", "content.0.attachment.title", "context.period.start", "surplus"]
)  # fmt: skip


@settings(max_examples=150)
@given(path=_PATHS, value=_SCALARS)
def test_we_take_nothing_that_the_oracle_refuses(valid: Json, path: str, value: object) -> None:
    """Differential: whatever fhir.resources refuses, we refuse."""
    changed = _put(valid, path, value)
    try:
        _parse(changed)
    except Faulty:
        return
    try:
        Oracle.model_validate(changed)
    except ValidationError as error:
        pytest.fail(f"taken, but the oracle says: {error}")


def test_a_binary_needs_bytes_and_a_type() -> None:
    """An empty Binary is nobody's document."""
    good = {"resourceType": "Binary", "contentType": "text/plain", "data": "SGVs bG8="}
    assert parse_binary(json.dumps(good).encode()).content_type == "text/plain"
    for member, value in (
        ("data", None),
        ("data", "===="),
        ("data", "é"),
        ("contentType", "zzz"),
        ("contentType", None),
    ):
        with pytest.raises(Unacceptable):
            parse_binary(json.dumps(_put(good, member, value)).encode())
