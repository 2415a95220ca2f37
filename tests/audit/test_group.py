"""Group commit: order, errors that hit only their own draft, and failure in exactly the reverse order."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from strongroom.audit import group
from strongroom.audit.group import Group, Outcome
from strongroom.audit.receipt import Receipt, ReceiptSeal
from strongroom.audit.write import Item
from strongroom.errors import Conflict, Unavailable
from tests.audit.conftest import START, on_loop, release

SEAL = ReceiptSeal()


class Sheet:
    """Something to write on, that writes when it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.fails_after = 1_000

    def write(self, items: Sequence[Item]) -> Sequence[Outcome]:
        """Each draft's time is its number; odd hundreds fail alone."""
        self.entered.set()
        self.gate.wait(60)
        if len(self.batches) >= self.fails_after:
            raise Unavailable("full", advice="make room")
        self.batches.append([draft.t - START for draft, _ in items])
        return [self._outcome(draft.t - START) for draft, _ in items]

    def _outcome(self, number: int) -> Outcome:
        if number >= 100:
            return Conflict(f"{number}")
        return SEAL.issue(number, bytes(32), release().op, None, frozenset())


def item(number: int) -> Item:
    """A draft that carries its number."""
    return release(START + number), ()


async def blocked(sheet: Sheet, one: Group, undone: list[int], numbers: Sequence[int]) -> list[asyncio.Task[int]]:
    """Appends under way: the first is being written, the others wait behind it."""
    sheet.gate.clear()
    tasks = []
    for number in numbers:
        tasks.append(asyncio.ensure_future(_index(one, number, undone)))
        await asyncio.sleep(0)
        await asyncio.to_thread(sheet.entered.wait)
    return tasks


async def _index(one: Group, number: int, undone: list[int]) -> int:
    return (await one.append(item(number), lambda: undone.append(number))).index


@on_loop
async def test_in_the_order_of_the_calls() -> None:
    """What waits is written together, in the order in which it came."""
    sheet = Sheet()
    one = Group(sheet.write, 30)
    tasks = await blocked(sheet, one, [], range(5))
    sheet.gate.set()
    assert await asyncio.gather(*tasks) == [0, 1, 2, 3, 4]
    assert sheet.batches == [[0], [1, 2, 3, 4]]
    await asyncio.to_thread(one.stop)


