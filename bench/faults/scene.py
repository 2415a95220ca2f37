"""The stores under test: each a real one, running under its own users, with every part that can be at fault.

* plain: the root key in a file, objects in a folder that is a file system of its own.
* whole: the root key in an HSM (SoftHSM), objects in a bucket (SeaweedFS) behind a wire, an issuer elsewhere whose keys the
  courier fetches, and a witness that the publisher asks.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.faults.outside import Provider, Watcher
from bench.faults.wire import Wire
from bench.store import CONFIG, Store
from bench.weed import Weed
from strongroom.cli.serve import programs_of
from strongroom.config import Layout, parse
from strongroom.errors import ConfigError, StrongroomError
from strongroom.keys.driver import driver
from strongroom.wiring.demo import make_demo
from strongroom.wiring.place import choose_users, objects_path
from strongroom.wiring.port import free_port
from strongroom.wiring.supervisor import LAUNCHER, Child, Supervisor

PATIENTS = 12
MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
ROOM = 48
"""MiB of the file system that holds the objects of the plain store."""
WHOLE = """\
[keeper]
root = "pkcs11"
[keeper.pkcs11]
module = "{module}"
token = "strongroom"
pin_file = "{folder}/pin"
[objects]
kind = "s3"
bucket = "docs"
endpoint = "http://127.0.0.1:{bucket}"
access_key_file = "{folder}/s3key"
allow_http = true
[[issuer]]
url = "{provider.url}"
jwks_uri = "{provider.url}/jwks"
ca_file = "{provider.authority}"
[[witness]]
vkey = "{watcher.vkey}"
url = "{watcher.url}"
"""


class Scene(Store):
    """One running store and its parts."""

    def __init__(self, root: Path, supervisor: Supervisor, folder: Path, halt: Callable[[], None]) -> None:
        super().__init__(root, supervisor)
        self.halt = halt
        """Ends every process, for good."""
        self.folder = folder
        self.supervisor = supervisor
        self.log = folder / "programs.log"
        self.tokens = folder / "tokens"
        """Where the HSM's tokens are."""
        self.weed: Weed | None = None
        self.wire: Wire | None = None
        self.provider: Provider | None = None
        self.watcher: Watcher | None = None

    @property
    def objects(self) -> Path:
        """The folder of the objects, of the plain store."""
        return objects_path(self.layout, self.config)

    def child(self, program: str) -> Child:
        """One program's place with the supervisor."""
        [found] = [child for child in self.supervisor.children if child.name == program]
        return found

    def signal(self, program: str, number: signal.Signals) -> None:
        """Send a signal to one program, if it runs just now."""
        if (process := self.child(program).process) is not None:
            process.send_signal(number)

    def switch(self, name: str, content: str | None) -> None:
        """Put a switch of `program.py`; None: take it away."""
        place = self.folder / name
        if content is None:
            place.unlink(missing_ok=True)
            return
        beside = place.with_suffix(".new")
        beside.write_text(content)
        beside.chmod(0o644)
        beside.replace(place)


@contextlib.contextmanager
def plain(*, own_disk: bool = True) -> Iterator[Scene]:
    """The store with files. `own_disk`: its objects have one, which needs the right to mount."""
    with _folder() as folder:
        root = folder / "store"
        _make(root, "")
        disk = _mounted(root / "objects") if own_disk else contextlib.nullcontext()
        with disk, _running(root, folder) as scene:
            yield scene


