"""What a body may hold is counted before anything slow looks at it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.gateway.body import check, document, whole

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "json-malformed"),
        (b"{", "json-malformed"),
        (b'{"a": NaN}', "json-malformed"),
        (b'{"a": 1}x', "json-malformed"),
        (b'\xff\xfe{\x00"', "json-malformed"),
        (b'{"a": 1, "a": 2}', "json-twice"),
        (b'{"a": 1, "\\u0061": 2}', "json-twice"),
        (b"[" * 65 + b"]" * 65, "json-deep"),
        (b'["]]]]",' * 40 + b"[" * 100_000, "json-deep"),
        (b"[" * 200_000, "json-deep"),
        (json.dumps(dict.fromkeys(map(str, range(10_000)), 1)).encode(), "body-keys"),
        (json.dumps([{"a": 1}] * 101).encode(), "body-keys"),
        (json.dumps([1] * 101).encode(), "body-keys"),
    ],
)
def test_json_that_is_refused(body: bytes, rule: str) -> None:
    """Malformed, double, deep, or too much."""
    found = check(JSON, body, 100)
    assert found is not None
    assert (found.rule, found.hard) == (rule, True)


@given(
    st.recursive(
        st.one_of(st.none(), st.integers(), st.text()),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    )
)
def test_members_are_counted_as_they_are(document: object) -> None:
    """Colons, quotes and brackets within strings count for nothing: honest JSON passes at exactly its own number."""

    def members(inner: object) -> int:
        if isinstance(inner, dict):
            return len(inner) + sum(map(members, inner.values()))
        return sum(map(members, inner)) if isinstance(inner, list) else 0

    def values(inner: object) -> int:
        inside = list(inner.values()) if isinstance(inner, dict) else inner if isinstance(inner, list) else []
        return sum(map(values, inside)) if inside else 1

    raw, count = json.dumps(document, ensure_ascii=False).encode(), max(members(document), values(document))
    assert check(JSON, raw, count) is None
    if count:
        found = check(JSON, raw, count - 1)
        assert found is not None
        assert found.rule == "body-keys"


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_are_json(raw: bytes) -> None:
    """No error; what passes is what Python's own reader takes."""
    if check(JSON, raw, 100) is None:
        json.loads(raw)


@pytest.mark.parametrize(
    ("body", "rule"),
    [(b"a=1&b=2", None), (b"&".join([b"a=1"] * 100), None), (b"&".join([b"a=1"] * 101), "body-keys"),
     (b"a=\x00", "form-malformed"), (b"a=\xff", "form-malformed")],
)  # fmt: skip
def test_forms(body: bytes, rule: str | None) -> None:
    """At most as many fields as described, and only what a browser would send."""
    found = check(FORM, body, 100)
    assert (found.rule if found else None) == rule


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b'<?xml version="1.0" encoding="UTF-8"?><a b="c">d &amp; e<!-- f --></a>', None),
        ("\ufeff<?xml version='1.0'?><a>Größe</a>".encode(), None),
        ("<?xml version='1.0'?><a>x</a>".encode("utf-16"), "xml-encoding"),
        (b"<?xml version='1.0' encoding='utf-7'?><a>+ADw-</a>", "xml-encoding"),
        (b"\xef\xbb\xbf<?xml version='1.0' encoding = \"UTF-16\"?><a/>", "xml-encoding"),
        (b"<a>\xff</a>", "xml-encoding"),
        (b"<a>\0</a>", "xml-encoding"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "xml-dtd"),
        (b"<!doctype a><a/>", "xml-dtd"),
        (b'<a xmlns:x="http://www.w3.org/2001/XInclude"><x:include href="/etc/passwd"/></a>', "xml-dtd"),
    ],
)
def test_xml(body: bytes, rule: str | None) -> None:
    """UTF-8 without a DTD: nothing that is fetched, multiplied or hidden in another alphabet."""
    found = check("application/cda+xml", body, 100)
    assert (found.rule if found else None) == rule


def test_what_is_read_whole() -> None:
    """JSON of every name, forms and XML; not what uploads are. A picture that is XML is XML."""
    assert all(map(whole, [JSON, "application/fhir+json", FORM, "text/xml", "application/cda+xml", "image/svg+xml"]))
    assert not any(map(whole, ["multipart/form-data", "application/pdf", "application/jsonx", "text/json"]))
    assert all(map(document, ["application/pdf", "image/png", "text/plain", "application/vnd.oasis.opendocument.text"]))
    assert not any(
        map(
            document, ["image/svg+xml", "text/html", "text/json", "", "application/vnd.api+json", "multipart/form-data"]
        )
    )
