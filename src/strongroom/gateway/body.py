"""What a body may hold, before any engine looks at it: so many members and values, so deep, each name once. Pure.

Counting comes first because engines are slow at it: ten thousand members cost libmodsecurity seconds. XML is UTF-8 and has no DTD:
what a DTD fetches, multiplies or hides no portal needs.
"""

import json
import re
from typing import Final

from strongroom.gateway.refusal import Refusal

MAX_DEPTH: Final = 64
"""Of JSON. Portals use ten."""
MAX_WHOLE: Final = 1_048_576
"""Bytes of a body that is read whole."""
MAX_KEYS: Final = 1_000
"""Members, values, fields or parts of a body that no route describes."""
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET: Final = re.compile(rb"[\[{\]}]")
_JSON: Final = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json")
_XML: Final = re.compile(r"(?:text|application)/xml|[a-z0-9.+-]+/[a-z0-9.+-]+\+xml")
_DTD: Final = re.compile(
    rb"<!(?:doctype|entity|element|attlist|notation)|http://www\.w3\.org/2001/XInclude", re.IGNORECASE
)
_ENCODING: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([^\"'>]*)", re.IGNORECASE)
_BASE64: Final = re.compile(rb'"([A-Za-z0-9+/_-]{1024})[A-Za-z0-9+/_=-]+"')
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
_DOCUMENT: Final = re.compile(
    r"application/(?:pdf|octet-stream|zip|gzip|dicom|msword|vnd\.[a-z0-9.+-]+|rtf)|text/(?:plain|csv|rtf)"
    r"|(?:image|audio|video|font)/[a-z0-9.+-]+"
)


def whole(content_type: str) -> bool:
    """Whether bodies of this type are read whole before they are passed on: what is in them can only be told at the end."""
    return content_type == FORM or _JSON.fullmatch(content_type) is not None or _XML.fullmatch(content_type) is not None


def named(content_type: str) -> bool:
    """Whether parameters are found in bodies of this type: JSON and forms."""
    return content_type == FORM or _JSON.fullmatch(content_type) is not None


def document(content_type: str) -> bool:
    """Whether a body of this type is a document as it is: no portal takes orders from what stands in it."""
    return _DOCUMENT.fullmatch(content_type) is not None and not whole(content_type)


def language(content_type: str, body: bytes) -> bytes:
    """What of a body may be language to a portal: of a long string of base64 in JSON, which is a document, the beginning."""
    return _BASE64.sub(rb'"\1"', body) if _JSON.fullmatch(content_type) else body


def check(content_type: str, body: bytes, max_keys: int) -> Refusal | None:
    """None for a body of a `whole` type that may pass."""
    if content_type == FORM:
        return _form(body, max_keys)
    return _json(body, max_keys) if _JSON.fullmatch(content_type) else _xml(body)


def _json(body: bytes, max_keys: int) -> Refusal | None:
    # Outside of strings each colon is a member, each bracket one level, and there is one comma fewer than values at the ends.
    bare = _STRING.sub(b"", body)
    values = bare.count(b",") + 1
    if max(bare.count(b":"), values) > max_keys:
        return _many(max_keys)
    if bare.count(b"[") + bare.count(b"{") > MAX_DEPTH * values or _depth(bare) > MAX_DEPTH:
        return Refusal(400, "json-deep", f"JSON is nested more than {MAX_DEPTH} deep.", hard=True)
    try:
        json.loads(body.decode(), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except _Twice:
        return Refusal(400, "json-twice", "A member of JSON comes twice.", hard=True)
    except ValueError:
        return Refusal(400, "json-malformed", "The body is not JSON.", hard=True)
    return None


def _depth(bare: bytes) -> int:
    depth = deepest = 0
    for bracket in _BRACKET.finditer(bare):
        depth += 1 if bracket[0] in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


class _Twice(ValueError):
    """A member that comes twice is one to one reader and another to the next."""


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _form(body: bytes, max_keys: int) -> Refusal | None:
    if body.count(b"&") >= max_keys:
        return _many(max_keys)
    if b"\0" in body or not body.isascii():
        return Refusal(400, "form-malformed", "The form is not urlencoded.", hard=True)
    return None


def _xml(body: bytes) -> Refusal | None:
    encoding = _ENCODING.match(body)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or (encoding and encoding[1].lower() not in {b"utf-8", b"us-ascii"}):
        return Refusal(400, "xml-encoding", "XML is taken in UTF-8 alone.", hard=True)
    if _DTD.search(body):
        return Refusal(400, "xml-dtd", "XML with a DTD or inclusions is not taken.", hard=True)
    return None


def _many(max_keys: int) -> Refusal:
    return Refusal(400, "body-keys", f"The body has more than {max_keys} members or values.", hard=True)
