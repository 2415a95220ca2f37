"""What clients and organisations send as FHIR: resources, operations, searches, dates, feeds; with `web`.

What is accepted is written and read again as the same, and is searched and shown without a fault.
"""

import json
import re
from contextlib import suppress
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

import msgspec

from bench.fuzz import web
from bench.fuzz.target import Target, must
from strongroom.api import operations
from strongroom.api.view import shown, stored
from strongroom.errors import Malformed
from strongroom.fhir import parameters
from strongroom.fhir.attachment import Digest, decode_base64, is_mime, read_hash
from strongroom.fhir.dates import between, span
from strongroom.fhir.docref import DocRef, is_wanted, understand
from strongroom.fhir.fault import Faulty
from strongroom.fhir.history import parse_history
from strongroom.fhir.labels import CATEGORIES, category_of, show_category
from strongroom.fhir.outcome import outcome
from strongroom.fhir.page import Pager
from strongroom.fhir.parse import parse_binary, parse_document_reference
from strongroom.fhir.people import MAX_LINE, DelegateRecord, Problem, read_feed, read_header
from strongroom.fhir.resource import DocumentReference, decode_stored, encode
from strongroom.fhir.search import PARAMETERS, matches, parse_search, sort_key
from strongroom.keeper.protocol import Row
from strongroom.secret import Secret

_ROW = Row(
    document="d" * 26, version=2, patient="p" * 26, category="sensitive", state="available", content_type="text/plain",
    size=5, updated=1_767_225_600_000, metadata_key=b"k" * 32,
)  # fmt: skip
_BASE = "https://store.example/fhir"
_SEARCHES = tuple(
    parse_search(pairs, strict=True)
    for pairs in (
        [("date", "ge2020"), ("_sort", "date")],
        [("period", "lt2030"), ("type", "http://loinc.org|51855-5"), ("_sort", "-date")],
        [(name, "2026-01-31" if one.type == "date" else "a|b" if one.type == "token" else "Patient/a") for name, one in
         PARAMETERS.items()],
    )
)  # fmt: skip
_WANTED = (understand(DocRef(start="2020", end="2030", type="a|b")), understand(DocRef()))


def fhir_document(data: bytes) -> None:
    """Any bytes as a DocumentReference: refused with a fault, or kept, searched and shown."""
    with suppress(Malformed):
        decode_stored(data)
    try:
        document = parse_document_reference(data)
    except Faulty as error:
        _told(error)
        return
    written = encode(document)
    must(encode(parse_document_reference(written)) == written, "what is accepted is accepted again, and the same")
    attachment = document.content[0].attachment
    content = decode_base64(attachment.data or "")
    must(content is not None and is_mime(attachment.content_type or ""), "base64 and a media type")
    digest = Digest().update(content or b"")
    list(digest.faults(attachment))
    kept = stored(document, digest.describe(attachment))
    must(decode_stored(encode(kept)) == kept, "what is sealed is read again")
    seen = shown(kept, _ROW, _BASE)
    must(category_of(seen) == _ROW.category, "the label says the keeper's category")
    must(
        seen.subject is not None and seen.subject.reference == f"Patient/{_ROW.patient}", "and the subject its patient"
    )
    _searched(seen)
    for category in CATEGORIES:
        labelled = show_category(document, category)
        must(category_of(labelled) == category, "a label says its category")
        must(show_category(labelled, category) == labelled, "said once is enough")


def _searched(document: DocumentReference) -> None:
    for query in _SEARCHES:
        matches(document, query)
        must(isinstance(sort_key(document, query), tuple), "it has a place")
    for wanted in _WANTED:
        is_wanted(document, wanted)


def _told(error: Faulty) -> None:
    """A refusal is an OperationOutcome that can be written, and its places are FHIRPath."""
    json.loads(outcome(error.faults))
    must(error.faults and len(error.faults) <= 100, "at least one fault, and not a flood")
    for fault in error.faults:
        must(re.fullmatch(r"[A-Za-z0-9_.\[\]]*", fault.expression), "no client's text is repeated as a place")
        must(fault.text.isascii() and len(fault.text) < 300, "a sentence of ours")


