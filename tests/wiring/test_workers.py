"""Workers are started again when they end, hang or are told to reload, and end with their parent."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LONG = 60.0
SCRIPT = """
import signal, time
from strongroom.wiring.workers import Workers, go_on

def serve(word):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    print(word, flush=True)
    while True:
        go_on()
        time.sleep(0.05)

words = iter(["second"])
def again():
    word = next(words, None)
    return None if word is None else lambda: serve(word)

Workers(2, lambda: serve("first"), lambda said: print(said, flush=True), again, 5.0, silence=5.0).run()
print("over", flush=True)
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Two workers that do nothing but go on; what they and the parent say is in a file."""
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=said)
    yield process
    process.kill()
    process.wait(LONG)


def children(process: subprocess.Popen[bytes]) -> set[int]:
    """Who there is."""
    return set(map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()))


def until(holds: Callable[[], object]) -> None:
    """Returns once it does."""
    end = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_one_that_hangs_is_ended_and_one_that_is_killed_is_replaced(
    parent: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """Always two; each that ended is told, and why."""
    said = tmp_path / "said"
    until(lambda: said.read_text().count("first") == 2)
    hanging, killed = sorted(children(parent))
    os.kill(hanging, signal.SIGSTOP)
    until(lambda: f"WORKER {hanging} has said nothing for 5 s" in said.read_text())
    os.kill(killed, signal.SIGKILL)
    until(lambda: said.read_text().count("first") >= 4 and not {hanging, killed} & children(parent))
    assert "ENDED BY SIGNAL 9" in said.read_text()


def test_it_reloads_where_it_can_and_ends_in_order(parent: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """The second time there is nothing new: all goes on. SIGTERM ends all of them."""
    said = tmp_path / "said"
    until(lambda: said.read_text().count("first") == 2)
    parent.send_signal(signal.SIGHUP)
    until(lambda: said.read_text().count("second") >= 2)
    before = children(parent)
    parent.send_signal(signal.SIGHUP)
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(LONG) == 0
    assert said.read_text().splitlines()[-1] == "over"
    assert not any(Path(f"/proc/{pid}").exists() for pid in before)


def test_nobody_outlives_the_parent(parent: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """However it ended."""
    until(lambda: (tmp_path / "said").read_text().count("first") == 2)
    left = [os.pidfd_open(pid) for pid in children(parent)]
    parent.kill()
    for one in left:
        assert select.select([one], [], [], LONG)[0]
        os.close(one)
