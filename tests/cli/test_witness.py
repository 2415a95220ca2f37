"""`witness`: made, served as a process of its own to a store that is served, and signing a copy without a network."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from strongroom.audit.files import CHECKPOINT
from strongroom.cli.init import TEMPLATE
from strongroom.cli.serve import programs_of
from strongroom.config import Layout, parse
from strongroom.wiring.demo import make_demo
from strongroom.wiring.doctor import examine
from strongroom.wiring.place import choose_users
from strongroom.wiring.port import free_port
from strongroom.wiring.supervisor import Supervisor
from tests.cli.conftest import typed

Type = Callable


def until(true: Callable[[], bool], seconds: float = 40) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.2)


@pytest.fixture
def witnessed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A store that runs with its publisher, and the public key of the witness that runs beside it."""
    folder = tmp_path_factory.mktemp("witnessed")
    port, root = free_port(), folder / "store"
    vkey = typed("witness", "init", folder / "w", "--name", "witness.example/w").out.strip()
    text = TEMPLATE.format(
        name="wombat", demonstration="true", host="127.0.0.1", port=free_port(), signin_port=free_port(),
        users=choose_users(root),
    )  # fmt: skip
    text += f'\n[[witness]]\nvkey = "{vkey}"\nurl = "http://127.0.0.1:{port}"\n'
    make_demo(root, text, patients=8, decoys=1)
    log = typed("log", "vkey", "--store", root).out.strip()
    serve = ["-m", "strongroom.cli.main", "witness", "serve", str(folder / "w"), "--log", log, "--port", str(port)]
    witness = subprocess.Popen([sys.executable, *serve])
    supervisor = Supervisor(root, lambda _: None, programs=programs_of(parse(text.encode())))
    try:
        supervisor.start()
        yield root, vkey
    finally:
        supervisor.stop()
        witness.send_signal(signal.SIGKILL)
        witness.wait()


def test_a_witnessed_store(witnessed: tuple[Path, str], tmp_path: Path) -> None:
    """The publisher has the witness cosign; anybody verifies that; a log that was set back and signed anew is refused."""
    root, vkey = witnessed
    layout = Layout(root)
    until((layout.published / CHECKPOINT).exists)
    told = typed("log", "verify", "--store", root, "--witness", vkey, "--json").json
    assert (told["holds"], told["witnesses"]) == (True, ["witness.example/w"])
    assert typed("log", "verify", "--store", root, "--witness", vkey, "--quorum", "2").code == 1
    assert typed("log", "verify", "--store", root, "--quorum", "1").code == 2
    assert {one.state for one in examine(root) if one.what in {"witness", "cosigned"}} == {"ok"}

    copy = tmp_path / "copy"
    assert typed("log", "export", "--store", root, "--to", copy).code == 0
    stranger = [sys.executable, str(copy / "verify_log.py"), str(copy / "log"), "--key", str(copy / "log.vkey")]
    done = subprocess.run([*stranger, "--witness", vkey], capture_output=True, text=True, check=False)
    assert (done.returncode, "Cosigned by witness.example/w." in done.stdout) == (0, True), done.stdout
    other = typed("witness", "init", tmp_path / "other", "--name", "witness.example/other").out.strip()
    done = subprocess.run([*stranger, "--witness", other], capture_output=True, text=True, check=False)
    assert (done.returncode, "these have: none" in done.stdout) == (1, True)

    # Nobody else than the courier wrote what is kept, and it could not have read the keeper's own.
    if os.geteuid() == 0:
        courier = parse(layout.config.read_bytes()).users.courier
        assert (layout.published / CHECKPOINT).stat().st_uid == courier
        assert layout.keeper.stat().st_mode & 0o077 == 0


def test_signing_a_copy(strongroom: Type, tmp_path: Path) -> None:
    """Without a network: every byte is verified first, and an older or altered copy is refused."""
    vkey = strongroom("witness", "init", tmp_path / "w", "--name", "witness.example/w").out.strip()
    assert strongroom("witness", "init", tmp_path / "w", "--name", "witness.example/w").code == 3
    copies = [tmp_path / name for name in ("one", "two", "bad")]
    for copy in copies:
        assert strongroom("log", "export", "--to", copy).code == 0
        strongroom("ls")
        until(lambda: strongroom("log", "verify", "--json").json["size"] > size_of(copies[0]))
    log = copies[0] / "log.vkey"
    assert strongroom("witness", "sign", tmp_path / "w", copies[1] / "log", "--log", log).code == 0
    again = strongroom("witness", "sign", tmp_path / "w", copies[1] / "log", "--log", log)
    assert again.out.startswith("— witness.example/w ")
    assert strongroom("log", "verify", "--log", copies[1] / "log", "--vkey", log, "--witness", vkey).code == 0
    older = strongroom("witness", "sign", tmp_path / "w", copies[0] / "log", "--log", log)
    assert (older.code, "older, or was set back" in older.err) == (3, True)
    tile = next(path for path in (copies[2] / "log" / "tile" / "0").rglob("*") if path.is_file())
    tile.write_bytes(tile.read_bytes()[::-1])
    assert strongroom("witness", "sign", tmp_path / "w", copies[2] / "log", "--log", log).code == 3
    stranger = "example.org/other+" + log.read_text().partition("+")[2].strip()
    assert strongroom("witness", "sign", tmp_path / "w", copies[1] / "log", "--log", stranger).code == 3
    assert strongroom("witness", "sign", tmp_path / "nobody", copies[1] / "log", "--log", log).code == 78
    (tmp_path / "w" / "witness.vkey").write_text("nonsense")
    assert strongroom("witness", "sign", tmp_path / "w", copies[1] / "log", "--log", log).code == 3


def size_of(copy: Path) -> int:
    """Entries of a copy."""
    return int((copy / "log" / CHECKPOINT).read_text().split("\n")[1])
