"""The root key in a file: for evaluation. Whoever can read the file can read every document.

Form: one line of text, `strongroom-evaluation-root-key-v1 <64 hex digits> <checksum>`; the checksum is the first 8 hex
digits of the SHA-256 of the key, so that a damaged file is told from a wrong one.
"""

import hashlib
import os
import re
import stat
from pathlib import Path

from strongroom.envelope import small
from strongroom.errors import ConfigError, Conflict, Unavailable
from strongroom.secret import Secret

WARNING = (
    "EVALUATION KEY: the root key lies in a file beside the data. Whoever reads the keeper's files reads every document."
    ' Use an HSM ([keeper] root = "pkcs11") for real patients.'
)
_FORM = re.compile(r"strongroom-evaluation-root-key-v1 ([0-9a-f]{64}) ([0-9a-f]{8})\n")
_MAX = 256


class FileRootKey:
    """A root key read from its file once, at start."""

    warning = WARNING
    distant = False

    def __init__(self, key: Secret) -> None:
        self._key = key

    @classmethod
    def create(cls, path: Path) -> "FileRootKey":
        """Make a new key. Raises Conflict when a file is there: an overwritten root key is every document lost.

        Durable when it returns. Raises Unavailable, and leaves no file, when it cannot be written.
        """
        key = small.new_key()
        line = f"strongroom-evaluation-root-key-v1 {key.reveal().hex()} {_checksum(key)}\n"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError as error:
            msg = f"There is a root key in {path} already."
            raise Conflict(msg, advice="It is left as it is. Without it no document could be read again.") from error
        except OSError as error:
            raise _unwritten(path, error) from error
        try:
            with os.fdopen(handle, "w") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            _sync(path.parent)  # the name is to outlast a power cut as well
        except OSError as error:
            path.unlink(missing_ok=True)
            raise _unwritten(path, error) from error
        return cls(key)

    @classmethod
    def read(cls, path: Path) -> "FileRootKey":
        """The key in an existing file. Raises ConfigError for one that is missing, open to others, or damaged."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                text = file.read(_MAX).decode("ascii", "replace")
        except OSError as error:
            msg = f"The root key {path} cannot be read: {error.strerror}."
            raise ConfigError(
                msg, advice="Without it no document can be read. `strongroom restore` makes a new one."
            ) from error
        if not stat.S_ISREG(mode):
            msg = f"The root key {path} is no file."
            raise ConfigError(msg)
        if mode & 0o077:
            msg = f"The root key {path} can be read by others."
            raise ConfigError(msg, advice=f"Run: chmod 600 {path}")
        found = _FORM.fullmatch(text)
        key = Secret(bytes.fromhex(found[1])) if found else Secret(b"")
        if found is None or _checksum(key) != found[2]:
            msg = f"The root key {path} is damaged."
            raise ConfigError(msg, advice="Put back the copy you kept, or restore with the recovery key.")
        return cls(key)

    @staticmethod
    def destroy(path: Path) -> None:
        """Overwrite a key's file and take it away. Raises Unavailable; then it may be done again."""
        try:
            with path.open("r+b") as file:
                file.write(bytes(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            _sync(path.parent)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unwritten(path, error) from error

    def wrap(self, key: Secret, bound: bytes) -> bytes:
        """See `RootKey.wrap`."""
        return small.seal(self._key, key.reveal(), bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> Secret:
        """See `RootKey.unwrap`."""
        return Secret(small.open_sealed(self._key, wrapped, bound))

    async def wrap_soon(self, key: Secret, bound: bytes) -> bytes:
        """See `RootKey.wrap_soon`. Microseconds, and so done here: any thread would take longer."""
        return self.wrap(key, bound)

    async def unwrap_soon(self, wrapped: bytes, bound: bytes) -> Secret:
        """See `RootKey.unwrap_soon`. Done here, as wrapping is."""
        return self.unwrap(wrapped, bound)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritten(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"The root key {path} cannot be written: {error.strerror}.", advice="Look at the folder and disk."
    )


def _checksum(key: Secret) -> str:
    return hashlib.sha256(key.reveal()).hexdigest()[:8]
