"""The keeper as a process: two sockets (and the courier's), and what it does between requests.

Every second: sign and publish the log, tell collapsed denials, let go of keys whose time is over, and, after a fault, try
to open the log again by the same path as a start. Every minute: keep a snapshot of the budgets, so that the next start
replays little, and erase what was deleted long enough ago.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strongroom.audit import event
from strongroom.budget.scope import Disclosure
from strongroom.errors import StrongroomError, Unavailable, where
from strongroom.keeper import logkey
from strongroom.keeper.acts import MAX_ACT, ActRefused, OfficersRequest
from strongroom.keeper.destroying import destroy_due, finish_destroyed
from strongroom.keeper.dispatch import Dispatch
from strongroom.keeper.door import Door
from strongroom.keeper.erasing import erase_due
from strongroom.keeper.officers import Acts
from strongroom.keeper.protocol import MAX_REQUEST, AppRequest, Refused
from strongroom.keeper.rotating import turn
from strongroom.keeper.snapshot import Snapshots
from strongroom.keeper.socket import Listener

log = logging.getLogger("strongroom.keeper")

Recount = Callable[[int], Iterator[Disclosure]]
"""What the log says was disclosed, from an index on."""

TICK = 1.0
MINUTE_TICKS = 60


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the keeper listens, and for whom. `group` may use the apps' socket besides the keeper's own user."""

    apps: Path
    officers: Path
    group: int | None
    app_uids: frozenset[int]
    operator_uids: frozenset[int]


class Keeper:
    """One keeper process, from `start` to `stop`."""

    def __init__(self, door: Door, acts: Acts, addresses: Addresses, snapshots: Snapshots, recount: Recount) -> None:
        self.door = door
        self.acts = acts
        self._addresses = addresses
        self._snapshots = snapshots
        self.recount = recount
        apps: Any = AppRequest
        officers: Any = OfficersRequest
        self.dispatch = Dispatch(door)
        self._apps = Listener(
            addresses.apps, apps, MAX_REQUEST, self.dispatch.handle, addresses.app_uids.__contains__,
            garbled=Refused(why="malformed"),
        )  # fmt: skip
        self._officers = Listener(
            addresses.officers, officers, MAX_ACT, acts.handle, addresses.operator_uids.__contains__,
            garbled=ActRefused(why="The act does not parse."),
        )  # fmt: skip
        self._ticker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Record the start, then open the sockets: whoever gets in finds the start on record."""
        parts = self.door.parts
        parts.catalog.share(asyncio.get_running_loop().call_soon)
        finish_destroyed(parts)
        await parts.log.append(event.started(parts.clock.now(), parts.policy))
        await self._apps.start(0o660 if self._addresses.group is not None else 0o600, self._addresses.group)
        await self._officers.start(0o600)
        self._ticker = asyncio.get_running_loop().create_task(self._tick())

    async def stop(self) -> None:
        """Close the sockets, write what is counted, publish, and record the stop."""
        if self._ticker is not None:
            self._ticker.cancel()
        await self._apps.stop()
        await self._officers.stop()
        parts = self.door.parts
        try:
            now = parts.clock.now()
            for one in self.door.denials.flush():
                await parts.log.append(event.denials(now, one.account, one.count, one.first))
            await parts.log.append(event.stopped(now))
            self._snapshots.keep(parts.ledger, parts.log.size)
            await asyncio.to_thread(parts.log.publish)
        except StrongroomError as error:
            log.warning("not stopped in good order: %s", error.message)
        parts.log.close()
        parts.catalog.close()

    async def _tick(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK)
            ticks += 1
            try:
                await self._second(minute=ticks % MINUTE_TICKS == 1)
            except StrongroomError as error:
                log.warning("%s", error)
            except Exception as error:  # noqa: BLE001  # without this beat nothing is published, and no fault ever mended
                log.error("the keeper's second failed: %s", where(error))

    async def _second(self, *, minute: bool) -> None:
        parts = self.door.parts
        parts.custody.expire()
        if parts.log.fault is not None:
            await self._reopen()
        now = parts.clock.now()
        for one in self.door.denials.due(now):
            await parts.log.append(event.denials(now, one.account, one.count, one.first))
        await asyncio.to_thread(parts.log.publish)
        await turn(parts)
        await logkey.turn(parts)
        if minute:
            parts.ledger.advance(now)
            self._snapshots.keep(parts.ledger, parts.log.size)
            if count := await erase_due(parts):
                log.info("%d deleted documents are erased", count)
            if count := await destroy_due(parts):
                log.warning("the keys of %d patients are destroyed", count)

    async def _reopen(self) -> None:
        """After a fault: the normal path of a start. What turns out to be in the log holds: charges, and ends of sessions."""
        parts = self.door.parts
        try:
            first = await asyncio.to_thread(parts.log.reopen)
        except Unavailable:
            return  # still closed; the next second tries again
        for disclosure in self.recount(first):
            parts.ledger.apply(disclosure)
        for session, at in parts.catalog.revoked():
            parts.revoked.revoke(session, at)
        parts.log.resume()  # in the same step: nobody is charged before all that is counted
        log.warning("the log is open again")
