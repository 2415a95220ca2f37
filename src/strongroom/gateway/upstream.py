"""Connections to the portal behind: kept, bounded in number, and asked one request at a time.

    async with upstream.ask(question) as answer:
        answer.head
        async for piece in answer.pieces(): ...

A connection is used again only when the end of the answer before was told, and nothing came after it. A request with a body gets a
connection of its own: when one that was kept turns out to be closed, only a request that may be repeated is repeated, once.
Memory: one piece of 64 KiB at a time, either way; whoever takes pieces slowly is sent them slowly, and asks for them slowly.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from strongroom.errors import ConfigError, Malformed, Unavailable
from strongroom.gateway.answer import AnswerReader, Head
from strongroom.gateway.settings import Upstream as Bounds
from strongroom.gateway.socket import Line

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
    """A request for the portal. `length` of the body in bytes; None: told by chunks. Headers without framing."""

    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: AsyncIterable[bytes] | None = None
    length: int | None = None


def read_origin(url: str, ca_file: str = "") -> Origin:
    """The origin that `url` names: scheme, host and port, nothing else. Raises ConfigError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(
            "The upstream's address does not parse.", advice="Write --upstream http://host:port"
        ) from error
    bare = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in _PORTS or not parts.hostname or not bare:
        raise ConfigError(
            "The upstream's address is a scheme, a host and a port.", advice="Write --upstream http://host:port"
        )
    tls = None
    if parts.scheme == "https":
        try:
            tls = ssl.create_default_context(cafile=ca_file or None)
        except OSError as error:
            raise ConfigError("upstream.ca_file holds no certificates that can be read.") from error
    return Origin(parts.hostname, port or _PORTS[parts.scheme], tls)


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
        self._places = asyncio.Semaphore(bounds.connections)

    @contextlib.asynccontextmanager
    async def ask(self, question: Question) -> AsyncIterator[Answer]:
        """Ask, and answer while the block lasts. Raises Unavailable (Late, where it took too long) and Malformed."""
        try:
            async with asyncio.timeout(self._bounds.connect_seconds):
                await self._places.acquire()
        except TimeoutError as error:
            raise Late("All connections to the portal are in use.") from error
        try:
            async with self._asked(question) as answer:
                yield answer
        finally:
            self._places.release()

    async def close(self) -> None:
        """Close what lies idle."""
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
    """One question and its answer on one line."""

    def __init__(self, line: Line, question: Question, bounds: Bounds) -> None:
        self.line = line
        self.reader = AnswerReader(head_only=question.method == "HEAD")
        self._question, self._bounds = question, bounds
        self._waiting: list[bytes] = []
        self._whole = False  # whether all of the question was said
        self._saying = asyncio.ensure_future(self._say())

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

    async def _say(self) -> None:
        """The question. What the source of its body raises ends the line, and is raised where the answer is waited for."""
        try:
            self._whole = await self.line.write(_head_of(self._question)) and await self._say_body()
        except BaseException:
            self.line.close()
            raise

    async def _say_body(self) -> bool:
        """Whether all of it was taken: a portal may answer before, and go."""
        body, length, said = self._question.body, self._question.length, 0
        if body is None:
            return True
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


def _head_of(question: Question) -> bytes:
    lines = [b"%b %b HTTP/1.1" % (question.method.encode("ascii"), question.target)]
    lines += [b"%b: %b" % pair for pair in question.headers]
    if question.length is not None:
        lines.append(b"content-length: %d" % question.length)
    elif question.body is not None:
        lines.append(b"transfer-encoding: chunked")
    return b"\r\n".join([*lines, b"", b""])
