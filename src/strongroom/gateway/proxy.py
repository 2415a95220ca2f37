"""One request, from the street to the portal and back. The order is the protection.

1. what belongs to the connection alone, and who the client is (`headers`);
2. the contract: what is not described goes no further (`contract`);
3. who asks; a document needs somebody who is signed in (`person`);
4. the guard may refuse, by what it counted so far (`ports.Guard`);
5. the WAF looks at the request as it will be forwarded, and nothing of a body goes on before that (`flow`, `waf`);
6. the portal is asked, in our words: what was parsed is written again, what came is not passed on (`upstream`);
7. the guard counts what it gives, or refuses it, before a byte goes out;
8. the answer flows back; what it shows is learned before its last bytes go out; a failure of the portal is never shown raw.

Every request ends in one `Event`. Nothing is passed on after an error of ours: 503.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec
from starlette.types import Message, Receive, Scope, Send

from strongroom.clock import Clock
from strongroom.errors import Malformed, Unavailable, where
from strongroom.gateway import body as bodies
from strongroom.gateway import looks, reading
from strongroom.gateway.answer import Head
from strongroom.gateway.contract import Contract, Headers, Match, Request, family, max_body, media_type
from strongroom.gateway.flow import Seen, flow, seen
from strongroom.gateway.headers import check_connection, client_of, scheme_of, to_client, to_portal
from strongroom.gateway.intake import Gone, Intake, Unfit
from strongroom.gateway.modsecurity import Hit, Subject
from strongroom.gateway.multipart import content_type as spelled
from strongroom.gateway.named import named
from strongroom.gateway.person import People
from strongroom.gateway.ports import Asked, Guard, Verdict
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.settings import Checked
from strongroom.gateway.sqlite import Uncounted
from strongroom.gateway.upstream import Answer, Late, Question, Upstream
from strongroom.gateway.waf import Waf
from strongroom.identity.network import network_of
from strongroom.ids import new_id

HEALTH: Final = "/.strongroom/health"
UNDESCRIBED: Final = 20 * 1_048_576
"""Bytes of a body that no route describes, in learning mode."""
_log = logging.getLogger("strongroom.gateway")


@dataclass(slots=True)
class Event:
    """What became of one request. Names and hashes; no address of a document, no name of a person."""

    request: str
    at: int
    method: str = ""
    network: str = ""
    asked: Asked | None = None
    status: int = 0
    """What the client was told; 0: it went before."""
    portal: int = 0
    """What the portal said; 0: it was not asked, or did not answer."""
    size: int = 0
    rule: str = ""
    """What refused it; or, in learning mode, would have."""
    refused: bool = False
    hits: tuple[Hit, ...] = ()
    """Rules of the WAF that matched."""
    seen: str = ""
    """How much of the body the WAF looked at (`flow.Seen`); empty: it did not look."""


class Vouching(Protocol):
    """Signs what the portal is to believe of a request."""

    def __call__(
        self, headers: Headers, *, method: str, wire: bytes, client: str, request: str
    ) -> list[tuple[bytes, bytes]]:
        """Headers to add, by names that are never taken from clients (`headers`)."""


@dataclass(slots=True)
class _Exchange:
    """One request as it stands."""

    scope: Scope
    send: Send
    headers: Headers
    intake: Intake
    event: Event
    started: bool = False
    login: str = ""
    named: dict[str, str] = field(default_factory=dict)
    """Parameters that stood in its body."""
    watch: list[asyncio.Task[None]] = field(default_factory=list)

    async def tell(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.event.status = True, message["status"]
        else:
            self.event.size += len(message["body"])
        await self.send(message)

    @property
    def gone(self) -> bool:
        return any(task.done() for task in self.watch)


class Proxy:
    """The gateway as an ASGI application."""

    def __init__(
        self, checked: Checked, upstream: Upstream, people: People, guard: Guard, clock: Clock,
        *, report: Callable[[Event], None], waf: Waf | None = None, vouch: Vouching | None = None,
    ) -> None:  # fmt: skip
        """`waf` is None where gateway.toml says that it is off. `vouch` is for a portal that believes what we sign."""
        self._checked, self._upstream, self._people = checked, upstream, people
        self._guard, self._clock, self._report, self._waf = guard, clock, report, waf
        self._contract, self._vouch = Contract(checked), vouch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; or, for uvicorn, the beginning and the end of all."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["path"] == HEALTH:
            settings = self._checked.settings
            waf = "off" if self._waf is None else settings.waf.mode
            await _health(send, {"routes": settings.gateway.routes, "guard": settings.guard.mode, "waf": waf})
            return
        event = Event(new_id(), int(self._clock.now()), scope["method"])
        one = _Exchange(scope, send, scope["headers"], Intake(receive, UNDESCRIBED), event)
        try:
            await self._handled(one)
        finally:
            for task in one.watch:
                task.cancel()
            self._report(event)

    async def _live(self, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await self._upstream.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _handled(self, one: _Exchange) -> None:
        """Every failure becomes an answer of ours, or, when the portal's has begun, the end of the connection."""
        try:
            await self._passed(one)
        except Gone:
            return
        except Unfit as error:
            refusal = error.refusal
        except Uncounted as error:
            refusal = _failed(one, 503, "guard-failed", error)
            _log.error("WHAT LEAVES CANNOT BE COUNTED, and nothing leaves: %s", error)
        except Late as error:
            refusal = _failed(one, 504, "portal-late", error)
        except (Unavailable, Malformed) as error:
            refusal = _failed(one, 502, "portal-failed", error)
        except Exception as error:  # noqa: BLE001  # closed: whatever we did not think of is passed on to nobody
            refusal = _failed(one, 503, "gateway-failed", error)
        else:
            return
        if one.started:
            one.event.rule = refusal.rule
            raise ConnectionAbortedError  # an answer that is not whole must not look whole
        await _refuse(one, refusal)

    async def _passed(self, one: _Exchange) -> None:
        peer, proxies = one.scope["client"][0], self._checked.proxies
        address = client_of(peer, one.headers, proxies)  # 1
        network = one.event.network = network_of(address, proxies)
        refusal = check_connection(one.headers) or self._people.check(one.headers)
        if refusal is not None:
            raise Unfit(refusal)
        match = self._contract.check(Request(one.scope["method"], _target(one.scope), one.headers))  # 2
        if isinstance(match, Refusal):
            raise Unfit(match)
        one.event.rule = match.noted.rule if match.noted else ""
        asked, verdict = self._admitted(one, match, network)  # 3, 4
        scheme = scheme_of(peer, one.scope["scheme"], one.headers, proxies)
        question = await self._question(one, match, str(address), scheme)  # 5
        if one.named:
            match = match.naming(one.named)
            asked, verdict = self._admitted(one, match, network)  # 3, 4 again: only the body names the document
        announced = 0
        try:
            async with self._upstream.ask(question) as answer:  # 6
                announced = self._counted(one, asked, answer.head, verdict)  # 7
                await self._answer(one, match, asked, answer)  # 8
        finally:
            if not announced:
                self._guard.served(asked, one.event.size)

    def _admitted(self, one: _Exchange, match: Match, network: str) -> tuple[Asked, Verdict | None]:
        """Who asks, and what the guard has to say before the portal is asked. Raises Unfit for what is refused."""
        asked = one.event.asked = self._asked(one, match, network)
        if match.document and asked.who is None and match.route and not match.route.route.public:
            raise Unfit(Refusal(401, "document-stranger", "A document needs somebody who is signed in."))
        verdict = self._guard.before(asked)
        if verdict is not None:
            one.event.rule = verdict.refusal.rule
            if verdict.enforced:
                raise Unfit(verdict.refusal)
        return asked, verdict

    def _counted(self, one: _Exchange, asked: Asked, head: Head, before: Verdict | None) -> int:
        """Before a byte of it goes out; gives the bytes that were counted. Raises Unfit for what is refused now, and Uncounted."""
        one.event.portal = head.status
        length = dict(head.headers).get(b"content-length", b"0")
        size = 0 if one.event.method == "HEAD" else int(length)
        verdict = self._guard.answered(asked, head.status, size, before)
        if verdict is not None:
            one.event.rule = verdict.refusal.rule
            if verdict.enforced:
                raise Unfit(verdict.refusal)
        return size

    def _asked(self, one: _Exchange, match: Match, network: str) -> Asked:
        route = match.route
        return Asked(
            one.event.request, one.event.at, route.route.name if route else "", self._people.who(one.headers), network,
            looks.device(one.headers), family(route) if route and match.document else "", match.document, match.patient,
            looks.manner(one.headers) if match.document or (route and route.route.proves) else "",
        )  # fmt: skip

    async def _question(self, one: _Exchange, match: Match, address: str, scheme: str) -> Question:
        one.headers = [(name, spelled(value) if name == b"content-type" else value) for name, value in one.headers]
        headers = dict(one.headers)
        content_type = headers.get(b"content-type", b"")
        route, kind = match.route, media_type(content_type)
        plain = route is not None and (
            route.route.shows is not None or bool(route.route.login and route.route.login.answer)
        )
        told = to_portal(
            one.headers,
            client=address,
            host=headers.get(b"host", b""),
            scheme=scheme,
            request=one.event.request,
            plain=plain,
        )
        method, wire = one.scope["method"], match.target.wire
        if self._vouch is not None:
            told += self._vouch(one.headers, method=method, wire=wire, client=address, request=one.event.request)
        if b"transfer-encoding" not in headers and headers.get(b"content-length", b"0") == b"0":
            await self._inspected(one, match, Subject(method, wire, one.headers, address))
            one.watch.append(asyncio.ensure_future(one.intake.gone()))
            length = 0 if method in {"POST", "PUT", "PATCH"} else None
            return Question(method, wire, told, length=length)
        if route is not None:
            one.intake.most = max_body(route, kind)

        async def look(body: bytes) -> None:
            headers = [(name, value) for name, value in one.headers if name != b"transfer-encoding"]
            subject = Subject(method, wire, headers, address, body)
            await self._inspected(one, match, subject, seen(kind, described=route is not None))

        max_keys = route.route.max_keys if route else bodies.MAX_KEYS
        body = flow(one.intake, content_type, kind, look, max_keys=max_keys, described=route is not None)
        first = await anext(body, b"")
        if not bodies.whole(kind):
            size = headers.get(b"content-length")
            return Question(method, wire, told, _joined(first, body), int(size) if size is not None else None)
        if route is not None and route.body:
            values = named(route, kind, first)
            if isinstance(values, Refusal):
                raise Unfit(values)
            one.named = values
        if route is not None and route.route.login is not None:
            one.login = reading.name_in_request(route.route.login, route, kind, first)
        one.watch.append(asyncio.ensure_future(one.intake.gone()))
        return Question(method, wire, told, _joined(first, body), len(first))

    async def _inspected(self, one: _Exchange, match: Match, subject: Subject, how: Seen = Seen.ALL) -> None:
        """Raises Unfit for what the WAF blocks, and where it cannot look."""
        if self._waf is None:
            return
        found = await self._waf.inspect(subject, b"" if subject.body else match.alike)
        one.event.hits, one.event.seen = found.hits, how
        if found.refusal is not None:
            one.event.rule = found.refusal.rule
            if found.enforced:
                raise Unfit(found.refusal)

    async def _answer(self, one: _Exchange, match: Match, asked: Asked, answer: Answer) -> None:
        head = answer.head
        if head.status >= 500:  # noqa: PLR2004  # what the portal says of its own failures is not for strangers
            status = 503 if head.status == 503 else 502  # noqa: PLR2004  # it will be back
            await _refuse(one, Refusal(status, "portal-error", "The portal could not answer. Try again later."))
            return
        self._created(match, asked, head)
        if match.route is not None and match.route.route.proves and head.status < 400:  # noqa: PLR2004  # success; it may redirect
            self._guard.proved(asked)
        start: Message = {
            "type": "http.response.start",
            "status": head.status,
            "headers": to_client(head.status, head.headers, one.event.request),
        }
        await one.tell(start)
        reader = _Reading(head) if _is_read(match, head.status) else None
        held = b""
        async for piece in answer.pieces():
            if one.gone:
                raise Gone
            if reader is None:
                await one.tell({"type": "http.response.body", "body": piece, "more_body": True})
                continue
            reader.add(piece)
            if held:
                await one.tell({"type": "http.response.body", "body": held, "more_body": True})
            held = piece
        if reader is not None:
            self._learn(one, match, asked, head, reader.body)
        await one.tell({"type": "http.response.body", "body": held, "more_body": False})

    def _created(self, match: Match, asked: Asked, head: Head) -> None:
        """Whoever put a document in has been shown it: the answer names it (RFC 9110, section 10.2.2)."""
        if match.route is None or head.status != 201:  # noqa: PLR2004  # Created
            return
        made = self._contract.document_of(reading.path_of(dict(head.headers).get(b"location", b"")))
        if made is not None:
            self._guard.showed(asked, frozenset({made}))

    def _learn(self, one: _Exchange, match: Match, asked: Asked, head: Head, body: bytes | None) -> None:
        """From an answer that was read. `body` is None where it could not be."""
        route = match.route
        if route is None:
            return
        headers = head.headers
        if route.route.login is not None:
            name = reading.name_in_json(route, body) if route.route.login.answer and body is not None else one.login
            self._people.login(name, (value for key, value in headers if key == b"set-cookie"), asked.at)
        if route.route.shows is not None:
            kind = dict(headers).get(b"content-type", b"")
            shown = None if body is None else reading.shown(self._contract, route, kind, match.target, body)
            self._guard.showed(asked, shown)


