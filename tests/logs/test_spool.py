"""A pipe as files."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.logs.journal import KEPT, UNREAD
from strongroom.logs.spool import Spool

LINES = [f"{n:06d} {'x' * (n % 50)}\n".encode() for n in range(6_000)]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """(where it is read, where it is written); the writing end is closed by who uses it."""
    read, write = os.pipe()
    yield read, write
    os.close(read)


def written(folder: Path) -> list[bytes]:
    """The files, in their order."""
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def test_everything_is_there_in_files_of_whole_lines(tmp_path: Path, pipe: tuple[int, int]) -> None:
    """Also after a restart, and when the last line has no end."""
    spool = Spool(tmp_path, pipe[0], size=30_000)
    with os.fdopen(pipe[1], "wb") as out:
        out.write(b"".join(LINES) + b"the last")
    assert spool.ended(60)
    files = written(tmp_path)
    assert b"".join(files) == b"".join(LINES) + b"the last\n"
    assert len(files) > 1
    assert all(file.endswith(b"\n") for file in files)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    read, write = os.pipe()
    os.close(write)
    assert Spool(tmp_path, read).ended(60)
    assert written(tmp_path)[: len(files)] == files
    os.close(read)


def test_what_was_read_is_removed_and_the_pipe_waits_until_it_was(tmp_path: Path, pipe: tuple[int, int]) -> None:
    """No more files than may wait and may stay; none that was not read goes."""
    spool = Spool(tmp_path, pipe[0], size=1_000)
    data, most = b"".join(LINES), 0
    os.set_blocking(pipe[1], False)
    while data:
        try:
            data = data[os.write(pipe[1], data[:4_096]) :]
        except BlockingIOError:
            if len(written(tmp_path)) > KEPT + UNREAD:
                most = len(written(tmp_path))
                spool.sweep(lambda _: True)
    os.close(pipe[1])
    while not spool.ended(0.01):
        spool.sweep(lambda _: True)
    spool.sweep(lambda _: True)
    assert most == KEPT + UNREAD + 1
    assert len(written(tmp_path)) == KEPT + 1
    spool.sweep(lambda _: False)
    assert len(written(tmp_path)) == KEPT + 1
    assert b"".join(LINES).endswith(b"".join(written(tmp_path)))


def test_a_pipe_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """And has ended."""
    folder = os.open(tmp_path, os.O_RDONLY)
    spool = Spool(tmp_path / "s", folder)
    assert spool.ended(60)
    assert spool.error
    os.close(folder)
