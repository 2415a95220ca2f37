"""Programs that end or hang are started again; those that go on are left alone."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from strongroom.wiring import supervisor as module
from strongroom.wiring.supervisor import Supervisor

PROGRAM = """
import pathlib, sys, time
from strongroom.wiring.pulse import beat, tell_ready
hangs = not pathlib.Path(sys.argv[4], "again").exists()
pathlib.Path(sys.argv[4], "again").touch()
tell_ready()
while True:
    beat()
    time.sleep(3600 if hangs else 0.02)
"""
LONG = 60.0


def waited(done: Callable[[], bool], supervisor: Supervisor) -> bool:
    """Whether it happened while the supervisor watched."""
    end = time.monotonic() + LONG
    while not done() and time.monotonic() < end:
        supervisor.mend()
        time.sleep(0.01)
    return done()


@pytest.fixture
def said() -> list[str]:
    """What the supervisor says."""
    return []


@pytest.fixture
def one(tmp_path: Path, said: list[str]) -> Supervisor:
    """A supervisor of a program that hangs the first time, and goes on the second."""
    return Supervisor(tmp_path, said.append, programs=("keeper",), launcher=(sys.executable, "-c", PROGRAM))


def test_a_program_that_hangs_is_ended_and_started_again(
    one: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told from one that goes on by its silence."""
    monkeypatch.setattr(module, "SILENCE", 0.3)
    one.start()
    try:
        [child] = one.children
        assert child.process is not None
        first = child.process.pid
        assert waited(lambda: any("has said nothing" in line for line in said), one)
        monkeypatch.setattr(module, "SILENCE", LONG)
        assert waited(
            lambda: child.process is not None and child.process.pid != first and child.silent is not None, one
        )
        for _ in range(3):  # it is heard of again and again
            child.silent = 5.0
            assert waited(lambda: child.silent is not None and child.silent < 5.0, one)
    finally:
        one.stop()


def test_silence_counts_only_while_the_supervisor_looks(one: Supervisor, said: list[str]) -> None:
    """After the whole machine stood still nobody is ended for that."""
    one.start()
    try:
        [child] = one.children
        child.looked -= 100 * module.SILENCE
        one.mend()
        assert child.silent is not None
        assert child.silent <= module.LOOK
        assert said == []
    finally:
        one.stop()


def test_a_program_that_ends_is_started_again(one: Supervisor, said: list[str]) -> None:
    """The first time at once or soon."""
    one.start()
    try:
        [child] = one.children
        assert child.process is not None
        first = child.process.pid
        child.process.kill()
        assert waited(lambda: child.process is not None and child.process.pid != first, one)
        assert said[0].startswith("keeper ended with code -9; starting it again in ")
    finally:
        one.stop()