def fhir_binary(data: bytes) -> None:
    """Any bytes as a Binary: refused with a fault, or bytes with a type."""
    try:
        binary = parse_binary(data)
    except Faulty as error:
        _told(error)
        return
    must(decode_base64(binary.data or "") and is_mime(binary.content_type), "it has bytes and a type")
    written = encode(binary)
    must(encode(parse_binary(written)) == written, "what is accepted is accepted again, and the same")
    if (digest := read_hash(binary.data or "")) is not None:
        must(len(digest) >= 1, "a hash has bytes")


_INPUTS = (
    operations.ShareInput, operations.DelegateInput, operations.WithholdInput, operations.GlassInput,
    operations.RelabelInput, DocRef,
)  # fmt: skip


def fhir_parameters(data: bytes) -> None:
    """Any bytes as the input of each operation: refused with a fault, or values of its types."""
    try:
        values = parameters.read_body(data)
    except Faulty as error:
        _told(error)
        return
    for kind in _INPUTS:
        try:
            given = parameters.typed(dict(values), kind)
        except Faulty as error:
            _told(error)
            continue
        must(msgspec.convert(msgspec.to_builtins(given), kind) == given, "values have their types")
        if isinstance(given, DocRef):
            try:
                understand(given)
            except Faulty as error:
                _told(error)
        elif isinstance(given, operations.ShareInput | operations.DelegateInput):
            try:
                until = operations._until(given.until, end=given.end)  # noqa: SLF001  # what both operations do with it
            except Faulty as error:
                _told(error)
            else:
                must(abs(until) < 2**53, "a time that every column holds")


@lru_cache(maxsize=1)
def _seen() -> DocumentReference:
    return shown(parse_document_reference(DOCUMENT), _ROW, _BASE)


def fhir_search(data: bytes) -> None:
    """Any query string, as searches of documents and of accesses: refused, or the same when it is asked again by its link."""
    pairs = parse_qsl(data.decode("latin-1"), keep_blank_values=True)
    for strict in (False, True):
        try:
            query = parse_search(pairs, strict=strict)
        except Faulty as error:
            _told(error)
            continue
        again = parse_search(parse_qsl(urlencode(query.used), keep_blank_values=True), strict=True)
        must(_asked(again) == _asked(query), "the link of an answer asks for the same")
        must(0 <= query.count <= 200, "a page is bounded")
        seen = _seen()
        must(matches(seen, query) == matches(seen, again), "and finds the same")
        sort_key(seen, query)
    for strict in (False, True):
        try:
            history = parse_history(pairs, strict=strict)
        except Faulty as error:
            _told(error)
            continue
        must(1 <= history.count <= 200 and parse_history(history.used, strict=True).since == history.since, "the same")


def _asked(query: object) -> tuple[object, ...]:
    return tuple(getattr(query, name) for name in ("patient", "ids", "count", "sort", "used"))


def fhir_date(data: bytes) -> None:
    """Any text as a date: none, or a time with a length, inside the time of its shorter spellings."""
    text = data.decode("utf-8", "replace")
    try:
        found = span(text)
    except Malformed:
        return
    must(0 < found.end - found.start <= 366 * 86_400_000, "a date covers some time, a year at most")
    for shorter in (text[:4], text[:7], text[:10]):
        if len(text) in {4, 7, 10}:
            around = span(shorter)
            must(
                around.start <= found.start and found.end <= around.end, "a day lies in its month, a month in its year"
            )
    must(between(text, None).start == found.start and between(None, text).end == found.end, "a period has its bounds")


def fhir_people(data: bytes) -> None:
    """Any feed: a header or none; each line with something in it becomes a record, or a problem with its number."""
    lines = data.split(b"\n")
    try:
        header = read_header(lines)
    except Malformed:
        pass
    else:
        must(header.organisation and header.sequence >= 1, "a header says whose and which")
    found = list(read_feed(lines))
    must(len(found) == sum(1 for line in lines[1:] if line.strip()), "no line is dropped silently")
    must(all(len(line) <= MAX_LINE for line in lines), "inputs are shorter than a line may be")
    for one in found:
        if isinstance(one, Problem):
            must(
                1 < one.line <= len(lines) and one.sentence.isascii(), "a problem has its line, and a sentence of ours"
            )
        elif isinstance(one, DelegateRecord) and one.since is not None and one.until is not None:
            must(one.since < one.until, "a period has a length")


PAGER = Pager(Secret(b"p" * 32))


