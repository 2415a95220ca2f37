"""Every request has a way, every failure the same shut door, and no failure says whose data it met."""

import logging
from typing import get_args

import pytest

from strongroom.errors import Unavailable
from strongroom.keeper import protocol as p
from strongroom.keeper.dispatch import CLOSED
from strongroom.keys.file import FileRootKey
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
