"""Faults of what the app stands on: the catalogue, the folder of objects and its disk, the bucket."""

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.faults.fault import Fault, Kind
from bench.faults.injuries import FULL, SLOW, SYNC_FAILS, SYNC_SLOW, disk, flapping, locked, renamed, replaced, stopped
from bench.faults.scene import ROOM, Scene, mount_objects
from bench.faults.tracer import injected

READ: frozenset[Kind] = frozenset(("read",))
UPLOAD: frozenset[Kind] = frozenset(("upload",))
BYTES = READ | UPLOAD
"""What needs the objects."""


def catalogue(scene: Scene) -> Path:
    """The app's database."""
    return scene.layout.catalogue


def kept(scene: Scene) -> list[Path]:
    """All objects that are there and in the catalogue; a row may be one of an upload that was refused in the end."""
    with contextlib.closing(sqlite3.connect(catalogue(scene))) as db:
        names = [row[0] for row in db.execute("select blob from entry")]
    return [path for name in names if (path := scene.objects / name[:2] / name).exists()]


# ---- the folder -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def unmounted(scene: Scene) -> Iterator[None]:
    """The disk of the objects is not there; the folder below it is empty, and could be written to."""
    subprocess.run(["umount", "-l", scene.objects], check=True)
    try:
        yield
    finally:
        mount_objects(scene.objects)


@contextlib.contextmanager
def slow_folder(scene: Scene) -> Iterator[None]:
    """Every opening of an object, and every sync of the folder, takes three seconds."""
    rules = [f"openat:{SLOW}", f"fsync:{SLOW}", "openat2:error=EAGAIN"]  # the latter: the name is not in memory
    with injected(scene.pid("app"), rules, [*kept(scene), scene.objects]):
        yield


@contextlib.contextmanager
def altered(scene: Scene) -> Iterator[None]:
    """One bit of every object is another."""
    paths = kept(scene)
    flip(paths)
    try:
        yield
    finally:
        flip(paths)


