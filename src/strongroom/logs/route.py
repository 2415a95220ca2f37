"""Which document an address speaks of, when nobody has told: ids are taken out of the path and of the query.

    /documents/4711/download        -> /documents/{int}/download        number 4711
    /get?id=4711&lang=en            -> /get?id={int}                    number 4711
    /letters/5f0c…-….pdf            -> /letters/{uuid}.pdf              no number: these ids have no order
    /scans/5f3a0011;jsessionid=7A   -> /scans/{hex}                     number: the id read to the base 16
    /get?doc=MTIwMDAw               -> /get?doc={id}                    by the parameter's name
    /get?id=4711&sig=9f86d081…      -> /get?id={int}                    number 4711: what lets one in says not what one wants

An address without an id is a page and no document (`forms` says what ids look like). Names of pages and parameters that count
pages or dates are no ids.
"""

import functools
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from strongroom.logs.forms import NO_ID, YEAR, YEARS, asked, bounded, named, shape

_PARAMETERS = re.compile(r";[^/]*")
_INT = re.compile(r"[0-9]{1,40}")

ASSETS: Final = frozenset("css js mjs map woff woff2 ttf eot otf ico svg less scss wasm webmanifest".split())
"""What makes up a page, by the end of its name. Pictures are not among them: a scan is a document."""

COUNTERS: Final = frozenset(
    "page p pg offset start limit size count per_page perpage from to since until year month day date t ts time v ver "
    "version cb rnd random nonce w h width height q s scale _ _page _offset _count _getpagesoffset pagesize "
    "cursor continuationtoken continuation_token pagetoken page_token nexttoken next_token marker".split()
)
"""Parameters that count pages, times or sizes, or say where a list goes on."""

PASSES: Final = frozenset(
    "code state nonce token access_token id_token refresh_token ticket csrf _csrf csrf_token xsrf sig signature hmac expires "
    "se sv sr sp st spr skoid sktid skt ske sks skv policy session sessionid session_id sid phpsessid jsessionid sso "
    "gclid fbclid msclkid dclid _ga _gl mc_eid traceid trace_id requestid request_id correlationid".split()
)
"""Parameters that let somebody in, or follow somebody: they are other ones each time, whatever is asked for."""

_MONTHS = range(1, 13)
PARAMETERS: Final = 64
"""Of a query, that are looked at."""


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
        and int(pair[0]) in YEARS
        and int(pair[1]) in _MONTHS
        for pair in (year, month)
    )


def _of_query(query: str) -> tuple[str, str, int | None]:
    """The query's template, the ids in it as name=value, and the number of the last."""
    shown, identified, number = [], [], None
    for part in query.split("&")[:PARAMETERS]:
        name, equals, value = part.partition("=")
        value = unquote(value)
        form, start, end, base = asked(value) if equals and telling(name) else NO_ID
        form = form or named(name, value)
        if form:
            shown.append(f"{name}={form}")
            identified.append(f"{name}={value}")
            number = bounded(int(value[start:end], base)) if end else None
    return "&".join(shown), "&".join(identified), number


def telling(parameter: str) -> bool:
    """Whether a parameter of this name may say what is asked for."""
    small = parameter.lower()
    return small not in COUNTERS and small not in PASSES and not small.startswith(("x-amz-", "x-goog-", "utm_"))
