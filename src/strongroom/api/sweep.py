"""Taking away what was replaced: ciphertext of earlier editions, once it is due and nobody is being given it."""

import asyncio
import logging
from collections.abc import Callable

from strongroom.clock import Clock
from strongroom.documents.blobs import Blobs
from strongroom.documents.sqlite import Catalogue
from strongroom.errors import StrongroomError

log = logging.getLogger("strongroom.api")

PAUSE = 10.0
"""Seconds between two looks."""
BATCH = 200
"""Objects taken away in one look, so that no honest request waits long for the catalogue."""


class Sweeper:
    """Needs no key and no door: what is due is said in the catalogue."""

    def __init__(self, blobs: Blobs, catalogue: Catalogue, is_read: Callable[[str], bool], clock: Clock) -> None:
        """`is_read`: whether an object is being given to somebody just now."""
        self._blobs = blobs
        self._catalogue = catalogue
        self._is_read = is_read
        self._clock = clock

    async def run(self) -> None:
        """For as long as the app runs; what fails is tried again."""
        while True:
            try:
                if count := await self.sweep():
                    log.info("%d replaced objects are taken away", count)
            except StrongroomError as error:
                log.warning("replaced objects are not taken away yet: %s", error.message)
            await asyncio.sleep(PAUSE)

    async def sweep(self) -> int:
        """One look; gives how many. The object goes first: a crash in between finds the row again. Raises Unavailable."""
        count = 0
        for place, blob in await self._catalogue.due(self._clock.now(), BATCH):
            if self._is_read(blob):
                continue
            await self._blobs.delete(blob)
            await self._catalogue.remove(place, blob)
            count += 1
        return count
