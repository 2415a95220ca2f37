"""The keeper's own secrets: made once, kept sealed under the root key and to the recovery key, opened at start."""

import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from strongroom.audit.compose import Cover
from strongroom.envelope import small
from strongroom.envelope.binding import bind
from strongroom.envelope.keyed import keyed_hash
from strongroom.errors import ConfigError, Unavailable, Untrusted
from strongroom.keys.recovery import RecoveryPrivate, RecoveryPublic
from strongroom.keys.root import RootKey
from strongroom.secret import Secret

NAMES = ("context", "index", "names", "snapshot")
LOG = "log"
"""The log's first signing seed; later ones have their number behind it: `log.2`."""
REHEARSAL = "rehearsal"
"""Sealed only in stores that a rehearsal made; without it no guard can be switched off."""
RECOVERY = "recovery.pub"


@dataclass(frozen=True, slots=True)
class KeeperSecrets:
    """32 bytes each: contexts of the local signer, keyed hashes of logins, the log's signing seed, sealing of names, tags of
    snapshots.
    """

    context: Secret
    index: Secret
    log: Mapping[int, Secret]
    """By number; the newest is the highest."""
    names: Secret
    snapshot: Secret
    rehearsal: bool


def cover_of(secrets: KeeperSecrets) -> Cover:
    """How the log keeps details unreadable, and tags the rows of the database."""
    bound, key = bind("log-details"), hmac.digest(secrets.snapshot.reveal(), b"strongroom rows", "sha256")
    return Cover(
        lambda text: small.seal(secrets.names, text, bound),
        lambda raw: small.open_sealed(secrets.names, raw, bound),
        keyed_hash(key),
    )


def secret_bound(store: str, name: str) -> bytes:
    """What a secret of the keeper is bound to."""
    return bind("keeper-secret", store, name)


def make_secrets(
    folder: Path, store: str, root: RootKey, recovery: RecoveryPublic, *, rehearsal: bool
) -> KeeperSecrets:
    """New secrets, sealed into `folder`, which must exist and be empty."""
    _write(folder / RECOVERY, recovery.raw)
    for name in (*NAMES, LOG, *([REHEARSAL] if rehearsal else [])):
        _seal(folder, store, name, small.new_key(), root, recovery)
    return open_secrets(folder, store, root)


def open_secrets(folder: Path, store: str, root: RootKey) -> KeeperSecrets:
    """The secrets in `folder`. Raises ConfigError when they are not of this store and this root key; Unavailable."""
    opened = {name: _open(folder, store, name, root) for name in NAMES}
    rehearsal = (folder / f"{REHEARSAL}.root").exists()
    if rehearsal:
        _open(folder, store, REHEARSAL, root)
    seeds = {number: _open(folder, store, _seed(number), root) for number in seed_numbers(folder)}
    if not seeds:
        msg = "The log's signing key is missing from keeper/secrets."
        raise ConfigError(msg, advice="Put it back from a backup.")
    return KeeperSecrets(**opened, log=seeds, rehearsal=rehearsal)


def seed_numbers(folder: Path) -> list[int]:
    """The numbers of the log's signing seeds that are there, ascending."""
    form = re.compile(re.escape(LOG) + r"(?:\.([1-9][0-9]{0,5}))?\.root")
    return sorted(int(found[1] or 1) for path in folder.glob("*.root") if (found := form.fullmatch(path.name)))


def make_seed(folder: Path, store: str, number: int, root: RootKey) -> Secret:
    """One more signing seed for the log, durable when this returns. What a crash left of it is made anew. Raises
    Unavailable, ConfigError.
    """
    name, recovery = _seed(number), read_recovery(folder)
    try:
        for ending in ("recovery", "root"):
            (folder / f"{name}.{ending}").unlink(missing_ok=True)
        key, bound = small.new_key(), secret_bound(store, name)
        _write(folder / f"{name}.recovery", recovery.wrap(key, bound))
        _write(folder / f"{name}.root", root.wrap(key, bound))  # last: by this one it is known
        sync(folder)
    except OSError as error:
        msg = f"A new signing key of the log cannot be written: {error.strerror}."
        raise Unavailable(msg, advice="Look at the disk of the keeper's directory.") from error
    return key


def destroy_seed(folder: Path, number: int) -> None:
    """Take a signing seed away, for good. Raises Unavailable."""
    try:
        for ending in ("root", "recovery"):
            (folder / f"{_seed(number)}.{ending}").unlink(missing_ok=True)
        sync(folder)
    except OSError as error:
        msg = f"An old signing key of the log cannot be destroyed: {error.strerror}."
        raise Unavailable(msg, advice="Look at the disk of the keeper's directory.") from error


def _seed(number: int) -> str:
    return LOG if number == 1 else f"{LOG}.{number}"


def read_recovery(folder: Path) -> RecoveryPublic:
    """The public half of the recovery key. Raises ConfigError."""
    try:
        return RecoveryPublic((folder / RECOVERY).read_bytes())
    except (OSError, Untrusted) as error:
        msg = "The store's recovery public key is missing or damaged."
        raise ConfigError(
            msg, advice="Put it back from a backup: new keys could not be recovered without it."
        ) from error


def reseal(folder: Path, store: str, paper: RecoveryPrivate, root: RootKey) -> None:
    """Seal every secret under a new root key, opened with the recovery key. Raises Tampered for the wrong one."""
    for sealed in sorted(folder.glob("*.recovery")):
        name = sealed.stem
        key = paper.unwrap(sealed.read_bytes(), secret_bound(store, name))
        (folder / f"{name}.root").unlink(missing_ok=True)
        _write(folder / f"{name}.root", root.wrap(key, secret_bound(store, name)))


def rewrap(folder: Path, store: str, root: RootKey) -> None:
    """Wrap every secret anew, each file replaced whole. Raises Unavailable, Tampered; then it may be done again."""
    for sealed in sorted(folder.glob("*.root")):
        bound = secret_bound(store, sealed.stem)
        key = root.unwrap(sealed.read_bytes(), bound)
        half = sealed.with_suffix(".half")
        half.unlink(missing_ok=True)
        try:
            _write(half, root.wrap(key, bound))
            half.replace(sealed)
        except OSError as error:
            msg = f"The keeper's secret {sealed.stem!r} cannot be written: {error.strerror}."
            raise Unavailable(msg, advice="Look at the disk of the keeper's directory.") from error
    sync(folder)


def sync(folder: Path) -> None:
    """Names in a folder are durable when this returns. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _seal(folder: Path, store: str, name: str, key: Secret, root: RootKey, recovery: RecoveryPublic) -> None:
    bound = secret_bound(store, name)
    _write(folder / f"{name}.root", root.wrap(key, bound))
    _write(folder / f"{name}.recovery", recovery.wrap(key, bound))


def _open(folder: Path, store: str, name: str, root: RootKey) -> Secret:
    try:
        return root.unwrap((folder / f"{name}.root").read_bytes(), secret_bound(store, name))
    except (OSError, Untrusted) as error:
        msg = f"The keeper's secret {name!r} does not open."
        advice = "Is this the root key of this store? If it is lost: strongroom restore with the recovery key."
        raise ConfigError(msg, advice=advice) from error


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
