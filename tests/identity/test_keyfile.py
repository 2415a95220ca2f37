import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from strongroom.errors import ConfigError, Conflict, Unavailable
from strongroom.identity.keyfile import MAX_FILE, create, read, write_private
from strongroom.secret import Secret


@pytest.mark.parametrize("passphrase", [None, Secret(b"correct horse")])
@pytest.mark.usefixtures("umask")
def test_round_trip(tmp_path: Path, passphrase: Secret | None) -> None:
    """A key is read back from its file, which nobody else can read whatever the umask."""
    made = create(tmp_path / "key", passphrase)
    assert read(tmp_path / "key", passphrase).kid == made.kid
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_creating_replaces_nothing(tmp_path: Path) -> None:
    """A key is never overwritten, not even through a link that leads nowhere."""
    made = create(tmp_path / "key")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("key", "link"):
        with pytest.raises(Conflict):
            create(tmp_path / name)
    assert read(tmp_path / "key").kid == made.kid


def test_nowhere_to_write(tmp_path: Path) -> None:
    """A directory that is not there is said to be so."""
    with pytest.raises(Unavailable):
        create(tmp_path / "none" / "key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o610])
def test_modes_not_taken(tmp_path: Path, mode: int) -> None:
    """A key file that others can touch is refused, and the message says what to do."""
    create(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        read(tmp_path / "key")


def test_passphrases(tmp_path: Path) -> None:
    """A wrong, missing or superfluous passphrase is refused, and none is repeated."""
    create(tmp_path / "locked", Secret(b"right"))
    create(tmp_path / "open")
    for name, passphrase in (("locked", b"wrong"), ("locked", None), ("open", b"wrong")):
        with pytest.raises(ConfigError) as caught:
            read(tmp_path / name, None if passphrase is None else Secret(passphrase))
        assert "wrong'" not in str(caught.value)


def test_files_not_taken(tmp_path: Path) -> None:
    """Links, directories, nothing, too much, garbage and keys of another kind are refused."""
    create(tmp_path / "key")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    (tmp_path / "directory").mkdir(mode=0o700)
    write_private(tmp_path / "long", b"x" * (MAX_FILE + 1))
    write_private(tmp_path / "garbage", b"x")
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(tmp_path / "other", other)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("link", "directory", "none", "long", "garbage", "other", "pipe"):
        with pytest.raises(ConfigError):
            read(tmp_path / name)
