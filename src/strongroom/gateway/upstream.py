"""Connections to the portal behind: kept, bounded in number, and asked one request at a time.

    async with upstream.ask(question) as answer:
        answer.head
        async for piece in answer.pieces(): ...

A connection is used again only when the end of the answer before was told, and nothing came after it. A request with a body gets a
connection of its own, or, where it is short, one that was in use a moment ago: when one that was kept turns out to be closed, only
a request that may be repeated is repeated, once.
Memory: one piece of 64 KiB at a time, either way; whoever takes pieces slowly is sent them slowly, and asks for them slowly.
"""

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

from strongroom.errors import ConfigError, Malformed, Unavailable
from strongroom.gateway.answer import AnswerReader, Head
from strongroom.gateway.sections import Upstream as Bounds
from strongroom.gateway.socket import Hearer, Line

FRESH: Final = 1.0
"""Seconds. No server closes a connection that it has kept for so short a time."""
_PORTS: Final = {"http": 80, "https": 443}


class Late(Unavailable):
    """The portal did not answer in time."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the portal is."""

    host: str
    port: int
    tls: ssl.SSLContext | None


@dataclass(frozen=True, slots=True)
class Question:
    """A request for the portal. `length` of the body in bytes; None: told by chunks. `headers`: lines, without framing."""

    method: str
    target: bytes
    headers: bytes
    body: AsyncIterable[bytes] | bytes | None = None
    length: int | None = None


def read_origin(url: str, ca_file: str = "", what: str = "--upstream") -> Origin:
    """The origin that `url` names: scheme, host and port, nothing else. `what` is called so in errors. Raises ConfigError."""
    advice = f"Write {what} http://host:port"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError("The upstream's address does not parse.", advice=advice) from error
    bare = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in _PORTS or not parts.hostname or not bare:
        raise ConfigError("The upstream's address is a scheme, a host and a port.", advice=advice)
    tls = None
    if parts.scheme == "https":
        try:
            tls = ssl.create_default_context(cafile=ca_file or None)
        except OSError as error:
            msg = f"The ca_file of {what} holds no certificates that can be read."
            raise ConfigError(msg, advice="Name a PEM file.") from error
    return Origin(parts.hostname, port or _PORTS[parts.scheme], tls)


class Hasty(Hearer, Protocol):
    """Whoever asks at once is told what comes, and when it is too late."""

    def late(self) -> None:
        """The portal did not answer in time."""


