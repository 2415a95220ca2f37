"""The program that re-encrypts, put together: it talks to the keeper as an operator, and touches files as the app's user.

It connects to the officers' socket first and gives up root then. The app's user cannot open that socket, and the kernel lets
nobody look into a process that changed its user: an attacker who owns the app gets neither its keys nor its line.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from strongroom.clock import DAY, SECOND, SystemClock
from strongroom.config import Config, Layout, parse
from strongroom.documents.sqlite import Catalogue
from strongroom.errors import ConfigError
from strongroom.keeper.client import OfficersLine
from strongroom.respond.reencrypt import Outcome, Progress, Reencryption
from strongroom.wiring.app import open_blobs
from strongroom.wiring.user import become, may_separate, preload

T = TypeVar("T")
GRACE = 30 * SECOND
"""For whoever was given a key a moment ago and is about to fetch; a download that has begun is waited for by the app."""


def check_user(store: Path) -> None:
    """Raises ConfigError unless whoever runs this may become the app's user: to be asked before officers sign."""
    config = parse(Layout(store).config.read_bytes())
    if config.separate_users and not may_separate():
        msg = "Re-encrypting needs the officers' socket and the app's files: they belong to different users."
        raise ConfigError(msg, advice="Run it as root, with the officers' key files (--officer).")


def reencrypt(store: Path, ticket: str, versions: int, progress: Progress, *, at_once: bool) -> Outcome:
    """One run with this ticket. `at_once`: old ciphertext goes after `GRACE`, and not after the delay of deletions.

    Raises Unavailable, OperationError, ConfigError; then the command is to be run again.
    """
    layout = Layout(store)
    config = parse(layout.config.read_bytes())
    preload("strongroom.envelope", "strongroom.documents", "strongroom.respond", "cryptography", "obstore")

    async def whole() -> Outcome:
        line = await OfficersLine.open(layout.admin_socket)
        try:
            become(config.users.app)
            catalogue = Catalogue.open(layout.catalogue)
            try:
                run = Reencryption(
                    line.ask, ticket, open_blobs(config, layout), catalogue, _due(config, at_once=at_once)
                )
                return await run.run(versions, progress)
            finally:
                catalogue.close()
        finally:
            line.close()

    return _plainly(whole)


def _due(config: Config, *, at_once: bool) -> Callable[[], int]:
    clock, delay = SystemClock(), GRACE if at_once else config.keeper.deletion_delay_days * DAY
    return lambda: clock.now() + delay


def _plainly(work: Callable[[], Awaitable[T]]) -> T:
    """The first error of several lanes is the one to tell."""

    async def run() -> T:
        return await work()

    try:
        return asyncio.run(run())
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
