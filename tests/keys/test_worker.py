"""Calls that may never come back."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from strongroom.keys.worker import LANES, Workers


def test_it_gives_and_raises_what_the_call_does() -> None:
    """One thread, as long as one call follows another."""
    workers = Workers()
    first = workers.run(threading.get_ident, 5.0)
    with pytest.raises(ZeroDivisionError):
        workers.run(lambda: 1 // 0, 5.0)
    assert workers.run(threading.get_ident, 5.0) == first != threading.get_ident()
    assert len(workers._started) == 1


def test_a_loop_waits_for_a_call_without_standing_still() -> None:
    """What it gives, what it raises, and that it takes too long are told as to anybody else."""

    async def whole() -> None:
        workers, gate = Workers(), threading.Event()
        slow = asyncio.ensure_future(workers.run_soon(lambda: gate.wait(5.0), 5.0))
        assert await workers.run_soon(lambda: "served", 5.0) == "served"
        assert not slow.done()
        gate.set()
        assert await slow is True
        with pytest.raises(ZeroDivisionError):
            await workers.run_soon(lambda: 1 // 0, 5.0)
        gate.clear()
        with pytest.raises(TimeoutError):
            await workers.run_soon(gate.wait, 0.01)
        gate.set()

    asyncio.run(whole())


def test_a_call_that_hangs_is_left_behind_and_the_next_is_served() -> None:
    """By another lane; the first serves again when its call has come back."""
    workers, gate = Workers(2), threading.Event()
    with pytest.raises(TimeoutError):
        workers.run(gate.wait, 0.01)
    assert workers.run(lambda: "served", 5.0) == "served"
    gate.set()
    both = threading.Barrier(2)
    threading.Thread(target=lambda: both.wait(5.0)).start()
    workers.run(lambda: both.wait(5.0), 5.0)


def test_calls_that_hang_are_bounded() -> None:
    """None is begun while every lane hangs, and the refusal comes at once; afterwards it works again."""
    workers, gate, started = Workers(), threading.Event(), []
    for _ in range(LANES):
        with pytest.raises(TimeoutError):
            workers.run(gate.wait, 0.01)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        workers.run(lambda: started.append(1), 5.0)
    assert time.monotonic() - began < 1.0
    assert started == []
    gate.set()
    while not all(mark.ended for mark in workers._marks):
        time.sleep(0.001)
    assert workers.run(lambda: "served", 5.0) == "served"
    assert len(workers._started) == LANES


def test_what_was_given_up_while_it_waited_is_never_begun() -> None:
    """Whoever asked has refused already; the HSM is not asked for nobody."""
    workers, gate, started = Workers(1), threading.Event(), []

    async def whole() -> None:
        first = asyncio.ensure_future(workers.run_soon(lambda: gate.wait(5.0), 5.0))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await workers.run_soon(lambda: started.append(1), 0.01)
        gate.set()
        await first
        await workers.run_soon(lambda: None, 5.0)

    asyncio.run(whole())
    assert started == []


def test_a_program_with_a_hanging_call_can_end() -> None:
    """The interpreter does not wait for it."""
    program = (
        "import contextlib, threading; from strongroom.keys.worker import Workers\n"
        "with contextlib.suppress(TimeoutError): Workers().run(threading.Event().wait, 0.05)\n"
        "print('over')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "over\n"
