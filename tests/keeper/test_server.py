"""The keeper as a process: start, stop, restart, faults; what it keeps and what it refuses meanwhile."""

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from strongroom.budget.ledger import Ledger
from strongroom.budget.table import DEFAULTS
from strongroom.errors import Tampered, Unavailable
from strongroom.keeper import protocol as p
from strongroom.keeper import server
from strongroom.keeper.acts import ActDone, Health
from strongroom.keeper.client import KeeperClient, OfficersClient
from strongroom.keeper.server import Keeper
from strongroom.keeper.snapshot import Snapshots
from strongroom.keys.custody import CACHE_TIME
from strongroom.secret import Secret
from tests.keeper.conftest import House

OWNER = "person-8"


def test_a_started_keeper_answers_on_its_sockets_and_stops_in_good_order(house: House) -> None:
    """Start and stop are entries; budgets are kept in a snapshot; the sockets are gone afterwards."""

    async def work() -> None:
        keeper = house.open()
        await keeper.start()
        client = KeeperClient(house.layout.socket, 60.0)
        status = await client.ask(p.Ping())
        assert isinstance(status, p.Status)
        assert status.open
        document = house.documents(house.demo.own[OWNER])[0]
        assert isinstance(await client.ask(p.Release(asking=house.asking(OWNER), document=document)), p.Released)
        health = await asyncio.to_thread(OfficersClient(house.layout.admin_socket).ask, Health())
        assert isinstance(health, ActDone)
        for _ in range(25):
            await client.ask(p.Release(asking=house.asking("person-9"), document="a" * 26))
        await keeper._second(minute=True)
        client.close()
        await keeper.stop()
        house.keeper = None
        assert not house.layout.socket.exists()
        assert (house.layout.keeper / "budgets.snapshot").exists()

    asyncio.run(work())
    ops = [row[0] for row in sqlite3.connect(house.layout.database).execute("select op from log_entry order by idx")]
    assert ops[-1] == "stopped"
    assert "started" in ops


def test_budgets_survive_a_restart_with_and_without_a_snapshot(house: House) -> None:
    """What was read counts, whether it is in the snapshot or only in the log; a forged snapshot is not believed."""

    async def read(h: House) -> None:
        for document in h.documents(h.demo.own[OWNER])[:3]:
            await h.ask(p.Release(asking=h.asking(OWNER), document=document))

    async def same(h: House) -> None:
        fresh = Snapshots(h.layout.keeper / "none", Secret(b"k")).load(DEFAULTS, 0)[0]
        assert h.parts.ledger.snapshot() != fresh.snapshot()
        h.keeper._snapshots.keep(h.parts.ledger, h.parts.log.size)  # type: ignore[union-attr]  # it is open

    house.run(read)
    house.run(same)
    state = house.open().door.parts.ledger.snapshot()
    house.close()
    path = house.layout.keeper / "budgets.snapshot"
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    assert house.open().door.parts.ledger.snapshot() == state
    house.close()
    path.unlink()
    assert house.open().door.parts.ledger.snapshot() == state


def test_a_log_that_cannot_be_written_shuts_the_door_and_opens_again_by_itself(house: House) -> None:
    """Nothing is released meanwhile; the charge is taken back; afterwards all is as before."""

    async def work(h: House) -> None:
        document = h.documents(h.demo.own[OWNER])[0]
        release = p.Release(asking=h.asking(OWNER), document=document)
        before = h.parts.ledger.snapshot()
        holder = sqlite3.connect(h.layout.database, isolation_level=None)
        holder.execute("begin immediate")  # as a backup that hangs would
        answer = await h.ask(release)
        assert (answer.why, answer.retry) == ("unavailable", 5)
        assert h.parts.ledger.snapshot() == before
        assert not (await h.ask(p.Ping())).open
        assert (await h.ask(release)).why == "unavailable"
        assert isinstance(h.keeper, Keeper)
        holder.execute("rollback")
        holder.close()
        checkpoint, aside = h.layout.log / "checkpoint", h.layout.log / "aside"
        checkpoint.rename(aside)
        checkpoint.mkdir()  # what was published cannot be read: the start's checks cannot be made
        with pytest.raises(Unavailable):
            await h.keeper._second(minute=False)
        assert not (await h.ask(p.Ping())).open
        checkpoint.rmdir()
        aside.rename(checkpoint)
        await h.keeper._second(minute=False)
        assert (await h.ask(p.Ping())).open
        assert isinstance(await h.ask(release), p.Released)

    house.run(work)


