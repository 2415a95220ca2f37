"""The WAF: small requests on the spot, large bodies beside the loop in two threads and a short queue; failures are a no."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from strongroom.errors import Unavailable
from strongroom.gateway.intake import Unfit
from strongroom.gateway.modsecurity import Engine, Hit, Inspected, Subject
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.verdicts import Verdicts

AT_ONCE: Final = 4_096
"""Bytes of a body that is looked at on the spot: a few milliseconds. A thread and back would cost as much as the rules."""
THREADS: Final = 2
WAITING: Final = 64
"""Requests that may wait for a thread: some hundred milliseconds."""


@dataclass(frozen=True, slots=True)
class Found:
    """What matched, and what comes of it: nothing, a refusal, or (`enforced` is False) what would have been one."""

    hits: tuple[Hit, ...]
    refusal: Refusal | None = None
    enforced: bool = False


class Waf:
    """See the module. `block`: refuse what the rules block; else only tell it. `verdicts`: what is known; None: nothing is kept."""

    def __init__(self, engine: Engine, *, block: bool, verdicts: Verdicts | None = None) -> None:
        self._engine, self._block, self._verdicts = engine, block, verdicts
        self._pool = ThreadPoolExecutor(THREADS, "waf")
        self._waiting = 0

    def looks(self, client: str, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """What stands for a client and its headers in what is remembered."""
        return b"" if self._verdicts is None else self._verdicts.looks(client, headers)

    def passed(self, looks: bytes, method: str, alike: bytes) -> bool:
        """Whether a request without a body that looks the same was looked at, and nothing matched.

        `alike`: what the target looks like to rules (`contract.Match.alike`).
        """
        return self._verdicts is not None and self._verdicts.passed(self._verdicts.key(looks, method, alike))

    def look(self, subject: Subject, looks: bytes, alike: bytes) -> Found:
        """At a request without a body, on the spot; what passes with nothing matched is remembered.

        Raises Unfit (503) where the engine fails: nothing passes uninspected.
        """
        found = self._now(subject)
        if self._verdicts is not None and not found.hits and found.refusal is None:
            self._verdicts.remember(self._verdicts.key(looks, subject.method, alike))
        return found

    async def inspect(self, subject: Subject) -> Found:
        """At a request, whatever was said of others. Raises Unfit (503) where there is no room, or the engine fails."""
        if len(subject.body) <= AT_ONCE:
            return self._now(subject)
        try:
            found = await self._beside(subject)
        except Unavailable as error:
            raise _failed() from error
        return self._told(found)

    def _now(self, subject: Subject) -> Found:
        try:
            return self._told(self._engine.inspect(subject))
        except Unavailable as error:
            raise _failed() from error

    def _told(self, found: Inspected) -> Found:
        if not found.status:
            return Found(found.hits)
        return Found(found.hits, _refusal(found), enforced=self._block)

    async def _beside(self, subject: Subject) -> Inspected:
        if self._waiting >= WAITING:
            raise Unfit(Refusal(503, "waf-busy", "The gateway is busy. Try again in a moment.", hard=True))
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._engine.inspect, subject)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False)


def _failed() -> Unfit:
    return Unfit(Refusal(503, "waf-failed", "The gateway could not look at this request.", hard=True))


def _refusal(found: Inspected) -> Refusal:
    status = found.status if 400 <= found.status < 500 else 403  # noqa: PLR2004  # the client's fault, whatever a rule says
    rule = f"waf-{found.hits[0].rule}" if found.hits else "waf"
    return Refusal(
        status, rule, "This looks like an attack. If it is none, tell the help desk the number of this request."
    )
