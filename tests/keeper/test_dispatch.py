"""Every request has a way, every failure the same shut door, and no failure says whose data it met."""

import asyncio
import logging
import threading
from typing import Any, get_args

import pytest

from strongroom.errors import Unavailable
from strongroom.ids import PatientId
from strongroom.keeper import protocol as p
from strongroom.keeper.dispatch import CLOSED
from strongroom.keys.custody import patient_bound
from strongroom.keys.file import FileRootKey
from strongroom.keys.life import open_in
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
        word = p.Delivered(receipt=released.receipt, bytes=huge, complete=True)
        assert (await h.ask(p.Deliveries(words=(word,)))).why == "malformed"
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


def test_an_error_that_nobody_thought_of_shuts_the_door_and_says_no_value(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its message, and those of the errors behind it, may hold anybody's."""

    def fail(*_: object) -> None:
        try:
            dict[str, str]()["Ngaire Tamatea"]
        except KeyError as error:
            raise RuntimeError("born 1984") from error

    async def work(h: House) -> None:
        monkeypatch.setattr(h.parts.catalog, "account", fail)
        assert await h.ask(p.WhoAmI(asking=h.asking(OWNER))) == CLOSED
        assert "WhoAmI failed: RuntimeError at test_dispatch.py" in caplog.text
        assert "Ngaire" not in caplog.text
        assert "1984" not in caplog.text

    house.run(work)


def test_what_holds_keys_or_tokens_does_not_print() -> None:
    """Whatever an error or a log line does with it."""
    asking = p.Asking(token="secret", context="secret", proof="secret")
    opened = p.Opened(ticket="t", document="d", version=1, patient="p", key=b"secret", metadata_key=b"secret")
    row = p.Row(
        document="d",
        version=1,
        patient="p",
        category="",
        state="",
        content_type="",
        size=0,
        updated=0,
        metadata_key=b"secret",
    )
    released = p.Released(
        receipt=1,
        document="d",
        version=1,
        patient="p",
        content_type="",
        size=0,
        sealed_size=0,
        updated=0,
        key=b"secret",
    )
    for one in (asking, opened, row, released, p.WhoAmI(asking=asking), p.Listed(receipt=1, rows=(row,))):
        assert "secret" not in f"{one!r} {one}"


class SlowHsm:
    """A root key behind four lanes, where calls upon one wrapped key hang until they are let go."""

    warning = ""
    distant = True

    def __init__(self, inner: FileRootKey, hangs: bytes, seconds: float) -> None:
        """`seconds`: how long an answer is waited for."""
        self.inner = inner
        self.workers = Workers()
        self.go = threading.Event()
        self._hangs = hangs
        self._seconds = seconds

    async def unwrap_soon(self, wrapped: bytes, bound: bytes) -> Secret:
        """As the HSM's: in a lane, and with a time limit."""

        def unwrap() -> Secret:
            if wrapped == self._hangs:
                self.go.wait(60)
            return self.inner.unwrap(wrapped, bound)

        try:
            return await self.workers.run_soon(unwrap, self._seconds)
        except TimeoutError as error:
            raise Unavailable("The HSM does not answer.") from error


@pytest.mark.parametrize("answers", [True, False])
def test_a_slow_hsm_delays_the_request_that_asked_it_and_no_other(house: House, *, answers: bool) -> None:
    """Releases, listings and deposits of other patients are answered meanwhile; the slow ones when the HSM answers, or
    refused when it does not.
    """

    async def work(h: House) -> None:
        custody: Any = h.parts.custody
        slow, quick = h.demo.own[OWNER], h.demo.own["person-9"]
        wrapped, version = h.parts.catalog.key_of(slow)
        inner = open_in(custody._life, wrapped, patient_bound("unit", PatientId(slow), version))
        custody._root = hsm = SlowHsm(custody._root, inner, 60.0 if answers else 3.0)
        asking, other = h.asking(OWNER), h.asking("person-9")
        waiting = [
            asyncio.ensure_future(h.ask(request))
            for request in (
                p.Release(asking=asking, document=h.documents(slow)[0]),
                p.List(asking=asking, patient=slow),
                p.Deposit(asking=asking, patient=slow, category="normal", content_type="text/plain"),
            )
        ]
        assert isinstance(await h.ask(p.Release(asking=other, document=h.documents(quick)[0])), p.Released)
        assert isinstance(await h.ask(p.List(asking=other, patient=quick)), p.Listed)
        deposit = p.Deposit(asking=other, patient=quick, category="normal", content_type="text/plain")
        assert isinstance(await h.ask(deposit), p.Opened)
        if answers:
            assert not any(task.done() for task in waiting)
            hsm.go.set()
        found = await asyncio.gather(*waiting)
        hsm.go.set()
        if answers:
            assert [type(answer) for answer in found] == [p.Released, p.Listed, p.Opened]
        else:
            assert found == [CLOSED] * 3

    house.run(work)