@on_loop
async def test_a_batch_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait, a transaction stays short."""
    monkeypatch.setattr(group, "MAX_BATCH", 2)
    sheet = Sheet()
    one = Group(sheet.write, 30)
    tasks = await blocked(sheet, one, [], range(6))
    sheet.gate.set()
    await asyncio.gather(*tasks)
    assert sheet.batches == [[0], [1, 2], [3, 4], [5]]
    await asyncio.to_thread(one.stop)


@on_loop
async def test_one_bad_draft_fails_alone() -> None:
    """Its own error, its own charge undone; those around it have their receipts."""
    sheet, undone = Sheet(), list[int]()
    one = Group(sheet.write, 30)
    tasks = await blocked(sheet, one, undone, [0, 1, 100, 2])
    sheet.gate.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(result) for result in found] == ["0", "1", "100", "2"]
    assert isinstance(found[2], Conflict)
    assert undone == [100]
    await asyncio.to_thread(one.stop)


@on_loop
async def test_when_writing_fails_all_fail_newest_first() -> None:
    """The batch, and everything that waited behind it, and everything from then on."""
    sheet, undone = Sheet(), list[int]()
    sheet.fails_after = 0
    one = Group(sheet.write, 30)
    tasks = await blocked(sheet, one, undone, range(5))
    sheet.gate.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert {str(result) for result in found} == {"full make room"}
    assert undone == [4, 3, 2, 1, 0]
    with pytest.raises(Unavailable, match="full"):
        await one.append(item(9), lambda: undone.append(9))
    assert undone[5:] == [9]
    await asyncio.to_thread(one.stop)
    one.stop()


@on_loop
async def test_what_is_enqueued_between_failure_and_its_telling_fails_in_order() -> None:
    """The thread has failed, the loop does not know yet: a newer draft still goes before the older ones."""
    sheet, undone = Sheet(), list[int]()
    sheet.fails_after = 0
    one = Group(sheet.write, 30)
    tasks = await blocked(sheet, one, undone, [0])
    sheet.gate.set()
    thread = one._thread
    assert thread is not None
    thread.join()  # holds up the loop, so the failure cannot be told yet
    with pytest.raises(Unavailable, match="full"):
        await one.append(item(1), lambda: undone.append(1))
    await asyncio.gather(*tasks, return_exceptions=True)
    assert undone == [1, 0]


@on_loop
async def test_a_charge_that_cannot_be_undone_hinders_no_other() -> None:
    """The loop hears of it, the others are undone all the same."""
    sheet, undone, heard = Sheet(), list[int](), list[str]()
    sheet.fails_after = 0
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["message"]))
    one = Group(sheet.write, 30)
    tasks = await blocked(sheet, one, undone, [0, 1])

    def broken() -> None:
        raise KeyError

    tasks.append(asyncio.ensure_future(_answer(one, broken)))
    await asyncio.sleep(0)
    sheet.gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert undone == [1, 0]
    assert heard == ["a charge could not be undone"]


async def _answer(one: Group, undo: group.OnFailure) -> int:
    return (await one.append(item(5), undo)).index


@on_loop
async def test_too_far_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """When too many wait, the next is refused at once and undone."""
    monkeypatch.setattr(group, "MAX_WAITING", 2)
    sheet, undone = Sheet(), list[int]()
    one = Group(sheet.write, 30)
    tasks = await blocked(sheet, one, undone, range(3))
    with pytest.raises(Unavailable, match="behind"):
        await one.append(item(3), lambda: undone.append(3))
    assert undone == [3]
    sheet.gate.set()
    assert await asyncio.gather(*tasks) == [0, 1, 2]
    await asyncio.to_thread(one.stop)


@on_loop
async def test_impatience_is_no_failure_of_the_entry() -> None:
    """Whoever gives up, or is cancelled, gets no receipt; the entry may stand, so its charge stays."""
    sheet, undone = Sheet(), list[int]()
    one = Group(sheet.write, 0.01)
    sheet.gate.clear()
    cancelled = asyncio.ensure_future(_index(one, 0, undone))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(Unavailable, match="did not answer"):
        await one.append(item(1), lambda: undone.append(1))
    sheet.gate.set()
    await asyncio.to_thread(one.stop)
    assert [number for batch in sheet.batches for number in batch] == [0, 1]
    assert undone == []
    assert cancelled.cancelled()


@on_loop
async def test_whoever_left_is_undone_all_the_same() -> None:
    """A draft whose asker is gone is not in the log when writing failed, and its charge is taken back."""
    sheet, undone = Sheet(), list[int]()
    sheet.fails_after = 0
    one = Group(sheet.write, 30)
    tasks = await blocked(sheet, one, undone, [0, 1])
    tasks[1].cancel()
    await asyncio.sleep(0)
    sheet.gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert undone == [1, 0]


@on_loop
async def test_stopping_writes_what_waits() -> None:
    """Then it refuses."""
    sheet, undone = Sheet(), list[int]()
    one = Group(sheet.write, 30)
    tasks = await blocked(sheet, one, undone, range(3))
    sheet.gate.set()
    one.stop()  # on the loop itself, as at the end of a program
    assert await asyncio.gather(*tasks) == [0, 1, 2]
    with pytest.raises(Unavailable, match="closed"):
        await one.append(item(3), None)


@on_loop
async def test_never_started() -> None:
    """A group without a draft stops without a thread."""
    one = Group(Sheet().write, 30)
    one.stop()
    with pytest.raises(Unavailable, match="closed"):
        await one.append(item(0), None)


def test_a_loop_that_is_gone_is_told_nothing() -> None:
    """The program ended while a draft was being written: it is written, and nobody is there to hear of it."""
    sheet = Sheet()
    one = Group(sheet.write, 30)

    async def leave() -> None:
        task = (await blocked(sheet, one, [], [0]))[0]
        task.cancel()

    asyncio.run(leave())
    sheet.gate.set()
    one.stop()
    assert sheet.batches == [[0]]


def test_a_slow_round_of_the_loop_does_not_hold_up_what_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is worth a transaction is written while the loop goes on, not when the loop has time."""
    monkeypatch.setattr(group, "ENOUGH", 2)
    sheet = Sheet()
    written = threading.Event()

    def write(items: Sequence[Item]) -> Sequence[Outcome]:
        outcomes = sheet.write(items)
        written.set()
        return outcomes

    async def script() -> None:
        many = Group(write, 60.0)
        waiting = [asyncio.ensure_future(many.append((release(number), ()), None)) for number in range(2)]
        asyncio.get_running_loop().call_soon(
            lambda: told.append(written.wait(60.0))
        )  # behind both, and before any other
        await asyncio.gather(*waiting)
        many.stop()

    told: list[bool] = []
    asyncio.run(script())
    assert told == [True]


@on_loop
async def test_a_draft_does_not_wait_for_others_that_come_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round of the loop adds another, never enough and never none: the first is written all the same."""
    monkeypatch.setattr(group, "SOON", 0.0)
    monkeypatch.setattr(group, "ENOUGH", 1_000_000)
    monkeypatch.setattr(group, "MAX_WAITING", 1_000_000)
    one = Group(Sheet().write, 60.0)
    first = asyncio.ensure_future(one.append((release(0), ()), None))
    others = list[asyncio.Future[Receipt]]()
    while not first.done():
        others.append(asyncio.ensure_future(one.append((release(len(others) + 1), ()), None)))
        await asyncio.sleep(0)
    await asyncio.gather(first, *others)
    one.stop()
