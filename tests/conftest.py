"""What holds for every test: no time limits inside properties, and no skipped test where it counts.

`STRONGROOM_CI=1` (set by `./up check` and `.ci/run`) turns a skip into a failure that names the test: elsewhere a test
may skip when the real server it needs is not there, but a gate that skips is open.
"""

import contextlib
import fcntl
import json
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

GATE = os.environ.get("STRONGROOM_CI") == "1"

# Elsewhere chance looks for new counterexamples; in the gate the examples are always the same, so that a red gate is
# the change's doing. No deadlines: a loaded machine is no counterexample.
# A machine that stands still for half a minute is no fault of a test. A fixture of many examples is fine where examples leave
# nothing behind in it: each test sees to that.
UNCHECKED = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture]
hypothesis.settings.register_profile("search", deadline=None, print_blob=True, suppress_health_check=UNCHECKED)
hypothesis.settings.register_profile("gate", hypothesis.settings.get_profile("search"), derandomize=True)
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


@pytest.fixture(scope="session")
def s3_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real S3 server (SeaweedFS) with a bucket `docs`, access key `key`, secret key `secret`; gives its port.

    One for all workers: the first that needs it starts it, the last that used it ends it.
    """
    from bench.weed import WEED  # noqa: PLC0415  # the gate's own tests use this file where there is no bench

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


_kept: list[object] = []
"""Held until the worker ends: whoever is the last to use the server ends it, not whoever forgets it first."""


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "weed.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _served(folder: Path) -> dict[str, int]:
    from bench.weed import Weed  # noqa: PLC0415  # as above

    server = Weed(folder)
    assert server.process is not None
    _kept.append(server)
    return {"pid": server.process.pid, "port": server.port, "users": 0}
