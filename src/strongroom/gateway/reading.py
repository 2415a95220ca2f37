"""What the gateway reads of bodies on their way: who signs in, and which documents an answer shows. Pure.

Bounded: an answer of more than `MAX_READ` bytes, or in a coding, is not read; whoever asks is told so (None), and what it showed
is not known.
"""

import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urljoin, urlsplit

from strongroom.gateway.contract import Contract, media_type
from strongroom.gateway.kinds import STRICT
from strongroom.gateway.places import found
from strongroom.gateway.settings import Described
from strongroom.gateway.target import Target

MAX_READ: Final = 4_194_304
"""Bytes of an answer that is read."""
MAX_SHOWN: Final = 20_000
"""Ids of one answer."""
Shown = frozenset[tuple[str, str]]
"""Family and id, as `contract.Match` counts them."""

_LINK: Final = re.compile(
    rb"""(?:href|src|action|data-[a-z-]{1,40})\s*=\s*(?:"([^"<>]{1,2048})"|'([^'<>]{1,2048})')""", re.IGNORECASE
)
_PASSWORD: Final = re.compile(rb"""<input\b[^<>]{0,2048}\btype\s*=\s*["']?password\b""", re.IGNORECASE)
_WORDS: Final = re.compile(rb"""["'](/[^"'<>\\\s]{1,2048})["']""")


def name_in_json(one: Described, body: bytes) -> str:
    """Who the answer to a login names in JSON, or nothing."""
    return next(found(_json(body), one.login), "") if one.login else ""


def asks_again(kind: bytes, body: bytes) -> bool:
    """Whether the answer to a login is a page that asks for the password again: then nobody was signed in."""
    return media_type(kind) in {"text/html", "application/xhtml+xml"} and _PASSWORD.search(body) is not None


def shown(contract: Contract, one: Described, kind: bytes, target: Target, body: bytes) -> Shown:
    """The documents that this answer to a request for `target` shows.

    Not those that the request named itself: a page that repeats what was searched for would show whatever a thief asks it to.
    """
    ids: set[tuple[str, str]] = set()
    media = media_type(kind)
    if one.shown and media.endswith("json"):
        document = _json(body)
        family = one.route.shows.family if one.route.shows else ""
        for place in one.shown:
            ids.update((family, value.rpartition("/")[2]) for value in found(document, place))
    if one.route.shows and one.route.shows.links:
        ids.update(filter(None, map(contract.document_of, links(target.path, body))))
    said = [(value, one.route.query.get(name) in STRICT) for name, value in target.pairs]
    return frozenset([shown for shown in ids if not _repeated(shown[1], said)][:MAX_SHOWN])


def patients(one: Described, kind: bytes, body: bytes) -> frozenset[str]:
    """The patients whom this answer names, where gateway.toml says that it does."""
    if not one.patients or not media_type(kind).endswith("json"):
        return frozenset()
    document = _json(body)
    ids = {value.rpartition("/")[2] for place in one.patients for value in found(document, place)}
    return frozenset(list(ids)[:MAX_SHOWN])


def path_of(location: bytes) -> bytes:
    """Path and query of an address in `Location`; empty when there is none."""
    try:
        parts = urlsplit(location[:2_048].decode("ascii"))
    except ValueError:  # UnicodeDecodeError among them
        return b""
    return (parts.path + (f"?{parts.query}" if parts.query else "")).encode()


def _repeated(document: str, said: Iterable[tuple[str, bool]]) -> bool:
    return any(document == value if strict else document in value for value, strict in said)


def links(address: str, body: bytes) -> Iterable[bytes]:
    """Every address in the answer that `address` gave: path and query, whatever host was named."""
    base = "http://portal" + address
    for match in _LINK.finditer(body):
        text = (match[1] or match[2]).replace(b"&amp;", b"&").decode("utf-8", "replace")
        try:
            parts = urlsplit(urljoin(base, text))
        except ValueError:
            continue
        yield (parts.path + (f"?{parts.query}" if parts.query else "")).encode()
    yield from (match[1] for match in _WORDS.finditer(body))


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
