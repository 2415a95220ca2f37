"""The app's words on what was delivered. They gate nothing, so nobody waits for them, and many are told together: one
request to the door, one sync of its disk.

It is the app's word: it refines what a person is told about an access, and never takes the access away. A release about
which nothing is said counts as wholly delivered.
"""

import asyncio
import contextlib
import logging

from strongroom.api.ports import Door
from strongroom.errors import StrongroomError
from strongroom.keeper.protocol import MAX_WORDS, Delivered, Deliveries

log = logging.getLogger("strongroom.api")

TOGETHER = 0.05
"""Seconds. Words of that time are told together."""


class Words:
    """Words that wait to be told. One an application, on one event loop at a time."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._waiting: list[Delivered] = []
        self._next: asyncio.Task[None] | None = None  # will tell what waits
        self._telling: set[asyncio.Task[None]] = set()  # kept here so that nobody collects them before they are done

    def tell(self, receipt: int, sent: int, *, complete: bool) -> None:
        """`sent` bytes of the release `receipt` went out. Told soon, whatever becomes of the request."""
        self._waiting.append(Delivered(receipt=receipt, bytes=sent, complete=complete))
        if self._next is None or self._next.done():  # done: with its loop, before it began
            self._next = task = asyncio.get_running_loop().create_task(self._tell())
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the server stops: what waits is told at once
            await asyncio.sleep(TOGETHER)
        words, self._waiting, self._next = self._waiting, [], None
        for first in range(0, len(words), MAX_WORDS):
            await self._give(tuple(words[first : first + MAX_WORDS]))

    async def _give(self, words: tuple[Delivered, ...]) -> None:
        try:
            await self._door.ask(Deliveries(words=words))
        except StrongroomError as error:
            log.warning(
                "%d deliveries, from receipt %d, not reported: %s", len(words), words[0].receipt, type(error).__name__
            )