def flip(paths: list[Path]) -> None:
    """One bit of each, in its middle."""
    for path in paths:
        with path.open("r+b") as file:
            file.seek(path.stat().st_size // 2)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes((byte[0] ^ 1,)))


@contextlib.contextmanager
def filled(scene: Scene) -> Iterator[None]:
    """Another file takes all the room there is."""
    filler = scene.objects / "filler"
    with filler.open("wb") as file, contextlib.suppress(OSError):
        for _ in range(ROOM + 1):
            file.write(bytes(1_048_576))
            file.flush()
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def read_only(scene: Scene) -> Iterator[None]:
    """Mounted anew, for reading only."""
    subprocess.run(["mount", "-o", "remount,bind,ro", scene.objects], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,bind,rw", scene.objects], check=True)


# ---- the bucket -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def killed_bucket(scene: Scene) -> Iterator[None]:
    """The server is killed, and started again upon what it had."""
    assert scene.weed is not None
    scene.weed.kill()
    try:
        yield
    finally:
        assert scene.weed.start(), "the S3 server did not start again"


@contextlib.contextmanager
def slow_bucket(scene: Scene) -> Iterator[None]:
    """Every piece of question and answer takes three seconds."""
    assert scene.wire is not None
    scene.wire.delay = 3.0
    try:
        yield
    finally:
        scene.wire.delay = 0.0


@contextlib.contextmanager
def cut_bucket(scene: Scene) -> Iterator[None]:
    """No connection holds, and none is taken."""
    assert scene.wire is not None
    scene.wire.cut()
    try:
        yield
    finally:
        scene.wire.mend()


@contextlib.contextmanager
def lying_bucket(scene: Scene) -> Iterator[None]:
    """What it answers has other bytes."""
    assert scene.wire is not None
    scene.wire.lies = True
    try:
        yield
    finally:
        scene.wire.lies = False


def weed(scene: Scene) -> int:
    """The server's process."""
    assert scene.weed is not None
    assert scene.weed.process is not None
    return scene.weed.process.pid


_NEXT = "The next request finds it well."
_app = partial(partial, disk, "app", catalogue)
_STORE = (
    r"app: (request …|delivery of receipt …).*: The object store does not work \(\w+\)\. Look at the bucket, its disk"
)

FAULTS = (
    Fault(
        "catalogue", "gone", "catalogue.db is moved away", partial(renamed, catalogue), refused=UPLOAD,
        says=r"app: request …: The catalogue is not in its place any more\. Put it back",
        do="Put the file back.", heals=_NEXT, small=True,
    ),
    Fault(
        "catalogue", "slow", "another program holds its lock", partial(locked, catalogue), refused=UPLOAD,
        says=r"app: request …: The catalogue cannot be used \(SQLITE_BUSY\)\.",
        do="End the program that holds the lock (`fuser app/catalogue.db`).", heals=_NEXT,
    ),
    Fault(
        "catalogue", "flapping", "the lock is taken and given back, each for a second",
        partial(flapping, partial(locked, catalogue), each=1.0), maybe=UPLOAD, do="As slow.", heals=_NEXT,
    ),
    Fault(
        "catalogue", "lying", "a copy lies in its place", partial(replaced, catalogue), refused=UPLOAD,
        says=r"app: request …: The catalogue is not in its place any more\. Put it back",
        do="Put the first one back. If the copy is meant, start the app again.", heals=_NEXT,
    ),
    Fault(
        "app disk", "full", "no write of the catalogue finds room", _app(FULL), refused=UPLOAD,
        says=r"app: request …: The catalogue cannot be used \(SQLITE_FULL\)\.",
        do="Make room on the disk of the app's directory.", heals=_NEXT, small=True,
    ),
    Fault(
        "app disk", "slow", "every sync takes three seconds", _app(SYNC_SLOW), refused=UPLOAD,
        says=r"app: request …: The catalogue ",
        do="Look at what else loads the disk.", heals=_NEXT,
    ),
    Fault(
        "app disk", "sync fails", "every sync ends with an error", _app(SYNC_FAILS), refused=UPLOAD,
        says=r"app: request …: The catalogue cannot be used \(SQLITE_IOERR\w*\)\.",
        do="Look at the kernel's messages; replace the disk.", heals=_NEXT,
    ),
    Fault(
        "objects folder", "gone", "its disk is not mounted", unmounted, refused=BYTES,
        says=r"app: .*: The folder of the objects is not in its place any more\. Mount its disk",
        do="Mount the disk again.", heals=_NEXT, small=True,
    ),
    Fault(
        "objects folder", "slow", "every opening of an object and every sync takes three seconds", slow_folder, refused=BYTES,
        says=_STORE, do="Look at what else loads the disk.", heals=_NEXT,
    ),
    Fault(
        "objects folder", "flapping", "its disk comes and goes, each for half a second", partial(flapping, unmounted),
        maybe=BYTES, do="As gone.", heals=_NEXT,
    ),
    Fault(
        "objects folder", "lying", "one bit of every object is another", altered, refused=READ,
        says=r"app: .*delivery of receipt … broke off: ",
        do="Restore the objects from a backup; see the machine's disk.", heals=_NEXT, small=True,
    ),
    Fault(
        "objects folder", "full", "its disk has no room", filled, refused=UPLOAD, says=_STORE,
        do="Make room on its disk.", heals=_NEXT,
    ),
    Fault(
        "objects folder", "read-only", "its disk is mounted for reading only", read_only, refused=UPLOAD, says=_STORE,
        do="Look at the kernel's messages; mount it for writing again.", heals=_NEXT,
    ),
    Fault(
        "bucket", "gone", "the S3 server is killed", killed_bucket, refused=BYTES, says=_STORE,
        do="Start the server again.", heals=_NEXT, whole=True, small=True,
    ),
    Fault(
        "bucket", "hangs", "the S3 server is stopped: it takes connections and does nothing", partial(stopped, weed),
        refused=BYTES, says=_STORE, do="See the server's own log.", heals=_NEXT, whole=True,
    ),
    Fault(
        "bucket", "slow", "every piece of question and answer takes three seconds", slow_bucket, refused=BYTES, says=_STORE,
        do="See the server's own log, and the network.", heals=_NEXT, whole=True,
    ),
    Fault(
        "bucket", "flapping", "connections break and are taken again, each for half a second", partial(flapping, cut_bucket),
        maybe=BYTES, do="As gone.", heals=_NEXT, whole=True,
    ),
    Fault(
        "bucket", "lying", "what it answers has other bytes", lying_bucket, refused=READ,
        says=r"app: .*delivery of receipt … broke off: ",
        do="Do not use it for documents; restore them elsewhere from a backup.", heals=_NEXT, whole=True, small=True,
    ),
)  # fmt: skip
