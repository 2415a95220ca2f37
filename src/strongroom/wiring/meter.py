"""A worker of the gateway that also tells its numbers: once a second to the counts, and to whoever asks at a port of their own."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import uvicorn

from strongroom.clock import SystemClock
from strongroom.gateway.counts import Counts
from strongroom.gateway.metrics import Metrics, series, written
from strongroom.gateway.sqlite import Uncounted
from strongroom.wiring.workers import go_on, told_to_end

TICKS: Final = 10
"""uvicorn looks around ten times a second."""
PATIENCE: Final = 10.0
"""Seconds that somebody may take to ask."""
MAX_ASKED: Final = 8_192
_ANSWER: Final = (
    "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {length}\r\n"
    "Connection: close\r\n\r\n"
)


class Counting(Protocol):
    """Where events go."""

    @property
    def dropped(self) -> int:
        """Events that did not get there."""


class Metered(uvicorn.Server):
    """See the module."""

    def __init__(
        self, config: uvicorn.Config, counts: Counts, metrics: Metrics, events: Mapping[str, Counting],
        at: socket.socket | None, *, each: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`events`: where events go, by name. `at`: where numbers are asked for; None: nowhere. `each` is called about each second,
        and at the end.
        """
        super().__init__(config)
        self._each = each
        self._counts, self._metrics, self._events, self._at = counts, metrics, events, at
        self._dropped = dict.fromkeys(events, 0)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See `uvicorn.Server`."""
        await super().startup(sockets)
        if self._at is not None:
            self._asked = await asyncio.start_server(self._tell, sock=self._at, limit=MAX_ASKED)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See `uvicorn.Server`."""
        if self._at is not None:
            self._asked.close()
        await super().shutdown(sockets)
        self.add()

    async def on_tick(self, counter: int) -> bool:
        """See `uvicorn.Server`."""
        self.should_exit = self.should_exit or told_to_end()
        if counter % TICKS == 0:
            go_on()
            self.add()
        return await super().on_tick(counter)

    def add(self) -> None:
        """What is new, to what all workers did. Where that fails it is kept."""
        self._each()
        for name, one in self._events.items():
            dropped = one.dropped
            self._metrics.dropped(name, dropped - self._dropped[name])
            self._dropped[name] = dropped
        new = self._metrics.take()
        if new:
            try:
                with self._counts.together():
                    self._counts.add_numbers(new)
            except Uncounted:
                self._metrics.give_back(new)

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                first = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)[0]
                status, text = "404 Not Found", ""
                if first.startswith(b"GET /metrics "):
                    try:
                        status, text = "200 OK", self._text()
                    except Uncounted:
                        status = "503 Service Unavailable"
                body = text.encode()
                writer.write(_ANSWER.format(status=status, length=len(body)).encode() + body)
                await writer.drain()
        writer.close()

    def _text(self) -> str:
        self.add()
        now = int(SystemClock().now())
        held = Counter(one.where[0].value for one in self._counts.in_force(now) if one.enforced)
        gauges = [(series("held", scope=scope), number) for scope, number in held.items()]
        allowed = len(self._counts.all_allowed(now))
        return written([*self._counts.numbers(), *gauges, (series("allowed"), allowed)])
