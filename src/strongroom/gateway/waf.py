"""The WAF: plain requests without a body on the spot, everything else in processes with a limit on its time; failures are a no.

Without such processes (in a rehearsal, a test) large bodies are looked at beside the loop, in two threads. The queue is short, and
nobody may fill it alone.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from strongroom.errors import Unavailable
from strongroom.gateway.harmless import harmless
from strongroom.gateway.inspectors import Inspectors, Overdue
from strongroom.gateway.intake import Unfit
from strongroom.gateway.modsecurity import Engine, Hit, Inspected, Subject
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.verdicts import Verdicts

AT_ONCE: Final = 4_096
"""Bytes of a body that is looked at on the spot: a few milliseconds. A thread and back would cost as much as the rules."""
THREADS: Final = 2
WAITING: Final = 64
"""Requests that may wait for a thread or process: some hundred milliseconds."""
SHARE: Final = 16
"""Of these, from one address."""


_LATE: Final = Refusal(400, "waf-late", "This takes too long to be looked at. Send less text at once.", hard=True)


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
        self._inspectors: Inspectors | None = None
        self._waiting = Counter[str]()

    def look_in(self, milliseconds: int, settle: Callable[[], None]) -> None:
        """From now on in processes, where each request has so much CPU time. Before this one has threads (`inspectors`)."""
        self._inspectors = Inspectors(self._engine, milliseconds, settle)

    def at_once(self, subject: Subject) -> bool:
        """Whether a request without a body may be looked at on the spot."""
        return self._inspectors is None or harmless(subject)

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
        return self._remembered(self._now(subject), subject, looks, alike)

    async def look_beside(self, subject: Subject, looks: bytes, alike: bytes) -> Found:
        """The same, where it may not be on the spot. Raises Unfit also where there is no room, and where it takes too long."""
        return self._remembered(await self.inspect(subject), subject, looks, alike)

    def _remembered(self, found: Found, subject: Subject, looks: bytes, alike: bytes) -> Found:
        if self._verdicts is not None and not found.hits and found.refusal is None:
            self._verdicts.remember(self._verdicts.key(looks, subject.method, alike))
        return found

    async def inspect(self, subject: Subject) -> Found:
        """At a request, whatever was said of others.

        Raises Unfit where there is no room, where it takes too long, and where the engine fails.
        """
        if self._inspectors is None and len(subject.body) <= AT_ONCE:
            return self._now(subject)
        try:
            return self._told(await self._beside(subject))
        except Overdue as error:
            raise Unfit(_LATE) from error
        except Unavailable as error:
            raise _failed() from error

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
        if self._waiting.total() >= WAITING or self._waiting[subject.client] >= SHARE:
            raise Unfit(Refusal(503, "waf-busy", "The gateway is busy. Try again in a moment.", hard=True))
        self._waiting[subject.client] += 1
        try:
            if self._inspectors is not None:
                return await self._inspectors.inspect(subject)
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._engine.inspect, subject)
        finally:
            self._waiting[subject.client] -= 1
            if not self._waiting[subject.client]:
                del self._waiting[subject.client]

    def close(self) -> None:
        """Let threads and processes end."""
        if self._inspectors is not None:
            self._inspectors.close()
        self._pool.shutdown(wait=False)


def _failed() -> Unfit:
    return Unfit(Refusal(503, "waf-failed", "The gateway could not look at this request.", hard=True))


def _refusal(found: Inspected) -> Refusal:
    status = found.status if 400 <= found.status < 500 else 403  # noqa: PLR2004  # the client's fault, whatever a rule says
    rule = f"waf-{found.hits[0].rule}" if found.hits else "waf"
    return Refusal(
        status, rule, "This looks like an attack. If it is none, tell the help desk the number of this request."
    )
