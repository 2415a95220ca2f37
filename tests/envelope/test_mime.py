"""What first bytes say, and when that contradicts what was declared."""

import pytest

from strongroom.envelope.mime import ACTIVE, TYPES, bare, detect, disagreement

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
    "text/plain": "Kia ora, ā".encode(),
}


@pytest.mark.parametrize("kind", sorted(HEADS))
def test_known_beginnings_are_detected_and_agree(kind: str) -> None:
    """Each is what it says, with parameters and capitals too; and is nothing else that we know."""
    assert detect(HEADS[kind]) == kind
    assert disagreement(f"{kind.upper()}; charset=utf-8", HEADS[kind]) is None
    for other in set(HEADS) - {kind}:
        assert disagreement(other, HEADS[kind]) is not None


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><p>",
        b"  <html>",
        b"\xef\xbb\xbf<script>alert(1)</script>",
        b"<!-- a --> <!-- b --><svg xmlns='x'>",
        b"<IFRAME src=x>",
    ],
)
@pytest.mark.parametrize("declared", ["text/plain", "application/xml", "image/png", "text/csv"])
def test_a_web_page_is_refused_whatever_it_is_called(page: bytes, declared: str) -> None:
    """Also behind a byte order mark, spaces, comments and capitals."""
    found = disagreement(declared, page)
    assert found is not None
    assert "web page" in found.sentence


def test_what_is_not_accepted_or_empty_is_refused_with_a_sentence() -> None:
    """Types outside the list, nothing at all, and bytes that are no text."""
    for declared, head in (
        ("text/html", b"x"),
        ("image/svg+xml", b"x"),
        ("", b"x"),
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
    assert "text/html" not in TYPES
