"""A demonstration store that runs as the product runs, for benches: its own processes, users and disk. Removed afterwards."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from strongroom.clock import SystemClock
from strongroom.config import Layout, parse
from strongroom.signin.tokens import mint
from strongroom.wiring.app import read_context_key
from strongroom.wiring.demo import DemoFile, demo_file, make_demo
from strongroom.wiring.place import choose_users
from strongroom.wiring.port import free_port
from strongroom.wiring.signin import signin_settings, signing_key
from strongroom.wiring.supervisor import Supervisor

CONFIG = """\
[store]
name = "bench"
demonstration = true
[api]
port = {port}
[signin]
port = {signin}
[users]
keeper = {users.keeper}
app = {users.app}
signin = {users.signin}
courier = {users.courier}
"""
TICKS = os.sysconf("SC_CLK_TCK")


class Store:
    """One running store, and everything about its synthetic people."""

    def __init__(self, root: Path, supervisor: Supervisor) -> None:
        self.layout = Layout(root)
        self.config = parse(self.layout.config.read_bytes())
        self.demo = msgspec.json.decode(demo_file(self.layout).read_bytes(), type=DemoFile)
        self.context_key = read_context_key(self.layout, self.config.users.app)
        self.clock = SystemClock()
        self._issuing = signing_key(self.config, self.layout)
        self._supervisor = supervisor

    @property
    def owners(self) -> list[str]:
        """Subjects who act for nobody but themselves."""
        return [subject for subject in sorted(self.demo.own) if len(self.demo.readable[subject]) == 1]

    def token(self, subject: str) -> str:
        """A fresh session's token, as the sign-in would issue it now."""
        return mint(self._issuing, signin_settings(self.config), subject, self.clock.now(), demonstration=True)

    def pid(self, program: str) -> int:
        """The process of one program."""
        [child] = [child for child in self._supervisor.children if child.name == program]
        assert child.process is not None
        return child.process.pid


@contextlib.contextmanager
def open_store(patients: int) -> Iterator[Store]:
    """Make, fill and start a store; stop and remove it in the end."""
    folder = Path(tempfile.mkdtemp(prefix="strongroom-bench-"))
    folder.chmod(0o755)
    try:
        root = folder / "store"
        make_demo(
            root, CONFIG.format(port=free_port(), signin=free_port(), users=choose_users(root)), patients=patients
        )
        supervisor = Supervisor(root, print)
        supervisor.start()
        try:
            yield Store(root, supervisor)
        finally:
            supervisor.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cpu_seconds(*pids: int) -> float:
    """User and system time that processes have used, all their threads together (proc(5), fields 14 and 15)."""
    fields = [Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split() for pid in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS
