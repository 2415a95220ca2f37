"""What holds for every test: no time limits inside properties, and no skipped test where it counts.

`STRONGROOM_CI=1` (set by `./up check` and `.ci/run`) turns a skip into a failure that names the test: elsewhere a test
may skip when the real server it needs is not there, but a gate that skips is open.
"""

import os
from collections.abc import Generator
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
