"""Re-encrypting what was released, so that keys which went out since a time open nothing that is kept.

Who may, and the order of it:

1. `plan`    the versions whose key went out, out of the log alone; the same question gives the same list
2. `begin`   two officers; an entry; a ticket for one run of the program that re-encrypts (`respond.reencrypt`)
3. `Take`    an entry (REENCRYPTING), then the version's keys and the ones to follow them. Of planned versions only
4. `Move`    an entry (REENCRYPTED), and in its transaction the new keys take the place of the old ones

The program writes new ciphertext between 3 and 4, under another name, and never touches the old. Until 4 a version is read
with its old keys, from 4 on with its new ones, and each answer of the door says which edition of the ciphertext they open.
A crash of anybody before 4 leaves the version as it was; the keys made for it were nowhere but in memory.

How far it got is in the versions themselves (`keyed`): a key that went out before it is of an earlier edition. So a plan
that is made again has what is left, and what has been released since then.
"""

import asyncio
import hmac
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import msgspec

from strongroom.audit import event
from strongroom.audit.query import Selectors, Window
from strongroom.audit.resolve import Gap
from strongroom.clock import DAY, Millis
from strongroom.errors import Conflict, Malformed, Tampered, UsageError
from strongroom.ids import AccountId, DocumentId, PatientId, new_id
from strongroom.keeper import effects
from strongroom.keeper.acts import ActDone, ActRefused, Move, OfficersReply, Take, Taken, Which
from strongroom.keeper.door import Parts
from strongroom.keeper.rows import VersionRow
from strongroom.keys.custody import Prepared, Subject
from strongroom.secret import Secret
from strongroom.tlog.entry import Op

MAX_VERSIONS = 500_000
"""Of one run: about 100 MB of the keeper's memory. More are done in pieces of time."""
TICKET_LIFE = DAY
TRIES = 3
"""Times that a version is taken when something else about it changes meanwhile."""
KEYS = event.Target("key", "documents")

_FULL = frozenset({Op.RELEASED, Op.OPENED})
"""A version's content key went out."""
_LISTED = _FULL | {Op.LISTED}