def fhir_page(data: bytes) -> None:
    """Any token of a page: none but our own is followed, by its own caller, for its own search."""
    text = data.decode("utf-8", "replace")
    try:
        position = PAGER.position("ann", "date=2026", text)
    except Faulty as error:
        _told(error)
    else:
        must(PAGER.token("ann", "date=2026", position) == text.rstrip("="), "a token is one that was given")
    given = PAGER.token("ann", text, (1, text[:64]))
    must(PAGER.position("ann", text, given) == (1, text[:64]), "what was given is followed")
    for caller, search in (("bob", text), ("ann", text + "x")):
        try:
            PAGER.position(caller, search, given)
        except Faulty:
            continue
        raise AssertionError("somebody else's page is followed")


DOCUMENT = json.dumps({
    "resourceType": "DocumentReference", "id": "x", "status": "current", "docStatus": "final", "language": "en",
    "meta": {"versionId": "1", "lastUpdated": "2026-01-31T10:00:00.000Z", "profile": ["https://store.example/p"]},
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>a <b>letter</b></p></div>'},
    "contained": [{"resourceType": "Practitioner", "id": "dr"}],
    "masterIdentifier": {"system": "urn:a", "value": "1", "period": {"start": "2026-01-01"}},
    "identifier": [{"use": "official", "system": "urn:a", "value": "2"}],
    "type": {"coding": [{"system": "http://loinc.org", "code": "51855-5", "display": "note"}], "text": "note"},
    "category": [{"coding": [{"system": "urn:c", "code": "clinical"}]}],
    "subject": {"reference": "Patient/p"}, "date": "2026-01-31T10:00:00Z",
    "author": [{"reference": "#dr"}, {"reference": "Practitioner/a"}, {"display": "somebody"}],
    "authenticator": {"reference": "Organization/o"}, "custodian": {"reference": "https://a.example/fhir/Organization/o"},
    "relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/y"}}],
    "description": "a note",
    "securityLabel": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}],
    "content": [{
        "attachment": {"contentType": "text/plain; charset=utf-8", "language": "en", "data": "aGVsbG8=", "size": 5,
                       "hash": "qvTGHdzF6KLavt4PO0gs2a6pQ00=", "title": "hello", "creation": "2026-01",
                       "extension": [{"url": "urn:x", "valueString": "y"}]},
        "format": {"system": "urn:f", "code": "f"},
    }],
    "context": {"encounter": [{"reference": "Encounter/e"}], "event": [{"text": "visit"}],
                "period": {"start": "2026-01-30", "end": "2026-01-31T12:00:00+01:00"}, "facilityType": {"text": "clinic"},
                "practiceSetting": {"coding": [{"code": "gp"}]}, "related": [{"reference": "Observation/o"}],
                "sourcePatientInfo": {"reference": "Patient/p"}},
}).encode()  # fmt: skip
_FHIR_WORDS = (
    *DocumentReference.__struct_encode_fields__, "resourceType", "Parameters", "Binary", "contentType", "reference", "coding",
    "extension", "valueString", "#", "Patient/", "https://", "urn:", "/_history/1",
)  # fmt: skip
_FEED_WORDS = (
    "RelatedPerson",
    "Practitioner",
    "Organization",
    "urn:strongroom:account",
    "|",
    "MTH",
    "HPOWATT",
    "active",
)

TARGETS = (
    Target("fhir-document", fhir_document, "json", _FHIR_WORDS, 16_384),
    Target("fhir-binary", fhir_binary, "json", _FHIR_WORDS),
    Target("fhir-parameters", fhir_parameters, "json", ("parameter", "name", "valueString", "until", "party", "on-demand")),
    Target("fhir-search", fhir_search, words=(*(f"{name}=" for name in PARAMETERS), "&", ",", "%5C", "%7C", ":missing", "_sort=",
                                             "_id=", "_count=", "patient=", "subject:Patient=", "_page=", "entity=", "eq", "ap")),
    Target("fhir-date", fhir_date, words=("-", "T", ":60", "Z", "+14:00", "-00:00", "9999", "0001", "."), limit=64),
    Target("fhir-people", fhir_people, words=(*_FEED_WORDS, "\n", '"resourceType":"'), limit=8_192),
    Target("fhir-page", fhir_page, limit=700),
    *web.TARGETS,
)  # fmt: skip
