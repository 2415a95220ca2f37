"""The steps of a request that need no waiting, by the numbers of `proxy`: for requests of all kinds, whoever carries them.

What depends on the client and its headers alone is found once (`Facts`): clients say the same headers again and again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from strongroom.clock import Clock
from strongroom.gateway import body as bodies
from strongroom.gateway import looks, reading
from strongroom.gateway.answer import Head
from strongroom.gateway.contract import Contract, Headers, Match, Request, family, media_type
from strongroom.gateway.event import Event
from strongroom.gateway.flow import Seen
from strongroom.gateway.headers import check_connection, client_of, scheme_of, to_portal
from strongroom.gateway.intake import Unfit
from strongroom.gateway.live import Learning
from strongroom.gateway.modsecurity import Subject
from strongroom.gateway.multipart import content_type as spelled
from strongroom.gateway.named import named, signs_in
from strongroom.gateway.person import Claim, People
from strongroom.gateway.ports import Asked, Guard, Verdict
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.settings import Checked
from strongroom.gateway.waf import Found, Waf
from strongroom.identity.network import network_of
from strongroom.ids import new_id

LITTLE: Final = 1_024
"""Bytes of an answer that says where to go."""
_SUCCESS: Final = range(200, 400)
_STRANGER: Final = Refusal(401, "document-stranger", "A document needs somebody who is signed in.")


class Vouching(Protocol):
    """Signs what the portal is to believe of a request."""

    def __call__(
        self, headers: Headers, *, method: str, wire: bytes, client: str, request: str
    ) -> list[tuple[bytes, bytes]]:
        """Headers to add, by names that are never taken from clients (`headers`)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of requests of one client with the same headers, whatever they ask for."""

    headers: Headers
    """As they came."""
    read: Sequence[tuple[bytes, bytes]]
    """As the WAF and the portal read them."""
    refusal: Refusal | None
    """Why none of them may pass."""
    address: str
    network: str
    scheme: str
    device: str
    manner: str
    claim: Claim | None
    alike: bytes
    """Stands for client and headers in what the WAF remembers."""
    told: bytes
    """The header lines that the portal is told, but for the request's number."""
    told_plain: bytes
    """The same where its answer is read on the way."""


@dataclass(slots=True)
class Admitted:
    """A request that may be looked at, and then asked (steps 1 to 4)."""

    event: Event
    facts: Facts
    match: Match
    asked: Asked
    before: Verdict | None
    """What the guard said while it only simulates."""
    also: tuple[Asked, ...] = ()
    """The same of each further document that it names."""

    @property
    def plain(self) -> bool:
        """Whether the portal's answer is to come without compression, because it is read on the way."""
        described = self.match.route
        if described is None:
            return False
        route = described.route
        return route.shows is not None or route.login is not None


@dataclass(frozen=True, slots=True)
class Heard:
    """What the body of a request names: parameters, whom it signs in, and, of a request for a list, what may be an id."""

    named: dict[str, tuple[str, ...]]
    login: str
    words: frozenset[str]


NOTHING: Final = Heard({}, "", frozenset())


