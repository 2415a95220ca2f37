"""What a document's first bytes say it is, and whether that agrees with what was declared.

A false type is refused loudly: a browser that is told "image" and given a page runs the page. Detection looks for what we
can know from a few bytes; what it cannot know it does not deny.
"""

import re
from dataclasses import dataclass

HEAD = 1_024
"""Bytes that are looked at. ISO 32000-1 lets a PDF's header stand within the first 1,024."""

TYPES = frozenset({
    "application/pdf", "image/jpeg", "image/png", "image/gif", "image/tiff", "image/webp", "application/dicom",
    "application/zip", "application/rtf", "application/msword", "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/json", "application/fhir+json", "application/xml", "application/fhir+xml", "text/xml",
    "application/hl7-cda+xml", "application/hl7-v2", "text/plain", "text/csv", "text/markdown", "text/rtf",
})  # fmt: skip
"""What first bytes can be held against."""
DEFAULT = TYPES - {"application/zip", "application/msword"}
"""What is accepted where nothing else is configured. An archive hides what it holds, and the old form of Word carries
programs.
"""
NEVER = frozenset({
    "text/html", "application/xhtml+xml", "image/svg+xml", "text/javascript", "application/javascript",
    "application/ecmascript", "text/ecmascript", "text/css", "text/xsl", "application/xslt+xml", "multipart/related",
    "multipart/x-mixed-replace", "message/rfc822", "application/x-shockwave-flash", "application/wasm",
})  # fmt: skip
"""What no configuration makes a document: a browser would run it, or take it for something that it runs."""

_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"PK\x03\x04", "application/zip"),
    (b"{\\rtf", "application/rtf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"),
)
_BOM = b"\xef\xbb\xbf"
_SPACE = 0x20
_DICOM_AT = 128  # PS3.10, section 7.1: a preamble, then DICM
_PAGE = re.compile(
    # Possessive and atomic throughout: what was skipped is never tried again in another way, so that a head full of
    # comments costs one pass. (Backtracking here doubled the time with every comment.)
    rb"(?>\s++|<!--(?>-?>|.*?--!?>)|<\?(?>.*?\?>))*+<(?:!doctype\s++(?:html|svg)|(?:[\w.-]++:)?(?:html|head|body|script|svg|iframe))\b",
    re.IGNORECASE | re.DOTALL,
)
"""A page, a script or an SVG, behind whatever a browser skips: space, comments, processing instructions, a prefix."""

_ODT = "application/vnd.oasis.opendocument.text"
_ODT_AT = 30  # OpenDocument 1.3, part 2, section 3.3: the type stands in the clear, in the first file of the archive
_ZIPPED = frozenset({
    "application/zip", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _ODT,
})  # fmt: skip
_RTF = frozenset({"application/rtf", "text/rtf"})
_XML = frozenset({"application/xml", "application/fhir+xml", "text/xml", "application/hl7-cda+xml"})
_JSON = frozenset({"application/json", "application/fhir+json"})
_TEXT = _XML | _JSON | frozenset({"text/plain", "text/csv", "text/markdown", "application/hl7-v2"})
_VAGUE = frozenset({"", "text/plain", "application/zip"})
"""What bytes of a type may look like that we do not know and an operator accepts."""
ACTIVE = _XML
"""Types a browser may act upon; they are handed out as attachments only."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The declared type is not what the bytes are. `sentence` is for the depositor, and repeats nothing of theirs."""

    sentence: str


def bare(declared: str) -> str:
    """A media type without its parameters, in lower case."""
    return declared.partition(";")[0].strip().lower()


def detect(head: bytes) -> str:
    """The type that the first bytes tell: one of `TYPES`, `text/html` for what a browser would run, else unknown ("")."""
    head = head[:HEAD]
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return (
                _ODT if found == "application/zip" and head[_ODT_AT:].startswith(b"mimetype" + _ODT.encode()) else found
            )
    if _PAGE.match(head.removeprefix(_BOM)):  # before PDF, whose header may stand anywhere in the head of a page
        return "text/html"
    if b"%PDF-" in head:
        return "application/pdf"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[_DICOM_AT : _DICOM_AT + 4] == b"DICM":
        return "application/dicom"
    return _text(head)


def disagreement(declared: str, head: bytes) -> Disagreement | None:
    """None when the first bytes can be of the type that is declared; else why not."""
    kind = bare(declared)
    if not head:
        return Disagreement("The document is empty.")
    found = detect(head)
    if found == "text/html" or kind in NEVER:
        return Disagreement("It is a web page or a script, or is declared to be.")
    if kind in _alike(found) or (kind not in TYPES and found in _VAGUE):
        return None
    return Disagreement(f"The bytes are not of the type that is declared, but {found or 'something else'}.")


def _alike(found: str) -> frozenset[str]:
    """The types that may be declared for bytes of this kind."""
    groups = {
        "application/zip": _ZIPPED,
        _ODT: frozenset({_ODT, "application/zip"}),
        "application/rtf": _RTF,
        "text/plain": _TEXT,
    }
    return groups.get(found, frozenset({found}) & TYPES)


def _text(head: bytes) -> str:
    if any(byte < _SPACE and byte not in b"\t\n\r\f" for byte in head):
        return ""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character cut in two by the end of the head is no fault.
        if error.start < len(head) - 3 or error.reason != "unexpected end of data":
            return ""
    return "text/plain"
