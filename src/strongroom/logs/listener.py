"""A place where datagrams of flows are listened to, as a path of a watch: `netflow://HOST:PORT?from=ADDRESS,NETWORK`.

A process of its own receives (`udp`), so that neither reading nor judging keeps it from hearing; it ends with the watch, and is
started again when it ended by itself.
"""

import ipaddress
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from strongroom.errors import OperationError, UsageError
from strongroom.logs.journal import Journal
from strongroom.logs.udp import Network

SCHEME: Final = "netflow://"
AGAIN: Final = 10.0
"""Seconds from a start to the next, when it ended by itself."""
DRAIN: Final = 10.0
"""Seconds in which what was received is written down at the end."""
_FORM: Final = (
    "netflow://HOST:PORT?from=ADDRESS,…: HOST an address of this machine; from= the exporters, addresses or networks."
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen, and to whom."""

    host: str
    port: int
    exporters: tuple[Network, ...]


def place(address: str) -> Place:
    """The place that an address means. Raises UsageError; where not only this machine is heard, exporters must be named."""
    try:
        parts = urlsplit(address)
        host = ipaddress.ip_address(parts.hostname or "")
        asked = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        named = [ipaddress.ip_network(one) for one in asked.pop("from", "").split(",") if one]
        port = parts.port
    except ValueError as error:
        raise UsageError(f"Nothing can be listened to at {address}: {error}.", advice=_FORM) from error
    if port is None or asked or parts.username is not None or parts.path not in {"", "/"}:
        raise UsageError(f"Nothing can be listened to at {address}.", advice=_FORM)
    if not named and not host.is_loopback:
        advice = "Datagrams prove nothing of who sent them: name the exporters, and let the firewall pass only them."
        raise UsageError(f"{address} would believe everybody: from= is missing.", advice=advice)
    return Place(str(host), port, tuple(named) or (ipaddress.ip_network(host),))


class Listener:
    """A place that is listened at, and its journal below `state`."""

    def __init__(self, where: Place, state: Path, say: Callable[[str], None]) -> None:
        """Raises OperationError when it cannot be listened at."""
        self._place, self._say = where, say
        self.folder = state / f"netflow-{where.host}-{where.port}".replace(":", ".")
        self._process = self._start()

    def sweep(self, read: Callable[[Path], bool]) -> None:
        """Remove files that were `read`, but for the last; start again what ended. To be called all the time."""
        self._journal.sweep(read)
        code = self._process.poll()
        if code is None or time.monotonic() < self._started + AGAIN:
            return
        self._say(f"Listening at {self._place.host} port {self._place.port} ended ({code}); it is begun again.")
        self._let_go()
        try:
            self._process = self._start()
        except OperationError as error:
            self._say(f"{error}")

    def close(self) -> None:
        """Hear no more; what was heard is written down."""
        assert self._process.stdin is not None  # noqa: S101  # a pipe was asked for
        self._process.stdin.close()
        try:
            self._process.wait(DRAIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._let_go()

    def _start(self) -> "subprocess.Popen[bytes]":
        self._started = time.monotonic()
        try:
            self._journal = Journal(self.folder)
        except OSError as error:
            raise OperationError(f"Flows cannot be kept in {self.folder}: {error.strerror}.") from error
        command = [
            sys.executable,
            "-m",
            "strongroom.logs.udp",
            str(self.folder),
            self._place.host,
            str(self._place.port),
        ]
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [*command, *map(str, self._place.exporters)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None  # noqa: S101  # a pipe was asked for
        said = process.stdout.readline().decode("utf-8", "replace").strip()
        where, _, port = said.partition(" ")
        if where != "at":
            self._process = process
            self._let_go()
            raise OperationError(f"Nothing can be listened to at {self._place.host} port {self._place.port}: {said}.")
        self._say(f"Listening at {self._place.host} port {port} for NetFlow and IPFIX.")
        return process

    def _let_go(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()
