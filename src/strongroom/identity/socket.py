"""The keeper's end of the courier's pipe: holds a connection ready, and refreshes issuers' keys through it.

The courier's word is not needed for anything. It can be slow, cut off, or lie: each attempt ends within `DEADLINE`, the
keys in hand hold meanwhile, and `Issuer.failure` tells `doctor` why.
"""

import asyncio
from collections.abc import Mapping

from strongroom.clock import Clock
from strongroom.errors import ConfigError, Malformed, Unavailable
from strongroom.identity.fetch import Fetch, Source
from strongroom.identity.issuers import Issuer, Issuers
from strongroom.identity.pipe import OK

DEADLINE = 15.0
"""Seconds for one attempt, connection included."""
POLL = 1.0
"""Seconds between two looks at what is wanted."""
_READ = 16_384


class CourierDoor:
    """Answers connections on `courier.sock`; hand `serve` to `asyncio.start_unix_server`."""

    def __init__(
        self,
        issuers: Issuers,
        sources: Mapping[str, Source],
        clock: Clock,
        *,
        poll: float = POLL,
        deadline: float = DEADLINE,
    ) -> None:
        """`sources`: issuer address to where its keys are. Raises ConfigError when one is missing."""
        if any(issuer.pin.jwks_uri and issuer.pin.url not in sources for issuer in issuers):
            msg = "An issuer's keys are to be fetched, and it is not said where."
            raise ConfigError(msg)
        self._issuers = issuers
        self._sources = sources
        self._clock = clock
        self._poll = poll
        self._deadline = deadline

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the courier: wait until an issuer is wanted, fetch, close."""
        try:
            issuer = await self._await_wanted(reader)
            if issuer is not None:
                issuer.failure = await self._attempt(issuer, reader, writer)
        except Unavailable:
            pass  # the machine's clock went back; the courier comes again
        finally:
            writer.close()

    async def _await_wanted(self, reader: asyncio.StreamReader) -> Issuer | None:
        """The next issuer to fetch, marked as tried. None when the courier hung up, or spoke out of turn."""
        while True:
            now = self._clock.now()
            issuer = self._issuers.wanted(now)
            if issuer is not None:
                issuer.tried(now)
                return issuer
            try:
                await asyncio.wait_for(reader.read(1), self._poll)
            except TimeoutError:
                continue
            return None

    async def _attempt(self, issuer: Issuer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """Fetch and take the issuer's keys. Empty when it worked, else why not; never raises for what came in."""
        try:
            async with asyncio.timeout(self._deadline):
                fetch = await _converse(self._sources[issuer.pin.url], reader, writer)
            if fetch.body is None:
                return fetch.failure
            issuer.offer(fetch.body, self._clock.now())
        except TimeoutError:
            return f"No answer within {self._deadline:.0f} s."
        except Malformed as error:
            return error.message
        except (OSError, asyncio.IncompleteReadError):
            return "The courier hung up."
        return ""


async def _converse(source: Source, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Fetch:
    fetch = Fetch(source)
    writer.write(source.target.line())
    if await reader.readexactly(len(OK)) != OK:
        fetch.failure = "The courier could not connect."
        return fetch
    writer.write(fetch.start())
    while not fetch.ended:
        writer.write(fetch.receive(await reader.read(_READ)))
        await writer.drain()
    return fetch
