"""The keeper's Unix sockets: who connects, how much at once, and which handler answers. No decision is made here."""

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from strongroom.errors import ConfigError, Malformed
from strongroom.keeper.frame import Frames, frame

MAX_UNDER_WAY = 256
"""Requests under way on one connection; beyond it the connection is not read until some are answered."""
MAX_CONNECTIONS = 64
MAX_PATH = 107
"""Bytes of a Unix socket's path (sun_path of Linux, less its terminating zero)."""

Handler = Callable[[Any, int], Awaitable[object]]
"""Answers one request, given the peer's user id. Must not raise: a handler that fails answers `Refused`."""


class Listener:
    """One Unix socket and the connections on it."""

    def __init__(  # what a socket is made of
        self,
        path: Path,
        body: Any,
        limit: int,
        handler: Handler,
        admits: Callable[[int], bool],
        *,
        garbled: object,
    ) -> None:
        """`admits` is asked once a connection, with the peer's user id as the kernel gives it. `garbled` is the answer to
        a request that does not parse; the others of its connection are answered as ever.
        """
        self.path = path
        self._body = body
        self._limit = limit
        self.handler = handler
        self._admits = admits
        self.garbled = garbled
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    async def start(self, mode: int, group: int | None = None) -> None:
        """Listen. `mode` are the socket's permission bits, `group` the group it is handed to. Raises ConfigError."""
        if len(os.fsencode(self.path)) > MAX_PATH:
            msg = f"The socket's path is longer than {MAX_PATH} bytes: {self.path}"
            raise ConfigError(msg, advice="Keep the store in a directory with a shorter path.")
        self.path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        # Created without any permission, opened up only once its owner and group are right.
        before = os.umask(0o777)
        try:
            self._server = await loop.create_unix_server(lambda: _Connection(self), str(self.path), backlog=128)
        finally:
            os.umask(before)
        if group is not None:
            os.chown(self.path, -1, group)
        self.path.chmod(mode)

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()
        self.path.unlink(missing_ok=True)

    def frames(self) -> Frames[Any]:
        """A fresh cutter for one connection."""
        return Frames(self._body, self._limit)

    def joined(self, connection: "_Connection", uid: int) -> bool:
        """Whether this peer may talk to us at all."""
        if not self._admits(uid) or len(self._connections) >= MAX_CONNECTIONS:
            return False
        self._connections.add(connection)
        return True

    def left(self, connection: "_Connection") -> None:
        """The connection is gone."""
        self._connections.discard(connection)


class _Connection(asyncio.Protocol):
    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._frames = listener.frames()
        self._transport: asyncio.Transport | None = None
        self._uid = -1
        self._tasks: set[asyncio.Task[None]] = set()
        self._replies: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._uid = peer_uid(transport.get_extra_info("socket"))
        if not self._listener.joined(self, self._uid):
            transport.close()
            return
        self._transport = transport  # type: ignore[assignment]  # streams have Transports; uvloop's are of no common class

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        try:
            for number, request in self._frames.cut(data):
                if request is None:
                    self._reply(number, self._listener.garbled)
                    continue
                task = asyncio.get_running_loop().create_task(self._answer(number, request))
                self._tasks.add(task)
                task.add_done_callback(self._done)
        except Malformed:
            self.close()
            return
        if len(self._tasks) >= MAX_UNDER_WAY:
            self._transport.pause_reading()

    async def _answer(self, number: int, request: Any) -> None:
        self._reply(number, await self._listener.handler(request, self._uid))

    def _reply(self, number: int, reply: object) -> None:
        self._replies.append(frame(number, reply))
        if len(self._replies) == 1:
            asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        """All replies of one round of the loop at once: one commit of the log lets many requests go on."""
        replies, self._replies = self._replies, []
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(replies))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._transport is not None and len(self._tasks) < MAX_UNDER_WAY and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        self._listener.left(self)
        self._transport = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def peer_uid(connection: socket.socket) -> int:
    """The user id of the process at the other end, as the kernel knows it (SO_PEERCRED, unix(7))."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", raw)
    return int(uid)
