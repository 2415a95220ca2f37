"""Copying a whole store while it runs, sealed to the recovery key.

The order makes the copy consistent:

1. The published checkpoint: what is copied later extends it.
2. The keeper's database: every version that is readable in it has its row in the catalogue and its object already.
3. The tiles of that checkpoint, which never change.
4. The catalogue and the sign-in's database: they may know more than the keeper's, never less.
from strongroom.documents.blobs import Blobs, place
from strongroom.errors import ConfigError, Conflict, OperationError, Unavailable, UsageError

Never copied: the root key, the HSM's PIN, officers' keys. What is readable of a backup without the recovery key says
`archive.py`.
"""

import asyncio
import base64
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from strongroom.audit.files import CHECKPOINT, Directory
from strongroom.audit.verify import parsed_bundle, parsed_tile
from strongroom.clock import Clock
from strongroom.config import Config, Layout
from strongroom.documents.blobs import Blobs, place
from strongroom.errors import ConfigError, Conflict, OperationError, Unavailable, UsageError
from strongroom.tlog.checkpoint import open_checkpoint
from strongroom.tlog.tile import render_bundle, render_hashes, tiles_between
from strongroom.wiring import archive
from strongroom.wiring.app import open_blobs
from strongroom.wiring.place import log_keys, objects_path
from strongroom.wiring.secrets import read_recovery

Say = Callable[[str], None]
AT_ONCE = 16
"""Objects that are fetched side by side: a bucket's time goes into waiting."""
EVERY = 5_000
"""Objects between two lines of progress."""

_READABLE = """
select e.blob from app.entry e join version v on v.document = e.document and v.version = e.version
join document d on d.id = v.document where v.state = 'available' and d.erased is null
"""


@dataclass(frozen=True, slots=True)
class Backup:
    """What was made. `objects` is None where they were left to the bucket."""

    path: Path
    files: int
    sealed_bytes: int
    log_size: int
    objects: int | None
    object_bytes: int


