"""What first bytes say, and when that contradicts what was declared."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.envelope.mime import ACTIVE, DEFAULT, HEAD, NEVER, TYPES, bare, detect, disagreement

HEADS = {
    "application/pdf": b"%PDF-1.7\n",
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/gif": b"GIF89a",
    "image/tiff": b"II*\0",
    "image/webp": b"RIFF\0\0\0\0WEBP",
    "application/dicom": bytes(128) + b"DICM",
    "application/zip": b"PK\x03\x04",
    "application/rtf": b"{\\rtf1",
    "application/msword": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "application/vnd.oasis.opendocument.text": b"PK\x03\x04"
    + bytes(26)
    + b"mimetypeapplication/vnd.oasis.opendocument.text",
    "text/plain": "Kia ora, ā".encode(),
}


@pytest.mark.parametrize("kind", sorted(HEADS))
def test_known_beginnings_are_detected_and_agree(kind: str) -> None:
    """Each is what it says, with parameters and capitals too; and is nothing else that we know."""
    assert detect(HEADS[kind]) == kind
    assert disagreement(f"{kind.upper()}; charset=utf-8", HEADS[kind]) is None
    for other in set(HEADS) - {kind} - ({"application/zip"} if HEADS[kind].startswith(b"PK") else set()):
        if kind == "application/zip" and other.endswith("opendocument.text"):
            continue  # as Word's, it may be any archive to whoever looks at its first bytes only
        assert disagreement(other, HEADS[kind]) is not None


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><p>",
        b"  <html>",
        b"\xef\xbb\xbf<script>alert(1)</script>",
        b"<!-- a --> <!-- b --><svg xmlns='x'>",
        b"<IFRAME src=x>",
        b"<!--><script>alert(1)</script>",
        b"<!---><html>",
        b"<!-- a --!><body>",
        b'<?xml version="1.0"?>\n<!-- a --><svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<?xml version="1.0"?><h:html xmlns:h="http://www.w3.org/1999/xhtml"/>',
        b'<!DOCTYPE svg PUBLIC "x" "y"><svg/>',
        b"<html><script>alert(1)</script>%PDF-1.4",
    ],
)
@pytest.mark.parametrize("declared", ["text/plain", "application/xml", "image/png", "text/csv"])
def test_a_web_page_is_refused_whatever_it_is_called(page: bytes, declared: str) -> None:
    """Also behind a byte order mark, spaces, comments and capitals."""
    found = disagreement(declared, page)
    assert found is not None
    assert "web page" in found.sentence


def test_a_head_full_of_comments_costs_one_pass() -> None:
    """Were each of the 146 that fit tried in two ways, it would not end. A process of its own, so that it then does."""
    program = (
        "from strongroom.envelope.mime import detect\n"
        "for head in (b'<!---->' * 146, b'<!---->' * 140 + b'x', b'<??>' * 250, b'<!--' * 256, b'<!-- -->  ' * 90):\n"
        "    assert detect(head) == 'text/plain'"
    )
    subprocess.run([sys.executable, "-c", program], timeout=30, check=True)


def test_xml_that_is_no_page_is_accepted() -> None:
    """A clinical document behind its declaration, style sheet and comment; an element that only begins like a page's."""
    cda = b'<?xml version="1.0"?><?xml-stylesheet href="cda.xsl"?><!-- a --><ClinicalDocument xmlns="urn:hl7-org:v3">'
    for head in (cda, b"<Patient/>", b"<header/>", b"<bodyweight/>", b"a < b <html>", b"<?xml", b"<!-- html"):
        assert disagreement("text/xml", head) is None


def test_only_the_head_is_looked_at() -> None:
    """What comes later decides nothing."""
    assert detect(b"a" * HEAD + b"\0%PDF-") == "text/plain"
    assert detect(b"\0" + b"a" * (HEAD - 6) + b"%PDF-") == "application/pdf"
    assert detect(b"\0" + b"a" * (HEAD - 5) + b"%PDF-") == ""


@given(st.binary(max_size=40), st.text(max_size=20))
def test_any_bytes_get_an_answer(head: bytes, declared: str) -> None:
    """A sentence or none, never an error; and nothing is accepted that a browser would run."""
    if disagreement(declared, head) is None:
        assert bare(declared) not in NEVER
        assert detect(head) != "text/html"


def test_what_is_not_accepted_or_empty_is_refused_with_a_sentence() -> None:
    """Types outside the list, nothing at all, and bytes that are no text."""
    for declared, head in (
        ("text/html", b"x"),
        ("image/svg+xml", b"x"),
        ("text/plain", b""),
        ("text/plain", b"\0\1"),
    ):
        found = disagreement(declared, head)
        assert found is not None
        assert found.sentence


def test_text_forms_may_stand_for_each_other_but_not_for_pictures() -> None:
    """JSON and XML are text to the first bytes; invalid UTF-8 is not, unless the head cut a character in two."""
    for declared in ("application/json", "application/fhir+json", "text/xml", "text/csv"):
        assert disagreement(declared, b'{"a": 1}') is None
    assert disagreement("image/png", b"hello") is not None
    assert detect("ā".encode()[:1] * 3) == ""
    assert detect(b"a" * 1_023 + "ā".encode()[:1]) == "text/plain"
    assert (
        disagreement("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK\x03\x04") is None
    )


def test_types_are_bare_words_and_active_ones_among_them() -> None:
    """The list itself."""
    assert {bare(kind) for kind in TYPES} == TYPES
    assert ACTIVE <= TYPES
    assert NEVER.isdisjoint(TYPES)
    assert DEFAULT < TYPES


def test_a_type_that_we_do_not_know_may_be_what_nobody_knows() -> None:
    """For an operator who accepts it: text, an archive or any bytes, and no bytes of a type that we do know."""
    for head in (b"ISA*00*", b"PK\x03\x04", b"\0\1\2"):
        assert disagreement("application/x-own", head) is None
    for head in (b"%PDF-1.7", b"<html>", b"\xff\xd8\xff"):
        assert disagreement("application/x-own", head) is not None
