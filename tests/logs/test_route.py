"""Which document an address speaks of."""

from random import Random
from string import ascii_letters, ascii_lowercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs.forms import shape
from strongroom.logs.route import Target, target

SIGNED = "eyJfcmFpbHMiOnsibWVzc2FnZSI6IkJBaHBCZz09IiwiZXhwIjpudWxsLCJwdXIiOiJibG9iX2lkIn19--" + "9f86d081" * 8
"""A signed id of Ruby on Rails, 145 characters long."""


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/documents/4711/download", "", Target("/documents/{int}/download", "/documents/4711/download", 4711)),
        ("/get", "id=4711&lang=en", Target("/get?id={int}", "/get?id=4711", 4711)),
        ("/letters/5f0c8f0e-0000-4000-8000-000000000001.pdf", "",
         Target("/letters/{uuid}.pdf", "/letters/5f0c8f0e-0000-4000-8000-000000000001.pdf")),
        ("/patients/ZAA0083", "", Target("/patients/{code}", "/patients/ZAA0083", int("ZAA0083", 36))),
        ("/scan-00417.tar.gz", "", Target("/scan-{int}.tar.gz", "/scan-00417.tar.gz", 417)),
        ("/fhir/Binary/7fk2aaaabbbbccccddddeeee22", "",
         Target("/fhir/Binary/{token}", "/fhir/Binary/7fk2aaaabbbbccccddddeeee22")),
        ("/documents/%34711", "", Target("/documents/{int}", "/documents/4711", 4711)),
        ("/patients/7/documents/9", "", Target("/patients/{int}/documents/{int}", "/patients/7/documents/9", 9)),
        ("/documents/99999999999999999999999", "", Target("/documents/{int}", "/documents/99999999999999999999999")),
        ("/scans/5f3a0011;jsessionid=7A9B", "", Target("/scans/{hex}", "/scans/5f3a0011", 0x5F3A0011)),
        ("/get", "doc=MTIwMDAw&lang=en", Target("/get?doc={id}", "/get?doc=MTIwMDAw")),
        ("/get", "file=readme", Target("/get")),
        ("/documents;v=1/4711;a=b", "", Target("/documents/{int}", "/documents/4711", 4711)),
        ("/blog/2015/05/kibana", "", Target("/blog/2015/05/kibana")),
        ("/lab/2025-001234.pdf", "", Target("/lab/2025-{int}.pdf", "/lab/2025-001234.pdf", 1234)),
        ("/lab/123-45-6", "", Target("/lab/{int}-{int}-{int}", "/lab/123-45-6", 123)),
        ("/lab/DOK-2024-00017/x", "", Target("/lab/DOK-2024-{int}/x", "/lab/DOK-2024-00017/x", 17)),
        ("/preview/110034_200x200.jpg", "", Target("/preview/{int}_{size}.jpg", "/preview/110034_200x200.jpg", 110034)),
        ("/d/110034-letter-of-may2", "", Target("/d/{int}-{name}", "/d/110034-letter-of-may2", 110034)),
        ("/studies/1.2.840.113619.2.55", "", Target("/studies/{oid}", "/studies/1.2.840.113619.2.55")),
        ("/d/jR4kWq9X", "", Target("/d/{token}", "/d/jR4kWq9X")),
        ("/d/V1StGXR8_Z5jdHi6B-myT", "", Target("/d/{token}", "/d/V1StGXR8_Z5jdHi6B-myT")),
        ("/d/k3j9x2m8q1", "", Target("/d/{token}", "/d/k3j9x2m8q1")),
        ("/documents(4711)/$value", "", Target("/documents({int})/$value", "/documents(4711)/$value", 4711)),
        ("/Documents('jR4kWq9X')", "", Target("/Documents('{token}')", "/Documents('jR4kWq9X')")),
        ("/get", "patient=Patient/123", Target("/get?patient=Patient/{int}", "/get?patient=Patient/123", 123)),
        ("/Documents(guid'5f0c8f0e-0000-4000-8000-000000000001')/$value", "", Target(
            "/Documents(guid'{uuid}')/$value", "/Documents(guid'5f0c8f0e-0000-4000-8000-000000000001')/$value")),
        ("/Documents(ID='A-47110')", "", Target("/Documents(ID='A-{int}')", "/Documents(ID='A-47110')", 47110)),
        ("/Documents", "$skip=4711&$top=25", Target("/Documents")),
        ("/d/4711", "download=1&docId=2", Target("/d/{int}?docId={int}", "/d/4711?docId=2", 2)),
        ("/call/doc", "batch=1&input=%7B%220%22%3A%7B%22id%22%3A4711%2C%22all%22%3Atrue%2C%22x%22%3A%5Bnull%5D%7D%7D", Target(
            "/call/doc?id={int}", "/call/doc?id=4711", 4711)),
        ("/call/doc", "input=%7B%22id%22%3A4711", Target("/call/doc")),
        ("/download.aspx", "UniqueId=%7B5F0C8F0E-0000-4000-8000-000000000001%7D", Target(
            "/download.aspx?UniqueId={uuid}", "/download.aspx?UniqueId={5F0C8F0E-0000-4000-8000-000000000001}")),
        ("/d/{5f0c8f0e-0000-4000-8000-000000000001", "", Target("/d/{5f0c8f0e-0000-4000-8000-000000000001")),
        (f"/blobs/{SIGNED}/letter.pdf", "", Target("/blobs/{token}/letter.pdf", f"/blobs/{SIGNED}/letter.pdf")),
        ("/drives/b!-RIj2DuyvEyV1T4NlOaMHk8XkS_I8MdF", "", Target("/drives/{token}", "/drives/b!-RIj2DuyvEyV1T4NlOaMHk8XkS_I8MdF")),
        ("/rest", "id=eq.4711", Target("/rest?id=eq.{int}", "/rest?id=eq.4711", 4711)),
        ("/get", "key=people/77/letters/3.pdf", Target(
            "/get?key=people/{int}/letters/{int}.pdf", "/get?key=people/77/letters/3.pdf", 3)),
        ("/get", "file=smith-john.pdf", Target("/get?file={id}", "/get?file=smith-john.pdf")),
        ("/d/4711", "X-Amz-Signature=9f86d081884c7d65&sig=9f86d081884c7d65", Target("/d/{int}", "/d/4711", 4711)),
        ("/login", "returnUrl=/documents/4711&next=https://a/4711", Target("/login")),
        ("/cb", "code=9f86d081884c7d65&state=4711", Target("/cb")),
        *((page, "", Target(page)) for page in (
            "/report/2024-05-01", "/report/01-05-2024", "/lab/2024-11-19_blood", "/top-10-tips", "/covid-19-2021",
            "/OAuth2Callback", "/iPhone15Pro", "/GetDocumentV2", "/mp3-to-mp4", "/v1beta1", "/logo-Dk3f9a2B.png", "/kibana-4.1.0",
            "/f(x1)", "/1.2.3.4",
        )),
        ("/", "", Target("/")),
        ("/list", "page=3&per_page=50", Target("/list")),
        ("/app.3f2a9c00ffee11.js", "", Target("/app.3f2a9c00ffee11.js")),
        ("/presentations/logstash-monitorama-2013/", "", Target("/presentations/logstash-monitorama-2013/")),
    ],
)  # fmt: skip
def test_ids_are_taken_out_and_pages_left(path: str, query: str, expected: Target) -> None:
    """Ids of every usual form make a document; dates, counters, assets and names do not."""
    assert target(path, query) == expected


