"""Our own log, as it is published."""

import asyncio
from pathlib import Path

import pytest

from bench.fuzz.lines import FILES
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import Wanted, hunt
from strongroom.logs import files
from strongroom.logs.record import NOT_THIS_FORMAT
from strongroom.logs.strongroom_log import entries, parse
from strongroom.tlog.entry import Entry, Op, encode
from strongroom.tlog.tile import render_bundle
from tests.audit import conftest as audit
from tests.logs.rows import Row, reason, rows, some

ANN, BO, LETTER = "A" * 22, "B" * 22, "C" * 16


def bundle(*logged: Entry) -> list[Row]:
    """The rows of a bundle of these entries."""
    return rows(render_bundle([encode(one) for one in logged]), "strongroom")


def test_a_release_is_a_reading() -> None:
    """By a pseudonym, of another's document; its hash has no order."""
    started, released = rows(FILES["strongroom"], "strongroom")
    names = ("time", "act", "status_id", "principal", "principal.kind", "patient", "document", "number", "route",
             "traffic.bytes_out", "api.operation")  # fmt: skip
    assert some(released, *names) == [
        1_766_998_800_250, "read", 1, ANN, "login", BO, LETTER, None, "{token}", 252_000, "released",
    ]  # fmt: skip
    assert some(started, "act", "principal", "principal.kind", "document") == ["other", "strongroom", "service", None]


def test_a_listing_shows_many() -> None:
    """Each document once, whatever its version; they are one event of the log."""
    found = bundle(Entry(t=1, op=Op.LISTED, actor=ANN, patient=BO, documents=("a.1", "a.2", "b.1")))
    assert [some(row, "act", "document", "patient") for row in found] == [["list", "a", BO], ["list", "b", BO]]
    assert len({row["metadata.uid"] for row in found}) == 1


@pytest.mark.parametrize(
    ("op", "act", "status_id"),
    [
        (Op.DENIED, "read", 2), (Op.REFUSED, "read", 2), (Op.DEPOSITED, "write", 1), (Op.DELETED, "delete", 1),
        (Op.DELIVERED, "other", 1),
    ],
)  # fmt: skip
def test_what_was_done(op: Op, act: str, status_id: int) -> None:
    """A delivery only refines its release, and is no second reading."""
    (found,) = bundle(Entry(t=1, op=op, actor=ANN, document=LETTER, bytes=5, reason="no-relation"))
    assert some(found, "act", "status_id", "traffic.bytes_out", "api.response.error") == [
        act,
        status_id,
        0,
        "no-relation",
    ]


def test_a_client() -> None:
    """That acts for nobody in particular is a role."""
    (found,) = bundle(Entry(t=1, op=Op.IMPORTED, client="feed"))
    assert some(found, "principal", "principal.kind") == ["feed", "role"]


def test_what_is_no_entry_has_a_reason() -> None:
    """Other JSON, times that are none, and an entry that is cut off."""
    assert reason(b'{"a":1}', "strongroom") == NOT_THIS_FORMAT
    assert parse(encode(Entry(t=-1, op=Op.STARTED))) == NOT_THIS_FORMAT
    started = encode(Entry(t=1, op=Op.STARTED))
    data = render_bundle([started, started])[:-1]
    assert list(entries([data])) == [
        (2, len(started), started),
        (2 + len(started), len(started) + 1, data[2 + len(started) :]),
    ]
    assert reason(data[2 + len(started) :], "strongroom") == NOT_THIS_FORMAT


def test_a_log_that_the_keeper_wrote(tmp_path: Path) -> None:
    """The published files of a real log: its entries are read, its hashes and its checkpoint are none; and a walk is found."""
    made = audit.Store(tmp_path / "keeper").create()
    log = made.open()

    async def write() -> None:
        for number in range(300):
            await log.append(audit.release(audit.START + number * 1_000, f"p-{number}", f"d-{number}"))
        await log.append(audit.listing(audit.START + 400_000, documents=("a", "b")))

    asyncio.run(write())
    log.publish()
    made.close()
    sources = files.expand((str(made.root / "log"),))
    with Engine() as engine:
        result = hunt(sources, Wanted(), engine)
    by_name = {file.source.name.rpartition("/log/")[2]: file for file in result.files}
    assert {name for name, file in by_name.items() if file.format} == {"tile/entries/000", "tile/entries/001.p/45"}
    assert result.events == 302
    assert all(file.account.unreadable == {} for file in result.files)
    (finding,) = result.findings
    assert (finding.documents, finding.people, finding.principals) == (300, 300, 1)