class _Reading:
    """An answer that is read on its way, up to `reading.MAX_READ` bytes."""

    def __init__(self, head: Head) -> None:
        coding = dict(head.headers).get(b"content-encoding", b"identity").lower()
        self._body: bytearray | None = bytearray() if coding in {b"identity", b""} else None

    @property
    def body(self) -> bytes | None:
        """None where it cannot be read."""
        return None if self._body is None else bytes(self._body)

    def add(self, piece: bytes) -> None:
        if self._body is not None:
            self._body += piece
            if len(self._body) > reading.MAX_READ:
                self._body = None


def _is_read(match: Match, status: int) -> bool:
    route = match.route
    if route is None:
        return False
    return (route.route.shows is not None and status == 200) or (route.route.login is not None and status < 400)  # noqa: PLR2004  # success; a login may redirect


def _target(scope: Scope) -> bytes:
    query: bytes = scope["query_string"]
    raw: bytes = scope["raw_path"]
    return raw + b"?" + query if query else raw


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _failed(one: _Exchange, status: int, rule: str, error: Exception) -> Refusal:
    _log.warning("request %s: %s: %s", one.event.request, rule, where(error))
    what = "The gateway" if rule.startswith("gateway") else "The portal"
    return Refusal(status, rule, f"{what} could not answer. Try again later.")


async def _refuse(one: _Exchange, refusal: Refusal) -> None:
    """In words of ours; the number finds the event."""
    one.event.rule, one.event.refused = refusal.rule, True
    body = msgspec.json.encode({"error": refusal.rule, "message": refusal.because, "request": one.event.request})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-request-id", one.event.request.encode()),
    ]
    if refusal.allow:
        headers.append((b"allow", ", ".join(refusal.allow).encode()))
    headers += refusal.extra
    if refusal.status in {502, 503, 504}:
        headers.append((b"retry-after", b"5"))
    size = one.event.size
    await one.tell({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await one.tell({"type": "http.response.body", "body": body, "more_body": False})
    one.event.size = size  # of the portal's documents, nothing


async def _health(send: Send, modes: dict[str, str]) -> None:
    body = msgspec.json.encode({"status": "ok", **modes})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
