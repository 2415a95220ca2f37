"""The model of a disk that loses power: what was synced is there, and what was not may be, in pieces or not at all."""

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import disk

PROGRAM = """
import os, sys
os.chdir(sys.argv[1])
root = os.getcwd()
def put(name, data, synced):
    handle = os.open(f"{root}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.write(handle, data[:700])
    os.pwrite(handle, data[700:], 700)
    if synced:
        os.fsync(handle)
    os.close(handle)
def sync(name):
    handle = os.open(f"{root}/{name}", os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
put("old", b"B" * 2000, False)
put("whole", b"W" * 2000, True)
os.mkdir(f"{root}/in")
put("in/named", b"N" * 2000, True)
sync("in")
put("beside", b"S" * 2000, True)
os.rename(f"{root}/beside", f"{root}/moved")
sync(".")
put("late", b"L" * 2000, True)
os.unlink(f"{root}/gone")
"""


@pytest.fixture
def lose(tmp_path: Path) -> Callable[..., dict[str, bytes]]:
    """Runs `PROGRAM` under the recorder, once; gives the files of one state after a loss of power at the end."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace (./up check installs it)")
    root, base, record = tmp_path / "root", tmp_path / "base", tmp_path / "record"
    root.mkdir()
    record.mkdir()
    (root / "old").write_bytes(b"A" * 1000)
    (root / "gone").write_bytes(b"G")
    shutil.copytree(root, base)
    subprocess.run([*disk.recording(record), sys.executable, "-c", PROGRAM, root], check=True)
    calls = disk.read(record)

    def state(seed: int, *, lying: bool = False, until: float = disk.FOREVER) -> dict[str, bytes]:
        one = disk.Disk(root, base, lying=lying)
        one.play(calls, until)
        target = tmp_path / f"state-{seed}-{lying}"
        one.lose_power(target, random.Random(seed))
        return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}

    return state


def test_what_was_synced_is_there_and_nothing_else_is_certain(lose: Callable[..., dict[str, bytes]]) -> None:
    """File and folder synced: always there. Only the file: its name may be missing. Neither: anything between."""
    states = [lose(seed) for seed in range(60)]
    for state in states:
        assert state["whole"] == b"W" * 2000
        assert state["in/named"] == b"N" * 2000
        assert state["moved"] == b"S" * 2000
        assert "beside" not in state
        assert state.get("late", b"L" * 2000) == b"L" * 2000
        assert set(state["old"]) <= set(b"AB\0")
    assert {"late" in state for state in states} == {True, False}
    assert {"gone" in state for state in states} == {True, False}
    assert not any("late" not in state and "gone" not in state for state in states), "names change in their order"
    olds = {state["old"] for state in states}
    assert {b"B" * 2000, b"A" * 1000} <= olds
    assert any(0 < old.count(b"B") < 2000 for old in olds), "torn"


def test_a_disk_that_lies_loses_what_was_synced(lose: Callable[..., dict[str, bytes]]) -> None:
    """So that a broken promise is seen: without syncs, nothing is certain."""
    assert lose(0, lying=True) == {"old": b"A" * 1000, "gone": b"G"}


def test_nothing_is_there_before_it_was_done(lose: Callable[..., dict[str, bytes]]) -> None:
    """At the beginning of a record the disk is as it was."""
    assert lose(0, until=0.0) == {"old": b"A" * 1000, "gone": b"G"}


def test_calls_that_are_cut_in_two_are_put_together(tmp_path: Path) -> None:
    """Threads interrupt each other's lines; a call counts when it began and has ended, and a failed one never."""
    (tmp_path / "7").write_text(
        '7 10.000001 pwrite64(3, "\\x41\\x42", 2, 5 <unfinished ...>\n'
        "8 10.000002 fsync(3)                 = -1 EIO (Input/output error) <0.000001>\n"
        "7 10.000009 <... pwrite64 resumed>) = 2 <0.000007>\n"
        '8 10.000010 openat(AT_FDCWD, "\\x2f\\x61", O_RDONLY|O_CLOEXEC) = 5 <0.000004>\n'
        "8 10.000016 close(5) = 0 <0.000001>\n"
        "7 10.000020 +++ exited with 0 +++\n"
    )
    calls = disk.read(tmp_path)
    assert [(call.name, call.process, call.result) for call in calls] == [
        ("pwrite64", 7, 2), ("openat", 8, 5), ("close", 8, 0)
    ]  # fmt: skip
    assert calls[0].end == pytest.approx(10.000008)
    assert calls[0].arguments == '3, "\\x41\\x42", 2, 5'
