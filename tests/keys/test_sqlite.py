"""The file of life keys: durable before use, overwritten for good."""

import sqlite3
import stat
from pathlib import Path

import pytest

from strongroom.errors import ConfigError, Conflict, Tampered, Unavailable
from strongroom.keys.sqlite import SPARES, LifeFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An empty file of life keys."""
    LifeFile.create(tmp_path / "life.db")
    return tmp_path / "life.db"


def test_keys_are_given_out_once_and_are_there_after_a_restart(path: Path) -> None:
    """Also the one that was given out just before; more than one batch of them."""
    life = LifeFile(path)
    given = [life.spare() for _ in range(SPARES + 1)]
    assert len({one.id for one in given}) == len({one.key.reveal() for one in given}) == len(given)
    life.close()
    again = LifeFile(path)
    assert [again.get(one.id) for one in given] == given
    assert again.spare().id not in {one.id for one in given}


def test_a_destroyed_key_is_gone_from_the_file(path: Path) -> None:
    """Every byte of it; destroying again changes nothing; the others stay."""
    life = LifeFile(path)
    one, two = life.spare(), life.spare()
    assert one.key.reveal() in path.read_bytes()
    life.destroy(one.id, 5)
    life.destroy(one.id, 6)
    assert life.is_destroyed(one.id)
    assert not life.is_destroyed(two.id)
    assert not life.is_destroyed(bytes(16))
    with pytest.raises(Tampered, match="destroyed"):
        life.get(one.id)
    with pytest.raises(Tampered, match="not there"):
        life.get(bytes(16))
    assert life.get(two.id) == two
    for file in path.parent.iterdir():
        assert one.key.reveal() not in file.read_bytes()
    with sqlite3.connect(path) as db:
        assert db.execute("select destroyed from life where id = ?", (one.id,)).fetchall() == [(5,)]
    db.close()


def test_the_file_is_private_and_never_made_twice(path: Path, tmp_path: Path) -> None:
    """A missing one is said at the start; another file is not taken for one."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(Conflict):
        LifeFile.create(path)
    with pytest.raises(ConfigError, match="missing"):
        LifeFile(tmp_path / "other.db")
    (tmp_path / "other.db").write_bytes(b"no database" * 100)
    with pytest.raises(Unavailable):
        LifeFile(tmp_path / "other.db")


def test_a_locked_file_refuses_and_gives_out_nothing(path: Path) -> None:
    """Afterwards it goes on."""
    life = LifeFile(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("begin exclusive")
    with pytest.raises(Unavailable):
        life.spare()
    holder.execute("rollback")
    holder.close()
    one = life.spare()
    assert life.get(one.id) == one
