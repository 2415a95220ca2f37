"""One strict reader for JSON and base64url that strangers wrote, so that every check sees the same words.

Two parsers that disagree about a document are how a check gets passed by one reading and the act done by another.
Hence: no duplicate members, no NaN, no half characters, UTF-8 only, one spelling of every base64url string.
"""

import binascii
import json
from typing import TypeVar

import msgspec

from strongroom.errors import Malformed

MAX_BRACKETS = 256
"""Opening brackets in one document, those inside strings included. Nesting stays far below Python's own limit."""

T = TypeVar("T")

_STANDARD = bytes.maketrans(b"-_", b"+/")
_URLSAFE = bytes.maketrans(b"+/", b"-_")


def unbase64url(text: str) -> bytes:
    """The bytes of `text`, base64url without padding (RFC 7515, section 2). Raises Malformed.

    The same bytes have one spelling only, so it is written again and compared: that finds other alphabets, padding, line
    breaks and stray bits at the end, whatever the library passes over.
    """
    try:
        raw = binascii.a2b_base64(text.encode("ascii").translate(_STANDARD) + b"=" * (-len(text) % 4))
    except ValueError as error:  # binascii.Error and UnicodeEncodeError
        msg = "Not base64url."
        raise Malformed(msg) from error
    if base64url(raw) != text:
        msg = "Not the canonical base64url spelling."
        raise Malformed(msg)
    return raw


def base64url(raw: bytes) -> str:
    """`raw` as base64url without padding."""
    return binascii.b2a_base64(raw, newline=False).rstrip(b"=").translate(_URLSAFE).decode()


def read_object(raw: bytes, limit: int) -> dict[str, object]:
    """The JSON object in `raw`, at most `limit` bytes. Raises Malformed."""
    if len(raw) > limit or raw.count(b"[") + raw.count(b"{") > MAX_BRACKETS:
        msg = "JSON is longer or deeper than allowed."
        raise Malformed(msg)
    try:
        # Given text, not bytes: given bytes, json would guess at UTF-16 and UTF-32.
        found = json.loads(raw.decode(), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        if b"\\u" in raw:
            _no_halves(found)
    except ValueError as error:  # JSONDecodeError, UnicodeError and integers of more than 4,300 digits
        msg = "JSON does not parse."
        raise Malformed(msg) from error
    if not isinstance(found, dict):
        msg = "JSON is not an object."
        raise Malformed(msg)
    return found


def read_as(found: object, kind: type[T]) -> T:
    """`found` as the msgspec struct `kind`. Raises Malformed; the message does not repeat the input."""
    try:
        return msgspec.convert(found, kind)
    except (msgspec.ValidationError, OverflowError) as error:
        msg = f"JSON is not a well-formed {kind.__name__}."
        raise Malformed(msg) from error


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        msg = "A member appears twice."
        raise ValueError(msg)
    return found


def _no_halves(found: object) -> None:
    """Raises UnicodeEncodeError for half a character (an escaped surrogate alone), which nothing could say again."""
    json.dumps(found, ensure_ascii=False).encode()


def _no_constant(name: str) -> object:
    msg = f"{name} is not JSON."
    raise ValueError(msg)
