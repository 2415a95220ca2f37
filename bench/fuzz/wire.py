"""A connection without a network, for protocols that are given bytes."""

import asyncio
import socket
from functools import lru_cache
from typing import Any


class Wire(asyncio.Transport):
    """What a connection writes to, kept."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.over = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Only a socket."""
        return _pair()[0] if name == "socket" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Kept."""
        self.written += data

    def is_closing(self) -> bool:
        """Whether somebody ended it."""
        return self.over

    def abort(self) -> None:
        """Noted."""
        self.over = True

    close = abort

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    resume_reading = pause_reading


@lru_cache(maxsize=1)
def _pair() -> tuple[socket.socket, socket.socket]:
    """A real pair of sockets, for the kernel to say who is at its other end."""
    return socket.socketpair(socket.AF_UNIX)


@lru_cache(maxsize=1)
def loop() -> asyncio.AbstractEventLoop:
    """One for all inputs of a process."""
    return asyncio.new_event_loop()
