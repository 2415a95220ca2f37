"""The evaluation root key in a file."""

import os
from pathlib import Path

import pytest

from strongroom.errors import ConfigError, Conflict, Tampered, Unavailable
from strongroom.keys.file import FileRootKey
from strongroom.secret import Secret


def test_a_key_is_made_once_read_back_and_says_what_it_is(tmp_path: Path) -> None:
    """The same key opens what it wrapped; the warning is loud; an existing key is never overwritten."""
    path = tmp_path / "root.key"
    made = FileRootKey.create(path)
    wrapped = made.wrap(Secret(b"k" * 32), b"bound")
    read = FileRootKey.read(path)
    assert read.unwrap(wrapped, b"bound") == Secret(b"k" * 32)
    with pytest.raises(Tampered):
        read.unwrap(wrapped, b"other")
    assert "EVALUATION" in read.warning
    with pytest.raises(Conflict):
        FileRootKey.create(path)
    assert FileRootKey.read(path).unwrap(wrapped, b"bound") == Secret(b"k" * 32)


def test_a_file_that_others_can_read_is_missing_or_damaged_is_refused(tmp_path: Path) -> None:
    """Each with a sentence that says what to do."""
    path = tmp_path / "root.key"
    FileRootKey.create(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        FileRootKey.read(path)
    path.chmod(0o600)
    text = path.read_text()
    for damaged in (text[:-2], text.replace(text[40], "0" if text[40] != "0" else "1", 1), "", text + text):
        path.write_text(damaged)
        with pytest.raises(ConfigError, match="damaged"):
            FileRootKey.read(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        FileRootKey.read(tmp_path / "none")
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(ConfigError):
        FileRootKey.read(tmp_path / "link")


def test_a_pipe_in_its_place_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    """A start that hangs says nothing."""
    os.mkfifo(tmp_path / "root.key", 0o600)
    with pytest.raises(ConfigError, match="is no file"):
        FileRootKey.read(tmp_path / "root.key")


def test_a_key_that_cannot_be_written_is_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder, or a disk that is full: said, and no half a file stays."""
    with pytest.raises(Unavailable, match="cannot be written"):
        FileRootKey.create(tmp_path / "none" / "root.key")
    sync, synced = os.fsync, []

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space"):
        FileRootKey.create(tmp_path / "root.key")
    assert list(tmp_path.iterdir()) == []

    def counted(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", counted)
    FileRootKey.create(tmp_path / "root.key")
    assert synced == [str(tmp_path / "root.key"), str(tmp_path)]
    assert (tmp_path / "root.key").stat().st_mode & 0o777 == 0o600