def test_a_log_that_was_set_back_is_not_opened(house: House) -> None:
    """The published checkpoint covers more than the database has: refused, with the way to go on."""
    saved = house.layout.keeper / "saved.db"
    house.open()
    house.close()
    source, copy = sqlite3.connect(house.layout.database), sqlite3.connect(saved)
    source.backup(copy)
    source.close()
    copy.close()

    async def more(h: House) -> None:
        for document in h.documents(h.demo.own[OWNER])[:2]:
            await h.ask(p.Release(asking=h.asking(OWNER), document=document))
        await asyncio.to_thread(h.parts.log.publish)

    house.run(more)
    for name in ("keeper.db-wal", "keeper.db-shm"):
        (house.layout.keeper / name).unlink(missing_ok=True)
    saved.replace(house.layout.database)
    with pytest.raises(Tampered, match="restore"):
        house.open()


def test_a_failure_that_nobody_foresaw_is_refused_and_says_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The door stays shut, whatever it was."""

    async def work(h: House) -> None:
        def boom(*_: object) -> None:
            msg = "a patient's name"
            raise RuntimeError(msg)

        monkeypatch.setattr(type(h.parts.catalog), "of_version", boom)
        answer = await h.ask(p.Release(asking=h.asking(OWNER), document="a" * 26))
        assert answer.why == "unavailable"
        assert "name" not in answer.advice

    house.run(work)


class LateError:
    """A real connection whose disk reports the failure of a commit after it happened."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """As asked; but the answer to `commit` is an error that comes too late."""
        done = self._real.execute(sql, *parameters)
        if sql == "commit":
            raise sqlite3.OperationalError("disk I/O error")
        return done


def test_what_became_durable_after_all_is_charged_again(house: House) -> None:
    """Refused and undone, because the commit was said to have failed; counted once more when the log finds it there."""
    charged: list[bytes] = []

    async def again(h: House) -> None:
        assert charged == [h.parts.ledger.snapshot()]

    async def work(h: House) -> None:
        assert h.keeper is not None
        first, second, *_ = h.documents(h.demo.own[OWNER])
        assert isinstance(await h.ask(p.Release(asking=h.asking(OWNER), document=first)), p.Released)
        before = h.parts.ledger.snapshot()
        journal = h.parts.log._pen._journal
        journal._db = LateError(journal._db)
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=second))).why == "unavailable"
        assert h.parts.ledger.snapshot() == before
        await h.keeper._second(minute=False)
        assert (await h.ask(p.Ping())).open
        charged.append(h.parts.ledger.snapshot())
        assert charged != [before]
        rows = h.parts.catalog.rows("select count(*) from log_entry where op = 'released'")
        assert rows == [(2,)]

    house.run(work)
    house.run(again)


def test_a_session_whose_end_became_durable_is_over(house: House) -> None:
    """Told that it failed, a user tries again or does not; the log says that they logged out, and so it is."""

    async def work(h: House) -> None:
        assert h.keeper is not None
        journal = h.parts.log._pen._journal
        journal._db = LateError(journal._db)
        assert (await h.ask(p.Logout(asking=h.asking(OWNER)))).why == "unavailable"
        await h.keeper._second(minute=False)
        assert (await h.ask(p.WhoAmI(asking=h.asking(OWNER)))).why == "login"
        assert isinstance(await h.ask(p.WhoAmI(asking=h.asking(OWNER, sid="another"))), p.Known)

    house.run(work)


def test_nobody_is_charged_before_what_became_durable_is(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that comes after the log was checked and before its entries were counted again is refused."""

    async def work(h: House) -> None:
        assert h.keeper is not None
        first, second, *_ = h.documents(h.demo.own[OWNER])
        journal = h.parts.log._pen._journal
        journal._db = LateError(journal._db)
        assert (await h.ask(p.Release(asking=h.asking(OWNER), document=first))).why == "unavailable"
        loop, reopen, answers = asyncio.get_running_loop(), h.parts.log.reopen, []

        def reopened() -> int:
            known: int = reopen()
            asked = h.ask(p.Release(asking=h.asking(OWNER), document=second))
            answers.append(asyncio.run_coroutine_threadsafe(asked, loop).result(60))
            return known

        monkeypatch.setattr(h.parts.log, "reopen", reopened)
        await h.keeper._second(minute=False)
        assert [one.why for one in answers] == ["unavailable"]
        assert (await h.ask(p.Ping())).open
        told = Ledger(h.parts.ledger._rules)
        for disclosure in h.keeper.recount(0):
            told.apply(disclosure)
        assert h.parts.ledger.snapshot() == told.snapshot()

    house.run(work)


