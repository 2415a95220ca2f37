"""Calls that may never come back.

What must succeed has `LONG`: a machine that stands still for seconds is no failure. A call that hangs is given up only
once it has begun: one that was given up before holds no lane.
"""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from strongroom.keys.worker import LANES, Workers, _Call, _Mark

LONG = 60.0
"""Seconds."""


class Hanging:
    """Calls that hang until they are let go."""

    def __init__(self) -> None:
        self._begun = threading.Semaphore(0)
        self._gate = threading.Event()

    def __call__(self) -> bool:
        """One of them."""
        self._begun.release()
        return self._gate.wait(LONG)

    def let_go(self) -> None:
        """All of them come back."""
        self._gate.set()

    def give_up(self, workers: Workers) -> None:
        """Ask for one, and give it up while it hangs."""
        workers._begin(self, 0.0)
        assert self._begun.acquire(timeout=LONG)


def test_it_gives_and_raises_what_the_call_does() -> None:
    """One thread, as long as one call follows another."""
    workers = Workers()
    first = workers.run(threading.get_ident, LONG)
    with pytest.raises(ZeroDivisionError):
        workers.run(lambda: 1 // 0, LONG)
    for _ in range(200):
        assert workers.run(threading.get_ident, LONG) == first != threading.get_ident()
    assert len(workers._started) == 1


def test_a_call_is_over_before_it_is_told() -> None:
    """Else whoever asks again at once would begin another thread, and with it another of the few sessions."""
    for what in (lambda: 1, lambda: 1 // 0):
        mark, over = _Mark(0.0), list[bool]()
        call = _Call(what, mark)
        call.future.add_done_callback(lambda _, mark=mark, over=over: over.append(mark.ended))  # type: ignore[misc]
        call.run()
        assert over == [True]


def test_a_loop_waits_for_a_call_without_standing_still() -> None:
    """What it gives, what it raises, and that it takes too long are told as to anybody else."""

    async def whole() -> None:
        workers, gate = Workers(), threading.Event()
        slow = asyncio.ensure_future(workers.run_soon(lambda: gate.wait(LONG), LONG))
        assert await workers.run_soon(lambda: "served", LONG) == "served"
        assert not slow.done()
        gate.set()
        assert await slow is True
        with pytest.raises(ZeroDivisionError):
            await workers.run_soon(lambda: 1 // 0, LONG)
        gate.clear()
        with pytest.raises(TimeoutError):
            await workers.run_soon(gate.wait, 0.01)
        gate.set()

    asyncio.run(whole())


def test_a_call_that_hangs_is_left_behind_and_the_next_is_served() -> None:
    """By another lane; the first serves again when its call has come back."""
    workers, hanging = Workers(2), Hanging()
    with pytest.raises(TimeoutError):
        Workers().run(hanging, 0.01)
    hanging.give_up(workers)
    assert workers.run(lambda: "served", LONG) == "served"
    hanging.let_go()
    both = threading.Barrier(2)
    futures = [workers._begin(lambda: both.wait(LONG), LONG).future for _ in range(2)]
    assert sorted(future.result(LONG) for future in futures) == [0, 1]


def test_calls_that_hang_are_bounded() -> None:
    """None is begun while every lane hangs, and the refusal comes at once; afterwards it works again."""
    workers, hanging, started = Workers(), Hanging(), []
    for _ in range(LANES):
        hanging.give_up(workers)
    with pytest.raises(TimeoutError):
        workers.run(lambda: started.append(1), LONG)
    assert workers._calls.empty()  # it was not asked for at all, so nobody waited for it
    hanging.let_go()
    while not all(mark.ended for mark in workers._marks):
        time.sleep(0.001)
    assert workers.run(lambda: "served", LONG) == "served"
    assert started == []
    assert len(workers._started) == LANES


def test_what_was_given_up_while_it_waited_is_never_begun() -> None:
    """Whoever asked has refused already; the HSM is not asked for nobody."""
    workers, gate, started = Workers(1), threading.Event(), []

    async def whole() -> None:
        first = asyncio.ensure_future(workers.run_soon(lambda: gate.wait(LONG), LONG))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await workers.run_soon(lambda: started.append(1), 0.01)
        gate.set()
        await first
        await workers.run_soon(lambda: None, LONG)

    asyncio.run(whole())
    assert started == []


def test_what_never_began_holds_no_lane() -> None:
    """Though the lane has not looked at it yet: whoever asks next is not told that everything hangs."""
    workers, gate = Workers(1), threading.Event()

    async def whole() -> None:
        first = asyncio.ensure_future(workers.run_soon(lambda: gate.wait(LONG), LONG))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await workers.run_soon(lambda: None, 0.01)
        last = asyncio.ensure_future(workers.run_soon(lambda: 7, LONG))  # the lane is at its first call still
        await asyncio.sleep(0)
        assert not last.done()
        gate.set()
        await first
        assert await last == 7

    asyncio.run(whole())


def test_a_program_with_a_hanging_call_can_end() -> None:
    """The interpreter does not wait for it."""
    program = (
        "import contextlib, threading; from strongroom.keys.worker import Workers\n"
        "with contextlib.suppress(TimeoutError): Workers().run(threading.Event().wait, 0.05)\n"
        "print('over')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "over\n"
