"""Which request goes where, and what a client is told when something breaks: the way is closed, and nothing is said of why."""

import logging
from typing import TYPE_CHECKING, Any

from strongroom.errors import Malformed, StrongroomError, where
from strongroom.keeper import protocol as p
from strongroom.keeper.door import Door
from strongroom.keeper.reading import Reading
from strongroom.keeper.relating import Relating
from strongroom.keeper.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger("strongroom.keeper")

CLOSED = p.Refused(why="unavailable", advice="The document store is closed for the moment; try again shortly.", retry=5)


class Dispatch:
    """Answers every request of the apps; never raises."""

    def __init__(self, door: Door) -> None:
        reading, writing, relating = Reading(door), Writing(door), Relating(door)
        self._door = door
        self._ways: dict[type, Callable[[Any], Awaitable[p.Reply]]] = {
            p.BreakGlass: relating.break_glass,
            p.Delegate: relating.delegate,
            p.Delete: writing.delete,
            p.Deliveries: reading.deliveries,
            p.Deposit: writing.deposit,
            p.Deposited: writing.deposited,
            p.History: reading.history,
            p.List: reading.list_,
            p.Logout: relating.logout,
            p.Ping: self._ping,
            p.Relabel: writing.relabel,
            p.Release: reading.release,
            p.Share: relating.share,
            p.StepUp: relating.step_up,
            p.WhoAmI: reading.who_am_i,
            p.Withhold: relating.withhold,
        }

    async def handle(self, request: p.AppRequest, _uid: int) -> p.Reply:
        """The answer. Whatever fails, fails closed."""
        try:
            return await self._ways[type(request)](request)
        except (Malformed, OverflowError):  # the latter for a number that no column holds
            return p.Refused(why="malformed")
        except StrongroomError as error:
            log.warning("%s refused: %s", type(request).__name__, error)
            return CLOSED
        except Exception as error:  # noqa: BLE001  # the door stays shut; the type and place are told, never a value
            log.error("%s failed: %s", type(request).__name__, where(error))
            return CLOSED

    async def _ping(self, _request: p.Ping) -> p.Reply:
        fault = self._door.parts.log.fault
        return p.Status(
            open=fault is None, log_size=self._door.parts.log.size, advice="" if fault is None else fault.advice
        )
