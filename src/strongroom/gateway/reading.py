"""What the gateway reads of bodies on their way: who signs in, and which documents an answer shows. Pure.

Bounded: an answer of more than `MAX_READ` bytes, or in a coding that is not gzip or deflate, is not read; whoever asks is told so
(None), and what it shows is not known.
"""

import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes, urljoin, urlsplit

from strongroom.gateway.body import FORM, named
from strongroom.gateway.contract import Contract, Headers, media_type
from strongroom.gateway.kinds import STRICT
from strongroom.gateway.places import found, is_there, paired, texts
from strongroom.gateway.settings import Described
from strongroom.gateway.target import Target

MAX_READ: Final = 4_194_304
"""Bytes of an answer that is read."""
MAX_SHOWN: Final = 20_000
"""Ids of one answer."""
FEW: Final = 20
"""Values of an answer that is no list: an error, or that nothing was found."""
Shown = frozenset[tuple[str, str]]
"""Family and id, as `contract.Match` counts them."""

_LINK: Final = re.compile(
    rb"""(?:href|src|action|data-[a-z-]{1,40})\s*=\s*(?:"([^"<>]{1,2048})"|'([^'<>]{1,2048})')""", re.IGNORECASE
)
_PARTS: Final = re.compile(rb"""[\s,;="'<>]+""")
_IDS: Final = re.compile(r"[A-Za-z0-9_-]+")
_WHOLE: Final = re.compile(r"[A-Za-z0-9._-]+")
_EITHER: Final = 47
"""zlib and gzip, told apart by their heads."""
_NOTHING: Final = object()
"""In the place of what is no JSON."""
_PASSWORD: Final = re.compile(rb"""<input\b[^<>]{0,2048}\btype\s*=\s*["']?password\b""", re.IGNORECASE)
_WORDS: Final = re.compile(rb"""["'](/[^"'<>\\\s]{1,2048})["']""")


@dataclass(frozen=True, slots=True)
class Said:
    """What a request for a list named besides its target."""

    headers: Headers = ()
    words: frozenset[str] = frozenset()
    """That its body holds."""

    def links(self, contract: Contract, address: str) -> Iterable[tuple[str, str]]:
        """Documents whose addresses stand in its headers: a page that links back to where one came from shows nothing by that."""
        for _, value in self.headers:
            for text in _PARTS.split(unquote_to_bytes(value)) if b"/" in value or b"%2" in value else ():
                made = contract.document_of(_joined("http://portal" + address, text))
                if made is not None:
                    yield made


def words(kind: str, body: bytes) -> frozenset[str]:
    """What may be an id in the body of a request, which is JSON, a form or XML: all its values, and the words in them."""
    if kind == FORM:
        texts = [value for _, value in parse_qsl(body.decode("ascii"))]
    elif named(kind):
        texts = list(_leaves(_json(body)))
    else:
        texts = [unescape(body.decode("utf-8", "replace"))]
    parts = {part for text in texts for grammar in (_IDS, _WHOLE) for part in grammar.findall(text)}
    return frozenset({spelled for part in parts for spelled in (part, part.lower(), part.lstrip("0") or "0")})


def name_in_json(one: Described, body: bytes) -> str:
    """Who the answer to a login names in JSON, or nothing."""
    return next(found(_json(body), one.login), "") if one.login else ""


def token_in_json(one: Described, body: bytes) -> str:
    """The token that the answer to a login gives in JSON, or nothing."""
    return next(texts(_json(body), one.token), "") if one.token else ""


def asks_again(kind: bytes, body: bytes) -> bool:
    """Whether the answer to a login is a page that asks for the password again: then nobody was signed in."""
    return media_type(kind) in {"text/html", "application/xhtml+xml"} and _PASSWORD.search(body) is not None


