"""The pipe between the keeper and an issuer: connects both ends, pumps bytes unread, bounded in time and amount.

Keeps one connection waiting at the keeper's `courier.sock` (see `identity.pipe` for the one line that is spoken there).
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from strongroom.courier.allow import Allowed, Denied
from strongroom.identity.pipe import NO, OK, Target

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[Target], Awaitable[Ends]]

_log = logging.getLogger(__name__)
_READ = 16_384


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one conversation. Seconds and bytes; `retry` is the pause after the keeper was not there."""

    connect: float = 5.0
    conversation: float = 30.0
    each_way: int = 1_048_576
    retry: float = 1.0


_DEFAULT = Limits()


async def dial(target: Target) -> Ends:
    """A TCP connection to `target`."""
    return await asyncio.open_connection(target.host, target.port)


class Relay:
    """Serves the keeper until cancelled."""

    def __init__(self, keeper: Path, allowed: Allowed, *, limits: Limits = _DEFAULT, dial: Dial = dial) -> None:
        """`keeper`: the path of `courier.sock`. `dial` opens the outer end; tests hand in their own."""
        self._keeper = keeper
        self._allowed = allowed
        self._limits = limits
        self._dial = dial

    async def run(self) -> None:
        """One conversation after the other. A keeper that is away is waited for."""
        while True:
            try:
                await self.once()
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                _log.info("The keeper is not there, or hung up; trying again.")
            await asyncio.sleep(self._limits.retry)

    async def once(self) -> None:
        """Wait for the keeper's line, connect, pump. Raises OSError and IncompleteReadError when the keeper is away."""
        reader, writer = await asyncio.open_unix_connection(self._keeper)
        with contextlib.closing(writer):
            target = self._allowed.judge(await reader.readuntil(b"\n"))
            outer = None if isinstance(target, Denied) else await self._connect(target)
            writer.write(NO if outer is None else OK)
            await writer.drain()
            if isinstance(target, Denied):
                _log.warning("%s", target.because)
            elif outer is not None:
                await self._pump((reader, writer), outer)

    async def _connect(self, target: Target) -> Ends | None:
        try:
            async with asyncio.timeout(self._limits.connect):
                return await self._dial(target)
        except (OSError, TimeoutError):
            _log.warning("No connection to %s:%d.", target.host, target.port)
            return None

    async def _pump(self, inner: Ends, outer: Ends) -> None:
        """Bytes both ways until either end closes, or time or amount runs out."""
        ways = [
            asyncio.create_task(self._copy(inner[0], outer[1])),
            asyncio.create_task(self._copy(outer[0], inner[1])),
        ]
        with contextlib.closing(outer[1]):
            try:
                await asyncio.wait(ways, timeout=self._limits.conversation, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        left = self._limits.each_way
        with contextlib.suppress(OSError):
            while left > 0 and (data := await source.read(min(_READ, left))):
                left -= len(data)
                sink.write(data)
                await sink.drain()
