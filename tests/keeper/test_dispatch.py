"""Every request has a way, every failure the same shut door, and no failure says whose data it met."""

import asyncio
import logging
import time
from typing import Any, get_args

import pytest

from strongroom.errors import Unavailable
from strongroom.keeper import protocol as p
from strongroom.keeper.dispatch import CLOSED
from strongroom.keys.file import FileRootKey
from strongroom.keys.pkcs11 import TIMEOUT
from strongroom.keys.worker import Workers
from strongroom.secret import Secret
from tests.keeper.conftest import House

OWNER = "person-8"


def test_every_request_of_the_protocol_is_answered(house: House) -> None:
    """A struct added to the protocol without a way would be found here."""

    async def work(h: House) -> None:
        assert h.keeper is not None
        assert set(h.keeper.dispatch._ways) == set(get_args(p.AppRequest))
        status = await h.ask(p.Ping())
        assert status == p.Status(open=True, log_size=h.parts.log.size)

    house.run(work)


def test_a_number_that_no_column_holds_is_malformed(house: House) -> None:
    """Wherever it stands; the door stays open."""

    async def work(h: House) -> None:
        patient, huge = h.demo.own[OWNER], 2**64 - 1
        document = h.documents(patient)[0]
        for request in (
            p.Release(asking=h.asking(OWNER), document=document, version=huge),
            p.List(asking=h.asking(OWNER), document=document, version=huge),
            p.History(asking=h.asking(OWNER), patient=patient, since=huge),
            p.History(asking=h.asking(OWNER), patient=patient, before=huge),
        ):
            assert await h.ask(request) == p.Refused(why="malformed")
        released = await h.ask(p.Release(asking=h.asking(OWNER), document=document, start=huge, length=huge))
        assert (await h.ask(p.Delivered(receipt=released.receipt, bytes=huge, complete=True))).why == "malformed"
        assert (await h.ask(p.Ping())).open

    house.run(work)


def test_a_root_key_that_is_away_shuts_the_door_after_the_record(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The release is on record as an upper bound; no key comes out; the reply is the shut door's."""

    def away(*_: object) -> bytes:
        raise Unavailable("The root key is away.", advice="Plug it in.")

    async def work(h: House) -> None:
        document = h.documents(h.demo.own[OWNER])[0]
        count = "select count(*) from log_entry where op = 'released'"
        before = h.parts.catalog.rows(count)[0][0]
        monkeypatch.setattr(FileRootKey, "unwrap", away)
        with caplog.at_level(logging.WARNING, "strongroom.keeper"):
            assert await h.ask(p.Release(asking=h.asking(OWNER), document=document)) == CLOSED
        assert h.parts.catalog.rows(count)[0][0] == before + 1
        assert "root key is away" in caplog.text
        assert document not in caplog.text
        monkeypatch.undo()
        assert isinstance(await h.ask(p.Release(asking=h.asking(OWNER), document=document)), p.Released)

    house.run(work)


def test_a_database_that_is_gone_shuts_the_door(house: House) -> None:
    """It is not read as if nobody had any documents."""

    async def work(h: House) -> None:
        h.parts.catalog.close()
        document = h.documents(h.demo.own[OWNER])[0]
        assert await h.ask(p.Release(asking=h.asking(OWNER), document=document)) == CLOSED
        assert await h.ask(p.WhoAmI(asking=h.asking(OWNER))) == CLOSED

    house.run(work)


class SlowHsm:
    """A root key behind four lanes, each call of which takes as long as it is told to."""

    warning = ""
    distant = True

    def __init__(self, inner: FileRootKey) -> None:
        self.inner = inner
        self.workers = Workers()
        self.seconds: dict[bytes, float] = {}
        """By wrapped key; others take no time."""

    async def unwrap_soon(self, wrapped: bytes, bound: bytes) -> Secret:
        """As the HSM's: in a lane, and for 0.8 s at most."""

        def unwrap() -> Secret:
            time.sleep(self.seconds.get(wrapped, 0.0))
            return self.inner.unwrap(wrapped, bound)

        try:
            return await self.workers.run_soon(unwrap, TIMEOUT)
        except TimeoutError as error:
            raise Unavailable("The HSM does not answer.") from error


@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_a_slow_hsm_delays_the_request_that_asked_it_and_no_other(house: House, seconds: float) -> None:
    """Releases, listings and deposits of other patients are answered at once; the slow one when the HSM
    answers or its time is over.
    """

    async def work(h: House) -> None:
        custody: Any = h.parts.custody
        slow, quick = h.demo.own[OWNER], h.demo.own["person-9"]
        custody._root = hsm = SlowHsm(custody._root)
        wrapped = h.parts.catalog.of_document(b"", h.documents(slow)[0], h.clock.now())[1].wrapped
        hsm.seconds[wrapped] = seconds
        asking, other = h.asking(OWNER), h.asking("person-9")
        began = time.monotonic()
        waiting = [
            asyncio.ensure_future(h.ask(request))
            for request in (
                p.Release(asking=asking, document=h.documents(slow)[0]),
                p.List(asking=asking, patient=slow),
                p.Deposit(asking=asking, patient=slow, category="normal", content_type="text/plain"),
            )
        ]
        await asyncio.sleep(0.05)
        assert isinstance(await h.ask(p.Release(asking=other, document=h.documents(quick)[0])), p.Released)
        assert isinstance(await h.ask(p.List(asking=other, patient=quick)), p.Listed)
        deposit = p.Deposit(asking=other, patient=quick, category="normal", content_type="text/plain")
        assert isinstance(await h.ask(deposit), p.Opened)
        assert time.monotonic() - began < 0.4
        assert not any(task.done() for task in waiting)
        answers = await asyncio.gather(*waiting)
        assert time.monotonic() - began < TIMEOUT + 0.7  # the log's commit, on a loaded machine
        if seconds > TIMEOUT:
            assert answers == [CLOSED] * 3
        else:
            assert [type(answer) for answer in answers] == [p.Released, p.Listed, p.Opened]

    house.run(work)
