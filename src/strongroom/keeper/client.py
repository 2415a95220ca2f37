"""The way to the door for everybody outside the keeper: one connection, many requests under way.

`KeeperClient` is for the apps (asyncio), `OfficersClient` for the command line (blocking). Both fail within
`TIMEOUT` seconds and say what to do; neither retries a release: whether the keeper logged it is then unknown, and a
second one is a second entry.
"""

import asyncio
import itertools
import socket
from pathlib import Path

from strongroom.errors import Malformed, Unavailable
from strongroom.keeper.acts import MAX_ANSWER, ActReply, OfficersRequest
from strongroom.keeper.frame import Frames, frame
from strongroom.keeper.protocol import MAX_REPLY, AppRequest, Reply

TIMEOUT = 1.0
"""Seconds within which the door answers or is taken to be gone."""
OFFICERS_TIMEOUT = 600.0
"""Seconds an officer's act may take: a large feed is imported in one."""

_GONE = "The keeper does not answer."
_ADVICE = "Look at `strongroom doctor`; the supervisor restarts it by itself."


class KeeperClient:
    """Asks the door over its Unix socket. Safe for many tasks of one event loop."""

    def __init__(self, path: Path, timeout: float = TIMEOUT) -> None:
        self._path = path
        self._timeout = timeout
        self._numbers = itertools.count(1)
        self._link: _Link | None = None
        self._connecting = asyncio.Lock()

    async def ask(self, request: AppRequest) -> Reply:
        """The door's answer. Raises Unavailable within `timeout` seconds when it does not come."""
        try:
            async with asyncio.timeout(self._timeout):
                link = await self._connected()
                return await link.ask(next(self._numbers), request)
        except (TimeoutError, OSError) as error:
            raise Unavailable(_GONE, advice=_ADVICE) from error

    async def _connected(self) -> "_Link":
        if self._link is not None and not self._link.lost:
            return self._link
        async with self._connecting:
            if self._link is None or self._link.lost:
                loop = asyncio.get_running_loop()
                _, self._link = await loop.create_unix_connection(_Link, str(self._path))
            return self._link

    def close(self) -> None:
        """Drop the connection; the next request makes a new one."""
        if self._link is not None:
            self._link.close()


class _Link(asyncio.Protocol):
    def __init__(self) -> None:
        self.lost = False
        self._frames: Frames[Reply] = Frames(Reply, MAX_REPLY)  # type: ignore[arg-type]  # a union is no class to mypy
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # asyncio hands stream protocols a Transport

    async def ask(self, number: int, request: AppRequest) -> Reply:
        if self.lost or self._transport is None:
            raise ConnectionResetError
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
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
            msg = "The keeper's officers' socket does not answer."
            advice = "Is `strongroom serve` running, and are you root or one of [operators].uids?"
            raise Unavailable(msg, advice=advice) from error

    @staticmethod
    def _receive(connection: socket.socket) -> ActReply:
        frames: Frames[ActReply] = Frames(ActReply, MAX_ANSWER)  # type: ignore[arg-type]  # as above
        while data := connection.recv(262_144):
            for _number, reply in frames.feed(data):
                return reply
        raise ConnectionResetError
