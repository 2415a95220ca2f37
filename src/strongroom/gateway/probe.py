"""The audit of a portal's authorization, from outside, with two accounts that have nothing in common.

1. both sign in, and open every described page: what is each shown, and where is it;
2. whose is what: what an account says that it owns, or is shown alone;
3. lists: do they show the other's documents, by themselves, with a parameter swapped, or to nobody at all;
4. documents: each is asked for by its owner, and then by the other and by nobody: plainly, and if that gives nothing, in every
   way that `variants` knows; an answer is judged by what stands in it (`likeness`);
5. what is not described: addresses that pages, robots.txt and API descriptions tell of, and those that are often forgotten.

One request at a time, at a pace, and bounded in all. What is found is told in ids and addresses.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from strongroom.errors import OperationError
from strongroom.gateway import inventory, reading
from strongroom.gateway.contract import Contract, Match, Request
from strongroom.gateway.found import LISTED, READ, UNDESCRIBED, Finding, Report, Tested, Untested, Way
from strongroom.gateway.kinds import fits
from strongroom.gateway.likeness import Heard, Print, pieces, print_of
from strongroom.gateway.settings import Checked, Described
from strongroom.gateway.variants import Address, Try, joined, plain, variants
from strongroom.gateway.visitor import Enough, Visitor
from strongroom.gateway.walk import Walked, address, filled, parted, walk, written

OK: Final = 200
SOME: Final = 20
"""Ids that a finding names."""


@dataclass(frozen=True, slots=True)
class Known:
    """A document that its owner was given."""

    place: Address
    heard: Heard
    absent: Heard


class Probe:
    """See the module. `documents`: of each account and route, that are tried."""

    def __init__(
        self, checked: Checked, first: Visitor, second: Visitor, nobody: Visitor, *, documents: int = 3
    ) -> None:
        self._routes = tuple(one for one in checked.routes if one.route.upstream is None)
        self._contract = Contract(checked)
        self._not_here = [one.route.name for one in checked.routes if one.route.upstream is not None]
        self._pair, self._nobody, self._each = (first, second), nobody, documents
        self._walked: dict[str, Walked] = {}
        self._prints: dict[str, tuple[Visitor, Address, Print]] = {}
        self.report = Report()

    async def run(self) -> Report:
        """All steps. Raises OperationError where an account cannot sign in, or nothing could be tested."""
        login = next((one for one in self._routes if one.route.login is not None and "POST" in one.route.methods), None)
        try:
            for visitor in self._pair:
                await visitor.sign_in(login)
                self._walked[visitor.name] = await walk(visitor, self._routes, self._contract)
            self._told_of_pages()
            await self._lists()
            for one in self._routes:
                if one.document:
                    await self._route(one)
            await self._undescribed()
        except Enough as error:
            self.report.complete = False
            self.report.untested.append(Untested("everything after that", error.message))
        unsaid = sum(visitor.unsaid for visitor in (*self._pair, self._nobody))
        if unsaid:
            self._not(
                f"{unsaid} requests", "they were answered 429 or 503, or not at all. Ask more slowly, with --rate."
            )
        if not self.report.findings and not any(one.requests for one in self.report.tested):
            raise OperationError(
                "Nothing could be tested: neither account has a document that it is given and the other is not shown.",
                advice="Put documents into both test accounts; describe the pages that list them, or name them in `owns`.",
            )
        return self.report

    # ---- whose is what ----------------------------------------------------------------------------------------------

    def _others(self) -> Iterable[tuple[Visitor, Visitor]]:
        """Each as owner, with the other."""
        first, second = self._pair
        return ((first, second), (second, first))

    def _owned(self, owner: Visitor, other: Visitor, family: str) -> list[str]:
        shown, told = self._walked[owner.name].of(family), _owns(owner)
        if told:
            return sorted(shown & told or ({one for one in told if self._is_one(family, one)} if not shown else set()))
        return sorted(shown - self._walked[other.name].of(family))

    def _is_one(self, family: str, one: str) -> bool:
        return any(fits(_kind(route), parted(route, one)[1]) for route in self._routes if route.document == family)

    def _told_of_pages(self) -> None:
        for route in self._not_here:
            self._not(f"route {route}", "it is at another upstream; probe that by itself.")
        for name, walked in self._walked.items():
            for route, missing in walked.closed.items():
                self._not(f"route {route} as {name}", f"no value of {missing} is known; give it in [values].")
            for route, status in walked.pages.items():
                if status != OK:
                    self._not(
                        f"route {route} as {name}", f"it was answered {status}." if status else "it was not answered."
                    )
        if not any(map(_owns, self._pair)):
            self._not("whether lists show people beside the two accounts", "no account says what it `owns`.")
        if not all(visitor.account and visitor.account.values for visitor in self._pair):
            self._not("parameters that name a patient", "an account gives none in its [values].")

    def _not(self, what: str, why: str) -> None:
        self.report.untested.append(Untested(what, why))

    # ---- lists ------------------------------------------------------------------------------------------------------

    async def _lists(self) -> None:
        for one in self._routes:
            if one.route.shows is None or "GET" not in one.route.methods:
                continue
            asked = 0
            self._too_much(one)
            for owner, other in self._others():
                for reader in (other, self._nobody):
                    asked += await self._list(one, owner, reader)
            self.report.tested.append(Tested(one.route.name, 0, asked))

    def _too_much(self, one: Described) -> None:
        """What the route showed to an account, unasked, that is not its own."""
        for owner, reader in self._others():
            own, others = _owns(reader), _owns(owner)
            for family in {kind for kind, _ in self._walked[reader.name].shown}:
                shown = {
                    document for (kind, document), routes in self._walked[reader.name].shown.items()
                    if kind == family and one.route.name in routes
                }  # fmt: skip
                wrong = shown & others if others else set()
                wrong |= shown - own if own else set()
                if not own and not others and reader is self._pair[0]:
                    wrong = shown & self._walked[owner.name].of(family)
                if wrong:
                    says = "its ids are shown to both" if not own and not others else "its ids are not the reader's own"
                    way = Way("plainly", f"GET {one.route.path}", OK, says)
                    self._finds(LISTED, one.route.name, owner.name, reader.name, wrong, [way])

    async def _list(self, one: Described, owner: Visitor, reader: Visitor) -> int:
        """The list as another's, and as nobody's; gives how often it was asked."""
        values = owner.account.values if owner.account else {}
        mine = (reader.account.values if reader.account else None) or values
        tries = [Try("plainly", path)] if reader is self._nobody and (path := filled(one, values)) is not None else []
        path, own = filled(one, values), filled(one, mine)
        if path is not None and path != own:
            tries.append(Try("with the other's values in the path", path))
        if own is not None:
            tries += [Try(f"with the other's {name}", joined(own, ((name, value),))) for name, value in values.items()]
        for item in tries:
            heard = await reader.ask(item)
            if heard.status != OK:
                continue
            shown = reading.shown(self._contract, one, heard.kind.encode(), written(item.target), heard.body)
            before = self._walked[reader.name].shown if reader.name in self._walked else {}
            for family in {kind for kind, _ in shown}:
                other = next(visitor for visitor in self._pair if visitor is not owner)
                owned = {document for kind, document in shown if kind == family and (kind, document) not in before}
                wrong = owned & set(self._owned(owner, other, family))
                if wrong:
                    way = Way(item.how, item.line, heard.status, "its ids are shown")
                    self._finds(LISTED, one.route.name, owner.name, reader.name, wrong, [way])
        return len(tries)

    # ---- documents --------------------------------------------------------------------------------------------------

    async def _route(self, one: Described) -> None:
        name = one.route.name
        if one.route.public or "GET" not in one.route.methods:
            self._not(
                f"route {name}", "it is described as public." if one.route.public else "it is not described for GET."
            )
            return
        known = {owner.name: await self._given(one, owner, other) for owner, other in self._others()}
        asked = 0
        for owner, other in self._others():
            prints = self._printed(known[owner.name], known[other.name])
            if not prints:
                if known[owner.name]:
                    self._not(f"route {name}, of {owner.name}", "its answers do not differ from others by anything.")
                continue
            self._prints.setdefault(one.document, (owner, *prints[0]))
            own = known[other.name][0].place if known[other.name] else None
            for reader in (other, self._nobody):
                asked += await self._asked(one, owner, reader, prints, own if reader is other else None)
        self.report.tested.append(Tested(name, sum(map(len, known.values())), asked))

    async def _given(self, one: Described, owner: Visitor, other: Visitor) -> list[Known]:
        """Documents of `owner` on this route, as `owner` is given them."""
        name, values = one.route.name, owner.account.values if owner.account else {}
        ids = self._owned(owner, other, one.document)[: self._each]
        found: list[Known] = []
        linked = self._walked[owner.name].addresses.get(name, {})
        if not ids:
            self._not(f"route {name}, of {owner.name}", "no document of it is known to be that account's own.")
        for document in ids:
            place = linked.get(document) or address(one, document, values)
            nothing = address(one, _absent(one, document), values)
            if place is None or nothing is None:
                self._not(f"route {name}, of {owner.name}", "a parameter's value is not known; give it in [values].")
                break
            heard = await owner.ask(plain(place))
            if heard.status != OK:
                why = "a redirect, which is not followed" if 300 <= heard.status < 400 else str(heard.status)  # noqa: PLR2004
                self._not(f"route {name}, of {owner.name}", f"its owner was answered {why}.")
                break
            found.append(Known(place, heard, found[0].absent if found else await owner.ask(plain(nothing))))
        return found

    def _printed(self, known: list[Known], others: list[Known]) -> list[tuple[Address, Print]]:
        common = frozenset().union(*(pieces(one.heard.body) for one in others)) if others else frozenset()
        found = []
        for one in known:
            beside = frozenset().union(*(pieces(two.heard.body) for two in known if two is not one))
            made = print_of(one.heard, one.absent, common | beside)
            if made is not None:
                found.append((one.place, made))
        return found

    async def _asked(
        self, one: Described, owner: Visitor, reader: Visitor, prints: list[tuple[Address, Print]], own: Address | None
    ) -> int:
        """All tries of `reader`; gives how many there were."""
        asked, name = 0, one.route.name
        lost: list[str] = []
        way: Way | None = None
        for place, mark in prints:
            item = plain(place)
            asked += 1
            heard = await reader.ask(item)
            if says := mark.told(heard):
                lost.append(place.whole)
                way = way or Way(item.how, item.line, heard.status, says)
        if way is not None:
            self._finds(READ, name, owner.name, reader.name, lost, [way])
            self._not(f"route {name}, variants as {reader.name}", "the plain request gives the document already.")
            return asked
        place, mark = prints[0]
        ways = []
        for item in variants(place, own, owner.account.values if owner.account else {}):
            asked += 1
            heard = await reader.ask(item)
            if says := mark.told(heard, bodiless=item.method == "HEAD"):
                ways.append(Way(item.how, item.line, heard.status, says))
        if ways:
            self._finds(READ, name, owner.name, reader.name, [place.whole], ways)
        if own is not None and (await reader.ask(plain(own))).status != OK:
            self._not(
                f"route {name} as {reader.name}", "its own documents were refused to it afterwards: its session ended."
            )
        return asked

    # ---- what is not described --------------------------------------------------------------------------------------

    async def _undescribed(self) -> None:
        said: list[str] = []
        for page in inventory.SAYS:
            heard = await self._nobody.ask(Try("", page))
            if heard.status == OK:
                said += inventory.told(page, heard.body)
        asked = 0
        for owner, place, mark in self._prints.values():
            for target in dict.fromkeys(inventory.guesses(place, said)):
                if not self._is_described(target):
                    asked += await self._elsewhere(owner, place, mark, Try("plainly", target))
        for visitor in self._pair:
            for target in self._walked[visitor.name].strange:
                asked += 1
                heard = await visitor.ask(Try("", target))
                if heard.status == OK and heard.kind in inventory.DOCUMENTS:
                    way = Way("a link on a described page", f"GET {target}", heard.status, f"it is {heard.kind}")
                    self._finds(UNDESCRIBED, "", visitor.name, visitor.name, [], [way])
        self.report.tested.append(Tested("", len(self._prints), asked))

    async def _elsewhere(self, owner: Visitor, place: Address, mark: Print, item: Try) -> int:
        """Whether the document is served here too, and to whom; gives how often that was asked."""
        readers = [owner, *(one for one in self._pair if one is not owner), self._nobody]
        for reader in readers:
            heard = await reader.ask(item)
            says = mark.told(heard)
            if reader is owner and not says:
                return 1
            if says:
                kind = UNDESCRIBED if reader is owner else READ
                way = Way(item.how, item.line, heard.status, says)
                self._finds(kind, "", owner.name, reader.name, [place.whole], [way])
        return len(readers)

    def _is_described(self, target: str) -> bool:
        match = self._contract.check(Request("GET", target.encode(), ()))
        return isinstance(match, Match) and match.route is not None

    def _finds(self, kind: str, route: str, owner: str, reader: str, documents: Iterable[str], ways: list[Way]) -> None:
        self.report.findings.append(Finding(kind, route, owner, reader, tuple(sorted(documents)[:SOME]), tuple(ways)))


def _owns(visitor: Visitor) -> frozenset[str]:
    return visitor.account.owns if visitor.account else frozenset()


def _kind(one: Described) -> str:
    return one.kind_of(one.document)


def _absent(one: Described, like: str) -> str:
    """An id of the same kind, within the same, that does not exist."""
    within, bare = parted(one, like)
    return f"{within}/{_made(_kind(one), bare)}" if within else _made(_kind(one), bare)


def _made(kind: str, like: str) -> str:
    if kind in {"int", "digits", "bool", "date"}:
        return str(10**11 + secrets.randbelow(10**11))
    if kind in {"uuid", "guid"}:
        text = secrets.token_hex(16)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"
    return secrets.token_hex(len(like) // 2 + 1)[: max(1, len(like))]
