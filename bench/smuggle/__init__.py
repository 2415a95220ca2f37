"""Malformed messages against the gateway with real portals behind it: what they read is what the gateway read, request by request.

Each message of `grammar` goes over a connection of its own to a gateway in learning mode (which passes on the most), before each of
two portals (`upstreams`). Noted is what the gateway asked its portal, what it logged, and what the portal read. Then, for every
request that a portal read:

1. it is one that the gateway asked, and each of those is read once: no message is read as two;
2. method, address, headers and body are those that the gateway asked;
3. the gateway's event of it has that method, and the document that stands in that address.
"""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bench import Scale
from bench.proxied import Served, gateway
from bench.report import Figure, Goal
from bench.smuggle.grammar import Grammar, Message
from bench.smuggle.upstreams import Read, lenient, strict
from strongroom.gateway.proxy import Event, Proxy
from strongroom.gateway.socket import Line
from strongroom.gateway.upstream import Answer, Hasty, Question, Upstream

MESSAGES = {"small": 5_000, "full": 50_000}
AT_ONCE = 100
"""Connections."""
PATIENCE = 0.5
"""Seconds that a client waits for an answer to what may be half a message. That it goes too early finds less, and nothing wrong."""
LONG = 120.0
PORTALS = {"uvicorn with h11": strict, "http.server": lenient}

SETTINGS = b"""
[gateway]
routes = "learn"

[guard]
mode = "off"

[waf]
mode = "off"

[[route]]
name = "letter"
path = "/letters/{document:token}"
methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
query = { q = "text", n = "int" }
content_types = ["application/pdf", "text/plain"]
public = true
"""


@dataclass
class Noted:
    """What was asked, read and logged before one portal, by the gateway's numbers."""

    asked: dict[str, Read] = field(default_factory=dict)
    read: list[Read] = field(default_factory=list)
    events: dict[str, Event] = field(default_factory=dict)
    whole: int = 0
    """Messages that are as they should be."""
    answered: int = 0
    """Of these."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, one: Read) -> None:
        """Called by a portal."""
        with self.lock:
            self.read.append(one)


def run(scale: Scale) -> Iterable[Figure]:
    """Both portals, each with messages of its own seed."""
    for seed, name in enumerate(PORTALS, 1):
        found = tried(name, seed, MESSAGES[scale])
        wrong = Counter(kind for kind, _ in differences(found))
        yield Figure(f"{name}: messages", MESSAGES[scale], "")
        yield Figure(f"{name}: requests that it read, of those that were asked", len(found.read), "", len(found.asked))
        yield Figure(f"{name}: whole messages with an answer", found.answered, "", found.whole, Goal("ratio", "==", 1))
        for kind in ("read as two", "read otherwise", "logged otherwise"):
            yield Figure(f"{name}: {kind}", wrong[kind], "", None, Goal("value", "==", 0))


def tried(name: str, seed: int, count: int) -> Noted:
    """`count` messages before the portal called `name`."""
    grammar, noted = Grammar(seed), Noted()
    messages = [grammar.message() for _ in range(count)]
    with PORTALS[name](noted.hear) as port, gateway(SETTINGS, port, prepare=lambda app: listen(app, noted)) as served:
        asyncio.run(_all(served, messages, noted))
    noted.events = served.events
    return noted


def differences(noted: Noted) -> Iterator[tuple[str, Read]]:
    """What was read as two, otherwise than it was asked, or otherwise than it was logged."""
    seen: set[str] = set()
    for one in noted.read:
        asked, event = noted.asked.get(one.id), noted.events.get(one.id)
        if asked is None or one.id in seen:
            yield "read as two", one
            continue
        seen.add(one.id)
        if (one.method, one.target, one.body, _told(one)) != (asked.method, asked.target, asked.body, _told(asked)):
            yield "read otherwise", one
        path = one.target.partition(b"?")[0].split(b"/")
        document = event.asked.document if event and event.asked else ""
        if event is None or event.method != one.method or (document and document.encode() != path[-1]):
            yield "logged otherwise", one


def _told(one: Read) -> list[tuple[bytes, bytes]]:
    framing = {b"content-length", b"transfer-encoding"}
    return sorted((name, value) for name, value in one.headers if name not in framing)


def listen(app: Proxy, noted: Noted) -> None:
    """Note what `app` asks its portal."""
    app.desk.upstream = Listening(app.desk.upstream, noted)  # type: ignore[assignment]  # as much of it as is asked


class Listening:
    """An upstream, heard."""

    def __init__(self, inner: Upstream, noted: Noted) -> None:
        self._inner, self._noted = inner, noted

    @contextlib.asynccontextmanager
    async def ask(self, question: Question) -> AsyncIterator[Answer]:
        """As the gateway asks it. What was asked is known once its body has been said."""
        said = bytearray()
        number = _number(question)

        async def heard(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
            async for piece in pieces:
                said.extend(piece)
                self._note(question, number, said)
                yield piece

        body = question.body
        if isinstance(body, bytes):
            said.extend(body)
        elif body is not None:
            body = heard(body)
        self._note(question, number, said)
        async with self._inner.ask(
            Question(question.method, question.target, question.headers, body, question.length)
        ) as answer:
            yield answer

    def _note(self, question: Question, number: str, said: bytearray) -> None:
        with self._noted.lock:
            self._noted.asked[number] = Read(question.method, question.target, _lines(question), bytes(said))

    def at_once(self, question: Question, asks: Hasty) -> Line | None:
        """As `ask`, on a connection that was kept."""
        line = self._inner.at_once(question, asks)
        if line is not None:
            self._note(
                question, _number(question), bytearray(question.body if isinstance(question.body, bytes) else b"")
            )
        return line

    def __getattr__(self, name: str) -> Any:
        """What says nothing to the portal."""
        return getattr(self._inner, name)

    async def close(self) -> None:
        """With the gateway."""
        await self._inner.close()


def _lines(question: Question) -> tuple[tuple[bytes, bytes], ...]:
    lines = (line.partition(b": ") for line in question.headers.split(b"\r\n")[:-1])
    return tuple((name, value) for name, _, value in lines)


def _number(question: Question) -> str:
    return dict(_lines(question))[b"x-request-id"].decode()


async def _all(served: Served, messages: Iterable[Message], noted: Noted) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(message: Message) -> None:
        async with places:
            answer = await _say(served.port, message)
        noted.whole += message.whole
        noted.answered += message.whole and answer.startswith(b"HTTP/1.1 ")

    await asyncio.gather(*map(one, messages))


async def _say(port: int, message: Message) -> bytes:
    """The answer; to a message that is as it should be until the connection ends, else until nothing more comes for a while."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        writer.write(message.raw)
        while piece := await asyncio.wait_for(reader.read(65_536), LONG if message.whole else PATIENCE):
            found += piece
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return found
