"""The vulnerable portal in a process of its own, and the gateway before it on a simulated clock: for rehearsals, on loopback."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from strongroom.clock import ManualClock, Millis
from strongroom.errors import OperationError
from strongroom.gateway.settings import parse
from strongroom.gateway.waf import Waf
from strongroom.rehearse.front import Front, FrontFactory
from strongroom.wiring.described import DESCRIBED
from strongroom.wiring.gateway import open_gateway, open_waf, serving

READY: Final = 60.0
"""Seconds until both are ready, and until they have ended."""
BEGINS: Final = Millis(1_766_998_800_000)
"""29 December 2025, 22:00 in New Zealand: when it began."""


class _Front:
    """See `rehearse.front`."""

    def __init__(self, portal: int, gateway: int, clock: ManualClock) -> None:
        self._portal, self._gateway, self._clock = portal, gateway, clock

    @property
    def portal(self) -> tuple[str, int]:
        return "127.0.0.1", self._portal

    @property
    def gateway(self) -> tuple[str, int]:
        return "127.0.0.1", self._gateway

    def at(self, milliseconds: int) -> None:
        self._clock.advance(max(0, BEGINS + milliseconds - self._clock.now()))


@contextmanager
def open_fronts() -> Iterator[FrontFactory]:
    """For several runs, one after the other: the WAF is loaded and tried once. Raises ConfigError where it is not there."""
    waf = open_waf(parse(_settings(listed=True)))
    yield lambda patients, listed: _open(patients, listed=listed, waf=waf)


def _settings(*, listed: bool) -> bytes:
    """`portal.toml`, enforcing; without its listings if they are not `listed`."""
    text = (DESCRIBED / "portal.toml").read_text(encoding="utf-8")
    if not listed:
        text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("shows = "))
    return f'{text}\n[guard]\nmode = "enforce"\n'.encode()


@contextmanager
def _open(patients: int, *, listed: bool, waf: Waf | None) -> Iterator[Front]:
    """A portal with all its holes, and a gateway before it."""
    checked = parse(_settings(listed=listed))
    command = [sys.executable, "-m", "strongroom.rehearse.portal", "--patients", str(patients)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as portal:  # noqa: S603  # our own
        try:
            line = portal.stdout.readline() if portal.stdout else b""
            if not line.strip().isdigit():
                raise OperationError("The portal of the rehearsal did not start.")
            clock = ManualClock(BEGINS)
            with socket.create_server(("127.0.0.1", 0)) as listening:
                app = open_gateway(checked, f"http://127.0.0.1:{int(line)}", lambda _: None, waf=waf, clock=clock)
                server = uvicorn.Server(serving(app, checked, 0))
                thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
                thread.start()
                try:
                    yield _Front(int(line), listening.getsockname()[1], clock)
                finally:
                    server.should_exit = True
                    thread.join(READY)
        finally:
            portal.kill()
