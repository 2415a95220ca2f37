"""Being told to stop while waiting."""

import os
import signal
import subprocess
import sys
import time

from strongroom.cli.told import Stop, stopping

STORM = """
import os, subprocess, sys
from strongroom.cli.told import stopping

SENDER = "import os, sys, time\\nwhile not time.sleep(0.0001): os.kill(int(sys.argv[1]), 15)"
with stopping() as stop:
    with subprocess.Popen([sys.executable, "-c", SENDER, str(os.getpid())]) as sender:
        stop.wait(60.0)
        for _ in range(20_000):
            stop.wait(0.0)
        sender.kill()
print("whole", stop.told)
"""
"""Thousands of signals into thousands of waits. With an Event in place of the queue it stands still at once."""


def test_a_signal_may_come_at_any_moment_of_the_wait() -> None:
    """It ends the wait, and never stops the program for good."""
    done = subprocess.run([sys.executable, "-c", STORM], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "whole True\n", done.stderr


def test_what_was_told_before_the_wait_ends_it() -> None:
    """Nobody waits for a signal that has come."""
    with stopping() as stop:
        assert not stop.told
        os.kill(os.getpid(), signal.SIGTERM)
        start = time.monotonic()
        stop.wait(60.0)
        assert stop.told
        assert time.monotonic() - start < 50.0


def test_untold_it_waits_as_long_as_it_was_asked_to() -> None:
    """And says that nothing was told; the handlers of before are back afterwards."""
    before = signal.getsignal(signal.SIGTERM)
    stop = Stop()
    stop.wait(0.001)
    assert not stop.told
    with stopping():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
