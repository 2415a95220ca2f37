"""The way to the door for everybody outside the keeper: one connection, many requests under way.

`KeeperClient` is for the apps (asyncio), `OfficersClient` for the command line (blocking). Both fail within
`TIMEOUT` seconds and say what to do; neither retries a release: whether the keeper logged it is then unknown, and a
second one is a second entry.
"""

import asyncio
import itertools
import socket
from pathlib import Path
from typing import Generic, Self, TypeVar

from strongroom.errors import Malformed, Unavailable
from strongroom.keeper.acts import MAX_ANSWER, ActReply, OfficersReply, OfficersRequest
from strongroom.keeper.frame import Frames, frame
from strongroom.keeper.protocol import MAX_REPLY, AppRequest, Reply

TIMEOUT = 0.8
"""Seconds within which the door answers or is taken to be gone: the client of a client must be refused within a second."""
OFFICERS_TIMEOUT = 600.0
"""Seconds an officer's act may take: a large feed is imported in one."""

LINE_TIMEOUT = 30.0
"""Seconds that one version's keys may take: an HSM that is slow makes them late and not wrong."""

Q = TypeVar("Q")
A = TypeVar("A")

_GONE = "The keeper does not answer."
_ADVICE = "Look at `strongroom doctor`; the supervisor restarts it by itself."
_NO_OFFICERS = "The keeper's officers' socket does not answer."
_NO_OFFICERS_ADVICE = "Is `strongroom serve` running, and are you root or one of [operators].uids?"


class KeeperClient:
    """Asks the door over its Unix socket. Safe for many tasks of one event loop."""

    def __init__(self, path: Path, timeout: float = TIMEOUT) -> None:
        self._path = path
        self._timeout = timeout
        self._numbers = itertools.count(1)
        self._link: _Link[AppRequest, Reply] | None = None
        self._connecting = asyncio.Lock()

    async def ask(self, request: AppRequest) -> Reply:
        """The door's answer. Raises Unavailable within `timeout` seconds when it does not come."""
        try:
            async with asyncio.timeout(self._timeout):
                link = await self._connected()
                return await link.ask(next(self._numbers), request)
        except (TimeoutError, OSError) as error:
            raise Unavailable(_GONE, advice=_ADVICE) from error

    async def _connected(self) -> "_Link[AppRequest, Reply]":
        if self._link is not None and not self._link.lost:
            return self._link
        async with self._connecting:
            if self._link is None or self._link.lost:
                loop = asyncio.get_running_loop()
                _, self._link = await loop.create_unix_connection(_apps_link, str(self._path))
            return self._link

    def close(self) -> None:
        """Drop the connection; the next request makes a new one."""
        if self._link is not None:
            self._link.close()


class OfficersLine:
    """One connection to the officers' socket that is kept: for a program which then gives up the right to open one."""

    def __init__(self, link: "_Link[OfficersRequest, OfficersReply]") -> None:
        """Use `open`."""
        self._link = link
        self._numbers = itertools.count(1)

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Raises Unavailable when the socket is gone, or closed to this user."""
        try:
            _, link = await asyncio.get_running_loop().create_unix_connection(_officers_link, str(path))
        except OSError as error:
            raise Unavailable(_NO_OFFICERS, advice=_NO_OFFICERS_ADVICE) from error
        return cls(link)

    async def ask(self, request: OfficersRequest) -> OfficersReply:
        """The keeper's answer; many questions may be under way. Raises Unavailable once the connection is lost."""
        try:
            async with asyncio.timeout(LINE_TIMEOUT):
                return await self._link.ask(next(self._numbers), request)
        except (TimeoutError, OSError) as error:
            raise Unavailable(_GONE, advice=_ADVICE) from error

    def close(self) -> None:
        """Drop the connection."""
        self._link.close()


class _Link(asyncio.Protocol, Generic[Q, A]):
    def __init__(self, frames: Frames[A]) -> None:
        self.lost = False
        self._frames = frames
        self._waiting: dict[int, asyncio.Future[A]] = {}
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # asyncio hands stream protocols a Transport

    async def ask(self, number: int, request: Q) -> A:
        if self.lost or self._transport is None:
            raise ConnectionResetError
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._transport.write(frame(number, request))
            return await future
        finally:
            self._waiting.pop(number, None)

    def data_received(self, data: bytes) -> None:
        try:
            for number, reply in self._frames.feed(data):
                future = self._waiting.pop(number, None)
                if future is not None and not future.done():
                    future.set_result(reply)
        except Malformed:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        self.lost = True
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionResetError())
        self._waiting.clear()

    def close(self) -> None:
        self.lost = True
        if self._transport is not None:
            self._transport.abort()


def _apps_link() -> _Link[AppRequest, Reply]:
    return _Link(Frames(Reply, MAX_REPLY))  # type: ignore[arg-type]  # a union is no class to mypy


def _officers_link() -> _Link[OfficersRequest, OfficersReply]:
    return _Link(Frames(OfficersReply, MAX_ANSWER))  # type: ignore[arg-type]  # as above


class OfficersClient:
    """Hands officers' signed acts to the keeper, one at a time, and waits for the outcome."""

    def __init__(self, path: Path, timeout: float = OFFICERS_TIMEOUT) -> None:
        self._path = path
        self._timeout = timeout

    def ask(self, request: OfficersRequest) -> ActReply:
        """The keeper's answer. Raises Unavailable when the socket is gone, closed to this user, or silent."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(self._timeout)
                connection.connect(str(self._path))
                connection.sendall(frame(1, request))
                return self._receive(connection)
        except OSError as error:
            raise Unavailable(_NO_OFFICERS, advice=_NO_OFFICERS_ADVICE) from error

    @staticmethod
    def _receive(connection: socket.socket) -> ActReply:
        frames: Frames[ActReply] = Frames(ActReply, MAX_ANSWER)  # type: ignore[arg-type]  # as above
        while data := connection.recv(262_144):
            for _number, reply in frames.feed(data):
                return reply
        raise ConnectionResetError
