"""Bringing a backup back with the recovery key, under a new root key; and accepting a log that was set back.

1. The backup's own key is opened with the recovery key. With another one nothing is written.
2. The sealed files are unpacked into the empty store and compared with the manifest.
3. A new root key is made; the keeper's secrets and every patient's key are wrapped under it. Patients whose life key was
   destroyed since then are destroyed in what is restored.
4. The objects are copied.
5. The log is opened with all the checks of a start, and says that the store was restored.
6. Everything is handed to its users.

When a step fails, what was written is taken away again.
"""

import asyncio
import base64
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from strongroom.audit.event import restored
from strongroom.audit.files import CHECKPOINT
from strongroom.audit.log import AcceptedRollback, Log, Place
from strongroom.audit.receipt import ReceiptSeal
from strongroom.clock import Clock, Millis, iso
from strongroom.config import Config, Layout, parse
from strongroom.documents.blobs import Blobs
from strongroom.errors import ConfigError, Conflict, OperationError, Tampered, Unavailable, UsageError
from strongroom.identity.officers import Officers, Role
from strongroom.identity.refusal import Refusal
from strongroom.ids import AccountId, PatientId
from strongroom.keeper.acts import OFFICER
from strongroom.keeper.effects import destroy_patient
from strongroom.keys.custody import patient_bound
from strongroom.keys.life import life_of, open_in, seal_in
from strongroom.keys.recovery import RecoveryPrivate
from strongroom.keys.root import RootKey
from strongroom.keys.sqlite import LifeFile
from strongroom.wiring import archive
from strongroom.wiring.app import open_blobs
from strongroom.wiring.place import hand_over, log_signers, objects_path, place_signer, registered
from strongroom.wiring.root import create_root, open_root
from strongroom.wiring.secrets import cover_of, open_secrets, reseal
from strongroom.wiring.verify import rows_wrong

Say = Callable[[str], None]
ACCEPT = "accept-log"
"""The act that two officers sign; its arguments are `reason`."""
EVERY = 5_000
BATCH = 500
PAPER = AccountId("recovery-key")
"""Who restored, as far as can be known: somebody who had the recovery key."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back."""

    store: str
    made: int
    log_size: int
    patients: int
    destroyed: int
    """Patients whose life key is destroyed: nothing of theirs opens."""
    objects: int | None
    warning: str


@dataclass(frozen=True, slots=True)
class Whence:
    """A backup, and what opens it. `text`: another strongroom.toml instead of the one inside."""

    backup: Path
    paper: RecoveryPrivate
    text: str | None = None


def restore(whence: Whence, root: Path, clock: Clock, say: Say) -> Restored:
    """Make the store in `root`, which is empty or not there.

    Raises UsageError, Conflict, Tampered (also for another recovery key), Malformed, ConfigError, Unavailable.
    """
    if root.exists() and any(root.iterdir()):
        msg = f"There is something in {root} already."
        raise Conflict(msg, advice="Nothing was changed. A backup is restored into an empty directory.")
    header = archive.read_header(whence.backup)
    key = archive.key_of(header, whence.paper)  # 1
    layout = Layout(root.resolve())
    try:
        _folders(layout)
        say(f"Unpacking the backup of {iso(header.made)}")
        manifest = archive.unpack(whence.backup, header, key, layout.root)  # 2
        _life(whence, header, layout)
        config = _config(layout, header.store, whence.text)
        place_signer(config, layout)
        root_key = _root(config, layout)
        say("Wrapping keys under the new root key")
        reseal(layout.secrets, config.store.name, whence.paper, root_key)  # 3
        wrong = rows_wrong(config, layout, root_key)
        for sentence in wrong:
            say(f"WARNING: {sentence}. It was so when the backup was made; the log tells that it was restored.")
        patients, destroyed = _rewrap(layout, config.store.name, whence.paper, root_key, clock.now())
        objects = _objects(whence.backup, config, layout, manifest, say)  # 4
        size = _note(config, layout, header, manifest, clock, root_key, wrong=wrong)  # 5
        hand_over(layout, config)  # 6
    except BaseException:
        for path in layout.root.iterdir() if layout.root.exists() else ():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        raise
    return Restored(config.store.name, header.made, size, patients, destroyed, objects, root_key.warning)


def accept_log(
    config: Config, layout: Layout, body: bytes, signatures: Sequence[tuple[str, bytes]], clock: Clock
) -> int:
    """Let the log of a stopped store go on from where its database is, on two officers' signed word.

    Gives its size. Raises OperationError when the signatures do not hold or are not two people's, Conflict when the
    keeper runs, and as opening a log does.
    """
    signed = Officers(config.store.name, registered(layout), Millis(0)).verify(body, signatures, clock.now())
    if isinstance(signed, Refusal):
        raise OperationError(signed.because, advice="Sign again with registered officers' keys.")
    reason = signed.args.get("reason")
    if (
        signed.op != ACCEPT
        or not isinstance(reason, str)
        or not signed.has(frozenset({Role.PRIVACY, Role.SECURITY}), 2)
    ):
        msg = "Accepting a set-back log takes two officers, privacy or security, and a reason."
        raise OperationError(msg, advice="Name both key files with --officer, and say why with --reason.")
    first, second = (AccountId(OFFICER + officer.name) for officer in signed.by[:2])
    accepted = AcceptedRollback(clock.now(), (first, second), reason)
    log = _open_log(config, layout, open_root(config, layout), accepted)
    try:
        return log.publish().size
    finally:
        log.close()
        hand_over(layout, config)


