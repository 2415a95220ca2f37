"""The socket and its client: many requests at once, refusals within the time-out, and nobody let in who should not be."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from strongroom.errors import ConfigError, Unavailable
from strongroom.keeper.client import KeeperClient
from strongroom.keeper.protocol import (
    MAX_REQUEST,
    AppRequest,
    Asking,
    Delivered,
    Deliveries,
    Done,
    Ping,
    Refused,
    Release,
    Status,
)
from strongroom.keeper.socket import Listener

BODY: Any = AppRequest
LONG = 60.0
"""Seconds for what must be answered: a machine that stands still for a while is no keeper that is away."""


def said(number: int) -> Deliveries:
    """A request that has a number."""
    return Deliveries(words=(Delivered(receipt=number, bytes=1, complete=True),))


async def status(_request: object, uid: int) -> object:
    """Answers with the caller's user id in place of the log's size."""
    return Status(open=True, log_size=uid)


def listener(path: Path, handler: Any = status, admits: Any = lambda _uid: True) -> Listener:
    """A listener for the apps' requests."""
    return Listener(path, BODY, MAX_REQUEST, handler, admits, garbled=Refused(why="malformed"))


def test_many_requests_on_one_connection_get_their_own_answers(tmp_path: Path) -> None:
    """Answers find their requests even when they come in another order."""
    others = asyncio.Event()

    async def slow_first(request: Any, _uid: int) -> object:
        if request.words[0].receipt == 0:
            await others.wait()
        elif request.words[0].receipt == 299:
            others.set()
        return Done(receipt=request.words[0].receipt)

    async def run() -> list[object]:
        door = listener(tmp_path / "k.sock", slow_first)
        await door.start(0o600)
        client = KeeperClient(tmp_path / "k.sock", LONG)
        asked = [client.ask(said(n)) for n in range(300)]
        answers: list[object] = list(await asyncio.gather(*asked))
        client.close()
        await door.stop()
        return answers

    assert asyncio.run(run()) == [Done(receipt=n) for n in range(300)]


def test_the_peer_is_who_the_kernel_says(tmp_path: Path) -> None:
    """The handler is told the user id of the process at the other end."""

    async def run() -> object:
        door = listener(tmp_path / "k.sock")
        await door.start(0o600)
        client = KeeperClient(tmp_path / "k.sock", LONG)
        answer = await client.ask(Ping())
        client.close()
        await door.stop()
        return answer

    assert asyncio.run(run()) == Status(open=True, log_size=os.getuid())


def test_a_peer_that_is_not_admitted_gets_no_answer(tmp_path: Path) -> None:
    """A user id off the list is cut off before it can say anything."""

    async def run() -> None:
        door = listener(tmp_path / "k.sock", admits=lambda _uid: False)
        await door.start(0o600)
        client = KeeperClient(tmp_path / "k.sock", LONG)
        with pytest.raises(Unavailable):
            await client.ask(Ping())
        await door.stop()

    asyncio.run(run())


def test_a_silent_or_absent_keeper_is_unavailable_and_says_what_to_do(tmp_path: Path) -> None:
    """No answer within the time-out is a refusal with advice; afterwards the client connects again by itself."""
    held = asyncio.Event()

    async def never(_request: object, _uid: int) -> object:
        await held.wait()
        return Done()

    async def run() -> None:
        client = KeeperClient(tmp_path / "k.sock", timeout=0.2)
        with pytest.raises(Unavailable, match="doctor"):
            await client.ask(Ping())
        door = listener(tmp_path / "k.sock", never)
        await door.start(0o600)
        with pytest.raises(Unavailable, match="doctor"):
            await client.ask(Ping())
        await door.stop()
        while client._link is not None and not client._link.lost:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.001)
        again = listener(tmp_path / "k.sock")
        await again.start(0o600)
        client._timeout = LONG
        assert isinstance(await client.ask(Ping()), Status)
        client.close()
        await again.stop()

    asyncio.run(run())


def test_garbage_closes_the_connection_and_nothing_else(tmp_path: Path) -> None:
    """One peer's nonsense does not disturb another's requests."""

    async def run() -> object:
        door = listener(tmp_path / "k.sock")
        await door.start(0o600)
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "k.sock"))
        writer.write(b"\xff" * 64)
        assert await reader.read() == b""
        writer.close()
        client = KeeperClient(tmp_path / "k.sock", LONG)
        answer = await client.ask(Ping())
        client.close()
        await door.stop()
        return answer

    assert isinstance(asyncio.run(run()), Status)


def test_the_socket_opens_only_to_whom_it_is_meant(tmp_path: Path) -> None:
    """The permission bits are those asked for, and a path that is too long is said to be."""

    async def run() -> int:
        door = listener(tmp_path / "k.sock")
        await door.start(0o600)
        mode = (tmp_path / "k.sock").stat().st_mode & 0o777
        await door.stop()
        with pytest.raises(ConfigError, match="shorter"):
            await listener(tmp_path / ("x" * 120)).start(0o600)
        return mode

    assert asyncio.run(run()) == 0o600


def test_a_request_that_does_not_parse_is_refused_and_the_others_are_answered(tmp_path: Path) -> None:
    """An app's connection is everybody's: nobody's overlong field may cut off the answers that others wait for."""

    async def run() -> list[object]:
        door = listener(tmp_path / "k.sock")
        await door.start(0o600)
        client = KeeperClient(tmp_path / "k.sock", LONG)
        long = Release(asking=Asking(token="t", context="c" * 9_000), document="d")
        answers: list[object] = list(await asyncio.gather(client.ask(Ping()), client.ask(long), client.ask(Ping())))
        client.close()
        await door.stop()
        return answers

    status = Status(open=True, log_size=os.getuid())
    assert asyncio.run(run()) == [status, Refused(why="malformed"), status]
