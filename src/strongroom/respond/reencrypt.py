"""The program that re-encrypts: old ciphertext in, new ciphertext out, with keys that the keeper hands to it alone.

It runs for as long as there is something to do, as a process of its own, and not inside the app: where keys were hoarded the
app may be the thief. For one version:

1. Old and new keys from the keeper, which has that on record before.
2. Old ciphertext is opened chunk by chunk, and sealed into the store under a new name.
3. The metadata, sealed anew, and the new name are a row of their own in the catalogue: the version's next edition.
4. The keeper is told. From its commit on the version is read with the new keys, and so in its new edition.
5. The old edition's row says when it may be taken away: for those who asked before 4 it is still there.

A crash before 4 leaves an edition that no key opens; one between 4 and 5 leaves an old one that has no end. The next run
begins by settling both. What is read never waits for any of this.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import msgspec

from strongroom.documents.blobs import Blobs
from strongroom.documents.sqlite import Catalogue
from strongroom.envelope import small
from strongroom.envelope.binding import content_context, metadata_context
from strongroom.envelope.sealed import Opener, Sealer
from strongroom.errors import OperationError, StrongroomError, Tampered
from strongroom.ids import new_id
from strongroom.keeper.acts import ActDone, ActRefused, Move, OfficersReply, OfficersRequest, Take, Taken, Which
from strongroom.secret import Secret

log = logging.getLogger("strongroom.reencrypt")

LANES = 4
"""Versions under way at once: one waits for a disk while another is sealed."""

Ask = Callable[[OfficersRequest], Awaitable[OfficersReply]]
"""A question to the keeper, on a line that is kept. Raises Unavailable; then what it did is not known."""
Progress = Callable[[int, int], None]
"""Called with versions done, and of how many."""


@dataclass(slots=True)
class Outcome:
    """What a run did. `failed`: one sentence each, with ids and nothing else of the document."""

    moved: int = 0
    bytes: int = 0
    settled: int = 0
    failed: list[str] = field(default_factory=list)


class Reencryption:
    """One run, with one ticket."""

    def __init__(self, ask: Ask, ticket: str, blobs: Blobs, catalogue: Catalogue, due: Callable[[], int]) -> None:
        """`due`: when what is replaced now may be taken away, in ms."""
        self._ask = ask
        self._ticket = ticket
        self._blobs = blobs
        self._catalogue = catalogue
        self._due = due
        self.outcome = Outcome()

    async def run(self, versions: int, progress: Progress) -> Outcome:
        """Everything that the keeper has planned, some `versions`.

        Raises Unavailable when the keeper or the catalogue is gone, OperationError when it ends the run; every version is
        then as it was or as it should be, and the command is to be run again.
        """
        await self._settle()

        async def lane() -> None:
            while (taken := await self._take()) is not None:
                await self._move(taken)
                progress(self.outcome.moved + len(self.outcome.failed), versions)

        async with asyncio.TaskGroup() as lanes:
            for _ in range(LANES):
                lanes.create_task(lane())
        return self.outcome

    async def _settle(self) -> None:
        """What a run that broke off left: editions that the keeper does not know, and old ones without an end."""
        for document, version in await self._catalogue.unsettled():
            reply = await self._done(Which(ticket=self._ticket, document=document, version=version))
            edition = msgspec.json.decode(reply.result)["edition"]
            if edition is None:
                continue
            for place, blob in await self._catalogue.after(document, version, edition):
                await self._blobs.delete(blob)
                await self._catalogue.remove(place, blob)
            await self._catalogue.retire(document, version, edition, self._due())
            self.outcome.settled += 1

    async def _take(self) -> Taken | None:
        reply = await self._ask(Take(ticket=self._ticket))
        if isinstance(reply, Taken):
            return reply
        if isinstance(reply, ActRefused):
            raise OperationError(
                reply.why, advice=reply.advice or "Run the command again: it goes on with what is left."
            )
        for _ in range(msgspec.json.decode(reply.result).get("broken", 0) - self._broken()):
            self.outcome.failed.append("a version's wrapped key does not open")
        return None

    def _broken(self) -> int:
        return sum(1 for one in self.outcome.failed if one.startswith("a version"))

    async def _move(self, taken: Taken) -> None:
        """One version. Its own faults are told and passed over; it stays as it was."""
        of, blob = (taken.document, taken.version), new_id()
        edition = taken.edition + 1
        try:
            size = await self._blobs.put(blob, self._sealed_anew(taken))
            metadata = await self._metadata(taken)
            await self._catalogue.put(*of, metadata, blob, edition)
        except StrongroomError as error:
            await self._give_up(taken, blob, error.message)
            return
        reply = await self._ask(Move(ticket=self._ticket, document=of[0], version=of[1], done=True))
        if isinstance(reply, ActRefused):  # it says no: nothing of ours is in use
            await self._blobs.delete(blob)
            await self._catalogue.remove((*of, edition), blob)
            self._failed(taken, reply.why)
            return
        await self._catalogue.retire(*of, edition, self._due())
        self.outcome.moved += 1
        self.outcome.bytes += size

    async def _give_up(self, taken: Taken, blob: str, why: str) -> None:
        self._failed(taken, why)
        try:
            await self._blobs.delete(blob)
        except StrongroomError as error:
            log.warning("an unfinished object stays in the store: %s", type(error).__name__)
        await self._ask(Move(ticket=self._ticket, document=taken.document, version=taken.version, done=False))

    def _failed(self, taken: Taken, why: str) -> None:
        self.outcome.failed.append(f"document {taken.document} version {taken.version}: {why}")

    async def _sealed_anew(self, taken: Taken) -> AsyncIterator[bytes]:
        """The new ciphertext. Raises Tampered before its end when the old one is not whole: then nothing is kept."""
        context = content_context(taken.patient, taken.document, taken.version, taken.content_type)
        opener, sealer = Opener(Secret(taken.content), context), Sealer(Secret(taken.new_content), context)
        seen = 0
        async for cipher in self._blobs.get(await self._name(taken)):
            seen += len(cipher)
            if sealed := sealer.update(opener.update(cipher)):
                yield sealed
        rest = opener.finish()
        if seen != taken.sealed_size:
            msg = "The store has a document of another length than was recorded."
            raise Tampered(msg)
        yield sealer.update(rest) + sealer.finish()

    async def _metadata(self, taken: Taken) -> bytes:
        found = await self._catalogue.get(taken.document, taken.version, taken.edition)
        if found is None:
            raise _not_catalogued()
        bound = metadata_context(taken.patient, taken.document, taken.version)
        plain = small.open_sealed(Secret(taken.metadata), found.metadata, bound)
        return small.seal(Secret(taken.new_metadata), plain, bound)

    async def _name(self, taken: Taken) -> str:
        found = await self._catalogue.get(taken.document, taken.version, taken.edition)
        if found is None:
            raise _not_catalogued()
        return found.blob

    async def _done(self, request: OfficersRequest) -> ActDone:
        reply = await self._ask(request)
        if isinstance(reply, ActDone):
            return reply
        raise OperationError(
            getattr(reply, "why", "The keeper answers something else."), advice="Run the command again."
        )


def _not_catalogued() -> Tampered:
    return Tampered("The catalogue does not have it.")
