"""Private Ed25519 keys in files: PKCS #8 PEM, mode 0600, with or without a passphrase.

Creating is never a side effect of reading: `create` refuses when anything is there, `read` when the file could have
been read or exchanged by another user. Whoever can read such a file without a passphrase is the officer, signer or
issuer.
"""

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from strongroom.errors import ConfigError, Conflict, Unavailable
from strongroom.identity.signing import SigningKey
from strongroom.secret import Secret

MAX_FILE = 4_096
"""Bytes. An encrypted Ed25519 key in PEM is about 320."""
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW


def create(path: Path, passphrase: Secret | None = None) -> SigningKey:
    """Make a key and write it to `path`, durably. Raises Conflict when something is there, Unavailable otherwise."""
    private = Ed25519PrivateKey.generate()
    encryption = BestAvailableEncryption(passphrase.reveal()) if passphrase else NoEncryption()
    write_private(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return SigningKey(private)


def read(path: Path, passphrase: Secret | None = None, *, owner: int | None = None) -> SigningKey:
    """The key in `path`. `owner` as in `read_private`. Raises ConfigError that says what is wrong with the file."""
    pem = read_private(path, owner=owner)
    try:
        key = load_pem_private_key(pem, passphrase.reveal() if passphrase else None)
    except TypeError as error:  # cryptography's answer when a passphrase is missing or superfluous
        msg = f"{path} needs a passphrase." if passphrase is None else f"{path} has no passphrase."
        raise ConfigError(msg) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        msg = f"{path} is not a private key in PEM, or the passphrase is wrong."
        raise ConfigError(msg) from error
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{path} is not an Ed25519 key."
        raise ConfigError(msg)
    return SigningKey(key)


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read, durably. Raises Conflict, Unavailable."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _sync_directory(path.parent)
    except FileExistsError as error:
        msg = f"{path} exists already."
        raise Conflict(msg, advice="Move it away first; nothing was changed.") from error
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}."
        raise Unavailable(msg) from error


def read_private(path: Path, *, owner: int | None = None) -> bytes:
    """The bytes of a file that nobody but us (or root) can read. Raises ConfigError otherwise.

    `owner`: another user whose file it may be, for root's own commands upon a store whose processes have users.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | _OPEN)  # a pipe without a writer must not hold us
        with os.fdopen(handle, "rb") as file:
            facts = os.fstat(file.fileno())
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}."
        raise ConfigError(msg) from error
    if not stat.S_ISREG(facts.st_mode) or facts.st_mode & 0o077 or facts.st_uid not in {0, os.geteuid(), owner}:
        msg = f"{path} can be read by others than its owner, or is not ours."
        raise ConfigError(msg, advice=f"Run: chmod 600 {path}")
    if len(content) > MAX_FILE:
        msg = f"{path} is longer than {MAX_FILE} bytes."
        raise ConfigError(msg)
    return content


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
