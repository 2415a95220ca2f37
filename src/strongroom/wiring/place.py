"""Making a store: directories with their owners, keys, empty databases, the first officers. Refuses if anything is there."""

import os
import pwd
import secrets as random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.audit.log import Log, Place
from strongroom.config import Config, Layout, Users, parse
from strongroom.documents.sqlite import Catalogue
from strongroom.errors import ConfigError, Conflict, Malformed, Unavailable
from strongroom.identity import keyfile
from strongroom.identity.officers import Officer, Role, read_officers, write_officers
from strongroom.keeper.registering import STATE
from strongroom.keeper.schema import create_tables
from strongroom.keeper.sqlite import Catalog
from strongroom.keys.recovery import RecoveryPrivate
from strongroom.keys.sqlite import LifeFile
from strongroom.secret import Secret
from strongroom.signin import sqlite as signin_db
from strongroom.tlog.logkeys import LogKeys, LogSigners
from strongroom.tlog.note import Signer, Verifier
from strongroom.wiring.root import create_root
from strongroom.wiring.secrets import KeeperSecrets, make_secrets, sync
from strongroom.wiring.user import may_separate

FIRST_UID = 61_000
"""Below the range of systemd's dynamic users (61184), above those that adduser gives."""
VKEY = "log.vkey"
"""In `keeper/trust`: the public keys that the log is verified with, for everybody who asks; a copy lies in `keeper/log`."""
OFFICERS = {"privacy": Role.PRIVACY, "security": Role.SECURITY, "operator": Role.OPERATOR}


@dataclass(frozen=True, slots=True)
class Made:
    """A new store, and what is shown once."""

    layout: Layout
    config: Config
    recovery: str
    warning: str


def make_store(root: Path, text: str, *, rehearsal: bool = False, hand: bool = True) -> Made:
    """Make the store that `text` (strongroom.toml) describes, in `root`. Raises Conflict if anything is there.

    `hand`: give the files to their users at once; else the caller does so when it has filled the store.
    """
    if root.exists() and any(root.iterdir()):
        msg = f"There is something in {root} already."
        raise Conflict(msg, advice="Nothing was changed. Choose another directory.")
    config = parse(text.encode())
    layout = Layout(root.resolve())
    _folders(layout, config)
    layout.config.write_text(text)
    recovery = RecoveryPrivate.generate()
    made_root = create_root(config, layout)
    secrets = make_secrets(layout.secrets, config.store.name, made_root, recovery.public(), rehearsal=rehearsal)
    LifeFile.create(layout.life)
    create_tables(layout.database)
    layout.database.chmod(0o600)
    signer = log_signer(config, secrets)
    Log.create(Place(layout.database, layout.log), signer)
    pin_keys(layout, LogKeys.of(signer.verifier))
    _trust(layout)
    _app(layout, secrets, gateway=config.gateway.enabled)
    _signin(layout)
    if hand:
        hand_over(layout, config)
    return Made(layout, config, recovery.render(), made_root.warning)


def log_signer(config: Config, secrets: KeeperSecrets) -> Signer:
    """The newest key there is that signs the log. Its name is the log's origin."""
    return signer_of(config, secrets.log[max(secrets.log)])


def signer_of(config: Config, seed: Secret) -> Signer:
    """The signing key of a seed."""
    key = Ed25519PrivateKey.from_private_bytes(seed.reveal())
    return Signer(Verifier(origin(config), key.public_key().public_bytes_raw()), key.sign)


def log_signers(config: Config, layout: Layout, secrets: KeeperSecrets) -> LogSigners:
    """Every key that signs the log now: those that are pinned and not retired. Raises ConfigError."""
    keys = log_keys(layout)
    there = {one.verifier: one for one in (signer_of(config, seed) for seed in secrets.log.values())}
    missing = [one for one in keys.active() if one not in there]
    if missing:
        msg = f"keeper/secrets has no key of {missing[0].vkey()}, which keeper/trust/{VKEY} names."
        raise ConfigError(msg, advice="Put both back from one backup.")
    return LogSigners(keys, tuple(there[one] for one in keys.active()))


def log_keys(layout: Layout) -> LogKeys:
    """The log's public keys as they are pinned. Raises ConfigError."""
    try:
        return LogKeys.parse((layout.trust / VKEY).read_text())
    except OSError as error:
        msg = f"The log's public key keeper/trust/{VKEY} cannot be read: {error.strerror}."
        raise ConfigError(msg, advice="Run as root or the keeper's user.") from error


