"""The log: what it acknowledged is there, whatever happens; when it cannot write it says no, and heals."""

import asyncio
import functools
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.audit import event
from strongroom.audit.effect import Effect
from strongroom.audit.event import Draft
from strongroom.audit.files import CHECKPOINT
from strongroom.audit.log import AcceptedRollback, Log
from strongroom.audit.verify import verify
from strongroom.clock import Millis
from strongroom.errors import Conflict, Malformed, Tampered, Unavailable
from strongroom.ids import AccountId
from strongroom.tlog.checkpoint import open_checkpoint
from strongroom.tlog.entry import decode
from strongroom.tlog.note import Signer, Verifier
from tests.audit.conftest import START, Store, on_loop, release

ROOT = Path(__file__).resolve().parents[2]


def numbered(number: int) -> Draft:
    """A release that carries a number as its time."""
    return release(START + number, patient=f"pat-{number % 7}")


def times(store: Store) -> list[int]:
    """The numbers of all entries in the log, in its order."""
    reader = store.reader()
    return [decode(one.body).t - START for one in reader.entries(0, reader.head().frontier.size)]


def fill_disk(log: Log) -> None:
    """From now on the database may not grow: SQLite says the disk is full, to a `fat` draft at once. Others may find
    room in pages that are there.
    """
    pen = log._pen
    assert pen is not None
    pen._journal._db.execute("pragma max_page_count = 1")


def fat() -> Draft:
    """More than a page of the database."""
    return event.alarm(Millis(START), "x" * 8_000)


def test_created_once(store: Store) -> None:
    """Neither over a log, nor over a directory with something in it, nor over tables."""
    with pytest.raises(Conflict):
        store.create()
    store.published.set_aside("elsewhere")
    with pytest.raises(Conflict):
        store.create()


def test_opened_by_one(store: Store, log: Log) -> None:
    """A second keeper on the same store is refused; after the first one closed, it is welcome."""
    with pytest.raises(Conflict, match="Another process"):
        store.open()
    log.close()
    log.close()
    store.open()


@on_loop
async def test_durable_when_it_returns(store: Store, log: Log) -> None:
    """Another connection sees the entry when `append` has returned, and the receipt says where."""
    for number in range(3):
        receipt = await log.append(numbered(number))
        assert receipt.index == number
        assert times(store) == list(range(number + 1))
    assert log.size == 3


@on_loop
async def test_in_the_order_of_the_calls(store: Store, log: Log) -> None:
    """Two hundred under way at once stand in the log in the order in which they were asked for."""
    receipts = await asyncio.gather(*[log.append(numbered(number)) for number in range(200)])
    assert [receipt.index for receipt in receipts] == list(range(200))
    assert times(store) == list(range(200))


@on_loop
async def test_a_bad_draft_fails_alone(store: Store, log: Log) -> None:
    """Each gets its own answer."""
    undone: list[int] = []
    found = await asyncio.gather(
        log.append(numbered(0)),
        log.append(event.alarm(Millis(START), "x" * 20_000), on_failure=lambda: undone.append(1)),
        log.append(numbered(2), [Effect("select * from nowhere")], on_failure=lambda: undone.append(2)),
        log.append(numbered(3)),
        return_exceptions=True,
    )
    assert isinstance(found[1], Malformed)
    assert str(found[2]) == "The change could not be made."
    assert sorted(undone) == [1, 2]
    assert times(store) == [0, 3]