@contextlib.contextmanager
def whole() -> Iterator[Scene]:
    """The store with everything."""
    if not MODULE.exists() or shutil.which("softhsm2-util") is None:
        msg = "SoftHSM is not there."
        raise ConfigError(msg, advice="apt-get install softhsm2")
    with _folder() as folder, contextlib.ExitStack() as undo:
        _make_token(folder)
        weed = Weed(folder / "weed")
        undo.callback(weed.kill)
        provider, watcher = Provider(folder), Watcher(folder)
        undo.callback(provider.stop)
        root, own = folder / "store", free_port()
        parts = {"module": MODULE, "folder": folder, "provider": provider, "watcher": watcher}
        config = _make(root, WHOLE.format(bucket=weed.port, **parts))
        # From here on the bucket is reached through the wire.
        layout = Layout(root)
        layout.config.write_text(config.replace(f"127.0.0.1:{weed.port}", f"127.0.0.1:{own}"))
        wire = Wire(weed.port, own)
        undo.callback(wire.close)
        if (made := parse(config.encode())).separate_users:
            for path in (folder / "pin", *_below(folder / "tokens")):
                os.chown(path, made.users.keeper, made.users.keeper)
            os.chown(folder / "s3key", made.users.app, made.users.app)
        watcher.start(layout)
        undo.callback(watcher.stop)
        with _running(root, folder) as scene:
            scene.weed, scene.wire, scene.provider, scene.watcher = weed, wire, provider, watcher
            yield scene


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="strongroom-faults-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(root: Path, more: str) -> str:
    text = CONFIG.format(port=free_port(), signin=free_port(), users=choose_users(root)) + more
    make_demo(root, text, patients=PATIENTS, decoys=4, rehearsal=True)  # what is left is examined as a rehearsal's is
    return text


@contextlib.contextmanager
def _running(root: Path, folder: Path) -> Iterator[Scene]:
    # One file for all programs' messages; each line begins with its program's name.
    redirect = ("sh", "-c", 'exec "$@" 2>>"$0"', str(folder / "programs.log"))
    launcher = (*redirect, sys.executable, str(Path(__file__).with_name("program.py")), str(folder), *LAUNCHER[3:])
    config = parse(Layout(root).config.read_bytes())
    supervisor = Supervisor(root, lambda _: None, launcher=launcher, programs=programs_of(config))
    try:
        supervisor.start()
    except StrongroomError:
        print((folder / "programs.log").read_text()[-2_000:], file=sys.stderr)
        raise
    ended = threading.Event()

    def tend() -> None:
        while not ended.wait(0.05):
            supervisor.mend()

    tending = threading.Thread(target=tend, name="supervisor")
    tending.start()

    def halt() -> None:
        ended.set()
        tending.join()
        supervisor.stop()

    try:
        yield Scene(root, supervisor, folder, halt)
    finally:
        halt()


@contextlib.contextmanager
def _mounted(place: Path) -> Iterator[None]:
    """Put a file system of its own under the objects, so that it can be full, or of reading only, or not there."""
    disk = place.parent.with_name("disk")
    disk.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={ROOM}m", "strongroom", disk)
    try:
        there = disk / "objects"
        subprocess.run(["cp", "-a", place, there], check=True)
        owner = there.stat()
        shutil.rmtree(place)
        place.mkdir(mode=0o700)
        os.chown(place, owner.st_uid, owner.st_gid)
        mount_objects(place)
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", place], check=False)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def mount_objects(place: Path) -> None:
    """Put the objects' file system in its place."""
    _mount("--bind", place.parent.with_name("disk") / "objects", place)


def _mount(*arguments: str | Path) -> None:
    if subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode:
        msg = "A file system for the objects cannot be mounted."
        raise ConfigError(msg, advice="Run as root, where mounting is allowed.")


def _make_token(folder: Path) -> None:
    """A token of SoftHSM, its PIN and the bucket's key."""
    (folder / "tokens").mkdir()
    (folder / "softhsm.conf").write_text(f"directories.tokendir = {folder}/tokens\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm.conf")
    init_token()
    known = driver(str(MODULE))
    known.begin_anew(known.age)  # this process may have used the HSM of another folder
    for name, content in (("pin", "87654321"), ("s3key", "key\nsecret\n")):
        (folder / name).write_text(content)
        (folder / name).chmod(0o600)


def init_token() -> None:
    """A token `strongroom`, in the folder of tokens."""
    command = "softhsm2-util --init-token --free --label strongroom --so-pin 12345678 --pin 87654321"
    subprocess.run(command.split(), check=True, capture_output=True)


def _below(folder: Path) -> tuple[Path, ...]:
    return (folder, *folder.rglob("*"))