def pin_keys(layout: Layout, keys: LogKeys) -> None:
    """Write down which keys are the log's, for ourselves and beside what is published. Raises Unavailable."""
    try:
        for folder, mode in ((layout.trust, 0o600), (layout.log, 0o644)):
            beside = folder / f".{VKEY}.new"
            with beside.open("w") as file:
                os.fchmod(file.fileno(), mode)
                file.write(keys.render())
                file.flush()
                os.fsync(file.fileno())
            beside.replace(folder / VKEY)
            sync(folder)
    except OSError as error:
        msg = f"The log's public keys cannot be written: {error.strerror}."
        raise Unavailable(msg, advice="Look at the disk of the keeper's directory.") from error


def origin(config: Config) -> str:
    """The log's name, which its checkpoints carry."""
    return f"strongroom.local/{config.store.name}"


def choose_users(root: Path) -> Users:
    """Five system users for a store in `root`, or none where they could not reach it or we may not become them."""
    if not may_separate() or not reachable(root):
        return Users()
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    free = [uid for uid in range(FIRST_UID, FIRST_UID + 150) if uid not in taken][:5]
    return Users(keeper=free[0], app=free[1], signin=free[2], courier=free[3], gateway=free[4])


def place_signer(config: Config, layout: Layout) -> None:
    """The key of contexts lies where the configuration says who signs them; from wherever it was."""
    wanted, other = layout.context_key, layout.gateway_key
    if config.gateway.enabled:
        wanted, other = other, wanted
    if other.exists():
        wanted.parent.mkdir(mode=0o700, exist_ok=True)
        other.replace(wanted)
    if not config.gateway.enabled and layout.gateway.exists():
        layout.gateway.rmdir()


def reachable(root: Path) -> bool:
    """Whether any user may pass through every directory above `root`."""
    return all(parent.stat().st_mode & 0o001 for parent in root.resolve().parents if parent.exists())


def hand_over(layout: Layout, config: Config) -> None:
    """Give each process's files to its user. Without separate users everything stays ours."""
    if not config.separate_users:
        return
    users = config.users
    for folder, owner in (
        (layout.keeper, users.keeper), (layout.run, users.keeper), (layout.signin, users.signin),
        (layout.app, users.app), (objects_path(layout, config), users.app), (layout.gateway, users.gateway),
    ):  # fmt: skip
        if folder.exists():
            for path in (folder, *folder.rglob("*")):
                os.chown(path, owner, owner, follow_symlinks=False)


def objects_path(layout: Layout, config: Config) -> Path:
    """The folder of the local object store."""
    return layout.root / config.objects.path


def _folders(layout: Layout, config: Config) -> None:
    layout.root.mkdir(parents=True, exist_ok=True)
    layout.root.chmod(0o755)
    private = [layout.keeper, layout.secrets, layout.trust, layout.signin, layout.app, layout.root / "officers"]
    if config.objects.kind == "local":
        private.append(objects_path(layout, config))
    if config.gateway.enabled:
        private.append(layout.gateway)
    for folder in private:
        folder.mkdir(mode=0o700)
    # The sockets' own permissions say who may connect; one must be able to get to them.
    layout.run.mkdir(mode=0o711)
    for folder in (layout.admin_socket.parent, layout.courier_socket.parent):
        folder.mkdir(mode=0o711)


def _trust(layout: Layout) -> None:
    first = [
        Officer(name, keyfile.create(layout.root / "officers" / f"{name}.key").public_bytes, frozenset({role}))
        for name, role in OFFICERS.items()
    ]
    (layout.trust / "officers.json").write_bytes(write_officers(first))


def _app(layout: Layout, secrets: KeeperSecrets, *, gateway: bool) -> None:
    keyfile.write_private(layout.gateway_key if gateway else layout.context_key, secrets.context.reveal())
    keyfile.write_private(layout.page_key, random.token_bytes(32))
    Catalogue.create(layout.catalogue)


def _signin(layout: Layout) -> None:
    key = keyfile.create(layout.signin / "signing.key")
    (layout.trust / "signin.jwks.json").write_bytes(key.jwks())
    keyfile.write_private(layout.signin / "totp.key", random.token_bytes(32))
    signin_db.create(layout.signin / "signin.db")


def registered(layout: Layout) -> tuple[Officer, ...]:
    """The officers as they were last changed, or as they began. Raises ConfigError."""
    try:
        with closing(Catalog(layout.database)) as catalog:
            changed = catalog.state(STATE)
        return read_officers((layout.trust / "officers.json").read_bytes() if changed is None else changed)
    except (OSError, sqlite3.Error, Malformed) as error:
        msg = "The list of registered officers is missing or damaged."
        raise ConfigError(msg, advice="Put keeper/trust/officers.json back from a backup.") from error
