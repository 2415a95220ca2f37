"""What holds for every test: no time limits inside properties, and no skipped test where it counts.

`STRONGROOM_CI=1` (set by `./up check` and `.ci/run`) turns a skip into a failure that names the test: elsewhere a test
may skip when the real server it needs is not there, but a gate that skips is open.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

GATE = os.environ.get("STRONGROOM_CI") == "1"

# Elsewhere chance looks for new counterexamples; in the gate the examples are always the same, so that a red gate is
# the change's doing. No deadlines: a loaded machine is no counterexample.
hypothesis.settings.register_profile("search", deadline=None, print_blob=True)
hypothesis.settings.register_profile("gate", deadline=None, print_blob=True, derandomize=True)
hypothesis.settings.load_profile("gate" if GATE else "search")


def pytest_configure(config: pytest.Config) -> None:
    """Coverage counts what tests run themselves, not the programs that they start: those may run as other users."""
    if hasattr(config, "workerinput"):
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: Any) -> Generator[None]:  # pytest does not publish the reporter's type
    """Name what was skipped where nothing may be."""
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    if GATE and skipped:
        terminalreporter.section("skipped, and so failed (STRONGROOM_CI=1)", red=True, bold=True)
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            terminalreporter.write_line(f"{report.nodeid}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skip in the gate fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if GATE and reporter is not None and reporter.stats.get("skipped") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


WEED = Path(sys.executable).with_name("weed")


@pytest.fixture(scope="session")
def s3_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real S3 server (SeaweedFS) with a bucket `docs`, access key `key`, secret key `secret`; gives its port.

    One for all workers: the first that needs it starts it, the last that used it ends it.
    """
    if not WEED.exists():
        pytest.skip("needs the SeaweedFS server `weed` (./up check installs it)")
    parallel = "PYTEST_XDIST_WORKER" in os.environ
    base = tmp_path_factory.getbasetemp().parent if parallel else tmp_path_factory.mktemp("weed")
    shared = base / "weed.json"
    with _locked(base):
        server = json.loads(shared.read_text()) if shared.exists() else _served(base)
        server["users"] += 1
        shared.write_text(json.dumps(server))
    yield server["port"]
    with _locked(base):
        server = json.loads(shared.read_text())
        server["users"] -= 1
        if server["users"]:
            shared.write_text(json.dumps(server))
            return
        shared.unlink()
        os.kill(server["pid"], signal.SIGKILL)  # it takes its time with SIGTERM


_kept: list[subprocess.Popen[bytes]] = []
"""Held until the worker ends: whoever is the last to use the server ends it, not whoever forgets it first."""


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "weed.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _served(folder: Path) -> dict[str, int]:
    identity = {
        "name": "a",
        "credentials": [{"accessKey": "key", "secretKey": "secret"}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    for _ in range(3):  # a port may be taken between choosing it and listening on it
        server, port = _start_weed(folder)
        if port is not None:
            _kept.append(server)
            return {"pid": server.pid, "port": port, "users": 0}
        server.kill()
        server.wait()
    pytest.fail("the S3 server did not start in three attempts")


def _start_weed(folder: Path) -> tuple[subprocess.Popen[bytes], int | None]:
    """The server, and the port of its S3 side; None when it did not come up."""
    master, volume, filer, s3 = (_low_port() for _ in range(4))
    ports = [f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={s3}"]
    data = folder / f"data-{s3}"
    data.mkdir()
    server = subprocess.Popen(
        [
            *(str(WEED), "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"),
            *(
                *ports,
                "-volume.preStopSeconds=0",
                "-filer",
                "-s3",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",  # else a second server on the machine ends itself: the port is fixed
                f"-s3.config={folder}/s3.json",
            ),
            *("-volume.max=20", "-master.volumeSizeLimitMB=64"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=data,
    )
    return server, s3 if _has_bucket(master, filer) and _listens(s3) else None


def _has_bucket(master: int, filer: int) -> bool:
    shell = [str(WEED), "shell", f"-master=127.0.0.1:{master}", f"-filer=127.0.0.1:{filer}"]
    commands = "s3.bucket.create -name docs\ns3.bucket.list\n"
    for _ in range(30):
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(shell, input=commands, capture_output=True, text=True, timeout=10, check=False)
            if "docs" in done.stdout:
                return True
        time.sleep(0.5)
    return False


def _listens(port: int) -> bool:
    for _ in range(60):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return True
        time.sleep(0.25)
    return False


def _low_port() -> int:
    """A port that is free together with the one 10,000 above it, which SeaweedFS takes for gRPC."""
    while True:
        with contextlib.suppress(OSError), socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            found = int(one.getsockname()[1])
            if found < 55_000:
                other.bind(("127.0.0.1", found + 10_000))
                return found