def test_the_second_goes_on_whatever_fails_in_it(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of ours or of the disk is told; the log is opened again by the beat itself when the cause is gone."""
    monkeypatch.setattr(server, "TICK", 0.01)
    monkeypatch.setattr(server, "MINUTE_TICKS", 2)

    async def until(done: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):  # a beat that has died would be waited for without end
            while not done():  # noqa: ASYNC110  # nothing tells of it
                await asyncio.sleep(0.01)

    async def work() -> None:
        keeper = house.open()
        await keeper.start()
        parts = keeper.door.parts
        blocked = house.layout.keeper / "budgets.new"
        blocked.mkdir()
        await until(lambda: "snapshot cannot be written" in caplog.text)
        blocked.rmdir()
        with monkeypatch.context() as patched:
            patched.setattr(keeper.door.denials, "due", lambda _: 1 / 0)
            await until(lambda: "second failed" in caplog.text)
        holder = sqlite3.connect(house.layout.database, isolation_level=None)
        holder.execute("begin immediate")
        document = house.documents(house.demo.own[OWNER])[0]
        release = p.Release(asking=house.asking(OWNER), document=document)
        answer = await house.ask(release)
        assert isinstance(answer, p.Refused)
        holder.execute("rollback")
        holder.close()
        await until(lambda: parts.log.fault is None)
        assert isinstance(await house.ask(release), p.Released)
        await until((house.layout.keeper / "budgets.snapshot").exists)
        await keeper.stop()
        house.keeper = None

    with caplog.at_level(logging.WARNING, "strongroom.keeper"):
        asyncio.run(work())


def test_a_keeper_whose_disk_is_full_stops_all_the_same(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Its stop is not on record, which is said; the next start is not hindered."""

    async def work() -> None:
        keeper = house.open()
        await keeper.start()
        holder = sqlite3.connect(house.layout.database, isolation_level=None)
        holder.execute("begin immediate")
        await keeper.stop()
        holder.execute("rollback")
        holder.close()
        house.keeper = None

    with caplog.at_level(logging.WARNING, "strongroom.keeper"):
        asyncio.run(work())
    assert "not stopped in good order" in caplog.text
    house.run(lambda h: h.ask(p.Ping()))


def test_the_apps_socket_is_for_one_group(house: House) -> None:
    """The officers' is for its owner; a keeper that never started stops without a word."""

    async def work() -> None:
        keeper = house.open()
        keeper._addresses = replace(keeper._addresses, group=os.getgid())
        await keeper.start()
        assert house.layout.socket.stat().st_mode & 0o777 == 0o660
        assert house.layout.socket.stat().st_gid == os.getgid()
        assert house.layout.admin_socket.stat().st_mode & 0o777 == 0o600
        await keeper.stop()
        unstarted = house.open()
        await unstarted.stop()
        house.keeper = None

    asyncio.run(work())


def test_no_patient_key_is_held_in_the_clear_when_its_time_is_over(house: House) -> None:
    """Also when nobody asks for any."""

    async def work(h: House) -> None:
        assert h.keeper is not None
        document = h.documents(h.demo.own[OWNER])[0]
        await h.ask(p.Release(asking=h.asking(OWNER), document=document))
        assert h.parts.custody._cache
        h.clock.advance(CACHE_TIME)
        await h.keeper._second(minute=False)
        assert not h.parts.custody._cache

    house.run(work)
