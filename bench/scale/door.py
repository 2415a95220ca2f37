"""The door of a large store in this process: the keeper's own parts, without its sockets, and people who ask."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from bench.scale import Standing
from strongroom.clock import SystemClock
from strongroom.identity.context import sign_context
from strongroom.ids import new_id
from strongroom.keeper.protocol import Asking
from strongroom.keeper.server import Keeper
from strongroom.signin.tokens import mint
from strongroom.wiring.app import read_context_key
from strongroom.wiring.keeper import open_keeper
from strongroom.wiring.signin import signin_settings, signing_key

PATIENCE = 60.0
"""Seconds to wait for the log: the disk is shared with whatever else runs."""


class Door:
    """One open keeper."""

    def __init__(self, standing: Standing, keeper: Keeper) -> None:
        self.keeper = keeper
        self.parts = keeper.door.parts
        self._config = standing.config
        self._signing = signing_key(standing.config, standing.layout)
        self._context = read_context_key(standing.layout)
        self._clock = SystemClock()

    def token(self, subject: str) -> str:
        """A fresh session's token of whom the issuer calls so."""
        settings = signin_settings(self._config)
        return mint(self._signing, settings, subject, self._clock.now(), demonstration=True)

    def asking(self, token: str) -> Asking:
        """Somebody asks now."""
        context = sign_context(
            self._context, token=token, address="192.0.2.1", now=self._clock.now(), method="GET",
            url=f"{self._config.base}/x", request=new_id(),
        )  # fmt: skip
        return Asking(token=token, context=context)


@contextmanager
def opened(standing: Standing) -> Iterator[Door]:
    """Open the keeper of a large store as its process does, and close it."""
    keeper = open_keeper(standing.config, standing.layout, patience=PATIENCE).keeper
    gc.freeze()  # as the keeper's process does
    gc.set_threshold(20_000, 50, 100)
    try:
        yield Door(standing, keeper)
    finally:
        keeper.door.parts.log.publish()
        keeper.door.parts.log.close()
        keeper.door.parts.catalog.close()
        gc.unfreeze()
