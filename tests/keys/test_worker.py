"""Calls that may never come back."""

import subprocess
import sys
import threading

import pytest

from strongroom.keys.worker import MAX_LOST, Worker


def test_it_gives_and_raises_what_the_call_does() -> None:
    """One thread, call after call."""
    worker = Worker()
    first = worker.run(threading.get_ident, 5.0)
    with pytest.raises(ZeroDivisionError):
        worker.run(lambda: 1 // 0, 5.0)
    assert worker.run(threading.get_ident, 5.0) == first != threading.get_ident()


def test_a_call_that_hangs_is_left_behind_and_the_next_is_served() -> None:
    """By another thread; the old one ends when its call comes back."""
    worker, gate = Worker(), threading.Event()
    with pytest.raises(TimeoutError):
        worker.run(gate.wait, 0.01)
    assert worker.run(lambda: "served", 5.0) == "served"
    (lost,) = worker._lost
    gate.set()
    lost.join(5.0)
    assert not lost.is_alive()


def test_calls_that_hang_are_bounded() -> None:
    """No new one is started while too many do; afterwards it works again."""
    worker, gate, started = Worker(), threading.Event(), []
    for _ in range(MAX_LOST):
        with pytest.raises(TimeoutError):
            worker.run(gate.wait, 0.01)
    with pytest.raises(TimeoutError):
        worker.run(lambda: started.append(1), 5.0)
    assert started == []
    gate.set()
    for thread in worker._lost:
        thread.join(5.0)
    assert worker.run(lambda: "served", 5.0) == "served"


def test_a_program_with_a_hanging_call_can_end() -> None:
    """The interpreter does not wait for it."""
    program = (
        "import contextlib, threading; from strongroom.keys.worker import Worker\n"
        "with contextlib.suppress(TimeoutError): Worker().run(threading.Event().wait, 0.05)\n"
        "print('over')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "over\n"
