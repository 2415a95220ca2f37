"""What can be done to any part: it comes and goes, it lies elsewhere, its lock is held, the kernel refuses it."""

import contextlib
import os
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.faults.scene import Scene
from bench.faults.tracer import injected

Injury = Callable[[Scene], contextlib.AbstractContextManager[None]]
SLOW = "delay_enter=3000000"
"""Three seconds, in the tracer's words."""
FULL = ("pwrite64:error=ENOSPC", "ftruncate:error=ENOSPC", "fallocate:error=ENOSPC")
READ_ONLY = ("pwrite64:error=EROFS", "ftruncate:error=EROFS", "fallocate:error=EROFS")
SYNC_FAILS = ("fsync:error=EIO", "fdatasync:error=EIO")
SYNC_SLOW = (f"fsync:{SLOW}", f"fdatasync:{SLOW}")
READ_FAILS = ("pread64:error=EIO",)


@contextlib.contextmanager
def flapping(injure: Injury, scene: Scene, each: float = 0.5) -> Iterator[None]:
    """At fault and well by turns."""
    ended = threading.Event()
    failed: list[BaseException] = []

    def flap() -> None:
        try:
            while not ended.is_set():
                with injure(scene):
                    ended.wait(each)
                ended.wait(each)
        except BaseException as error:  # noqa: BLE001  # it is raised below
            failed.append(error)

    thread = threading.Thread(target=flap, name="flapping")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        if failed:
            raise failed[0]


@contextlib.contextmanager
def renamed(place: Callable[[Scene], Path], scene: Scene) -> Iterator[None]:
    """Moved out of its place, and back."""
    path = place(scene)
    aside = path.with_name(f"{path.name}.aside")
    path.rename(aside)
    try:
        yield
    finally:
        aside.rename(path)


@contextlib.contextmanager
def locked(place: Callable[[Scene], Path], scene: Scene) -> Iterator[None]:
    """Another program holds its lock for writing."""
    connection = sqlite3.connect(place(scene), 30.0, isolation_level=None, check_same_thread=False)
    connection.execute("begin immediate")
    try:
        yield
    finally:
        connection.execute("rollback")
        connection.close()


@contextlib.contextmanager
def replaced(place: Callable[[Scene], Path], scene: Scene) -> Iterator[None]:
    """A copy lies in its place."""
    path = place(scene)
    aside = path.with_name(f"{path.name}.aside")
    path.rename(aside)
    shutil.copy2(aside, path)
    owner = aside.stat()
    os.chown(path, owner.st_uid, owner.st_gid)
    try:
        yield
    finally:
        aside.replace(path)


@contextlib.contextmanager
def disk(program: str, place: Callable[[Scene], Path], rules: tuple[str, ...], scene: Scene) -> Iterator[None]:
    """The kernel answers so when a program works upon a database."""
    with injected(scene.pid(program), rules, files_of(place(scene))):
        yield


def files_of(path: Path) -> list[Path]:
    """A database and what SQLite keeps beside it."""
    return [path, path.with_name(f"{path.name}-wal")]


@contextlib.contextmanager
def stopped(process: Callable[[Scene], int], scene: Scene) -> Iterator[None]:
    """The process is stopped (SIGSTOP), and goes on: it is there, and does nothing."""
    pid = process(scene)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):  # the supervisor may have lost patience with it
            os.kill(pid, signal.SIGCONT)
