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
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from strongroom.clock import Clock
from strongroom.gateway import body as bodies
from strongroom.gateway import reading
from strongroom.gateway.answer import AnswerReader, Head
from strongroom.gateway.contract import max_body, media_type
from strongroom.gateway.event import Event
from strongroom.gateway.flow import flow, seen
from strongroom.gateway.headers import to_client
from strongroom.gateway.intake import Gone, Intake
from strongroom.gateway.live import Learning
from strongroom.gateway.modsecurity import Subject
from strongroom.gateway.person import People
from strongroom.gateway.ports import Guard
from strongroom.gateway.quick import Desk, in_our_words, portal_error, refusal_of
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.settings import Checked
from strongroom.gateway.socket import Line
from strongroom.gateway.steps import NOTHING, Admitted, Heard, Steps, Vouching, is_read
from strongroom.gateway.upstream import Answer, Question, Upstream
from strongroom.gateway.waf import Waf

__all__ = ["HEALTH", "Event", "Proxy", "Vouching"]

HEALTH: Final = "/.strongroom/health"
UNDESCRIBED: Final = 20 * 1_048_576
"""Bytes of a body that no route describes, in learning mode."""


@dataclass(slots=True)
class _Exchange:
    """One request as it stands."""

    scope: Scope
    send: Send
    intake: Intake
    event: Event
    started: bool = False
    heard: Heard = NOTHING
    """What its body named."""
    watch: list[asyncio.Task[None]] = field(default_factory=list)

    async def tell(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.event.status = True, message["status"]
        else:
            self.event.size += len(message["body"])
        await self.send(message)

    def watches(self) -> None:
        """From now on it is known when the client has gone."""
        self.watch.append(asyncio.ensure_future(self.intake.gone()))

    @property
    def gone(self) -> bool:
        return any(task.done() for task in self.watch)


class Proxy:
    """The gateway as an ASGI application."""

    def __init__(
        self, checked: Checked, upstream: Upstream, people: People, guard: Guard, clock: Clock,
        *, report: Callable[[Event], None], waf: Waf | None = None, vouch: Vouching | None = None,
        learning: Learning | None = None, others: Mapping[str, Upstream] | None = None,
    ) -> None:  # fmt: skip
        """`waf` is None where gateway.toml says that it is off. `vouch` is for a portal that believes what we sign. `learning` sees
        what passes undescribed. `others`: upstreams of the routes that name them.
        """
        self._checked, self._report, self._waf = checked, report, waf
        self._steps = Steps(checked, people, guard, clock, waf, vouch, learning=learning)
        self.desk = Desk(self._steps, upstream, self, report, others or {})

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
        one = _Exchange(scope, send, Intake(receive, UNDESCRIBED), self._steps.event(scope["method"]))
        await self._ended(one, self._passed(one))

    def asking(self, one: Admitted, question: Question, heard: Heard) -> ASGIApp:
        """See `quick.Rest`."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = _Exchange(scope, send, Intake(receive, 0), one.event, heard=heard)
            exchange.watches()
            await self._ended(exchange, self._asked(exchange, one, question))

        return app

    def answering(
        self, one: Admitted, line: Line, reader: AnswerReader, head: Head, pieces: list[bytes], heard: Heard
    ) -> ASGIApp:
        """See `quick.Rest`."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = _Exchange(scope, send, Intake(receive, 0), one.event, heard=heard)
            exchange.watches()
            answer = self.desk.upstream_of(one).handed_over(line, reader, head, pieces)
            await self._ended(exchange, self._answered(exchange, one, answer))

        return app

    async def _live(self, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await self.desk.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _ended(self, one: _Exchange, passing: Awaitable[None]) -> None:
        try:
            await self._handled(one, passing)
        finally:
            for task in one.watch:
                task.cancel()
            self._report(one.event)

    async def _handled(self, one: _Exchange, passing: Awaitable[None]) -> None:
        """Every failure becomes an answer of ours, or, when the portal's has begun, the end of the connection."""
        try:
            await passing
        except Exception as error:  # noqa: BLE001  # closed: whatever we did not think of is passed on to nobody
            refusal = refusal_of(one.event, error)
        else:
            return
        if refusal is None:
            return
        if one.started:
            one.event.rule = refusal.rule
            raise ConnectionAbortedError  # an answer that is not whole must not look whole
        await _refuse(one, refusal)

    async def _passed(self, one: _Exchange) -> None:
        scope = one.scope
        facts = self._steps.facts(scope["client"][0], scope["scheme"], scope["headers"])
        admitted = self._steps.admit(one.event, facts, _target(scope))  # 1 to 4
        question = await self._question(one, admitted)  # 5
        if one.heard.named:
            admitted = self._steps.named(admitted, one.heard.named)
        await self._asked(one, admitted, question)

    async def _asked(self, one: _Exchange, admitted: Admitted, question: Question) -> None:
        await self._steps.inspected(admitted)  # 5, where that was not done yet
        await self._answered(one, admitted, self.desk.upstream_of(admitted).ask(question))  # 6

    async def _answered(self, one: _Exchange, admitted: Admitted, asking: AbstractAsyncContextManager[Answer]) -> None:
        uncounted = False
        try:
            async with asking as answer:
                uncounted = self._steps.counted(admitted, answer.head)  # 7
                await self._answer(one, admitted, answer)  # 8
        finally:
            if uncounted:
                self._steps.guard.served(admitted.asked, one.event.size)

    async def _question(self, one: _Exchange, admitted: Admitted) -> Question:
        facts, match, method = admitted.facts, admitted.match, one.event.method
        headers = dict(facts.read)
        content_type = headers.get(b"content-type", b"")
        route, kind = match.route, media_type(content_type)
        told, wire = self._steps.lines(admitted), match.target.wire
        if b"transfer-encoding" not in headers and headers.get(b"content-length", b"0") == b"0":
            self._steps.inspect(admitted)
            one.watches()
            length = 0 if method in {"POST", "PUT", "PATCH"} else None
            return Question(method, wire, told, length=length)
        if route is not None:
            one.intake.most = max_body(route, kind)

        async def look(body: bytes) -> None:
            if self._waf is None:
                return
            read = [(name, value) for name, value in facts.read if name != b"transfer-encoding"]
            found = await self._waf.inspect(Subject(method, wire, read, facts.address, body))
            self._steps.found(one.event, found, seen(kind, described=route is not None))

        max_keys = route.route.max_keys if route else bodies.MAX_KEYS
        body = flow(one.intake, content_type, kind, look, max_keys=max_keys, described=route is not None)
        first = await anext(body, b"")
        if not bodies.whole(kind):
            size = headers.get(b"content-length")
            return Question(method, wire, told, _joined(first, body), int(size) if size is not None else None)
        one.heard = self._steps.heard(admitted, kind, first)
        one.watches()
        return Question(method, wire, told, _joined(first, body), len(first))

    async def _answer(self, one: _Exchange, admitted: Admitted, answer: Answer) -> None:
        head = answer.head
        if head.status >= 500:  # noqa: PLR2004  # what the portal says of its own failures is not for strangers
            await _refuse(one, portal_error(head.status))
            return
        self._steps.noticed(admitted, head)
        start: Message = {
            "type": "http.response.start",
            "status": head.status,
            "headers": to_client(head.status, head.headers, one.event.request),
        }
        reader = _Reading() if is_read(admitted.match, one.event.method, head.status) else None
        async for piece in answer.pieces():
            if one.gone:
                raise Gone
            if reader is not None and reader.add(piece):
                continue  # held until it was read
            if reader is not None and not one.started:  # too much of it; perhaps it may flow
                self._steps.learn(admitted, head, None, one.heard)
            if not one.started:
                await one.tell(start)
            for held in (*(reader.held() if reader is not None else ()), piece):
                await one.tell({"type": "http.response.body", "body": held, "more_body": True})
        if reader is not None and not one.started:
            self._steps.learn(admitted, head, reader.body, one.heard)
        if not one.started:
            await one.tell(start)
        last = b"".join(reader.held()) if reader is not None else b""
        await one.tell({"type": "http.response.body", "body": last, "more_body": False})


class _Reading:
    """An answer that is held until it was read, up to `reading.MAX_READ` bytes; more is not read."""

    def __init__(self) -> None:
        self._read, self._held, self._size = True, list[bytes](), 0

    @property
    def body(self) -> bytes:
        """What is held."""
        return b"".join(self._held)

    def add(self, piece: bytes) -> bool:
        """Whether it is held. If not, neither is anything from now on."""
        self._size += len(piece)
        self._read = self._read and self._size <= reading.MAX_READ
        if self._read:
            self._held.append(piece)
        return self._read

    def held(self) -> list[bytes]:
        """What is held, and is so no longer."""
        held, self._held = self._held, []
        return held


def _target(scope: Scope) -> bytes:
    query: bytes = scope["query_string"]
    raw: bytes = scope["raw_path"]
    return raw + b"?" + query if query else raw


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _refuse(one: _Exchange, refusal: Refusal) -> None:
    headers, body = in_our_words(one.event, refusal)
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
