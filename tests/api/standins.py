"""Small real stand-ins for what lies behind the API: a door, an object store and a catalogue, all in memory.

The door keeps the protocol's promises and no others: unknown and forbidden are one answer, a version can be read only
after `Deposited`, an expected version that is not the newest is a conflict, and everything asked is written down. Its
policy is the shortest that the tests need: a token is the name of a login, a login owns patients or is a clinician of
some.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from strongroom.clock import HOUR, ManualClock
from strongroom.documents.blobs import Piece
from strongroom.documents.memory import MemoryBlobs
from strongroom.documents.sqlite import Entry
from strongroom.errors import Conflict, Unavailable
from strongroom.ids import new_id
from strongroom.keeper import protocol as p


@dataclass
class Version:
    """One version as the keeper would know it."""

    number: int
    content_type: str
    key: bytes
    metadata_key: bytes
    updated: int
    size: int = 0
    sealed_size: int = 0
    available: bool = False


@dataclass
class Held:
    """One document as the keeper would know it."""

    id: str
    patient: str
    category: str
    deleted: bool = False
    versions: list[Version] = field(default_factory=list)

    def readable(self, number: int | None) -> Version | None:
        """The version asked for, or the newest, if it can be read."""
        found = [one for one in self.versions if one.available and (number is None or one.number == number)]
        return None if self.deleted or not found else found[-1]


@dataclass
class MemoryDoor:
    """The keeper's protocol over dictionaries."""

    clock: ManualClock
    own: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Login to the patients it owns."""
    cares: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Clinician's login to patients."""
    held: dict[str, Held] = field(default_factory=dict)
    tickets: dict[str, tuple[Held, Version]] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)
    """Words on deliveries one by one, however many were told together."""
    refuse: dict[type, p.Reply] = field(default_factory=dict)
    """An answer to give instead, by kind of request."""
    lost: set[type] = field(default_factory=set)
    """Kinds of request that the keeper does not answer."""
    accesses: list[p.Access] = field(default_factory=list)
    page: int = p.MAX_ROWS
    """Rows in one answer."""

    async def ask(self, request: p.AppRequest) -> p.Reply:
        """One question, one answer, written down."""
        self.asked += request.words if isinstance(request, p.Deliveries) else [request]
        kind = type(request)
        if kind in self.lost:
            msg = "The keeper does not answer."
            raise Unavailable(msg)
        if kind in self.refuse:
            return self.refuse[kind]
        asking = getattr(request, "asking", None)
        if asking is not None and asking.token not in {*self.own, *self.cares}:
            return p.Refused(why="expired" if asking.token == "expired" else "login")
        reply: p.Reply = getattr(self, f"_{kind.__name__.lower()}")(request)
        return reply

    def words(self, kind: type[Any]) -> list[Any]:
        """What was asked, of one kind."""
        return [request for request in self.asked if isinstance(request, kind)]

    def _reaches(self, login: str, patient: str) -> bool:
        return patient in self.own.get(login, ()) + self.cares.get(login, ())

    def _document(self, asking: p.Asking, document: str) -> Held | None:
        held = self.held.get(document)
        return held if held and not held.deleted and self._reaches(asking.token, held.patient) else None

    def _ping(self, _request: p.Ping) -> p.Reply:
        return p.Status(open=True, log_size=len(self.asked))

    def _whoami(self, request: p.WhoAmI) -> p.Reply:
        login = request.asking.token
        return p.Known(account=login, kind="person" if login in self.own else "clinician", own=self.own.get(login, ()))

    def _list(self, request: p.List) -> p.Reply:
        if request.document is not None:
            held = self._document(request.asking, request.document)
            version = held and held.readable(request.version)
            if not held or not version:
                return p.Refused(why="absent")
            return p.Listed(receipt=len(self.asked), rows=(self._row(held, version),))
        reached = self._reaches(request.asking.token, request.patient or "")
        rows = [
            self._row(held, version)
            for held in sorted(self.held.values(), key=lambda one: one.id)
            if reached and held.patient == request.patient and held.id > (request.after or "")
            and (version := held.readable(None))
        ]  # fmt: skip
        limit = min(request.limit, self.page)
        return p.Listed(receipt=len(self.asked), rows=tuple(rows[:limit]), more=len(rows) > limit)

    def _row(self, held: Held, version: Version) -> p.Row:
        newest = held.readable(None)
        return p.Row(
            document=held.id, version=version.number, patient=held.patient, category=held.category, state="available",
            content_type=version.content_type, size=version.size, updated=version.updated,
            metadata_key=version.metadata_key, newest=newest is version,
        )  # fmt: skip

    def _release(self, request: p.Release) -> p.Reply:
        held = self._document(request.asking, request.document)
        version = held and held.readable(request.version)
        if not held or not version:
            return p.Refused(why="absent")
        return p.Released(
            receipt=len(self.asked), document=held.id, version=version.number, patient=held.patient, key=version.key,
            content_type=version.content_type, size=version.size, sealed_size=version.sealed_size,
            updated=version.updated,
        )  # fmt: skip

    def _deposit(self, request: p.Deposit) -> p.Reply:
        if request.document is None:
            if not self._reaches(request.asking.token, request.patient):
                return p.Refused(why="absent")
            held = Held(new_id(), request.patient, request.category)
            self.held[held.id] = held
        else:
            found = self._document(request.asking, request.document)
            newest = found and found.readable(None)
            if not found or not newest or found.patient != request.patient:
                return p.Refused(why="absent")
            if newest.number != request.expected:
                return p.Refused(why="conflict")
            held = found
        version = Version(
            len(held.versions) + 1, request.content_type, os.urandom(32), os.urandom(32), self.clock.now()
        )
        held.versions.append(version)
        ticket = new_id()
        self.tickets[ticket] = (held, version)
        return p.Opened(
            ticket=ticket, document=held.id, version=version.number, patient=held.patient, key=version.key,
            metadata_key=version.metadata_key,
        )  # fmt: skip

    def _deposited(self, request: p.Deposited) -> p.Reply:
        _, version = self.tickets[request.ticket]
        version.size, version.sealed_size, version.available = request.size, request.sealed_size, True
        return p.Done(receipt=len(self.asked))

    def _deliveries(self, _request: p.Deliveries) -> p.Reply:
        return p.Done()

    def _delete(self, request: p.Delete) -> p.Reply:
        held = self._document(request.asking, request.document)
        if held is None:
            return p.Refused(why="absent")
        held.deleted = True
        return p.Done(receipt=len(self.asked))

    def _relabel(self, request: p.Relabel) -> p.Reply:
        held = self._document(request.asking, request.document)
        if held is None:
            return p.Refused(why="absent")
        held.category = request.category
        return p.Done(receipt=len(self.asked))

    def _record(self, request: p.Share | p.Delegate | p.Withhold | p.BreakGlass) -> p.Reply:
        if not self._reaches(request.asking.token, request.patient):
            return p.Refused(why="absent")
        return p.Done(receipt=len(self.asked))

    _share = _delegate = _withhold = _record

    def _breakglass(self, request: p.BreakGlass) -> p.Reply:
        if not request.reason:
            return p.Refused(why="reason")
        return p.Glass(receipt=len(self.asked), until=self.clock.now() + HOUR)

    def _logout(self, _request: p.Logout) -> p.Reply:
        return p.Done()

    def _stepup(self, _request: p.StepUp) -> p.Reply:
        return p.Done()

    def _history(self, request: p.History) -> p.Reply:
        if not self._reaches(request.asking.token, request.patient):
            return p.Accesses(rows=())
        found = [one for one in self.accesses if request.before is None or one.index < request.before]
        found = [one for one in found if request.since is None or one.at >= request.since]
        found = [one for one in found if request.until is None or one.at < request.until]
        found.sort(key=lambda one: -one.index)
        return p.Accesses(rows=tuple(found[: request.limit]), more=len(found) > request.limit)


