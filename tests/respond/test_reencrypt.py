"""Whatever breaks off at whichever step: each version opens with exactly one pair of keys and ciphertext."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from strongroom.api.shelf import Shelf
from strongroom.api.sweep import Sweeper
from strongroom.clock import ManualClock, Millis
from strongroom.documents.sqlite import Catalogue
from strongroom.envelope.binding import content_context
from strongroom.envelope.sealed import Opener
from strongroom.errors import OperationError, Tampered, Unavailable
from strongroom.keeper import protocol as p
from strongroom.keeper.acts import Move, Take, Which
from strongroom.respond import reencrypt as module
from strongroom.respond.reencrypt import Outcome, Reencryption
from strongroom.secret import Secret
from strongroom.wiring.app import open_blobs
from tests.keeper.conftest import House, house, template  # noqa: F401  # fixtures

OWNER, OTHER = "person-8", "person-9"
DUE = 1_000


class Died(BaseException):
    """The process is gone."""


class Steps:
    """Everything that the program does to others, one step at a time; at step `last`, before or after doing it, it dies."""

    def __init__(self, last: int = -1) -> None:
        self.last = last
        self.taken = 0

    def around(self, thing: Any) -> Any:
        """A thing whose calls are steps."""
        return _Stepped(thing, self)

    def step(self) -> None:
        """One more."""
        if self.taken == self.last:
            raise Died
        self.taken += 1


class _Stepped:
    def __init__(self, thing: Any, steps: Steps) -> None:
        self._thing = thing
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._thing, name)

        def stream(*args: Any) -> AsyncIterator[bytes]:
            self._steps.step()
            found: AsyncIterator[bytes] = call(*args)
            return found

        async def stepped(*args: Any) -> Any:
            self._steps.step()
            found = await call(*args)
            self._steps.step()
            return found

        return stream if name == "get" and hasattr(self._thing, "names") else stepped


class Store:
    """A real store behind an open keeper: the folder of objects, the catalogue, and what an app reads of them."""

    def __init__(self, h: House) -> None:
        self.h = h
        self.blobs = open_blobs(h.config, h.layout)
        self.catalogue = Catalogue.open(h.layout.catalogue)
        self.shelf = Shelf(self.blobs, self.catalogue)

    async def ask(self, request: Any) -> Any:
        """The keeper, as on a line."""
        assert self.h.keeper is not None
        return await self.h.keeper.acts.handle(request, 0)

    async def released(self, subject: str, number: int = 0) -> Any:
        """A document of their own."""
        asking = self.h.asking(subject)
        return await self.h.ask(p.Release(asking=asking, document=self.h.documents(self.h.demo.own[subject])[number]))

    async def whole(self, released: p.Released) -> bytes:
        """What an honest reader gets with it."""
        return b"".join([chunk async for chunk in self.shelf.read(released, 0, released.size)])

    async def stored(self) -> dict[str, bytes]:
        """Every object there is."""
        names = [name async for name in self.blobs.names()]
        return {name: b"".join([chunk async for chunk in self.blobs.get(name)]) for name in names}

    async def ticket(self, since: int) -> tuple[str, int]:
        """Two officers begin a run."""
        args = {"since": since, "reason": "test", "most": 1_000}
        begun = await self.h.done("reencrypt", args, "privacy", "security")
        return begun["ticket"], begun["versions"]

    async def run(self, since: int, steps: Steps | None = None) -> Outcome:
        """One run of the program."""
        ticket, versions = await self.ticket(since)
        steps = steps or Steps()
        line = steps.around(self)
        run = Reencryption(line.ask, ticket, steps.around(self.blobs), steps.around(self.catalogue), lambda: DUE)
        return await run.run(versions, lambda _done, _of: None)

    async def sweep(self, now: int) -> int:
        """The app takes away what is due."""
        return await Sweeper(self.blobs, self.catalogue, self.shelf.is_read, ManualClock(Millis(now))).sweep()


def opens(released: p.Released, cipher: bytes) -> bool:
    """Whether a key that was hoarded opens these bytes."""
    context = content_context(released.patient, released.document, released.version, released.content_type)
    opener = Opener(Secret(released.key), context)
    try:
        opener.update(cipher)
        opener.finish()
    except Tampered:
        return False
    return True


def with_store(house: House, work: Callable[[Store], Awaitable[None]]) -> None:  # noqa: F811  # the fixture's value
    """Do `work` with a store whose keeper is open."""

    async def inside(h: House) -> None:
        store = Store(h)
        try:
            await work(store)
        finally:
            store.catalogue.close()

    house.run(inside)


def test_a_hoarded_key_opens_nothing_that_is_kept_afterwards(house: House) -> None:  # noqa: F811  # the fixture's value
    """It did before; who asked before still gets the old, until it is due; who asks afterwards gets the same bytes."""

    async def work(store: Store) -> None:
        since = store.h.clock.now()
        hoarded = [await store.released(OWNER), await store.released(OTHER)]
        content = [await store.whole(one) for one in hoarded]
        before = await store.stored()
        assert [sum(opens(one, cipher) for cipher in before.values()) for one in hoarded] == [1, 1]
        outcome = await store.run(since)
        assert (outcome.moved, outcome.failed, outcome.settled) == (2, [], 0)
        assert outcome.bytes == sum(one.sealed_size for one in hoarded)
        assert [await store.whole(one) for one in hoarded] == content  # they had asked before
        assert await store.sweep(DUE - 1) == 0
        stream = store.shelf.read(hoarded[0], 0, hoarded[0].size)
        first = await anext(stream)
        assert await store.sweep(DUE) == 1  # one is being given to somebody just now
        assert b"".join([first, *[chunk async for chunk in stream]]) == content[0]
        assert await store.sweep(DUE) == 1
        after = await store.stored()
        assert len(after) == len(before)
        assert not [1 for one in hoarded for cipher in after.values() if opens(one, cipher)]
        again = [await store.released(OWNER), await store.released(OTHER)]
        assert [await store.whole(one) for one in again] == content
        row = (await store.h.ask(p.List(asking=store.h.asking(OWNER), document=again[0].document))).rows[0]
        assert (await store.shelf.metadata(row)).content[0].attachment.size == len(content[0])
        with pytest.raises(Tampered):
            await store.whole(hoarded[0])

    with_store(house, work)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_crash_at_any_step_leaves_every_version_readable(
    house: House,  # noqa: F811  # the fixture's value
    monkeypatch: pytest.MonkeyPatch,
    *,
    restarted: bool,
) -> None:
    """By exactly one key and one object; the next run settles what was left half done, and in the end nothing is over."""
    monkeypatch.setattr(module, "LANES", 2)
    died = 0

    async def one(store: Store, at: int) -> bool:
        """A run that dies at step `at`; whether it did."""
        store.h.clock.advance(1_000)
        since = store.h.clock.now()
        hoarded = [await store.released(OWNER), await store.released(OTHER)]
        content = [await store.whole(one) for one in hoarded]
        died = False
        try:
            await store.run(since, Steps(at))
        except (Died, BaseExceptionGroup):
            died = True
        if restarted and died:
            store.h.close()
            store.h.open()
        now = [await store.released(OWNER), await store.released(OTHER)]
        assert [await store.whole(one) for one in now] == content
        kept = await store.stored()
        for old, new in zip(hoarded, now, strict=True):
            found = [name for name, cipher in kept.items() if opens(new, cipher)]
            entry = await store.catalogue.get(new.document, new.version, new.edition)
            assert entry is not None
            assert found == [entry.blob]
            if new.edition > old.edition:
                assert new.key != old.key
        return died

    async def work(store: Store) -> None:
        nonlocal died
        before = len(await store.stored())
        while await one(store, died):
            died += 1
        await store.run(store.h.clock.now())
        assert await store.catalogue.unsettled() == []
        await store.sweep(DUE)
        catalogued = await store.catalogue.blobs()
        kept = await store.stored()
        assert len(catalogued) == before
        assert catalogued <= set(kept)
        for name in set(kept) - catalogued:  # written, and not yet catalogued: nobody was ever given its key
            for subject in (OWNER, OTHER):
                assert not opens(await store.released(subject), kept[name])

    with_store(house, work)
    assert died > 20


def test_what_is_damaged_stays_as_it_was_and_is_told(house: House) -> None:  # noqa: F811  # the fixture's value
    """An object that is altered, one that is missing, one that is cut, a catalogue without the row: the others are done."""

    async def work(store: Store) -> None:
        since = store.h.clock.now()
        all_ = [(OWNER, 0), (OWNER, 1), (OTHER, 0), (OTHER, 1), ("person-10", 0)]
        found = [await store.released(*one) for one in all_]
        entries = [await store.catalogue.get(one.document, one.version, 0) for one in found]
        names = [entry.blob for entry in entries if entry is not None]
        kept = await store.stored()
        for name, changed in ((names[0], b"x" * len(kept[names[0]])), (names[2], kept[names[2]][:-20])):
            await store.blobs.delete(name)

            async def chunks(whole: bytes = changed) -> AsyncIterator[bytes]:
                yield whole

            await store.blobs.put(name, chunks())
        await store.blobs.delete(names[1])
        await store.catalogue.remove((found[3].document, found[3].version, 0), names[3])
        outcome = await store.run(since)
        assert outcome.moved == 1
        assert sorted(one.split()[1] for one in outcome.failed) == sorted(one.document for one in found[:4])
        assert [(await store.released(*one)).edition for one in all_] == [0, 0, 0, 0, 1]
        assert len(await store.stored()) == len(kept)  # one is missing, one is new

    with_store(house, work)


def test_a_run_that_is_over_ends_the_program_and_takes_back_what_it_wrote(house: House) -> None:  # noqa: F811  # the fixture's value
    """Another run began meanwhile; the keeper says no; or it is gone, and then nothing is taken back."""

    async def work(store: Store) -> None:
        since = store.h.clock.now()
        await store.released(OWNER)
        before = set(await store.stored())
        ticket, _ = await store.ticket(since)

        async def another(request: Any) -> Any:
            if isinstance(request, Move):
                await store.ticket(since)
            return await store.ask(request)

        async def gone(request: Any) -> Any:
            if isinstance(request, Move):
                raise Unavailable("gone")
            return await store.ask(request)

        async def odd(request: Any) -> Any:
            return None if isinstance(request, Which) else await store.ask(request)

        run = Reencryption(another, ticket, store.blobs, store.catalogue, lambda: DUE)
        with pytest.raises(BaseExceptionGroup) as caught:
            await run.run(1, lambda _done, _of: None)
        assert caught.group_contains(OperationError)
        assert set(await store.stored()) == before
        assert await store.catalogue.unsettled() == []
        ticket, _ = await store.ticket(since)
        with pytest.raises(BaseExceptionGroup):
            await Reencryption(gone, ticket, store.blobs, store.catalogue, lambda: DUE).run(1, lambda _done, _of: None)
        assert len(await store.stored()) == len(before) + 1
        ticket, _ = await store.ticket(since)
        with pytest.raises(OperationError):
            await Reencryption(odd, ticket, store.blobs, store.catalogue, lambda: DUE).run(1, lambda _done, _of: None)
        refused = await store.ask(Take(ticket="old"))
        assert "over" in refused.why
        outcome = await store.run(since)
        assert (outcome.moved, outcome.settled) == (1, 1)

    with_store(house, work)


def test_keys_that_do_not_open_are_counted(house: House) -> None:  # noqa: F811  # the fixture's value
    """The keeper passes such a version over, and says how many there were."""

    async def work(store: Store) -> None:
        ticket, _ = await store.ticket(store.h.clock.now())

        async def broken(request: Any) -> Any:
            reply = await store.ask(request)
            return type(reply)(receipt=None, result=b'{"left":0,"broken":2}') if isinstance(request, Take) else reply

        run = Reencryption(broken, ticket, store.blobs, store.catalogue, lambda: DUE)
        assert (await run.run(2, lambda _done, _of: None)).failed == ["a version's wrapped key does not open"] * 2

    with_store(house, work)
