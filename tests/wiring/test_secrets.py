"""The keeper's own secrets."""

from pathlib import Path

import pytest

from strongroom.errors import ConfigError, Tampered
from strongroom.keys.file import FileRootKey
from strongroom.keys.recovery import RecoveryPrivate
from strongroom.wiring.secrets import make_secrets, open_secrets, read_recovery, reseal


def made(folder: Path, *, rehearsal: bool = False) -> tuple[FileRootKey, RecoveryPrivate]:
    """Secrets of the store `s` in `folder`/secrets."""
    (folder / "secrets").mkdir()
    root, paper = FileRootKey.create(folder / "root.key"), RecoveryPrivate.generate()
    make_secrets(folder / "secrets", "s", root, paper.public(), rehearsal=rehearsal)
    return root, paper


def test_they_open_under_their_root_key_and_for_their_store_alone(tmp_path: Path) -> None:
    """Another root key, or another store's name, opens nothing."""
    root, _ = made(tmp_path)
    opened = open_secrets(tmp_path / "secrets", "s", root)
    assert list(opened.log) == [1]
    assert len({secret.reveal() for secret in (opened.index, opened.log[1], opened.names, opened.snapshot)}) == 4
    with pytest.raises(ConfigError):
        open_secrets(tmp_path / "secrets", "t", root)
    with pytest.raises(ConfigError):
        open_secrets(tmp_path / "secrets", "s", FileRootKey.create(tmp_path / "other.key"))


def test_the_recovery_key_seals_them_under_a_new_root_key(tmp_path: Path) -> None:
    """The same secrets, another root key; a wrong recovery key does nothing."""
    root, paper = made(tmp_path)
    before = open_secrets(tmp_path / "secrets", "s", root)
    assert read_recovery(tmp_path / "secrets").raw == paper.public().raw
    new = FileRootKey.create(tmp_path / "new.key")
    with pytest.raises(Tampered):
        reseal(tmp_path / "secrets", "s", RecoveryPrivate.generate(), new)
    assert open_secrets(tmp_path / "secrets", "s", root) == before
    reseal(tmp_path / "secrets", "s", paper, new)
    assert open_secrets(tmp_path / "secrets", "s", new) == before


def test_only_a_rehearsal_store_says_that_it_is_one(tmp_path: Path) -> None:
    """And a mark that was put there without the root key is refused."""
    root, _ = made(tmp_path)
    assert not open_secrets(tmp_path / "secrets", "s", root).rehearsal
    (tmp_path / "secrets" / "rehearsal.root").write_bytes(b"forged")
    with pytest.raises(ConfigError):
        open_secrets(tmp_path / "secrets", "s", root)