@on_loop
async def test_a_full_disk_refuses_undoes_and_heals(store: Store, log: Log) -> None:
    """All under way fail, newest first; the log stays closed until reopened, then goes on where it was."""
    await log.append(numbered(0))
    fill_disk(log)
    undone: list[int] = []
    drafts = [fat(), *(numbered(n) for n in range(2, 1000))]  # in whatever batches: the first is in the first
    under_way = [log.append(draft, on_failure=functools.partial(undone.append, n)) for n, draft in enumerate(drafts, 1)]
    found = await asyncio.gather(*under_way, return_exceptions=True)
    assert {type(one) for one in found} == {Unavailable}
    assert undone == list(reversed(range(1, 1000)))
    assert log.fault is not None
    assert "room" in log.fault.advice
    with pytest.raises(Unavailable, match="SQLITE_FULL"):
        await log.append(numbered(1))
    with pytest.raises(Unavailable, match="SQLITE_FULL"):
        log.append_now(numbered(1))
    with pytest.raises(Unavailable, match="SQLITE_FULL"):
        log.publish()
    assert await asyncio.to_thread(log.reopen) == 1
    log.resume()
    assert log.fault is None
    assert (await log.append(numbered(5))).index == 1
    assert times(store) == [0, 5]


@on_loop
async def test_a_locked_database_refuses_within_the_second(store: Store, log: Log) -> None:
    """Somebody else's lock closes the log; when it is gone, reopening is enough."""
    with closing(sqlite3.connect(store.place.database, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(Unavailable, match="SQLITE_BUSY"):
            await log.append(numbered(0))
        with pytest.raises(Unavailable, match="SQLITE_BUSY"):
            await log.append(numbered(0))
    assert log.reopen() == 0
    assert log.reopen() == 0
    with pytest.raises(Unavailable):
        await log.append(numbered(2))  # whoever counts what came back must not be overtaken
    log.resume()
    log.resume()
    await log.append(numbered(1))
    assert times(store) == [1]


def test_reopening_shows_that_it_can_write(store: Store, log: Log) -> None:
    """While the fault lasts the log is not open and does not say so; nor is it opened only to fail the next draft."""
    with closing(sqlite3.connect(store.place.database, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(Unavailable, match="SQLITE_BUSY"):
            log.append_now(numbered(0))
        with pytest.raises(Unavailable, match="SQLITE_BUSY"):
            log.reopen()
        assert log.fault is not None
    assert log.reopen() == 0
    log.resume()
    assert log.fault is None


@on_loop
async def test_a_log_that_fails_again_before_it_is_resumed(store: Store, log: Log) -> None:
    """It stays closed; and what was counted by then is not told a second time."""
    with closing(sqlite3.connect(store.place.database, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(Unavailable, match="SQLITE_BUSY"):
            await log.append(numbered(0))
        other.execute("rollback")
        assert log.reopen() == 0
        log.append_now(numbered(1))
        other.execute("begin immediate")
        with pytest.raises(Unavailable, match="SQLITE_BUSY"):
            log.append_now(numbered(2))
        log.resume()
        assert log.fault is not None
    assert log.reopen() == 1
    log.resume()
    assert (await log.append(numbered(3))).index == 1


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_database_that_is_no_longer_in_its_place(store: Store, log: Log, suffix: str) -> None:
    """What is written into a file without a name is lost at the next start: refused. Put back, the log goes on."""
    log.append_now(numbered(0))
    place = store.place.database.with_name(f"{store.place.database.name}{suffix}")
    away = place.rename(store.root / "away")
    with pytest.raises(Unavailable, match="not in its place"):
        log.append_now(numbered(1))
    with pytest.raises(Unavailable):
        log.append_now(numbered(1))
    away.rename(place)
    assert log.reopen() == 1
    assert log.append_now(numbered(2)).index == 1
    assert times(store) == [0, 2]


def test_another_database_in_its_place(store: Store, log: Log) -> None:
    """A running keeper reads its facts from the one it opened: another one is not gone over to, only started with."""
    log.append_now(numbered(0))
    log.publish()
    copy = store.root / "copy"
    with closing(sqlite3.connect(store.place.database)) as live, closing(sqlite3.connect(copy)) as other:
        live.backup(other)
    for suffix in ("-wal", "-shm", ""):
        (store.root / f"keeper.db{suffix}").rename(store.root / f"old{suffix}")
    copy.rename(store.place.database)
    with pytest.raises(Unavailable, match="not in its place"):
        log.append_now(numbered(1))
    with pytest.raises(Unavailable, match="Another database"):
        log.reopen()
    log.close()
    assert store.open().size == 1


def test_another_database_beside_the_wal_of_the_first(store: Store, log: Log) -> None:
    """What is not yet brought home from the WAL stays where it is, and the first database has all of it when it is back."""
    with closing(
        sqlite3.connect(store.place.database)
    ) as facts:  # as the keeper reads them: the WAL is not closed with the log
        facts.execute("select count(*) from log_entry").fetchone()
        for number in range(3):
            log.append_now(numbered(number))
        log.publish()
        first = store.place.database.rename(store.root / "first")
        shutil.copy(first, store.place.database)
        with pytest.raises(Unavailable, match="not in its place"):
            log.append_now(numbered(3))
        with pytest.raises(Unavailable, match="Another database"):
            log.reopen()
        store.place.database.unlink()
        with pytest.raises(Unavailable, match="No database"):
            log.reopen()
        first.rename(store.place.database)
        assert log.reopen() == 3
        log.append_now(numbered(4))
        assert times(store) == [0, 1, 2, 4]


@on_loop
async def test_reopening_tells_what_came_back(store: Store, log: Log) -> None:
    """A commit that failed may be on the disk after all; `reopen` says from where on to count again."""
    await log.append(numbered(0))
    pen = log._pen
    assert pen is not None
    journal = pen._journal
    transaction = journal.transaction

    class Torn:
        """Commits, and then says that it failed: as a sync whose error comes too late."""

        def __enter__(self) -> None:
            self.inner = transaction()
            self.inner.__enter__()

        def __exit__(self, *error: object) -> None:
            self.inner.__exit__(None, None, None)
            raise Unavailable("The sync failed.")

    journal.transaction = Torn  # type: ignore[assignment, method-assign]  # a fault to inject
    with pytest.raises(Unavailable, match="sync failed"):
        await log.append(numbered(1))
    assert log.size == 1
    assert log.reopen() == 1
    assert log.size == 2
    assert times(store) == [0, 1]


@on_loop
async def test_reopening_a_log_that_is_no_longer_the_same(store: Store, log: Log) -> None:
    """It stays closed, as often as one tries, until it is; and what came back is still told then."""
    await log.append(numbered(0))
    log.publish()
    fill_disk(log)
    drafts = [fat(), *(numbered(1) for _ in range(499))]
    found = await asyncio.gather(*map(log.append, drafts), return_exceptions=True)
    assert {type(one) for one in found} == {Unavailable}
    good = store.published.read(CHECKPOINT) or b""
    store.published.write(CHECKPOINT, b"rubbish")
    for _ in range(2):
        with pytest.raises(Tampered):
            log.reopen()
        with pytest.raises(Unavailable):
            log.append_now(numbered(1))
    store.published.write(CHECKPOINT, good)
    assert log.reopen() == 1
    assert log.append_now(numbered(1)).index == 1


def test_one_draft_now(store: Store, log: Log) -> None:
    """Without an event loop; errors are raised."""
    assert log.append_now(numbered(0)).index == 0
    with pytest.raises(Malformed):
        log.append_now(event.alarm(Millis(START), "x" * 20_000))
    assert log.size == 1


def test_whatever_goes_wrong_while_writing_closes_the_log(store: Store, log: Log) -> None:
    """A fault nobody thought of is no reason to go on."""
    pen = log._pen
    assert pen is not None

    def broken(_: object) -> None:
        raise KeyError

    pen._journal.add = broken  # type: ignore[assignment, method-assign]  # a fault to inject
    with pytest.raises(Unavailable, match="cannot be written"):
        log.append_now(numbered(0))
    assert log.fault is not None
    assert log.reopen() == 0
    assert log.append_now(numbered(0)).index == 0


def test_a_rollback_that_officers_accept(store: Store, log: Log) -> None:
    """The published side is kept aside, the acceptance is an entry, and everything is published anew."""
    log.append_now(numbered(0))
    log.publish()
    log.close()
    (store.place.directory / CHECKPOINT).unlink()
    accepted = AcceptedRollback(Millis(START), (AccountId("one"), AccountId("two")), "lost the disk")
    with pytest.raises(Tampered):
        store.open()
    assert store.open(accept=accepted).size == 2
    assert verify(store.published.read, store.signer.verifier).size == 2
    assert (store.root / f"log.set-aside-{START}" / "tile").is_dir()


def test_a_damaged_database_is_not_accepted(store: Store, log: Log) -> None:
    """Officers may accept an older log, not a broken one."""
    log.append_now(numbered(0))
    log.close()
    with closing(sqlite3.connect(store.place.database)) as db, db:
        db.execute("update log_head set size = 0, peaks = x''")
    accepted = AcceptedRollback(Millis(START), (AccountId("one"), AccountId("two")), "lost the disk")
    with pytest.raises(Tampered):
        store.open(accept=accepted)


@on_loop
async def test_a_signer_that_is_away_stops_no_append(store: Store) -> None:
    """Without a signature nothing is published; the log itself goes on, and makes up for it later."""
    away = False
    real = store.signer

    def sign(text: bytes) -> bytes:
        if away:
            raise Unavailable("The HSM is away.")
        return real.sign(text)

    store.signer = Signer(real.verifier, sign)
    log = store.open()
    await log.append(numbered(0))
    away = True
    with pytest.raises(Unavailable, match="HSM"):
        log.publish()
    await log.append(numbered(1))
    away = False
    assert log.publish().size == 2


@on_loop
async def test_a_directory_that_cannot_be_written_stops_no_append(store: Store, log: Log) -> None:
    """Publication fails and says so; appends go on; the next publication makes up for it."""
    await log.append(numbered(0))
    (store.place.directory / "tile").write_bytes(b"in the way")
    with pytest.raises(Unavailable):
        log.publish()
    await log.append(numbered(1))
    (store.place.directory / "tile").unlink()
    assert log.publish().size == 2
    assert verify(store.published.read, store.signer.verifier).size == 2


def test_published_as_it_grows(store: Store, log: Log) -> None:
    """Every publication verifies, from the first entry to beyond full tiles; nothing new costs no file."""
    size = 0
    for more in (1, 2, 252, 1, 1, 300):
        for _ in range(more):
            log.append_now(numbered(size))
            size += 1
        assert log.publish().size == size
        assert verify(store.published.read, store.signer.verifier).size == size
    before = {path: path.stat().st_mtime_ns for path in store.place.directory.rglob("*")}
    assert log.publish().size == size
    assert {path: path.stat().st_mtime_ns for path in store.place.directory.rglob("*")} == before


def test_a_start_publishes_what_a_crash_left(store: Store, log: Log) -> None:
    """Entries that were durable but not published are published by the next start."""
    log.append_now(numbered(0))
    log.publish()
    log.append_now(numbered(1))
    log.close()
    store.open()
    assert open_checkpoint(store.published.read(CHECKPOINT) or b"", store.signer.verifier).size == 2


def test_a_checkpoint_that_was_kept_but_not_published(store: Store, log: Log) -> None:
    """A crash between the two is no tampering."""
    log.append_now(numbered(0))
    (store.place.directory / "tile").write_bytes(b"in the way")
    with pytest.raises(Unavailable):
        log.publish()
    log.close()
    (store.place.directory / "tile").unlink()
    assert store.open().size == 1
    assert open_checkpoint(store.published.read(CHECKPOINT) or b"", store.signer.verifier).size == 1


def test_closed_is_closed(store: Store, log: Log) -> None:
    """Nothing can be written or published after the end, and opening a log that is not there leaves it so."""
    log.close()
    for act in (lambda: log.append_now(numbered(0)), log.publish):
        with pytest.raises(Unavailable, match="closed"):
            act()
    with pytest.raises(Unavailable, match="closed"):
        asyncio.run(_append(log))


async def _append(log: Log) -> None:
    await log.append(numbered(0))


def test_a_refused_start_lets_go(store: Store, log: Log) -> None:
    """After a start that failed the store is not held."""
    log.close()
    content = store.published.read(CHECKPOINT) or b""
    store.published.write(CHECKPOINT, b"rubbish")
    with pytest.raises(Tampered):
        store.open()
    store.published.write(CHECKPOINT, content)
    store.open()


WRITER = """
import asyncio, sys
from pathlib import Path
from tests.audit.conftest import Store, Signer, Verifier, release, START
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

key = Ed25519PrivateKey.from_private_bytes(bytes(32))
store = Store(Path(sys.argv[1]), Signer(Verifier("example.org/log", key.public_key().public_bytes_raw()), key.sign))

async def main():
    log = store.open()
    async def work(number):
        while True:
            try:
                receipt = await log.append(release(START + number, document=str(number)))
            except Exception as error:
                print("refused", error.advice, flush=True)
                return
            print(receipt.index, START + number, flush=True)
            number += 100
    async def publish():
        while True:
            await asyncio.to_thread(log.publish)
    work = [asyncio.ensure_future(work(number)) for number in range(16)]
    publishing = asyncio.ensure_future(publish())
    await asyncio.wait(work)

{before}
asyncio.run(main())
"""


LIMIT = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
"""


def started(store: Store, before: str = "") -> subprocess.Popen[str]:
    """A process that appends and publishes as fast as it can, and prints every index that was acknowledged."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER.replace("{before}", before), str(store.root)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def known_store(root: Path) -> Store:
    """A store under the key that the writing process knows."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    return Store(root, Signer(Verifier("example.org/log", key.public_key().public_bytes_raw()), key.sign)).create()


@pytest.mark.parametrize("lines", [1, 40, 200, 600])
def test_killed_under_load(tmp_path: Path, lines: int) -> None:
    """Whatever index was acknowledged before the kill has its entry afterwards; the log starts and verifies."""
    store = known_store(tmp_path / "keeper")
    process = started(store)
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    told += process.stdout.read().splitlines(keepends=True)
    process.wait()
    process.stdout.close()
    acknowledged = [tuple(map(int, line.split())) for line in told if line.endswith("\n")]
    assert len(acknowledged) >= lines
    store.open()
    entries = [decode(one.body).t for one in store.reader().entries(0, store.reader().head().frontier.size)]
    assert [entries[index] for index, _ in acknowledged] == [t for _, t in acknowledged]
    assert verify(store.published.read, store.signer.verifier).size == len(entries)
    store.close()


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """The system refuses to let files grow: appends are refused with advice, and what was acknowledged is there."""
    store = known_store(tmp_path / "keeper")
    process = started(store, LIMIT)
    told = (process.communicate(timeout=600)[0]).splitlines()
    refused = [line for line in told if line.startswith("refused")]
    acknowledged = [tuple(map(int, line.split())) for line in told if not line.startswith("refused")]
    assert len(refused) == 16
    assert all("disk" in line for line in refused)
    assert len(acknowledged) > 100
    store.open()
    entries = [decode(one.body).t for one in store.reader().entries(0, store.reader().head().frontier.size)]
    assert [entries[index] for index, _ in acknowledged] == [t for _, t in acknowledged]
    store.close()


def test_what_is_where(store: Store, log: Log) -> None:
    """One database, one lock file, one directory; nothing else is left by an orderly end."""
    log.append_now(numbered(0))
    log.publish()
    log.close()
    assert {path.name for path in store.root.iterdir()} == {"keeper.db", "keeper.db.lock", "log"}
    assert times(store) == [0]
