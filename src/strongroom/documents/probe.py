"""What the object store can do, found out at start by doing it, on objects of our own that are taken away again.

A store that cannot take, give, cut and delete is refused. One that overwrites a name that is taken is used with a loud
warning: names are random, so this matters only against whoever already holds the store's credentials.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from strongroom.documents.blobs import Blobs
from strongroom.errors import ConfigError, Conflict, StrongroomError
from strongroom.ids import new_id

_OVERWRITES = (
    "The object store overwrites objects that exist (no If-None-Match). Switch on versioning or object lock for"
    " this bucket, or whoever holds its credentials can destroy documents."
)
_SAMPLE = bytes(range(256)) * 64


@dataclass(frozen=True, slots=True)
class Abilities:
    """What was found."""

    creates_only: bool
    """Refuses to overwrite a name that is taken."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to say loudly."""
        if self.creates_only:
            return ()
        return (_OVERWRITES,)


async def probe(blobs: Blobs) -> Abilities:
    """Try everything the product relies upon. Raises ConfigError for a store that cannot be used at all."""
    name = f"probe{new_id()}"
    try:
        await blobs.put(name, _chunks(_SAMPLE))
        await _compare(blobs, name)
        creates_only = await _refuses_second(blobs, name)
        if creates_only:
            await _compare(blobs, name)
    except StrongroomError as error:
        if isinstance(error, ConfigError):
            raise
        msg = f"The object store cannot be used: {error.message}"
        raise ConfigError(msg, advice=error.advice or "Look at [objects] in strongroom.toml.") from error
    finally:
        with contextlib.suppress(StrongroomError):  # the probe's own answer matters more; 16 KiB may stay
            await blobs.delete(name)
    return Abilities(creates_only)


async def _compare(blobs: Blobs, name: str) -> None:
    whole = b"".join([chunk async for chunk in blobs.get(name)])
    part = b"".join([chunk async for chunk in blobs.get(name, 100, 1_000)])
    if whole != _SAMPLE or part != _SAMPLE[100:1_100]:
        msg = "The object store gives back other bytes than it was given."
        raise ConfigError(msg, advice="Do not use it for documents.")


async def _refuses_second(blobs: Blobs, name: str) -> bool:
    try:
        await blobs.put(name, _chunks(b"overwritten"))
    except Conflict:
        return True
    return False


async def _chunks(whole: bytes) -> AsyncIterator[bytes]:
    yield whole
