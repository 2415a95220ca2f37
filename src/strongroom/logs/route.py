"""Which document an address speaks of, when nobody has told: ids are taken out of the path and of the query.

    /documents/4711/download        -> /documents/{int}/download        number 4711
    /get?id=4711&lang=en            -> /get?id={int}                    number 4711
    /letters/5f0c…-….pdf            -> /letters/{uuid}.pdf              no number: these ids have no order
    /patients/ZAA0083               -> /patients/{code}                 number: the id read to the base 36
    /scans/5f3a0011;jsessionid=7A   -> /scans/{hex}                     number: the id read to the base 16
    /get?doc=MTIwMDAw               -> /get?doc={id}                    by the parameter's name

An address without an id is a page and no document. Names of pages and parameters that count pages or dates are no ids.
"""

import functools
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from strongroom.logs.record import INT64_MAX

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"(?=[0-9a-fA-F]*[0-9])(?=[0-9]*[a-fA-F])[0-9a-fA-F]{8,128}")
_TOKEN = re.compile(r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{20,128}")
_CODE = re.compile(r"[A-Z]{1,4}[0-9]{2,8}[A-Z0-9]{0,3}")
_PREFIXED = re.compile(r"([A-Za-z][A-Za-z_-]{0,23}?)([0-9]{3,19})")
_PARAMETERS = re.compile(r";[^/]*")
_OPAQUE = re.compile(r"(?=.*[0-9]|.*[a-z].*[A-Z]|.*[A-Z].*[a-z])[A-Za-z0-9+=_~.-]{6,255}")
_INT = re.compile(r"[0-9]{1,40}")
_SUFFIX = re.compile(r"(.+?)((?:\.[A-Za-z][A-Za-z0-9]{0,4}){1,2})")

ASSETS: Final = frozenset("css js mjs map woff woff2 ttf eot otf ico svg less scss wasm webmanifest".split())
"""What makes up a page, by the end of its name. Pictures are not among them: a scan is a document."""

COUNTERS: Final = frozenset(
    "page p pg offset start limit size count per_page perpage from to since until year month day date t ts time v ver "
    "version cb rnd random nonce w h width height q s scale _ _page _offset _count _getpagesoffset pagesize".split()
)
"""Parameters whose numbers count pages, times or sizes."""

IDENTIFIERS: Final = frozenset(
    "id doc docid doc_id document documentid document_id file fileid file_id attachment attachmentid attachment_id record "
    "recordid record_id report reportid report_id letter scan image uuid guid oid".split()
)
"""Parameters that name a document, in whatever form: all that is no word counts as an id."""

_YEARS = range(1900, 2101)
_MONTHS = range(1, 13)
YEAR: Final = 4
"""Digits of a year."""
PARAMETERS: Final = 64
"""Of a query, that are looked at."""
NO_ID: Final = ("", 0, 0, 0)
_ORDERED: Final = 15
"""Digits to the base 16 of an id that may be a number. Longer ones are made by chance."""


@dataclass(frozen=True, slots=True)
class Target:
    """What an address speaks of. `document` is None for a page."""

    route: str
    document: str | None = None
    number: int | None = None
    patient: str | None = None


@functools.lru_cache(maxsize=65_536)
def target(path: str, query: str) -> Target:
    """The target of a path and its query (without `?`), both as the log has them."""
    clean = unquote(path) if "%" in path else path
    if ";" in clean:  # what Java servers write behind a segment: ;jsessionid=…
        clean = _PARAMETERS.sub("", clean)
    if clean.rpartition(".")[2].lower() in ASSETS:
        return Target(clean)
    segments = clean.split("/")
    route, number, found = [], None, False
    for place, segment in enumerate(segments):
        form, value = ("", None) if _dated(segments, place) else shape(segment)
        route.append(form or segment)
        if form:
            found, number = True, value
    shown, identified, counted = _of_query(query) if query else ("", "", None)
    if identified:
        found, number = True, counted
    document = (clean + (f"?{identified}" if identified else "")) if found else None
    return Target("/".join(route) + (f"?{shown}" if shown else ""), document, number if found else None)


def _dated(segments: list[str], place: int) -> bool:
    """Whether this segment is the year or the month of a date: /2015/05/…."""
    year, month = segments[place : place + 2], segments[place - 1 : place + 1] if place else []
    return any(
        len(pair) == 2  # noqa: PLR2004  # a pair
        and all(_INT.fullmatch(part) and len(part) <= YEAR for part in pair)
        and int(pair[0]) in _YEARS
        and int(pair[1]) in _MONTHS
        for pair in (year, month)
    )


def _of_query(query: str) -> tuple[str, str, int | None]:
    """The query's template, the ids in it as name=value, and the number of the last."""
    shown, identified, number = [], [], None
    for part in query.split("&")[:PARAMETERS]:
        name, equals, value = part.partition("=")
        form, counted = shape(unquote(value)) if equals and name.lower() not in COUNTERS else ("", None)
        form = form or named(name, unquote(value))
        if form:
            shown.append(f"{name}={form}")
            identified.append(f"{name}={unquote(value)}")
            number = counted
    return "&".join(shown), "&".join(identified), number


@functools.lru_cache(maxsize=65_536)
def shape(segment: str) -> tuple[str, int | None]:
    """The form of an id, as {int}, {uuid} …, and its number if it has one; ("", None) for what is no id."""
    form, start, end, base = formed(segment)
    return form, _bounded(int(segment[start:end], base)) if end else None


def formed(segment: str) -> tuple[str, int, int, int]:
    """(form, start, end, base): where the digits of its number stand, and to what base; an end of 0 where it has none.

    What is digit and what is not decides, and not which digit, but for a year's four.
    """
    if not segment or len(segment) > 255:  # noqa: PLR2004  # no file name is longer
        return NO_ID
    suffixed = _SUFFIX.fullmatch(segment)
    stem, suffix = (suffixed[1], suffixed[2]) if suffixed else (segment, "")
    if _INT.fullmatch(stem):
        return "{int}" + suffix, 0, len(stem), 10
    if not any(map(str.isdigit, stem)):
        return NO_ID
    if _UUID.fullmatch(stem):
        return "{uuid}" + suffix, 0, 0, 0
    if _CODE.fullmatch(stem):
        return "{code}" + suffix, 0, len(stem), 36
    if _HEX.fullmatch(stem):
        return "{hex}" + suffix, 0, len(stem) if len(stem) <= _ORDERED else 0, 16
    if _TOKEN.fullmatch(stem):
        return "{token}" + suffix, 0, 0, 0
    prefixed = _PREFIXED.fullmatch(stem)
    if prefixed and not (len(prefixed[2]) == YEAR and int(prefixed[2]) in _YEARS):
        return prefixed[1] + "{int}" + suffix, prefixed.start(2), len(stem), 10
    return NO_ID


def named(parameter: str, value: str) -> str:
    """The form of an id that is one by the name of its parameter; "" for what is none."""
    return "{id}" if parameter.lower() in IDENTIFIERS and _OPAQUE.fullmatch(value) else ""


def _bounded(number: int) -> int | None:
    return number if number <= INT64_MAX else None
