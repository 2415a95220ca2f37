"""The WAF: small requests on the spot, large bodies beside the loop in two threads and a short queue; failures are a no."""

import asyncio
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

    async def inspect(self, subject: Subject, alike: bytes = b"") -> Found:
        """Raises Unfit (503) where there is no room, or the engine fails: nothing passes uninspected.

        `alike`: what the target looks like to rules (`contract.Match.alike`); empty: this request is looked at in any case.
        """
        key = self._verdicts.key(subject, alike) if self._verdicts is not None and alike else None
        if self._verdicts is None or key is None:
            return await self._inspected(subject)
        if self._verdicts.passed(key):
            return Found(())
        found = await self._inspected(subject)
        if not found.hits and found.refusal is None:
            self._verdicts.remember(key)
        return found

    async def _inspected(self, subject: Subject) -> Found:
        try:
            found = self._engine.inspect(subject) if len(subject.body) <= AT_ONCE else await self._beside(subject)
        except Unavailable as error:
            raise Unfit(Refusal(503, "waf-failed", "The gateway could not look at this request.", hard=True)) from error
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


def _refusal(found: Inspected) -> Refusal:
    status = found.status if 400 <= found.status < 500 else 403  # noqa: PLR2004  # the client's fault, whatever a rule says
    rule = f"waf-{found.hits[0].rule}" if found.hits else "waf"
    return Refusal(
        status, rule, "This looks like an attack. If it is none, tell the help desk the number of this request."
    )