class Places:
    """So many at once; who comes when there is no place waits in a row."""

    def __init__(self, many: int) -> None:
        self.free = many
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take_now(self) -> None:
        """One of the free."""
        self.free -= 1

    async def take(self) -> None:
        """Wait for one. May be cancelled."""
        if self.free > 0:
            self.free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give()  # it came too late for whoever waited
            raise

    def give(self) -> None:
        """Back; or on to whoever has waited for the longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1


class Answer:
    """What the portal says to one question."""

    def __init__(self, head: Head, rest: AsyncIterator[bytes]) -> None:
        self.head = head
        self._rest = rest

    def pieces(self) -> AsyncIterator[bytes]:
        """The body. Raises Unavailable and Malformed where it ends before its time: then nobody may take it for whole."""
        return self._rest


class Upstream:
    """See the module."""

    def __init__(self, origin: Origin, bounds: Bounds) -> None:
        self._origin, self._bounds = origin, bounds
        self._idle: list[Line] = []
        self._places = Places(bounds.connections)
        self._hasty = dict[Hasty, float]()
        self._watch: asyncio.TimerHandle | None = None

    @contextlib.asynccontextmanager
    async def ask(self, question: Question) -> AsyncIterator[Answer]:
        """Ask, and answer while the block lasts. Raises Unavailable (Late, where it took too long) and Malformed."""
        try:
            async with asyncio.timeout(self._bounds.connect_seconds):
                await self._places.take()
        except TimeoutError as error:
            raise Late("All connections to the portal are in use.") from error
        try:
            async with self._asked(question) as answer:
                yield answer
        finally:
            self._places.give()

    # ---- for whoever asks at once -----------------------------------------------------------------------------------

    def at_once(self, question: Question, asks: Hasty) -> Line | None:
        """Ask, with a short body or none, on a connection that was kept; None: there is none, or all that may be are in use.

        With a body only on one that carried another request just now: should the portal have closed it, nobody may ask again.

        `asks` is told what comes, or that it is late, until it lets the line go: by `put_back`, or by `handed_over`.
        """
        loop = asyncio.get_running_loop()
        line = self._kept() if self._places.free > 0 else None
        if line is None:
            return None
        body = question.body if isinstance(question.body, bytes) else b""
        if body and loop.time() - line.used > FRESH:
            self._idle.append(line)
            return None
        self._places.take_now()
        line.hearer = asks
        line.send(_head_of(question) + body)
        self._hasty[asks] = loop.time() + self._bounds.answer_seconds
        if self._watch is None:
            self._watch = loop.call_later(self._look, self._look_again)
        return line

    def put_back(self, asks: Hasty, line: Line, *, over: bool) -> None:
        """The question was answered. `over`: nothing is left on the connection, and it may be used again."""
        self._hasty.pop(asks, None)
        line.hearer = None
        if over and not line.stale:
            line.used = asyncio.get_running_loop().time()
            self._idle.append(line)
        else:
            line.close()
        self._places.give()

    def let_wait(self, asks: Hasty, line: Line) -> None:
        """What comes from now on waits on the line, for `handed_over`."""
        self._hasty.pop(asks, None)
        line.hearer = None

    @contextlib.asynccontextmanager
    async def handed_over(
        self, line: Line, reader: AnswerReader, head: Head, waiting: Sequence[bytes]
    ) -> AsyncIterator[Answer]:
        """An answer that began at once: the rest as `ask` gives it."""
        exchange = _Exchange(line, None, self._bounds, reader, waiting)
        try:
            async with self._answered(exchange, head) as answer:
                yield answer
        finally:
            self._places.give()

    @property
    def _look(self) -> float:
        return min(1.0, self._bounds.answer_seconds / 4)

    def _look_again(self) -> None:
        """One clock for all: a question that is answered in time costs none of its own."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for asks in [asks for asks, end in self._hasty.items() if end <= now]:
            asks.late()
        self._watch = loop.call_later(self._look, self._look_again) if self._hasty else None

    async def close(self) -> None:
        """Close what lies idle."""
        if self._watch is not None:
            self._watch.cancel()
        while self._idle:
            self._idle.pop().close()
        await asyncio.sleep(0)  # the loop hears of it before it ends

    @contextlib.asynccontextmanager
    async def _asked(self, question: Question) -> AsyncIterator[Answer]:
        kept = self._kept() if question.body is None else None
        exchange = _Exchange(kept or await self._open(), question, self._bounds)
        try:
            try:
                head = await exchange.head()
            except Unavailable:
                if kept is None or exchange.reader.begun or question.method not in {"GET", "HEAD"}:
                    raise
                exchange.close()
                exchange = _Exchange(await self._open(), question, self._bounds)
                head = await exchange.head()
        except BaseException:
            exchange.close()
            raise
        async with self._answered(exchange, head) as answer:
            yield answer

    @contextlib.asynccontextmanager
    async def _answered(self, exchange: "_Exchange", head: Head) -> AsyncIterator[Answer]:
        try:
            yield Answer(head, exchange.pieces())
        except BaseException:
            exchange.close()
            raise
        if exchange.over:
            self._idle.append(exchange.line)
        else:
            exchange.close()

    def _kept(self) -> Line | None:
        while self._idle:
            line = self._idle.pop()
            if not line.stale:
                return line
            line.close()
        return None

    async def _open(self) -> Line:
        origin, loop = self._origin, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._bounds.connect_seconds):
                return (await loop.create_connection(Line, origin.host, origin.port, ssl=origin.tls))[1]
        except TimeoutError as error:
            raise Late("The portal takes no connection.") from error
        except OSError as error:  # and what TLS says
            raise Unavailable("The portal takes no connection.") from error