Version = tuple[DocumentId, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Keys that went out to whom (None: to anybody), and when. `listed`: metadata keys of listings count, too."""

    whom: Selectors | None
    window: Window
    listed: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be re-encrypted. `gaps`: keys that went out of what the log cannot name any more."""

    versions: tuple[Version, ...]
    patients: int
    bytes: int
    gaps: int
    log_size: int

    def told(self) -> dict[str, Any]:
        """For an answer."""
        return {
            "versions": len(self.versions),
            "patients": self.patients,
            "bytes": self.bytes,
            "gaps": self.gaps,
            "log_size": self.log_size,
        }


@dataclass(slots=True)
class _UnderWay:
    """A version whose keys are with the program."""

    row: VersionRow
    patient: PatientId
    prepared: Prepared


@dataclass(slots=True)
class _Run:
    """One run of the program."""

    ticket: Secret
    until: Millis
    by: AccountId
    began: int
    left: deque[Version]
    tries: dict[Version, int] = field(default_factory=dict)
    under_way: dict[Version, _UnderWay] = field(default_factory=dict)
    moved: int = 0
    broken: int = 0
    ended: bool = False


class Reencrypting:
    """One run at a time; a newer one ends the one before it. Nothing of it outlives the keeper but what the log says."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._run: _Run | None = None

    async def plan(self, wanted: Wanted) -> Plan:
        """What would be re-encrypted now. Raises UsageError when it is too much for one run."""
        return await asyncio.to_thread(self._plan, wanted)

    async def begin(self, wanted: Wanted, most: int, by: AccountId, details: str) -> tuple[int, Plan, str]:
        """(index of the entry, plan, ticket). `most`: versions that the officers have seen in a plan before; raises
        UsageError when there are more.
        """
        plan, parts = await self.plan(wanted), self._parts
        if len(plan.versions) > most:
            raise UsageError(
                f"There are {len(plan.versions)} versions by now, and {most} were agreed to.",
                advice="Look at the plan again, with an end to its time (--until).",
            )
        now, ticket = parts.clock.now(), new_id()
        draft = event.key(now, "re-encryption began", KEYS, by=by, count=len(plan.versions), details=details)
        receipt = await parts.log.append(draft)
        self._run = _Run(Secret(ticket.encode()), Millis(now + TICKET_LIFE), by, receipt.index, deque(plan.versions))
        return receipt.index, plan, ticket

    async def answer(self, request: Take | Move | Which) -> OfficersReply:
        """What the program asked. Raises Unavailable, Tampered."""
        run = self._run
        known = run is not None and hmac.compare_digest(run.ticket.reveal(), request.ticket.encode())
        if run is None or not known or self._parts.clock.now() > run.until:
            return ActRefused(why="This run is over, or another one began.", advice="Run the command again.")
        match request:
            case Take():
                return await self._take(run)
            case Move():
                return await self._move(run, (DocumentId(request.document), request.version), done=request.done)
            case _:
                row = self._parts.catalog.version(DocumentId(request.document), request.version)
                return _answer(edition=None if row is None else row.edition)

    async def _take(self, run: _Run) -> OfficersReply:
        parts = self._parts
        while run.left:
            version = run.left.popleft()
            row, patient = parts.catalog.version(*version), parts.catalog.patient_of(version[0])
            key = None if patient is None else parts.catalog.key_of(patient)
            if row is None or patient is None or key is None or not row.wrapped_content:
                continue  # erased or destroyed meanwhile
            subject = Subject(patient, *key)
            prepared = await parts.custody.prepare(subject, *version, Op.REENCRYPTING)
            draft = event.reencrypting(parts.clock.now(), (patient, *version), by=run.by, began=run.began)
            receipt = await parts.log.append(draft)
            wrapped = (row.wrapped_content, row.wrapped_metadata)
            try:
                old = await parts.custody.reopen(receipt, subject, *version, wrapped)
            except (Malformed, Tampered):  # it opens for nobody; the others go on
                run.broken += 1
                continue
            new = parts.custody.open_written(prepared, receipt)
            run.tries[version] = run.tries.get(version, 0) + 1
            run.under_way[version] = _UnderWay(row, patient, prepared)
            return Taken(
                patient=patient, document=row.document, version=row.version, edition=row.edition,
                content_type=row.content_type, sealed_size=row.sealed_size, content=old.content.reveal(),
                metadata=old.metadata.reveal(), new_content=new.content.reveal(), new_metadata=new.metadata.reveal(),
            )  # fmt: skip
        await self._ended(run)
        return _answer(left=len(run.under_way), broken=run.broken)

    async def _move(self, run: _Run, version: Version, *, done: bool) -> OfficersReply:
        one = run.under_way.pop(version, None)
        if one is None:
            return ActRefused(why="This version was not taken in this run.")
        if not done:
            return ActRefused(why="It stays as it was.")
        parts, row = self._parts, one.row
        change = effects.reencrypt_version(
            row.document, row.version, row.edition, row.wrapped_content,
            (one.prepared.wrapped_content, one.prepared.wrapped_metadata), parts.log.size,
        )  # fmt: skip
        draft = event.reencrypted(parts.clock.now(), (one.patient, *version), by=run.by, began=run.began)
        try:
            receipt = await parts.log.append(draft, [change])
        except Conflict:  # the patient's key was rotated or destroyed meanwhile, or the document erased
            if run.tries[version] < TRIES:
                run.left.append(version)
            return ActRefused(why="Something else about this version changed meanwhile.")
        run.moved += 1
        return ActDone(receipt=receipt.index)

    async def _ended(self, run: _Run) -> None:
        """Once, when nothing is left and nothing under way."""
        if run.under_way or run.ended:
            return
        run.ended = True
        draft = event.key(self._parts.clock.now(), "re-encryption ended", KEYS, by=run.by, count=run.moved)
        await self._parts.log.append(draft)

    def _plan(self, wanted: Wanted) -> Plan:
        """In a thread of its own, with a question of its own."""
        catalog, gaps, size = self._parts.catalog, 0, 0
        latest: dict[Version, int] = {}
        with closing(self._parts.query()) as query:
            for one in query.versions(wanted.whom, wanted.window, _LISTED if wanted.listed else _FULL):
                if isinstance(one, Gap):
                    gaps += 1
                else:
                    latest[one[1], one[2]] = one[0]
        chosen: list[Version] = []
        patients: set[PatientId | None] = set()
        for version, row in self._rows(latest):
            if row.keyed <= latest[version]:
                chosen.append(version)
                patients.add(catalog.patient_of(version[0]))
                size += row.size
        if len(chosen) > MAX_VERSIONS:
            raise UsageError(
                f"{len(chosen)} versions are more than one run takes ({MAX_VERSIONS}).",
                advice="Do it in pieces of time: --since, --until.",
            )
        return Plan(tuple(chosen), len(patients), size, gaps, wanted.window.size)

    def _rows(self, versions: dict[Version, int]) -> Iterator[tuple[Version, VersionRow]]:
        for version in versions:
            row = self._parts.catalog.version(*version)
            if row is not None and row.state == "available" and row.wrapped_content:
                yield version, row


def _answer(**result: object) -> ActDone:
    return ActDone(receipt=None, result=msgspec.json.encode(result))
