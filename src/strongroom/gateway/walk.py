"""What one account is shown by the described pages: documents, where they are, and addresses that nobody described."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from strongroom.gateway import reading
from strongroom.gateway.contract import Contract, Match, Request
from strongroom.gateway.settings import Described
from strongroom.gateway.target import Target, read
from strongroom.gateway.variants import Address, Try
from strongroom.gateway.visitor import Visitor

MAX_PAGES: Final = 40
"""Described pages that are opened for one account, the listings' next pages among them."""
MAX_STRANGE: Final = 60
"""Addresses that are not described and are kept."""
_SAFE: Final = "-._~!$&'()*+,=:@"


@dataclass(slots=True)
class Walked:
    """`shown`: family and id -> routes that showed it. `addresses`: route -> id -> where. `pages`: route -> status."""

    shown: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    addresses: dict[str, dict[str, Address]] = field(default_factory=dict)
    strange: dict[str, None] = field(default_factory=dict)
    pages: dict[str, int] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    """Routes that could not be opened, and the parameter that is missing."""

    def of(self, family: str) -> set[str]:
        """The ids of that family that were shown."""
        return {one for kind, one in self.shown if kind == family}


def filled(one: Described, values: Mapping[str, str]) -> str | None:
    """The path of a route with these values of its parameters; None where one is missing."""
    parts = []
    for segment in one.pattern.segments:
        if segment.name and segment.name not in values:
            return None
        parts.append(segment.before + (values[segment.name] + segment.after if segment.name else ""))
    if one.pattern.rest:
        if one.pattern.rest not in values:
            return None
        parts += values[one.pattern.rest].split("/")
    return "".join("/" + quote(part, safe=_SAFE) for part in parts)


def address(one: Described, document: str, values: Mapping[str, str]) -> Address | None:
    """Where a document is on a route, as far as `values` tell its other parameters."""
    within, bare = parted(one, document)
    told = {**values, **({one.route.within: within} if within else {}), one.document: bare}
    path = filled(one, told)
    query = tuple((name, told[name]) for name in one.route.query if name in told)
    return None if path is None else Address(path, bare, one.document, query, within)


def parted(one: Described, document: str) -> tuple[str, str]:
    """What a document is counted within, or nothing; and its id there."""
    within, _, bare = document.rpartition("/") if one.route.within else ("", "", document)
    return within, bare


def written(target: str) -> Target:
    """A target that was written here; one without anything for what cannot be read."""
    found = read(target.encode())
    return found if isinstance(found, Target) else Target(("",))


async def walk(visitor: Visitor, routes: tuple[Described, ...], contract: Contract) -> Walked:
    """Open every described page, and what described pages they lead to."""
    found = Walked()
    todo = _pages(found, routes, visitor.account.values if visitor.account else {})
    seen = {path for _, path in todo}
    opened = 0
    while todo and opened < MAX_PAGES:
        opened += 1
        one, target = todo.popleft()
        heard = await visitor.ask(Try("", target))
        found.pages.setdefault(one.route.name, heard.status)
        if heard.status != 200:  # noqa: PLR2004  # shows nothing
            continue
        for shown in reading.shown(contract, one, heard.kind.encode(), written(target), heard.body):
            found.shown.setdefault(shown, set()).add(one.route.name)
        if heard.kind.startswith("text/") or "json" in heard.kind or "javascript" in heard.kind:
            for more in _links(found, contract, target.partition("?")[0], heard.body):
                if more[1] not in seen:
                    seen.add(more[1])
                    todo.append(more)
    return found


def _pages(found: Walked, routes: tuple[Described, ...], values: Mapping[str, str]) -> deque[tuple[Described, str]]:
    """The described pages whose addresses are known."""
    todo: deque[tuple[Described, str]] = deque()
    for one in routes:
        if one.document or "GET" not in one.route.methods or one.pattern.rest:
            continue
        path = filled(one, values)
        if path is None:
            found.closed[one.route.name] = next(name for name in one.pattern.names if name not in values)
        else:
            todo.append((one, path))
    return todo


def _links(found: Walked, contract: Contract, path: str, body: bytes) -> Iterator[tuple[Described, str]]:
    """Described pages that a page leads to; documents and addresses that nobody described are kept."""
    for link in reading.links(path, body):
        text = link.decode("utf-8", "replace")
        match = contract.check(Request("GET", link, ()))
        if not isinstance(match, Match) or match.route is None:
            if len(found.strange) < MAX_STRANGE:
                found.strange[text] = None
        elif match.document:
            within, bare = parted(match.route, match.document)
            place = Address(match.target.path, bare, match.route.document, match.target.pairs, within)
            found.addresses.setdefault(match.route.route.name, {})[match.document] = place
        elif not match.route.pattern.rest:
            yield match.route, text