def _folders(layout: Layout) -> None:
    layout.root.mkdir(parents=True, exist_ok=True)
    layout.root.chmod(0o755)
    private = (layout.keeper, layout.secrets, layout.trust, layout.signin, layout.app, layout.gateway)
    for folder in (*private, layout.root / "officers"):
        folder.mkdir(mode=0o700)
    for folder in (layout.run, layout.admin_socket.parent, layout.courier_socket.parent):
        folder.mkdir(mode=0o711)


def _config(layout: Layout, store: str, text: str | None) -> Config:
    if text is not None:
        layout.config.write_text(text)
    layout.config.chmod(0o644)
    if (demo := layout.root / "demo.json").exists():
        demo.chmod(0o644)
    config = parse(layout.config.read_bytes())
    if config.store.name != store:
        msg = f"The configuration is for a store {config.store.name}, the backup is of {store}."
        raise ConfigError(msg, advice="A store's name cannot be changed: every key is bound to it.")
    return config


def _root(config: Config, layout: Layout) -> RootKey:
    """A new root key; in an HSM that still has the store's, that one."""
    try:
        return create_root(config, layout)
    except Conflict:
        return open_root(config, layout)


def _life(whence: Whence, of: archive.Header, layout: Layout) -> None:
    header = archive.read_header(whence.backup, archive.LIFE_HEADER)
    if header.store != of.store:
        msg = "The life keys in the backup are another store's."
        raise Tampered(msg)
    archive.unpack(whence.backup, header, archive.key_of(header, whence.paper), layout.root, archive.LIFE_SEALED)


def _rewrap(layout: Layout, store: str, paper: RecoveryPrivate, root: RootKey, now: int) -> tuple[int, int]:
    """Wrap every patient's key under the new root key. Gives how many, and how many are destroyed."""
    count, destroyed = 0, 0
    lives = LifeFile(layout.life)
    try:
        with closing(sqlite3.connect(layout.database)) as db:
            rows = db.execute("select id, recovery, key_version from patient where length(recovery) > 0").fetchall()
            for start in range(0, len(rows), BATCH):
                with db:
                    for patient, sealed, version in rows[start : start + BATCH]:
                        bound = patient_bound(store, PatientId(patient), version)
                        if lives.is_destroyed(life_of(sealed)):
                            for effect in destroy_patient(PatientId(patient), life_of(sealed), now)[1:]:
                                db.execute(effect.sql, tuple(effect.parameters))
                            destroyed += 1
                            continue
                        life = lives.get(life_of(sealed))
                        key = paper.unwrap(open_in(lives, sealed, bound), bound)
                        wrapped = seal_in(life, root.wrap(key, bound), bound)
                        db.execute("update patient set wrapped = ? where id = ?", (wrapped, patient))
                        count += 1
    except sqlite3.Error as error:
        msg = f"The restored database cannot be used ({getattr(error, 'sqlite_errorname', 'error')})."
        raise Unavailable(msg, advice="Look at the disk.") from error
    finally:
        lives.close()
    return count, destroyed


def _objects(backup: Path, config: Config, layout: Layout, manifest: archive.Manifest, say: Say) -> int | None:
    source = backup / archive.OBJECTS
    if manifest.objects is None:
        return None
    found = list(archive.objects_in(source)) if source.exists() else []
    if len(found) != manifest.objects:
        msg = f"The backup has {len(found)} objects, its manifest says {manifest.objects}."
        raise Tampered(msg, advice="Copy the whole backup; nothing was restored.")
    if config.objects.kind == "local":
        folder = objects_path(layout, config)
        folder.mkdir(mode=0o700, exist_ok=True)
        for number, one in enumerate(found, 1):
            archive.copied(source / one, folder / one)
            if number % EVERY == 0:
                say(f"Objects: {number} of {len(found)}")
        return len(found)
    asyncio.run(_upload(open_blobs(config, layout), source, found))
    return len(found)


async def _upload(blobs: Blobs, source: Path, found: Sequence[Path]) -> None:
    for one in found:
        try:
            await blobs.put(one.name, _pieces(source / one))
        except Conflict:
            continue  # the bucket has it already; what it is, verification says


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:  # one stream and nobody waits
        while piece := file.read(archive.PIECE):
            yield piece


def _note(
    config: Config,
    layout: Layout,
    header: archive.Header,
    manifest: archive.Manifest,
    clock: Clock,
    root: RootKey,
    *,
    wrong: Sequence[str],
) -> int:
    """Say in the log that it was restored, and what was `wrong` with its rows; publish it. Gives its size."""
    if base64.b64decode(manifest.checkpoint) != (layout.log / CHECKPOINT).read_bytes():
        msg = "The published checkpoint is not that of the manifest."
        raise Tampered(msg)
    log = _open_log(config, layout, root, adopt=True)  # keys were wrapped anew
    try:
        told = f"Restored from the backup {header.id} of {iso(header.made)} under a new root key."
        told += "".join(f"\nWhile the backup was made: {sentence}." for sentence in wrong)
        log.append_now(restored(clock.now(), (PAPER,), manifest.checkpoint, told))
        return log.publish().size
    finally:
        log.close()


def _open_log(
    config: Config, layout: Layout, root: RootKey, accept: AcceptedRollback | None = None, *, adopt: bool = False
) -> Log:
    secrets = open_secrets(layout.secrets, config.store.name, root)
    place, signer = Place(layout.database, layout.log), log_signers(config, layout, secrets)
    return Log.open(place, signer, cover_of(secrets), ReceiptSeal(), accept=accept, adopt=adopt)


def read_paper(text: str) -> RecoveryPrivate:
    """The recovery key as typed or kept in a file: the line that begins with SRRK, or all of it. Raises UsageError."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        msg = "The recovery key is empty."
        raise UsageError(msg)
    return RecoveryPrivate.parse(next((line for line in lines if line.upper().startswith("SRRK")), text))