def back_up(config: Config, layout: Layout, target: Path, clock: Clock, say: Say, *, with_objects: bool) -> Backup:
    """Make a backup in `target`, which must not exist; it is there whole or not at all.

    Raises Conflict, ConfigError, Unavailable, OperationError.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        msg = f"There is something in {target} already."
        raise Conflict(msg, advice="Name a new directory for every backup.")
    if layout.root.resolve() in (target.resolve(), *target.resolve().parents):
        msg = "A backup inside the store is lost with it."
        raise ConfigError(msg, advice="Name a directory on another disk.")
    half = target.with_name(f".{target.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    try:
        half.mkdir(mode=0o700, parents=True)
        made = _fill(config, layout, half, clock, say, with_objects=with_objects)
        os.sync()
        if target.exists():
            target.rmdir()
        half.rename(target)
    except OSError as error:
        msg = f"The backup cannot be written: {error.strerror}."
        raise Unavailable(msg, advice="Look at the disk and the permissions of the target.") from error
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return Backup(target, *made)


def _fill(
    config: Config, layout: Layout, half: Path, clock: Clock, say: Say, *, with_objects: bool
) -> tuple[int, int, int, int | None, int]:
    with (half / archive.SEALED).open("xb") as file:
        header, writer = archive.begin(config.store.name, clock.now(), read_recovery(layout.secrets), file)
        (half / archive.HEADER).write_bytes(msgspec.json.encode(header))
        log = Directory(layout.log)
        raw = log.read(CHECKPOINT)  # 1
        if raw is None:
            msg = "The published checkpoint is missing."
            raise ConfigError(msg, advice="Look at `strongroom doctor`.")
        size = open_checkpoint(raw, log_keys(layout)).size
        for source in _settings(config, layout):
            writer.add_file(source.relative_to(layout.root).as_posix(), source)
        say("Databases")
        _database(writer, layout, layout.database)  # 2
        _life(config, layout, half, clock)
        say(f"Log: {size} entries")
        writer.add(_inside(layout, layout.log / CHECKPOINT), raw)
        for tile in tiles_between(0, size):  # 3
            content = (render_bundle(parsed_bundle(log.read, tile)) if tile.level is None
                       else render_hashes(parsed_tile(log.read, tile)))  # fmt: skip
            writer.add(_inside(layout, layout.log / tile.path()), content)
        _database(writer, layout, layout.catalogue)  # 4
        if (layout.signin / "signin.db").exists():
            _database(writer, layout, layout.signin / "signin.db")
        count, total = _objects(config, layout, half / archive.OBJECTS, say, with_objects=with_objects)  # 5
        manifest = writer.finish(lambda members: archive.Manifest(
            members=members, log_size=size, checkpoint=base64.b64encode(raw).decode(), objects=count, object_bytes=total,
        ))  # fmt: skip
        os.fsync(file.fileno())
        return len(manifest.members), file.tell(), size, count, total


def renew(config: Config, layout: Layout, backup: Path, clock: Clock) -> None:
    """Put the life keys of today into an older backup: who was destroyed since then is destroyed there, too.

    What stood there is overwritten. Raises UsageError, OperationError, Unavailable.
    """
    header = archive.read_header(backup)
    if header.store != config.store.name:
        msg = f"{backup} is a backup of another store, {header.store}."
        raise UsageError(msg, advice="Nothing was changed.")
    with _scratch(backup) as half:
        try:
            _life(config, layout, half, clock)
            for name in (archive.LIFE_SEALED, archive.LIFE_HEADER):
                with (backup / name).open("r+b") as old:
                    (half / name).replace(backup / name)
                    _blank(old)
            os.sync()
        except OSError as error:
            msg = f"The life keys in {backup} could not be renewed: {error.strerror}."
            raise Unavailable(
                msg, advice="Until they are, this backup still opens what was destroyed. Try again."
            ) from error


def _blank(file: IO[bytes]) -> None:
    """Overwrite a file that has no name any more."""
    left = file.seek(0, os.SEEK_END)
    file.seek(0)
    while left > 0:
        left -= file.write(bytes(min(left, archive.PIECE)))
    file.flush()
    os.fsync(file.fileno())


def _life(config: Config, layout: Layout, folder: Path, clock: Clock) -> None:
    with (folder / archive.LIFE_SEALED).open("xb") as file:
        header, writer = archive.begin(config.store.name, clock.now(), read_recovery(layout.secrets), file)
        (folder / archive.LIFE_HEADER).write_bytes(msgspec.json.encode(header))
        _database(writer, layout, layout.life, blank=True)
        writer.finish(
            lambda members: archive.Manifest(members=members, log_size=0, checkpoint="", objects=None, object_bytes=0)
        )
        os.fsync(file.fileno())


def _settings(config: Config, layout: Layout) -> Iterator[Path]:
    """The small files that a store cannot be without."""
    named = [entry.jwks_file for entry in config.issuer] + [entry.ca_file for entry in config.issuer]
    for relative in ("strongroom.toml", "demo.json", config.objects.access_key_file, *named):
        if relative and not Path(relative).is_absolute() and (layout.root / relative).is_file():
            yield layout.root / relative
    yield from sorted(layout.trust.iterdir())
    yield from sorted(path for path in layout.secrets.iterdir() if path.suffix != ".root")
    yield layout.gateway_key if config.gateway.enabled else layout.context_key
    yield layout.page_key
    yield from sorted(path for path in layout.signin.iterdir() if path.suffix == ".key")


def _database(writer: archive.Writer, layout: Layout, source: Path, *, blank: bool = False) -> None:
    """One consistent copy of a live database, made where the database is: its disk holds the plain text anyway.

    `blank`: overwrite the copy afterwards.
    """
    with _scratch(source.parent) as folder:
        copy = folder / source.name
        try:
            with (
                closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as live,
                closing(sqlite3.connect(copy)) as made,
            ):
                live.backup(made)
        except sqlite3.Error as error:
            msg = f"{source.name} cannot be copied ({getattr(error, 'sqlite_errorname', 'error')})."
            raise Unavailable(msg, advice="Is there room for a copy of it on its own disk?") from error
        writer.add_file(_inside(layout, source), copy)
        if blank:
            with copy.open("r+b") as file:
                _blank(file)


@contextmanager
def _scratch(beside: Path) -> Iterator[Path]:
    for old in beside.glob("backup-*.half"):
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="backup-", suffix=".half", dir=beside) as folder:
        yield Path(folder)


def _objects(config: Config, layout: Layout, target: Path, say: Say, *, with_objects: bool) -> tuple[int | None, int]:
    if config.objects.kind == "local":
        folder = objects_path(layout, config)
        found = [(one, folder / one) for one in archive.objects_in(folder)]
        total = 0
        for number, (relative, source) in enumerate(found, 1):
            total += archive.copied(source, target / relative)
            if number % EVERY == 0:
                say(f"Objects: {number} of {len(found)}")
        return len(found), total
    if not with_objects:
        say("Objects stay in the bucket: its own replication and versioning must cover them (or: --with-objects).")
        return None, 0
    return asyncio.run(_bucket(config, layout, target, say))


async def _bucket(config: Config, layout: Layout, target: Path, say: Say) -> tuple[int, int]:
    blobs, count, total, missing = open_blobs(config, layout), 0, 0, 0
    names = _readable(layout)
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        for size in await asyncio.gather(*(_fetched(blobs, name, target / place(name)) for name in some)):
            missing += size is None
            count += size is not None
            total += size or 0
        if start // EVERY != (start + AT_ONCE) // EVERY:
            say(f"Objects: {start + len(some)} of {len(names)}")
    if missing:
        are = "objects that the catalogue knows are" if missing > 1 else "object that the catalogue knows is"
        say(f"WARNING: {missing} {are} missing in the bucket. Put back what an older backup has: docs/backup.md.")
    return count, total


def _readable(layout: Layout) -> list[str]:
    """The objects of all versions that can be read, or could be if their document were brought back."""
    try:
        with closing(sqlite3.connect(f"{layout.database.absolute().as_uri()}?mode=ro", uri=True)) as db:
            db.execute("attach ? as app", (f"{layout.catalogue.absolute().as_uri()}?mode=ro",))
            return [str(row[0]) for row in db.execute(_READABLE)]
    except sqlite3.Error as error:
        msg = f"A database cannot be read ({getattr(error, 'sqlite_errorname', 'error')})."
        raise Unavailable(msg) from error


async def _fetched(blobs: Blobs, name: str, target: Path) -> int | None:
    """Copy one object; gives its bytes, or None when the bucket does not have it. Raises Unavailable, OperationError."""
    size = 0
    try:
        with archive.opened(target) as file:
            async for chunk in blobs.get(name):
                size += file.write(chunk)
    except Unavailable as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        _forget(target)
        return None
    except OSError as error:
        msg = f"An object could not be copied: {error.strerror}."
        raise OperationError(msg, advice="Look at the disk of the target.") from error
    return size


def _forget(half: Path) -> None:
    half.unlink()


def _inside(layout: Layout, path: Path) -> str:
    return path.relative_to(layout.root).as_posix()