class _Exchange:
    """One question and its answer on one line.

    `question` None: it was said; `reader` and `waiting` are of what came of its answer.
    """

    def __init__(
        self, line: Line, question: Question | None, bounds: Bounds, reader: AnswerReader | None = None,
        waiting: Sequence[bytes] = (),
    ) -> None:  # fmt: skip
        self.line = line
        self.reader = reader or AnswerReader(head_only=question is not None and question.method == "HEAD")
        self._bounds = bounds
        self._waiting = list(waiting)
        self._whole = question is None  # whether all of the question was said
        self._saying = asyncio.ensure_future(_nothing() if question is None else self._say(question))

    @property
    def over(self) -> bool:
        """Whether both sides have said all, and the line is as good as new."""
        return self._whole and self.reader.reusable and not self._waiting and not self.line.stale

    def close(self) -> None:
        """End it, wherever it is."""
        if self._saying.done() and not self._saying.cancelled():
            self._saying.exception()  # whoever waited for the answer has heard of it
        self._saying.cancel()
        self.line.close()

    async def head(self) -> Head:
        """The head. Where the body cannot be had from the client, this raises what its source raised."""
        head = None
        while head is None:
            for part in self.reader.feed(await self._read()):
                if isinstance(part, Head):
                    head = part
                else:
                    self._waiting.append(part)
        return head

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body."""
        while True:
            waiting, self._waiting = self._waiting, []
            for piece in waiting:
                yield piece
            if self.reader.ended:
                return
            self._waiting = [part for part in self.reader.feed(await self._read()) if isinstance(part, bytes)]

    async def _read(self) -> bytes:
        """Bytes of the answer; none at the end of the line, if that may be where the answer ends."""
        while True:
            try:
                async with asyncio.timeout(self._bounds.answer_seconds):
                    data = await self.line.read()
            except TimeoutError as error:
                if not self._saying.done():  # an upload takes its time; its source is the one that is bounded
                    continue
                raise Late("The portal does not answer.") from error
            if data:
                return data
            if self._saying.done() and not self._saying.cancelled() and (failure := self._saying.exception()):
                raise failure
            if not self.reader.begun:
                raise Unavailable("The portal ended the connection without an answer.")
            self.reader.eof()
            return b""

    async def _say(self, question: Question) -> None:
        """The question. What the source of its body raises ends the line, and is raised where the answer is waited for."""
        try:
            self._whole = await self.line.write(_head_of(question)) and await self._say_body(question)
        except BaseException:
            self.line.close()
            raise

    async def _say_body(self, question: Question) -> bool:
        """Whether all of it was taken: a portal may answer before, and go."""
        body, length, said = question.body, question.length, 0
        if body is None:
            return True
        if isinstance(body, bytes):
            return await self.line.write(body)
        async for piece in body:
            said += len(piece)
            chunk = piece if length is not None else b"%x\r\n%b\r\n" % (len(piece), piece)
            if piece and not await self.line.write(chunk):
                return False
        if length is None:
            return await self.line.write(b"0\r\n\r\n")
        if said != length:
            raise Malformed("The body is not as long as was said.")
        return True


async def _nothing() -> None:
    """Nothing is left to say."""


def _head_of(question: Question) -> bytes:
    framing = b""
    if question.length is not None:
        framing = b"content-length: %d\r\n" % question.length
    elif question.body is not None:
        framing = b"transfer-encoding: chunked\r\n"
    return b"%b %b HTTP/1.1\r\n%b%b\r\n" % (
        question.method.encode("ascii"), question.target, question.headers, framing
    )  # fmt: skip