@pytest.mark.parametrize(
    ("path", "query", "route"),
    [
        ("/fhir/DocumentReference", "patient=Patient/123", "/fhir/DocumentReference?patient={patient}"),
        (
            "/fhir/DocumentReference",
            "subject:Patient=123&_count=500",
            "/fhir/DocumentReference?subject:Patient={patient}",
        ),
        ("/patients/123/documents", "sort=date", "/patients/{patient}/documents"),
        ("/odata/Patients(123)/Documents/", "", "/odata/{patient}/Documents/"),
        ("/call/document.list", "input=%7B%22patientId%22:123%7D", "/call/document.list?patientId={patient}"),
        ("/Documents/List.aspx", "folder=123", "/Documents/List.aspx?folder={int}"),
    ],
)
def test_a_list_is_no_document(path: str, query: str, route: str) -> None:
    """Its id says whose it is: the number stays known, for whoever goes through the lists of all."""
    assert target(path, query) == Target(route, None, 123)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/patients/123", ""), ("/patients/123/documents/9", ""), ("/patients/123/documents.zip", ""),
        ("/documents/123/checklist", ""), ("/download", "patient=123"), ("/documents", "patient=123&doc=9"),
        ("/documents/123/content", ""), ("/folder/123/documents", ""),
    ],
)  # fmt: skip
def test_what_may_be_a_document_stays_one(path: str, query: str) -> None:
    """A person's own page, what stands behind a list or holds it whole, and a list of what is nobody's that is known."""
    assert target(path, query).document is not None


@pytest.mark.parametrize(("alphabet", "least"), [
    (ascii_letters + digits, 0.93), (ascii_letters + digits + "-_", 0.9), (ascii_lowercase + digits, 0.65) ])  # fmt: skip
def test_ids_by_chance_are_known(alphabet: str, least: float) -> None:
    """Of ids drawn at random, ten characters long, nearly all; of small letters two of three: the rest look like words."""
    rng = Random(4711)
    drawn = ["".join(rng.choices(alphabet, k=10)) for _ in range(2_000)]
    assert sum(shape(one)[0] != "" for one in drawn) >= least * len(drawn)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_address_has_a_target(path: str, query: str) -> None:
    """Whatever stands there, it is answered, and a number fits into 64 bits."""
    found = target(path, query)
    assert found.number is None or 0 <= found.number < 2**63
    assert found.number is None or found.document is not None or "{" in found.route


@given(st.integers(0, 2**63 - 1))
def test_numbers_keep_their_order(number: int) -> None:
    """The number of an id that is one is that number."""
    assert shape(str(number)) == ("{int}", number)
