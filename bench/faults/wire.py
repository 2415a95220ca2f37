"""A wire between a program and a server, which can be cut, slowed down, or made to carry other bytes."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any

PIECE = 65_536
HEAD = 1_000
"""Bytes of one piece of an answer that are carried as they are when the wire lies: headers, and answers about objects."""


class Wire:
    """Carries connections from a port of its own to another; in a thread of its own."""

    def __init__(self, port: int, own: int) -> None:
        """`port`: the server's. `own`: where to listen."""
        self.port = own
        self._there = port
        self.delay = 0.0
        """Seconds that each piece is held back."""
        self.lies = False
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._thread.start()
        self.mend()

    def mend(self) -> None:
        """Take connections."""
        self._run(self._listen())

    def cut(self) -> None:
        """Break all connections and take none."""
        self._run(self._cut())

    def close(self) -> None:
        """Cut, and end the thread."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, reuse_address=True)

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)
        self._carrying.clear()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._carry_both(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry_both(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._there)
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(
                self._carry(reader, there_writer, answer=False), self._carry(there_reader, writer, answer=True)
            )
        finally:
            writer.transport.abort()
            there_writer.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, answer: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(PIECE):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if answer and self.lies and len(data) > HEAD:
                    data = data[:HEAD] + bytes(byte ^ 1 for byte in data[HEAD:])
                target.write(data)
                await target.drain()
        target.transport.abort()