class Blobs(MemoryBlobs):
    """The store in memory, which can be taken away."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> int:
        """See the port."""
        self._check()
        return await super().put(name, chunks)

    async def get(self, name: str, start: int = 0, length: int | None = None) -> AsyncIterator[Piece]:
        """See the port."""
        self._check()
        async for chunk in super().get(name, start, length):
            yield chunk

    async def delete(self, name: str) -> None:
        """See the port."""
        self._check()
        await super().delete(name)

    def _check(self) -> None:
        if self.down:
            msg = "The object store does not answer."
            raise Unavailable(msg)


@dataclass
class MemoryCatalogue:
    """A catalogue in a dictionary, which can be taken away."""

    rows: dict[tuple[str, int, int], Entry] = field(default_factory=dict)
    down: bool = False

    async def put(self, document: str, version: int, metadata: bytes, blob: str) -> None:
        """Enters a new version."""
        self._check()
        if (document, version, 0) in self.rows:
            msg = "The version is there."
            raise Conflict(msg)
        self.rows[document, version, 0] = Entry(metadata, blob)

    async def get(self, document: str, version: int, edition: int) -> Entry | None:
        """One edition of a version."""
        self._check()
        return self.rows.get((document, version, edition))

    def _check(self) -> None:
        if self.down:
            msg = "The catalogue does not answer."
            raise Unavailable(msg)
