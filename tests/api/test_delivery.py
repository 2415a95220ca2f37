"""Whatever becomes of a download, the door hears once how much of it went out."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.types import Message

from strongroom.api.delivery import Delivery
from strongroom.api.words import Words
from strongroom.clock import ManualClock
from strongroom.errors import Tampered, Unavailable
from strongroom.keeper import protocol as p
from tests.api.standins import MemoryDoor

CHUNKS = [b"a" * 10, b"b" * 10, b"c" * 10]


class Client:
    """The other end of one response: takes messages, and may go away or stop taking them after `patience` chunks."""

    def __init__(self, patience: int = 99, *, stalls: bool = False) -> None:
        self.messages: list[Message] = []
        self._patience = patience
        self._stalls = stalls
        self._gone = asyncio.Event()
        self.stalled = asyncio.Event()

    async def receive(self) -> Message:
        """Nothing, until the client is gone."""
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Takes it, as a server does for a client that is still there; for one that is gone it says nothing."""
        self.messages.append(message)
        if len(self.body()) >= self._patience * 10:
            if self._stalls:
                self.stalled.set()
                await asyncio.Event().wait()
            self._gone.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    def body(self) -> bytes:
        """What arrived."""
        return b"".join(message.get("body", b"") for message in self.messages)


def _delivery(door: MemoryDoor, chunks: AsyncGenerator[bytes, None], idle: float = 30.0) -> Delivery:
    return Delivery(Words(door), 7, chunks, 30, status=200, headers={}, idle=idle)


async def _good() -> AsyncGenerator[bytes, None]:
    for chunk in CHUNKS:
        yield chunk


async def _fails_at(place: int, error: Exception) -> AsyncGenerator[bytes, None]:
    for index, chunk in enumerate(CHUNKS):
        if index == place:
            raise error
        yield chunk


def _deliver(
    client: Client | None = None, chunks: AsyncGenerator[bytes, None] | None = None, **more: Any
) -> tuple[Any, Client]:
    """Runs one delivery; gives what the door heard and what the client got."""
    door = MemoryDoor(ManualClock())

    async def run() -> Client:
        there = client or Client()
        await _delivery(door, chunks or _good(), **more)({"type": "http"}, there.receive, there.send)
        return there

    got = asyncio.run(run())
    (word,) = door.words(p.Delivered)
    assert word.receipt == 7
    return (word.bytes, word.complete), got


def test_all_of_it() -> None:
    """Complete, and the body is ended."""
    word, client = _deliver()
    assert word == (30, True)
    assert client.body() == b"".join(CHUNKS)
    assert client.messages[-1]["more_body"] is False


def test_a_client_that_goes_away() -> None:
    """Not complete; what was under way when it left is not counted, and nothing more is opened."""
    word, client = _deliver(Client(patience=2))
    assert word == (10, False)
    assert len(client.body()) == 20


def test_a_client_that_stops_taking() -> None:
    """After the idle time it counts as gone."""
    word, client = _deliver(Client(patience=1, stalls=True), idle=0.01)
    assert word == (0, False)
    assert client.messages[-1]["more_body"] is True


@pytest.mark.parametrize(("error", "status"), [(Tampered("x"), 500), (Unavailable("x"), 503), (OSError("x"), 503)])
def test_what_fails_before_the_first_byte(error: Exception, status: int) -> None:
    """An answer of its own, and nothing went out."""
    word, client = _deliver(chunks=_fails_at(0, error))
    assert word == (0, False)
    assert client.messages[0]["status"] == status


def test_what_fails_after_it() -> None:
    """The body is never ended, so the client sees that something is missing."""
    word, client = _deliver(chunks=_fails_at(2, Tampered("x")))
    assert word == (20, False)
    assert all(message.get("more_body", True) for message in client.messages)


def test_what_nobody_thought_of_is_told_too() -> None:
    """The error goes on to the rim, and the door has heard."""
    door = MemoryDoor(ManualClock())

    async def run() -> None:
        client = Client()
        await _delivery(door, _fails_at(1, ZeroDivisionError()))({"type": "http"}, client.receive, client.send)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())
    assert (door.words(p.Delivered)[0].bytes, door.words(p.Delivered)[0].complete) == (10, False)


def test_a_server_that_stops() -> None:
    """Cancelled in the middle, the word is still given."""
    door = MemoryDoor(ManualClock())

    async def run() -> None:
        client = Client(patience=1, stalls=True)
        task = asyncio.ensure_future(_delivery(door, _good())({"type": "http"}, client.receive, client.send))
        await client.stalled.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)

    asyncio.run(run())
    assert (door.words(p.Delivered)[0].bytes, door.words(p.Delivered)[0].complete) == (0, False)


def test_a_body_of_another_length_is_not_complete() -> None:
    """More or less than was promised is never called whole."""

    async def short() -> AsyncGenerator[bytes, None]:
        yield b"a" * 29

    word, client = _deliver(chunks=short())
    assert word == (29, False)
    assert client.messages[-1]["more_body"] is True


def test_a_body_that_nobody_asked_for_is_no_farewell() -> None:
    """What the client sends meanwhile is passed over; that it is there is known without waiting."""

    class Talker(Client):
        said = 0

        async def receive(self) -> Message:
            self.said += 1
            return await super().receive() if self.said % 3 == 0 else {"type": "http.request", "more_body": True}

    word, client = _deliver(Talker())
    assert word == (30, True)
    assert client.body() == b"".join(CHUNKS)


def test_the_last_piece_waits_for_the_end() -> None:
    """Nothing that is not known to be the whole goes out as if it were."""

    async def longer() -> AsyncGenerator[bytes, None]:
        yield b"a" * 30
        yield b"a"

    word, client = _deliver(chunks=longer())
    assert word == (0, False)
    assert client.messages[0]["status"] == 500