def plain(coding: bytes, body: bytes) -> bytes | None:
    """The body of an answer without its coding; None where that is another one, or there is too much in it."""
    if coding.lower() in {b"", b"identity"} or not body:
        return body
    if coding.lower() not in {b"gzip", b"x-gzip", b"deflate"}:
        return None
    unzip = zlib.decompressobj(_EITHER)
    try:
        found = unzip.decompress(body, MAX_READ + 1)
    except zlib.error:
        return None
    return found if unzip.eof and not unzip.unused_data and len(found) <= MAX_READ else None


def readable(one: Described, kind: bytes, body: bytes) -> bool:
    """Whether what the answer shows can be found in it: a list that is no JSON, or has another shape, may show anything.

    An answer of a few values, as that there is nothing, may have any shape.
    """
    if not one.shown or not body or (one.route.shows is not None and one.route.shows.links) or asks_again(kind, body):
        return True
    document = _json(body) if media_type(kind).endswith("json") else _NOTHING
    if document is _NOTHING:
        return False
    return any(is_there(document, place) for place in one.shown) or not _is_much(document)


def shown(
    contract: Contract, one: Described, kind: bytes, target: Target, body: bytes, said: Said | None = None
) -> Shown:
    """The documents that this answer to a request for `target` shows.

    Not those that the request named itself: a page that repeats what was searched for would show whatever a thief asks it to.
    `said`: what it named besides its target.
    """
    ids: set[tuple[str, str]] = set()
    media = media_type(kind)
    if one.shown and media.endswith("json"):
        document = _json(body)
        family = one.route.shows.family if one.route.shows else ""
        whose = _told(one, target, one.whose)
        for place in one.shown:
            each = (
                paired(document, place, one.beside)
                if one.beside
                else ((whose, value) for value in found(document, place))
            )
            ids.update(contract.listed(family, value, its.rpartition("/")[2]) for its, value in each)
    if one.route.shows and one.route.shows.links:
        ids.update(filter(None, map(contract.document_of, links(target.path, body))))
        ids.difference_update(said.links(contract, target.path) if said is not None else ())
    values = one.pattern.match(target.segments) or {}
    pairs = [*target.pairs, *((name, value) for name, value in values.items() if name != one.document)]
    asked = [(name, value, one.kind_of(name) in STRICT if name in _names(one) else False) for name, value in pairs]
    words = said.words if said is not None else frozenset[str]()

    def is_new(family: str, document: str) -> bool:
        bare, within = contract.apart(family, document)
        return bare not in words and not _repeated(
            bare, ((value, how) for name, value, how in asked if name not in within)
        )

    return frozenset([each for each in ids if is_new(*each)][:MAX_SHOWN])


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


def _told(one: Described, target: Target, name: str) -> str:
    """The value of a parameter in the address; empty where there is none."""
    told = {**dict(target.pairs), **(one.pattern.match(target.segments) or {})} if name else {}
    return told.get(name, "")


def _names(one: Described) -> Iterable[str]:
    return {*one.pattern.names, *one.route.query}


def _leaves(value: object) -> Iterable[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    elif isinstance(value, str | int):
        yield str(value)


def _is_much(document: object) -> bool:
    """Whether it has more than `FEW` values."""
    todo, seen = [document], 0
    while todo and seen <= FEW:
        value = todo.pop()
        if isinstance(value, dict | list):
            todo += value.values() if isinstance(value, dict) else value
        else:
            seen += 1
    return seen > FEW


def _repeated(document: str, said: Iterable[tuple[str, bool]]) -> bool:
    return any(document == value if strict else document in value for value, strict in said)


def links(address: str, body: bytes) -> Iterable[bytes]:
    """Every address in the answer that `address` gave: path and query, whatever host was named."""
    base = "http://portal" + address
    for match in _LINK.finditer(body):
        yield _joined(base, (match[1] or match[2]).replace(b"&amp;", b"&"))
    yield from (match[1] for match in _WORDS.finditer(body))


def _joined(base: str, link: bytes) -> bytes:
    """Path and query of the address; nothing, where it is none."""
    try:
        parts = urlsplit(urljoin(base, link.decode("utf-8", "replace")))
    except ValueError:
        return b""
    return (parts.path + (f"?{parts.query}" if parts.query else "")).encode()


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return _NOTHING
