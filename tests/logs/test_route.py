"""Which document an address speaks of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs.route import Target, shape, target


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
        ("/", "", Target("/")),
        ("/list", "page=3&per_page=50", Target("/list")),
        ("/app.3f2a9c00ffee11.js", "", Target("/app.3f2a9c00ffee11.js")),
        ("/presentations/logstash-monitorama-2013/", "", Target("/presentations/logstash-monitorama-2013/")),
    ],
)  # fmt: skip
def test_ids_are_taken_out_and_pages_left(path: str, query: str, expected: Target) -> None:
    """Ids of every usual form make a document; dates, counters, assets and names do not."""
    assert target(path, query) == expected


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_address_has_a_target(path: str, query: str) -> None:
    """Whatever stands there, it is answered, and a number fits into 64 bits."""
    found = target(path, query)
    assert found.number is None or 0 <= found.number < 2**63
    assert found.number is None or found.document is not None


@given(st.integers(0, 2**63 - 1))
def test_numbers_keep_their_order(number: int) -> None:
    """The number of an id that is one is that number."""
    assert shape(str(number)) == ("{int}", number)