class Steps:
    """See the module."""

    def __init__(
        self, checked: Checked, people: People, guard: Guard, clock: Clock, waf: Waf | None, vouch: Vouching | None,
        *, learning: Learning | None = None,
    ) -> None:  # fmt: skip
        """As `proxy.Proxy`."""
        self.learning = learning
        self.checked, self.guard, self.waf = checked, guard, waf
        self.contract = Contract(checked)
        self._people, self._clock, self._vouch = people, clock, vouch

    def event(self, method: str) -> Event:
        """Of a request that begins now."""
        return Event(new_id(), int(self._clock.now()), method)

    def facts(self, peer: str, scheme: str, headers: Headers) -> Facts:
        """1, and the part of 2 that looks at headers. Raises Malformed where the peer has no address."""
        proxies = self.checked.proxies
        address = client_of(peer, headers, proxies)
        client, scheme = str(address), scheme_of(peer, scheme, headers, proxies)
        refusal = check_connection(headers) or self._people.check(headers) or self.contract.check_headers(headers)
        read = [(name, spelled(value) if name == b"content-type" else value) for name, value in headers]
        host = next((value for name, value in headers if name == b"host"), b"")
        told = [
            b"".join(
                b"%b: %b\r\n" % line for line in to_portal(read, client=client, host=host, scheme=scheme, plain=plain)
            )
            for plain in (False, True)
        ]
        alike = self.waf.looks(client, read) if self.waf is not None else b""
        return Facts(
            headers, read, refusal, client, network_of(address, proxies), scheme, looks.device(headers), looks.manner(headers),
            self._people.claim(headers), alike, told[0], told[1],
        )  # fmt: skip

    def admit(self, event: Event, facts: Facts, target: bytes) -> Admitted:
        """1 to 4. Raises Unfit and Uncounted."""
        event.network = facts.network
        if facts.refusal is not None:
            raise Unfit(facts.refusal)
        match = self.contract.described(Request(event.method, target, facts.headers))  # 2
        if isinstance(match, Refusal):
            raise Unfit(match)
        if match.noted is not None:
            event.rule = match.noted.rule
        return self._admitted(event, facts, match)

    def named(self, one: Admitted, values: Mapping[str, tuple[str, ...]]) -> Admitted:
        """3 and 4 again: only the body names the document. Raises as `admit`."""
        match = one.match.naming(values)
        if isinstance(match, Refusal):
            raise Unfit(match)
        return self._admitted(one.event, one.facts, match)

    def _admitted(self, event: Event, facts: Facts, match: Match) -> Admitted:
        route, who = match.route, self._people.who(facts.claim)
        if isinstance(who, Refusal):
            if match.document or (route is not None and route.route.shows is not None):
                raise Unfit(who)
            who = None  # so that they can sign in again
        asked = event.asked = Asked(
            event.request, event.at, route.route.name if route else "", who, facts.network,
            facts.device, family(route) if route and match.document else "", match.document, match.patient,
            facts.manner, lists=route is not None and route.route.shows is not None,
        )  # fmt: skip  # 3
        if match.document and asked.who is None and route and not route.route.public:
            raise Unfit(_STRANGER)
        before = self.guard.before(asked)  # 4
        also = event.also = tuple(replace(asked, document=document) for document in match.also)
        for other in also:
            before = before or self.guard.before(other)
        _told(event, before)
        return Admitted(event, facts, match, asked, before, also)

    def lines(self, one: Admitted) -> bytes:
        """The header lines for the portal, without those that frame a body."""
        event, facts = one.event, one.facts
        told = b"%bx-request-id: %b\r\n" % (facts.told_plain if one.plain else facts.told, event.request.encode())
        if self._vouch is None or (one.match.route is not None and one.match.route.route.upstream is not None):
            return told  # what is signed is for one portal
        more = self._vouch(
            facts.read, method=event.method, wire=one.match.target.wire, client=facts.address, request=event.request
        )
        return told + b"".join(b"%b: %b\r\n" % line for line in more)

    def known(self, one: Admitted) -> bool:
        """5, of a request without a body: whether the WAF need not look at it, for its like was seen, or there is none."""
        if self.waf is None:
            return True
        if self.waf.passed(one.facts.alike, one.event.method, one.match.alike):
            one.event.seen = Seen.ALL
            return True
        return False

    def inspect(self, one: Admitted) -> bool:
        """5, of a request without a body. False: not on the spot; `inspected` looks at it.

        Raises Unfit for what the WAF blocks, and where it cannot look.
        """
        if self.waf is None or self.known(one):
            return True
        subject = Subject(one.event.method, one.match.target.wire, one.facts.read, one.facts.address)
        if not self.waf.at_once(subject):
            return False
        self.found(one.event, self.waf.look(subject, one.facts.alike, one.match.alike), Seen.ALL)
        return True

    async def inspected(self, one: Admitted) -> None:
        """5, of a request that was not looked at yet. Raises as `inspect`."""
        event, facts = one.event, one.facts
        if self.waf is None or event.seen:
            return
        subject = Subject(event.method, one.match.target.wire, facts.read, facts.address)
        self.found(event, await self.waf.look_beside(subject, facts.alike, one.match.alike), Seen.ALL)

    async def inspected_body(self, one: Admitted, body: bytes) -> tuple[Admitted, Heard]:
        """5, of a request with a short body that is read whole; gives what the body changes of it, and what it names.

        Raises Unfit and Uncounted.
        """
        facts, match, event = one.facts, one.match, one.event
        kind = media_type(next((value for name, value in facts.read if name == b"content-type"), b""))
        refusal = bodies.check(kind, body, match.route.route.max_keys if match.route else bodies.MAX_KEYS)
        if refusal is not None:
            raise Unfit(refusal)
        if self.waf is not None:
            subject = Subject(event.method, match.target.wire, facts.read, facts.address, body)
            self.found(event, await self.waf.inspect(subject), Seen.ALL)
        heard = self.heard(one, kind, body)
        return (self.named(one, heard.named) if heard.named else one), heard

    @staticmethod
    def heard(one: Admitted, kind: str, body: bytes) -> Heard:
        """What a body names. Raises Unfit."""
        route = one.match.route
        if route is None:
            return NOTHING
        values, login = named(route, kind, body) if route.body else {}, signs_in(route, kind, body)
        if isinstance(values, Refusal):
            raise Unfit(values)
        if isinstance(login, Refusal):
            raise Unfit(login)
        return Heard(values, login, reading.words(kind, body) if route.route.shows is not None else frozenset())

    @staticmethod
    def found(event: Event, found: Found, how: Seen) -> None:
        """What the WAF found. Raises Unfit for what it blocks."""
        event.hits, event.seen = found.hits, how
        if found.refusal is not None:
            event.rule = found.refusal.rule
            if found.enforced:
                raise Unfit(found.refusal)

    def counted(self, one: Admitted, head: Head, size: int | None = None) -> bool:
        """7: before a byte of it goes out; gives whether its bytes are still to be counted, as they go. `size` where more is known
        than the answer says.

        Raises Unfit for what is refused now, and Uncounted.
        """
        event = one.event
        event.portal = head.status
        if self.learning is not None and one.match.noted is not None and head.status in _SUCCESS:
            self._saw(self.learning, one)
        if size is None:
            size = 0 if event.method == "HEAD" else head.announced
        status = 401 if self._sends_away(head) else head.status
        _told(event, self._answered(one, status, size))
        return head.length is None and not size and status < 400  # noqa: PLR2004  # no document

    def _sends_away(self, head: Head) -> bool:
        """Whether it leads to a described login, and holds no document by the way: then nobody was given one."""
        if not 300 <= head.status < 400 or head.length is None or head.length > LITTLE:  # noqa: PLR2004  # the class of redirects
            return False
        return self.contract.signs_in(reading.path_of(dict(head.headers).get(b"location", b"")))

    def _saw(self, learning: Learning, one: Admitted) -> None:
        """What nobody described was answered with success."""
        headers, who = dict(one.facts.read), one.asked.who
        size = headers.get(b"content-length", b"0")
        learning.saw(
            one.match.target, one.event.method, who.person if who is not None else one.facts.network,
            kind=media_type(headers.get(b"content-type", b"")), size=int(size) if len(size) < 12 else 0,  # noqa: PLR2004  # digits
        )  # fmt: skip

    def _answered(self, one: Admitted, status: int, size: int) -> Verdict | None:
        """Several documents leave together or not at all: the first refusal ends it."""
        if not one.also:
            return self.guard.answered(one.asked, status, size, one.before)
        with self.guard.together():
            verdict = self.guard.answered(one.asked, status, size, one.before)
            for asked in one.also:
                if verdict is not None and verdict.enforced:
                    break
                verdict = self.guard.answered(asked, status, 0, one.before) or verdict
        return verdict

    def noticed(self, one: Admitted, head: Head) -> None:
        """Whose a new session is; who proved who they are; and whoever put a document in has been shown it: the answer names it
        (RFC 9110, 10.2.2).
        """
        route, who = one.match.route, one.asked.who
        if who is not None and not _signs_in(one.match, head.status):
            self._people.follow(who, one.facts.claim, _cookies(head), one.asked.at)
        if route is None:
            return
        if route.route.proves and head.status < 400:  # noqa: PLR2004  # success; it may redirect
            self.guard.proved(one.asked)
        if head.status != 201:  # noqa: PLR2004  # Created
            return
        made = self.contract.document_of(reading.path_of(dict(head.headers).get(b"location", b"")))
        if made is not None:
            self.guard.showed(one.asked, frozenset({made}))

    def learn(self, one: Admitted, head: Head, body: bytes | None, heard: Heard) -> None:
        """From an answer that was read, and of which nothing went out; `body` is None where it could not be. `heard`: what the
        request's body named. Raises Unfit for a list that shows too much, or nobody knows what.
        """
        match, asked = one.match, one.asked
        route = match.route
        if route is None:
            return
        headers = dict(head.headers)
        kind = headers.get(b"content-type", b"")
        body = None if body is None else reading.plain(headers.get(b"content-encoding", b""), body)
        if route.route.login is not None:
            answers = bool(route.route.login.answer) and body is not None
            name = reading.name_in_json(route, body) if answers and body is not None else heard.login
            failed = body is not None and reading.asks_again(kind, body)
            claim, token = one.facts.claim, reading.token_in_json(route, body) if body is not None else ""
            known = not failed and self._people.login(
                name, _cookies(head), asked.at, claim, token=token, said=answers
            )  # fmt: skip
            if not known and asked.who is not None:
                self._people.follow(asked.who, claim, _cookies(head), asked.at, token)
        if route.route.shows is None:
            return
        if body is None or not reading.readable(route, kind, body):
            _told(one.event, self.guard.showed(asked, None))
            return
        said = reading.Said(one.facts.headers, heard.words)
        shown = reading.shown(self.contract, route, kind, match.target, body, said)
        if shown and asked.who is None and not route.route.public:
            raise Unfit(_STRANGER)
        _told(one.event, self.guard.showed(asked, shown, reading.patients(route, kind, body)))


def _cookies(head: Head) -> Iterator[bytes]:
    return (value for name, value in head.headers if name == b"set-cookie")


def _told(event: Event, verdict: Verdict | None) -> None:
    """Raises Unfit for what is refused."""
    if verdict is not None:
        event.rule = verdict.refusal.rule
        if verdict.enforced:
            raise Unfit(verdict.refusal)


def is_read(match: Match, method: str, status: int) -> bool:
    """Whether an answer of this status to this method is read on its way."""
    if match.route is None or method == "HEAD":
        return False
    return _signs_in(match, status) or (match.route.route.shows is not None and 200 <= status < 300)  # noqa: PLR2004  # success, in whatever words


def _signs_in(match: Match, status: int) -> bool:
    """Whether it may be the answer to somebody who signed in."""
    return match.route is not None and match.route.route.login is not None and status < 400  # noqa: PLR2004  # it may redirect
