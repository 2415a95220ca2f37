import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from strongroom.clock import SECOND, ManualClock, Millis
from strongroom.courier.allow import allow
from strongroom.courier.relay import Relay
from strongroom.errors import ConfigError, Unavailable
from strongroom.identity.fetch import source
from strongroom.identity.issuers import COOLDOWN, Issuer, Issuers, Pin
from strongroom.identity.signing import generate
from strongroom.identity.socket import CourierDoor

KEY = generate()
URI = "https://op.example/jwks"
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def issuer() -> Issuer:
    """An issuer whose keys were never fetched."""
    return Issuer(Pin("https://op.example", "aud", frozenset({"EdDSA"}), jwks_uri=URI))


def _talk(issuer: Issuer, path: Path, script: Callable[[Ends], Awaitable[None]], **door: Any) -> None:
    """Run `script` as the courier against the keeper's end."""
    clock = door.pop("clock", ManualClock())
    where = {issuer.pin.url: source(URI, authorities=None)}

    async def run() -> None:
        end = CourierDoor(Issuers([issuer]), where, clock, **{"poll": 0.01, **door})
        served = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await end.serve(reader, writer)
            served.set()

        async with await asyncio.start_unix_server(serve, path / "courier.sock"):
            reader, writer = await asyncio.open_unix_connection(path / "courier.sock")
            await script((reader, writer))
            writer.close()
            await asyncio.wait_for(served.wait(), 60)

    asyncio.run(run())


def test_says_where_to_connect(issuer: Issuer, tmp_path: Path) -> None:
    """A wanted issuer is asked for by its host and port; a courier that cannot connect is put down as such."""

    async def courier(ends: Ends) -> None:
        assert await ends[0].readuntil(b"\n") == b"CONNECT op.example:443\n"
        ends[1].write(b"NO\n")
        assert await ends[0].read() == b""

    _talk(issuer, tmp_path, courier)
    assert issuer.failure == "The courier could not connect."


@pytest.mark.parametrize("word", [b"", b"O", b"OK\n", b"OK\nHTTP/1.1 200 OK\r\n\r\n"])
def test_a_courier_that_lies_or_hangs_up(issuer: Issuer, tmp_path: Path, word: bytes) -> None:
    """Whatever the courier says in place of TLS, no key is taken from it, and a reason is kept."""

    async def courier(ends: Ends) -> None:
        await ends[0].readuntil(b"\n")
        ends[1].write(word)
        ends[1].write_eof()
        await ends[0].read()

    _talk(issuer, tmp_path, courier)
    assert issuer.fetched is None
    assert issuer.failure


def test_a_courier_that_says_nothing(issuer: Issuer, tmp_path: Path) -> None:
    """An attempt ends by itself."""

    async def courier(ends: Ends) -> None:
        await ends[0].read()

    _talk(issuer, tmp_path, courier, deadline=0.05)
    assert issuer.failure.startswith("No answer within")


def test_waits_until_wanted(issuer: Issuer, tmp_path: Path) -> None:
    """Nothing is said while nothing is wanted; an unknown key id makes it speak."""
    clock = ManualClock()
    issuer.offer(json.dumps({"keys": [KEY.jwk()]}).encode(), clock.now())

    async def courier(ends: Ends) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ends[0].read(1), 0.05)
        issuer.key("unknown", clock.now())
        clock.advance(COOLDOWN + SECOND)
        assert await ends[0].readuntil(b"\n") == b"CONNECT op.example:443\n"

    _talk(issuer, tmp_path, courier, clock=clock)


@pytest.mark.parametrize("word", [b"", b"hello"])
def test_a_courier_out_of_turn(issuer: Issuer, tmp_path: Path, word: bytes) -> None:
    """A courier that hangs up, or speaks before it is asked, ends the conversation and nothing else."""
    clock = ManualClock()
    issuer.offer(json.dumps({"keys": [KEY.jwk()]}).encode(), clock.now())

    async def courier(ends: Ends) -> None:
        ends[1].write(word)
        ends[1].write_eof()
        assert await ends[0].read() == b""

    _talk(issuer, tmp_path, courier, clock=clock)
    assert issuer.failure == ""


def test_an_issuer_that_answers_nonsense(make_authority: Callable[..., Any], tmp_path: Path) -> None:
    """A genuine issuer whose key set does not parse changes nothing; the reason is kept."""
    authority = make_authority("localhost")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    async def run() -> str:
        outside = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=authority.server())
        uri = f"https://localhost:{outside.sockets[0].getsockname()[1]}/jwks"
        issuer = Issuer(Pin("https://op.example", "aud", frozenset({"EdDSA"}), jwks_uri=uri))
        issuer.offer(KEY.jwks(), Millis(0))
        door = CourierDoor(Issuers([issuer]), {issuer.pin.url: source(uri, authorities=authority.pem)}, ManualClock())
        async with outside, await asyncio.start_unix_server(door.serve, tmp_path / "courier.sock"), asyncio.timeout(60):
            await Relay(tmp_path / "courier.sock", allow([uri])).once()
            while issuer.failure == "No answer yet.":  # noqa: ASYNC110  # the door's own task
                await asyncio.sleep(0.001)
        assert issuer.key(KEY.kid, Millis(1)) == KEY.public
        return issuer.failure

    assert asyncio.run(run()) == "A key set has no list of at most 64 keys."


class _Broken:
    def now(self) -> Millis:
        msg = "The clock went back."
        raise Unavailable(msg)


def test_a_broken_clock_only_closes(issuer: Issuer, tmp_path: Path) -> None:
    """While the machine's clock is wrong the courier is sent away, to come again."""

    async def courier(ends: Ends) -> None:
        assert await ends[0].read() == b""

    _talk(issuer, tmp_path, courier, clock=_Broken())


def test_every_fetched_issuer_has_a_source(issuer: Issuer) -> None:
    """An issuer to be fetched without a source is a mistake of configuration, told at start."""
    with pytest.raises(ConfigError):
        CourierDoor(Issuers([issuer]), {}, ManualClock())
