"""Starts the processes of a store, keeps them running, and stops them in order. Holds no key and opens no store.

One that ends is started again; one that is there and does nothing is ended first.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from strongroom.errors import OperationError
from strongroom.wiring.pulse import READY

PROGRAMS = ("keeper", "signin", "app")
"""In the order in which they start; they stop the other way round."""

LAUNCHER = (sys.executable, "-m", "strongroom.cli.main")
"""What `run NAME --store PLACE` is appended to. Benches put a tracer or a fault of their own before it."""

START_SECONDS = 30.0
STOP_SECONDS = 10.0
QUICK_SECONDS = 5.0
"""A process that lives less than this is restarted more and more slowly."""
MAX_PAUSE = 10.0
SILENCE = 60.0
"""A program that said it was ready, and nothing for so many seconds, hangs. Far above what one request or act holds it up."""
LOOK = 0.5
"""Seconds of silence that one look counts at most: if we ourselves did not run meanwhile, it may not have, either."""


@dataclass
class Child:
    """One program and its process."""

    name: str
    command: list[str]
    ready: int = -1
    """Reading end of a pipe: what `pulse` says. The program closes it by ending."""
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    restart_at: float = 0.0
    silent: float | None = None
    """Seconds since it was last heard of; None until it is ready."""
    looked: float = 0.0


@dataclass
class Supervisor:
    """Runs the children until told to stop."""

    store: Path
    say: Callable[[str], None]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    programs: tuple[str, ...] = PROGRAMS
    launcher: tuple[str, ...] = LAUNCHER
    children: list[Child] = field(default_factory=list)
    stopping: bool = False

    def start(self) -> None:
        """Start every program and wait until each says it is ready. Raises OperationError when one does not."""
        for name in self.programs:
            child = Child(name, [*self.launcher, "run", name, "--store", str(self.store)])
            self.children.append(child)
            self._launch(child)
            self._await(child)

    def _launch(self, child: Child) -> None:
        if child.ready >= 0:
            os.close(child.ready)
        child.ready, theirs = os.pipe()
        os.set_blocking(child.ready, False)
        child.started, child.silent = time.monotonic(), None
        child.process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            child.command,
            env={**self.environment, READY: str(theirs)},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=(theirs,),
        )
        os.close(theirs)

    def _await(self, child: Child) -> None:
        readable, _, _ = select.select([child.ready], [], [], START_SECONDS)
        if readable and os.read(child.ready, 1):
            child.silent = 0.0
            return
        code = child.process.wait(1.0) if child.process and readable else None
        self.stop()
        if code is not None:
            raise _Failed(child.name, code)
        msg = f"{child.name} was not ready within {START_SECONDS:.0f} s."
        raise OperationError(msg, advice="See its messages above.")

    def watch(self) -> None:
        """Restart what ends, until SIGTERM or SIGINT; then stop everything."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._told)
        while not self.stopping:
            self.mend()
            time.sleep(0.1)
        self.stop()

    def mend(self) -> None:
        """Start again what ended, if its pause is over. To be called all the time, as `watch` does."""
        for child in self.children:
            self._mend(child)

    def _told(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _mend(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            quick = now - child.started < QUICK_SECONDS
            child.failures = child.failures + 1 if quick else 0
            pause = min(MAX_PAUSE, 0.1 * 2**child.failures) if quick else 0.0
            child.restart_at = now + pause
            self.say(f"{child.name} ended with code {child.process.returncode}; starting it again in {pause:.1f} s.")
            child.process = None
        if child.process is None and now >= child.restart_at:
            self._launch(child)
        self._listen(child, now)

    def _listen(self, child: Child, now: float) -> None:
        """End a program that hangs; the next look starts it again."""
        with suppress(BlockingIOError):
            if os.read(child.ready, 65_536):
                child.silent = 0.0
        if child.silent is not None and child.process is not None:
            child.silent += min(LOOK, now - child.looked)
            if child.silent > SILENCE:
                self.say(f"{child.name} has said nothing for {SILENCE:.0f} s; it is ended, and started again.")
                child.process.kill()
                child.silent = None
        child.looked = now

    def stop(self) -> None:
        """End every process, the last started first: politely, then by force after `STOP_SECONDS`."""
        for child in reversed(self.children):
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        end = time.monotonic() + STOP_SECONDS
        for child in reversed(self.children):
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.05, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()


class _Failed(OperationError):
    """A program ended before it was ready; its exit code is ours."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} ended with code {code} before it was ready.", advice="See its message above.")
        if code == 78:  # noqa: PLR2004  # EX_CONFIG of sysexits.h
            self.exit_code = 78  # type: ignore[misc]  # the child's configuration error is ours
