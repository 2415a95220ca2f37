"""Published files: whole or not there, the checkpoint last, repeatable after a crash anywhere."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from strongroom.audit.files import CHECKPOINT, Directory, hold, let_go
from strongroom.errors import Conflict, Unavailable
from strongroom.tlog.tile import MAX_RESOURCE, Tile, tiles_between


def content(tile: Tile) -> bytes:
    """What a file holds, by its name."""
    return tile.path().encode()


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    """A published empty log."""
    made = Directory(tmp_path / "log")
    made.create(b"0")
    return made


def files(directory: Directory) -> set[str]:
    """Relative paths of all files."""
    return {str(path.relative_to(directory.root)) for path in directory.root.rglob("*") if path.is_file()}


def test_created_only_where_nothing_is(directory: Directory) -> None:
    """Not over another log, nor over anything else."""
    with pytest.raises(Conflict):
        directory.create(b"1")
    assert directory.read(CHECKPOINT) == b"0"


@pytest.mark.parametrize("sizes", [(1,), (255, 256, 257), (300, 700), (256 * 256 + 3,)])
def test_published_step_by_step(directory: Directory, sizes: tuple[int, ...]) -> None:
    """After each step every tile of the size is there, full ones without their partial forerunners."""
    old = 0
    for new in sizes:
        directory.publish(old, new, content, str(new).encode())
        old = new
        assert directory.read(CHECKPOINT) == str(new).encode()
        for tile in tiles_between(0, new):
            assert directory.read(tile.path()) == content(tile)
            if tile.width == 256:
                assert not (directory.root / f"{tile.path()}.p").exists()


class Crash(BaseException):
    """Nobody catches it, like a loss of power."""


def crash_at(step: int) -> Callable[[Tile], bytes]:
    """Content that crashes at the given call."""
    left = [step]

    def render(tile: Tile) -> bytes:
        if left[0] == 0:
            raise Crash
        left[0] -= 1
        return content(tile)

    return render


@pytest.mark.parametrize("step", range(6))
def test_a_crash_leaves_the_older_checkpoint_and_the_next_run_mends(directory: Directory, step: int) -> None:
    """Before the last step nothing new is published; afterwards it is as if nothing had happened."""
    directory.publish(0, 200, content, b"200")
    with pytest.raises(Crash):
        directory.publish(200, 600, crash_at(step), b"600")
    assert directory.read(CHECKPOINT) == b"200"
    for tile in tiles_between(0, 200):
        assert directory.read(tile.path()) == content(tile)
    directory.publish(200, 600, content, b"600")
    assert {tile.path() for tile in tiles_between(0, 600)} | {CHECKPOINT} == files(directory)


def test_a_half_written_file_is_nobodys(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash while writing leaves the old file in its place."""

    def crash(_: int) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", crash)
        with pytest.raises(Crash):
            directory.write(CHECKPOINT, b"1")
    assert directory.read(CHECKPOINT) == b"0"
    directory.write(CHECKPOINT, b"1")
    assert files(directory) == {CHECKPOINT}


def test_synced_before_the_checkpoint(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the checkpoint moves into place, every file and directory that it speaks of was synced before."""
    synced: list[str] = []
    sync, move = os.fsync, Path.replace

    def watched_sync(descriptor: int) -> None:
        synced.append(os.path.realpath(f"/proc/self/fd/{descriptor}"))
        sync(descriptor)

    def watched_move(self: Path, target: Path) -> Path:
        synced.append(f"move {target.name}")
        return move(self, target)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(Path, "replace", watched_move)
    directory.publish(0, 257, content, b"257")
    before = synced[: synced.index("move checkpoint")]
    for place in ("tile", "tile/0", "tile/0/001.p", "tile/1/000.p", "tile/entries", "tile/entries/001.p", ""):
        assert str(directory.root / place).rstrip("/") in before
    assert synced[-1] == str(directory.root)


def test_what_is_not_there(directory: Directory) -> None:
    """A missing file is None, and so is one below a file."""
    assert directory.read("tile/0/000") is None
    assert directory.read("checkpoint/000") is None


def test_what_cannot_be_read_or_written(directory: Directory) -> None:
    """A directory in the way, or a monstrous file: unavailable, with the place."""
    (directory.root / "tile").write_bytes(b"")
    with pytest.raises(Unavailable, match="log"):
        directory.publish(0, 1, content, b"1")
    (directory.root / "dir").mkdir()
    with pytest.raises(Unavailable, match="log"):
        directory.read("dir")
    with (directory.root / "huge").open("wb") as file:
        file.truncate(MAX_RESOURCE + 1)
    with pytest.raises(Unavailable, match="larger"):
        directory.read("huge")


def test_set_aside(directory: Directory) -> None:
    """All of it goes into a sibling, once, and the place is empty."""
    aside = directory.set_aside("log.old")
    assert (aside / CHECKPOINT).read_bytes() == b"0"
    assert files(directory) == set()
    with pytest.raises(Conflict):
        directory.set_aside("log.old")
    directory.root.rmdir()
    assert directory.set_aside("log.none") == directory.root.with_name("log.none")
    assert directory.root.is_dir()


def test_one_holder(tmp_path: Path) -> None:
    """The second one is refused until the first lets go."""
    first = hold(tmp_path / "lock")
    with pytest.raises(Conflict):
        hold(tmp_path / "lock")
    let_go(first)
    let_go(hold(tmp_path / "lock"))
    with pytest.raises(Unavailable):
        hold(tmp_path / "nowhere" / "lock")
