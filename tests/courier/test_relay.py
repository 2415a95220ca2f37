import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from strongroom.courier.allow import Allowed
from strongroom.courier.relay import Limits, Relay
from strongroom.identity.pipe import Target

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Script = Callable[[Ends], Awaitable[None]]


async def _echo(ends: Ends) -> None:
    while data := await ends[0].read(100):
        ends[1].write(data[::-1])
        await ends[1].drain()


def _relayed(path: Path, keeper: Script, outside: Script = _echo, *, listed: bool = True, **limits: float) -> None:
    """Run one conversation: `keeper` and `outside` are the two sides, the real courier stands between."""

    async def run() -> None:
        sides: list[asyncio.Task[None]] = []

        def side(script: Script) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
            async def play(ends: Ends) -> None:
                with contextlib.closing(ends[1]):
                    await script(ends)

            return lambda reader, writer: sides.append(asyncio.create_task(play((reader, writer))))

        server = await asyncio.start_server(side(outside), "127.0.0.1", 0)
        target = Target("127.0.0.1", server.sockets[0].getsockname()[1])
        door = await asyncio.start_unix_server(side(keeper), path / "courier.sock")
        relay = Relay(path / "courier.sock", Allowed(frozenset({target} if listed else ())), limits=_limits(**limits))
        _TARGET.append(target)
        async with server, door, asyncio.timeout(60):
            await relay.once()
            await asyncio.gather(*sides)

    asyncio.run(run())


def _limits(**changes: Any) -> Limits:
    return Limits(**changes)


_TARGET: list[Target] = []


async def _connect(ends: Ends) -> bytes:
    ends[1].write(_TARGET[-1].line())
    return await ends[0].readexactly(3)


def test_bytes_pass_unread_both_ways(tmp_path: Path) -> None:
    """What goes in comes out, of any content, in order."""
    sent = bytes(range(256)) * 8

    async def keeper(ends: Ends) -> None:
        assert await _connect(ends) == b"OK\n"
        for at in range(0, len(sent), 64):
            ends[1].write(sent[at : at + 64])
            assert await ends[0].readexactly(64) == sent[at : at + 64][::-1]

    _relayed(tmp_path, keeper)


def test_the_keeper_hangs_up(tmp_path: Path) -> None:
    """When the keeper closes, the outer connection ends at once, though its other end would go on."""
    ended: list[bytes] = []

    async def outside(ends: Ends) -> None:
        ended.append(await ends[0].read())

    async def keeper(ends: Ends) -> None:
        await _connect(ends)
        ends[1].write(b"bye")

    _relayed(tmp_path, keeper, outside, conversation=600)
    assert ended == [b"bye"]


def test_the_outside_hangs_up(tmp_path: Path) -> None:
    """What the outside said before it closed reaches the keeper, and then the end."""

    async def outside(ends: Ends) -> None:
        ends[1].write(b"last words")

    async def keeper(ends: Ends) -> None:
        await _connect(ends)
        assert await ends[0].read() == b"last words"

    _relayed(tmp_path, keeper, outside)


def test_a_host_that_is_not_listed(tmp_path: Path) -> None:
    """The keeper may ask for any host; the courier's own list decides."""

    async def outside(_: Ends) -> None:
        pytest.fail("The courier connected.")

    async def keeper(ends: Ends) -> None:
        assert await _connect(ends) == b"NO\n"

    _relayed(tmp_path, keeper, outside, listed=False)


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1\n", b"\n", b"CONNECT " + b"a" * 400 + b":443\n"])
def test_another_line(tmp_path: Path, line: bytes) -> None:
    """A line that is none is answered with NO."""

    async def keeper(ends: Ends) -> None:
        ends[1].write(line)
        assert await ends[0].readexactly(3) == b"NO\n"

    _relayed(tmp_path, keeper)


def test_amount_is_bounded(tmp_path: Path) -> None:
    """A conversation ends when it carried its share of bytes."""

    async def outside(ends: Ends) -> None:
        ends[1].write(b"x" * 5_000)
        await ends[0].read()

    async def keeper(ends: Ends) -> None:
        await _connect(ends)
        assert len(await ends[0].read()) == 1_000

    _relayed(tmp_path, keeper, outside, each_way=1_000)


def test_time_is_bounded(tmp_path: Path) -> None:
    """A conversation in which nothing is said ends by itself."""

    async def outside(ends: Ends) -> None:
        await ends[0].read()

    async def keeper(ends: Ends) -> None:
        await _connect(ends)
        assert await ends[0].read() == b""

    _relayed(tmp_path, keeper, outside, conversation=0.05)


def test_nobody_there(tmp_path: Path) -> None:
    """A host that does not answer is a NO, and no error."""

    async def run() -> None:
        said: list[bytes] = []

        async def keeper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"CONNECT op.example:443\n")
            said.append(await reader.read())
            writer.close()

        async def refused(_: Target) -> Ends:
            raise ConnectionRefusedError

        async def silent(_: Target) -> Ends:
            await asyncio.Event().wait()
            raise AssertionError

        listed = Allowed(frozenset({Target("op.example", 443)}))
        async with await asyncio.start_unix_server(keeper, tmp_path / "courier.sock"):
            for dial in (refused, silent):
                await Relay(tmp_path / "courier.sock", listed, limits=Limits(connect=0.02), dial=dial).once()
            while len(said) < 2:  # noqa: ASYNC110  # the other side's task
                await asyncio.sleep(0.001)
        assert said == [b"NO\n", b"NO\n"]

    asyncio.run(run())


def test_the_keeper_comes_and_goes(tmp_path: Path) -> None:
    """The courier waits for a keeper that is not there, hangs up, or talks nonsense, and serves it when it is."""

    async def run() -> None:
        talks = 0
        served = asyncio.Event()

        async def keeper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal talks
            talks += 1
            if talks == 1:
                writer.close()
                return
            writer.write(b"x" * 200_000 if talks == 2 else b"CONNECT op.example:443\n")
            if talks > 2 and await reader.read() == b"NO\n":
                served.set()
            writer.close()

        relay = Relay(tmp_path / "courier.sock", Allowed(), limits=Limits(retry=0.01))
        running = asyncio.create_task(relay.run())
        await asyncio.sleep(0.03)
        async with await asyncio.start_unix_server(keeper, tmp_path / "courier.sock"), asyncio.timeout(60):
            await served.wait()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())
