"""The evaluation root key in a file."""

from pathlib import Path

import pytest

from strongroom.errors import ConfigError, Conflict, Tampered
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
