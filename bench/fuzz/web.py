"""What clients send in and around FHIR that others read too: headers, media types, narrative.

Ranges lie within the document, wishes between 0 and 1; and what is accepted as harmless is so to a second reader, as lenient as a
browser.
"""

import html
import re
from html.parser import HTMLParser

from starlette.requests import Request

from bench.fuzz.target import Target, must
from strongroom.api.access import as_version, if_match, not_modified, tagged_versions
from strongroom.api.body import declared_length
from strongroom.api.negotiate import FHIR_TYPES, taste
from strongroom.api.parts import preferences, require_json
from strongroom.api.ranges import parse_range
from strongroom.api.respond import Halt
from strongroom.api.rim import _refusal, _request_id
from strongroom.envelope.mime import ACTIVE, HEAD, NEVER, TYPES, Disagreement, detect, disagreement
from strongroom.fhir.attachment import is_mime
from strongroom.fhir.narrative import ELEMENTS, narrative_fault

_HEADERS = (
    "range",
    "accept",
    "if-match",
    "if-none-match",
    "prefer",
    "content-length",
    "x-request-id",
    "if-range",
    "authorization",
)


def fhir_headers(data: bytes) -> None:
    """Any headers (a line for each that decides something, then the query): an answer, or a refusal that is one."""
    *lines, query = (data.split(b"\n") + [b""] * 10)[:10]
    headers = [(name.encode(), line) for name, line in zip(_HEADERS, lines, strict=True) if line]
    scope = {"type": "http", "method": "GET", "path": "/fhir/Binary/x", "raw_path": b"/fhir/Binary/x", "headers": headers,
             "query_string": query.replace(b" ", b"+"), "server": ("store.example", 443), "scheme": "https"}  # fmt: skip
    request = Request(scope)
    refusal = _refusal(scope)
    must(refusal is None or refusal.status_code in {400, 401, 414}, "refused, or looked at")
    must(re.fullmatch(r"[A-Za-z0-9._-]{1,64}", _request_id(scope)), "an id that can be written into a log")
    _ranged(request.headers.get("range"))
    wanted = taste(request.headers.get("accept"), request.query_params.get("_format"))
    for kind in (*FHIR_TYPES, "text/plain", "*/*"):
        must(0 <= wanted.quality(kind) <= 1, "a wish is between 0 and 1")
    must(
        not wanted.prefers_resource() or any(pattern in FHIR_TYPES for pattern, _ in wanted.ranges), "asked for by name"
    )
    for ask in (lambda: if_match(request), lambda: require_json(request)):
        try:
            ask()
        except Halt as halt:
            must(400 <= halt.response.status_code < 500, "the client's fault is told as such")
    not_modified(request, 1)
    must(all(0 <= version < 2**31 for version in tagged_versions(request.headers.get("if-none-match", ""))), "versions")
    must(
        (declared_length(request) or 0) >= 0 and 0 <= as_version(request.headers.get("if-range", "")) < 2**31, "numbers"
    )
    preferences(request)


def _ranged(header: str | None) -> None:
    found = parse_range(header)
    if found is None:
        return
    must(header is not None and header.strip().lower().startswith("bytes="), "a range is of bytes")
    for size in (0, 1, 252_000, 2**40):
        part = found.of(size)
        if part is not None:
            start, length = part
            must(0 <= start < size and 0 < length <= size - start, "a range lies within the document")


def fhir_mime(data: bytes) -> None:
    """Any first bytes, held against every type: what a browser would run agrees with none; the tail decides nothing."""
    found = detect(data)
    must(found in TYPES | {"", "text/html"}, "a type that we know")
    must(detect(data[:HEAD]) == found and detect(data[:HEAD].ljust(HEAD, b" ") + b"<script>") == detect(data[:HEAD].ljust(HEAD)),
         "only the head is looked at")  # fmt: skip
    for declared in (*TYPES, *NEVER, "application/x-own"):
        agreed = disagreement(declared, data) is None
        must(not (agreed and (found == "text/html" or declared in NEVER)), "no page and no script")
        must(
            disagreement(f" {declared.upper()} ; a=b", data[:HEAD]) == disagreement(declared, data), "by its bare name"
        )
        if agreed and declared.startswith("text/") and declared not in ACTIVE:
            must(not _SCRIPT.match(data[:HEAD]), "no text is a page for a browser that sniffs")
    must(not data or isinstance(disagreement("text/plain", b""), Disagreement), "nothing is no document")
    text = data.decode("latin-1")
    must(not is_mime(text) or (text.isascii() and text.isprintable() and len(text) < 128), "a type fits a header")


_SCRIPT = re.compile(
    rb"(?:\xef\xbb\xbf)?[\t\n\f\r ]*<(?:!doctype html|html|head|script|iframe|body)[ >]", re.IGNORECASE
)
"""What the MIME Sniffing Standard (7.1) has browsers take for HTML, in part."""


class _Browser(HTMLParser):
    """Another reader of the narrative, as lenient as those that show it."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        must(tag in ELEMENTS, f"no element but those allowed: {tag}")
        for name, value in attrs:
            said = re.sub(r"[\x00-\x20]+", "", html.unescape(value or "")).lower()
            must(not name.startswith("on"), "no handler of events")
            must(not said.startswith(("javascript:", "vbscript:", "data:text")), "no script as an address")
            style = html.unescape(value or "") if name == "style" else ""
            must(re.search(r"url\s*\(", style, re.IGNORECASE) is None, "nothing is fetched by a style")

    handle_startendtag = handle_starttag

    def unknown_decl(self, data: str) -> None:
        must(data.startswith("CDATA["), "no declarations")


def fhir_narrative(data: bytes) -> None:
    """Any text as a narrative: refused, or harmless to a reader that is not ours."""
    text = data.decode("utf-8", "replace")
    if list(narrative_fault(text, "x")) == []:
        must(text.lstrip().startswith("<div"), "it is one div")
        if "<![CDATA[" not in text and "<!--" not in text:  # a browser that reads XHTML as HTML sees these otherwise
            _Browser().feed(text)


_HEADER_WORDS = (
    "bytes=", "-", 'W/"1"', "*", ";q=0.5", "application/fhir+json", "*/*", "\n", "handling=strict", "_format=", "Bearer ",
    "access_token=",
)  # fmt: skip
_MARKS = ("<!--", "-->", "<?", "?>", "<html", "<svg", "<!doctype html", "%PDF-", "DICM", "PK\x03\x04")
_XHTML = (
    "<div", "</div>", "xmlns=", "<![CDATA[", "<!--", "&#", "href=", "src=", "javascript:", "style=", "<!DOCTYPE", "<?",
    "xml:lang=", *sorted(ELEMENTS),
)  # fmt: skip

TARGETS = (
    Target("fhir-headers", fhir_headers, words=_HEADER_WORDS),
    Target("fhir-mime", fhir_mime, words=_MARKS),
    Target("fhir-narrative", fhir_narrative, words=_XHTML),
)
