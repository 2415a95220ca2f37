"""A served store for journeys with the real commands."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.wiring.port import free_port
from tests.journeys.honest import PROGRAM
from tests.journeys.test_processes import Running, unhurried

CONFIRM = "this-store-may-be-probed"


@pytest.fixture
def served() -> Iterator[Running]:
    """A store of 12 patients, served; in a folder that every process's user can pass through."""
    folder = Path(tempfile.mkdtemp(prefix="strongroom-test-"))
    folder.chmod(0o755)
    store, port = folder / "store", free_port()
    make = [
        *PROGRAM,
        "demo",
        "--store",
        str(store),
        "--make-only",
        "--patients",
        "12",
        "--port",
        str(port),
        "--gateway-port",
        "0",
    ]
    subprocess.run([*make, "--signin-port", str(free_port())], check=True)
    unhurried(store)
    settings = store / "strongroom.toml"
    settings.write_text(settings.read_text().replace("[api]\n", f'[api]\nprobe = "{CONFIRM}"\n'))
    process = subprocess.Popen([*PROGRAM, "serve", "--store", str(store)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert b"Serving" in process.stdout.readline()
    yield Running(store, f"http://127.0.0.1:{port}/fhir", process)
    process.terminate()
    assert process.wait(60) == 0
    process.stdout.close()
    shutil.rmtree(folder)
