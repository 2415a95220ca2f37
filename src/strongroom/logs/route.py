"""Which document an address speaks of, when nobody has told: ids are taken out of the path and of the query.

    /documents/4711/download        -> /documents/{int}/download        number 4711
    /get?id=4711&lang=en            -> /get?id={int}                    number 4711
    /letters/5f0c…-….pdf            -> /letters/{uuid}.pdf              no number: these ids have no order
    /scans/5f3a0011;jsessionid=7A   -> /scans/{hex}                     number: the id read to the base 16
    /get?doc=MTIwMDAw               -> /get?doc={id}                    by the parameter's name
    /get?id=4711&sig=9f86d081…      -> /get?id={int}                    number 4711: what lets one in says not what one wants

    /call?input={"id":"4711"}       -> /call?id={int}                   number 4711: JSON stands for its fields

An address without an id is a page and no document (`forms` says what ids look like), and so is a list of somebody's (`lists`).
Names of pages and parameters that count pages or dates are no ids.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

import msgspec

from strongroom.logs import lists
from strongroom.logs.forms import IDENTIFIERS, NO_ID, YEAR, YEARS, asked, bounded, named, shape

_PARAMETERS = re.compile(r";[^/]*")
_INT = re.compile(r"[0-9]{1,40}")

ASSETS: Final = frozenset("css js mjs map woff woff2 ttf eot otf ico svg less scss wasm webmanifest".split())
"""What makes up a page, by the end of its name. Pictures are not among them: a scan is a document."""

COUNTERS: Final = frozenset(
    "page p pg offset start limit size count per_page perpage from to since until year month day date t ts time v ver "
    "version cb rnd random nonce w h width height q s scale _ _page _offset _count _getpagesoffset pagesize page_size "
    "skip top take rows first last after before pageno page_no pagenum page_num pagenumber page_number pageindex page_index "
    "startindex start_index startat maxresults max_results page[number] page[size] page[offset] page[limit] page[after] "
    "page[before] nocache _dc cachebuster "
    "cursor continuationtoken continuation_token pagetoken page_token nexttoken next_token marker".split()
)
"""Parameters that count pages, times or sizes, or say where a list goes on; with or without OData's $."""

PASSES: Final = frozenset(
    "code state nonce token access_token id_token refresh_token ticket csrf _csrf csrf_token xsrf sig signature hmac expires "
    "se sv sr sp st spr skoid sktid skt ske sks skv policy session sessionid session_id sid phpsessid jsessionid sso "
    "gclid fbclid msclkid dclid _ga _gl mc_eid traceid trace_id requestid request_id correlationid sha256hash extensions".split()
)
"""Parameters that let somebody in, or follow somebody: they are other ones each time, whatever is asked for."""

_NUMBERED: Final = ("id", "nr", "no", "num", "number")
_MONTHS = range(1, 13)
PARAMETERS: Final = 64
"""Of a query, that are looked at."""
_JSON: Final = 8 * 1024
"""Characters of a parameter's value that is looked at as JSON. Addresses are hardly longer."""
_DEEP: Final = 8


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
    route, people, number, found, whose = [], [], None, False, True
    for place, segment in enumerate(segments):
        form, value = ("", None) if _dated(segments, place) else shape(segment)
        if form:
            theirs = lists.of_people(segment, segments[place - 1] if place else "")
            found, number, whose = True, value, whose and theirs
            people += [place] if theirs else []
        route.append(form or segment)
    asks = _of_query(query) if query else _Query()
    if asks.identified:
        found, number, whose = True, asks.number, whose and asks.whose
    listed = found and lists.collects(clean, whose=whose)
    if listed:
        for place in people:
            route[place] = lists.PATIENT
    shown = "&".join(f"{name}={lists.PATIENT if listed and theirs else form}" for name, form, theirs in asks.shown)
    document = None
    if found and not listed:
        document = clean + (f"?{'&'.join(asks.identified)}" if asks.identified else "")
    return Target("/".join(route) + (f"?{shown}" if shown else ""), document, number if found else None)


def _dated(segments: list[str], place: int) -> bool:
    """Whether this segment is the year or the month of a date: /2015/05/…."""
    if not segments[place].isdigit():
        return False
    year, month = segments[place : place + 2], segments[place - 1 : place + 1] if place else []
    return any(
        len(pair) == 2  # noqa: PLR2004  # a pair
        and all(_INT.fullmatch(part) and len(part) <= YEAR for part in pair)
        and int(pair[0]) in YEARS
        and int(pair[1]) in _MONTHS
        for pair in (year, month)
    )


@dataclass(slots=True)
class _Query:
    """What a query speaks of: (name, form, whether it is a person's) of its ids, these as name=value, the number of the last, and
    whether all are people's.
    """

    shown: list[tuple[str, str, bool]] = field(default_factory=list)
    identified: list[str] = field(default_factory=list)
    number: int | None = None
    whose: bool = True


def _of_query(query: str) -> _Query:
    found = _Query()
    for name, value in _told(query):
        form, start, end, base = asked(value) if telling(name, value) else NO_ID
        form = form or named(name, value)
        if form:
            theirs = lists.names_people(name)
            found.shown.append((name, form, theirs))
            found.identified.append(f"{name}={value}")
            found.number = bounded(int(value[start:end], base)) if end else None
            found.whose = found.whose and theirs
    return found


def _told(query: str) -> Iterator[tuple[str, str]]:
    """The parameters, with the fields of those that are JSON in their place."""
    for part in query.split("&")[:PARAMETERS]:
        name, equals, value = part.partition("=")
        if not equals:
            continue
        if "%" in part:
            name, value = unquote(name), unquote(value)
        if value[:1] in {"{", "["} and len(value) <= _JSON and telling(name, value):
            try:
                yield from list(_fields(name, msgspec.json.decode(value)))[:PARAMETERS]
                continue
            except (msgspec.DecodeError, RecursionError):
                pass
        yield name, value


def _fields(name: str, value: object, deep: int = 0) -> Iterator[tuple[str, str]]:
    """(name, text) of each field of JSON, however deep: of a list's things the name is the list's."""
    if isinstance(value, dict) and deep < _DEEP:
        for inner, one in value.items():
            yield from _fields(inner, one, deep + 1)
    elif isinstance(value, list) and deep < _DEEP:
        for one in value:
            yield from _fields(name, one, deep + 1)
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        yield name, str(value)


def telling(parameter: str, value: str) -> bool:
    """Whether a parameter of this name and value may say what is asked for. One digit does where the name says so: else it is a
    switch or a kind.
    """
    small = parameter.lower().removeprefix("$")
    if len(value) < 2 and small not in IDENTIFIERS and not small.endswith(_NUMBERED):  # noqa: PLR2004  # one digit
        return False
    return small not in COUNTERS and small not in PASSES and not small.startswith(("x-amz-", "x-goog-", "utm_"))
