"""The way to the door: what a client is told when the keeper answers late, nonsense, or not at all."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from strongroom.errors import Unavailable
from strongroom.keeper import socket as keeper_socket
from strongroom.keeper.acts import MAX_ACT, ActDone, ActRefused, Health, OfficersRequest, Take, Which
from strongroom.keeper.client import KeeperClient, OfficersClient, OfficersLine
from strongroom.keeper.frame import frame
from strongroom.keeper.protocol import MAX_REQUEST, AppRequest, Delivered, Deliveries, Done, Ping, Refused, Status
from strongroom.keeper.socket import Listener

BODY: Any = AppRequest
LONG = 60.0
"""Seconds for what must be answered: a machine that stands still for a while is no keeper that is away."""


def said(number: int) -> Deliveries:
    """A request that has a number."""
    return Deliveries(words=(Delivered(receipt=number, bytes=1, complete=True),))


async def answering(path: Path, *replies: bytes) -> asyncio.Server:
    """A keeper that sends one of these for the first thing it is sent on a connection, and hangs up."""
    waiting = list(replies)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(65_536):
            writer.write(waiting.pop(0))
        writer.close()

    return await asyncio.start_unix_server(serve, str(path))


def test_nonsense_or_a_hang_up_is_no_answer_and_the_next_request_connects_anew(tmp_path: Path) -> None:
    """Garbage, an answer to what was not asked and then the end, and at last a right answer."""
    path = tmp_path / "k.sock"

    async def run() -> None:
        good = Status(open=True, log_size=1)
        server = await answering(path, b"\xff" * 32, frame(99, good), frame(3, good))
        client = KeeperClient(path, timeout=LONG)
        client.close()
        for _ in range(2):
            with pytest.raises(Unavailable, match="does not answer"):
                await client.ask(Ping())
        assert await client.ask(Ping()) == good
        client.close()
        server.close()

    asyncio.run(run())


def test_an_answer_that_comes_too_late_is_nobodys(tmp_path: Path) -> None:
    """It does not answer the next request."""
    path, gate = tmp_path / "k.sock", asyncio.Event()

    async def first_waits(request: Any, _uid: int) -> object:
        if request.words[0].receipt == 0:
            await gate.wait()
        return Done(receipt=request.words[0].receipt)

    async def run() -> None:
        door = Listener(path, BODY, MAX_REQUEST, first_waits, lambda _uid: True, garbled=Refused(why="malformed"))
        await door.start(0o600)
        client = KeeperClient(path, timeout=0.2)
        with pytest.raises(Unavailable):
            await client.ask(said(0))
        client._timeout = LONG
        gate.set()
        assert await client.ask(said(1)) == Done(receipt=1)
        client.close()
        await door.stop()
        await door.stop()

    asyncio.run(run())


def test_requests_under_way_fail_when_the_keeper_goes(tmp_path: Path) -> None:
    """At once, not after their time."""
    path, arrived = tmp_path / "k.sock", asyncio.Semaphore(0)

    async def never(_request: object, _uid: int) -> object:
        arrived.release()
        await asyncio.Event().wait()
        return Done()

    async def run() -> None:
        door = Listener(path, BODY, MAX_REQUEST, never, lambda _uid: True, garbled=Refused(why="malformed"))
        await door.start(0o600)
        client = KeeperClient(path, timeout=10 * LONG)
        asked = [asyncio.ensure_future(client.ask(Ping())) for _ in range(3)]
        async with asyncio.timeout(LONG):
            for _ in asked:
                await arrived.acquire()
            asked[0].cancel()
            await door.stop()
            found = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in found] == [asyncio.CancelledError, Unavailable, Unavailable]

    asyncio.run(run())


def test_more_connections_than_there_is_room_for_are_turned_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are there go on; a place that becomes free is taken."""
    monkeypatch.setattr(keeper_socket, "MAX_CONNECTIONS", 1)
    path = tmp_path / "k.sock"

    async def status(_request: object, _uid: int) -> object:
        return Status(open=True, log_size=0)

    async def run() -> None:
        door = Listener(path, BODY, MAX_REQUEST, status, lambda _uid: True, garbled=Refused(why="malformed"))
        await door.start(0o600)
        one, two = KeeperClient(path, timeout=LONG), KeeperClient(path, timeout=LONG)
        await one.ask(Ping())
        with pytest.raises(Unavailable):
            await two.ask(Ping())
        await one.ask(Ping())
        one.close()
        while door._connections:  # noqa: ASYNC110  # the listener's own loop tells nobody
            await asyncio.sleep(0.001)
        assert isinstance(await two.ask(Ping()), Status)
        two.close()
        await door.stop()

    asyncio.run(run())


@contextmanager
def officers_socket(path: Path, answer: Callable[[socket.socket], None]) -> Iterator[None]:
    """A keeper's officers' socket that answers one connection."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


def test_an_officer_gets_a_long_answer_whole(tmp_path: Path) -> None:
    """However many pieces it comes in."""
    reply = ActDone(receipt=1, result=b"x" * 1_000_000)
    path = tmp_path / "o.sock"
    with officers_socket(path, lambda connection: connection.sendall(frame(1, reply))):
        assert OfficersClient(path).ask(Health()) == reply


def test_an_officer_is_told_when_there_is_no_answer(tmp_path: Path) -> None:
    """Hung up before or amid the answer, or no socket at all."""
    path = tmp_path / "o.sock"
    with pytest.raises(Unavailable, match="officers"):
        OfficersClient(path).ask(Health())
    for sent in (b"", frame(1, ActDone(receipt=1))[:5]):
        path.unlink(missing_ok=True)
        with (
            officers_socket(path, lambda connection, sent=sent: connection.sendall(sent)),  # type: ignore[misc]  # a default
            pytest.raises(Unavailable, match="officers"),
        ):
            OfficersClient(path).ask(Health())


def test_a_line_to_the_officers_socket_is_kept_and_not_made_anew(tmp_path: Path) -> None:
    """Many questions are under way on it; once the keeper is gone, or another one is in its place, it is over."""
    path = tmp_path / "k.sock"
    officers: Any = OfficersRequest

    async def answer(request: Any, _uid: int) -> object:
        return ActDone(receipt=request.version) if isinstance(request, Which) else ActRefused(why="no")

    async def run() -> None:
        with pytest.raises(Unavailable, match="officers' socket"):
            await OfficersLine.open(path)
        door = Listener(path, officers, MAX_ACT, answer, lambda _uid: True, garbled=ActRefused(why="malformed"))
        await door.start(0o600)
        line = await OfficersLine.open(path)
        questions = [line.ask(Which(ticket="t", document="d", version=number)) for number in range(20)]
        assert await asyncio.gather(*questions) == [ActDone(receipt=number) for number in range(20)]
        assert await line.ask(Take(ticket="t")) == ActRefused(why="no")
        await door.stop()
        await door.start(0o600)
        with pytest.raises(Unavailable, match="does not answer"):
            await line.ask(Take(ticket="t"))
        line.close()
        await door.stop()

    asyncio.run(run())
