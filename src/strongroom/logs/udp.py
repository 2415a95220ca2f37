"""Datagrams of NetFlow and IPFIX, received and made lines of in a process of its own, so that whoever reads the lines keeps nobody
waiting: `python -m strongroom.logs.udp FOLDER HOST PORT NETWORK...`.

    FOLDER/0000000001.log      OCSF's Network Activity, a line a flow (`journal`, `ocsf_flow`)

It says on its standard output where it listens, once it does, and ends when its standard input ends. What it has to say to the
operator goes to the standard error: what was lost on the way or on this machine, what waits for a template, what is sampled; each
when it begins and when it has doubled. A datagram from an address outside the networks is counted and never looked at.
"""

import contextlib
import ipaddress
import os
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from strongroom.logs.exporter import Exporter
from strongroom.logs.journal import SIZE, Journal
from strongroom.logs.ocsf_flow import line

if TYPE_CHECKING:
    from io import FileIO

BUFFER: Final = 16 * 1024 * 1024
"""Bytes that the system may keep for us; it gives less where net.core.rmem_max is less."""
QUEUE: Final = 32 * 1024 * 1024
"""Bytes of datagrams that were received and not yet read."""
EXPORTERS: Final = 128
"""Exporters at once; another takes the place of the one that was silent the longest."""
_LONGEST, _ONE, _PAUSE = 65_536, 50, 1.0
_SO_RXQ_OVFL: Final = 40  # Linux: how many datagrams found no room at this socket
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True)
class Heard:
    """An exporter, and which of its counts the operator was told."""

    exporter: Exporter = field(default_factory=Exporter)
    said: dict[str, int] = field(default_factory=dict)


class Ear:
    """The socket and what comes of it."""

    def __init__(self, folder: Path, host: str, port: int, allowed: tuple[Network, ...]) -> None:
        """Raises OSError when the address cannot be listened at, or the folder not be made."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        if family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
        try:
            self._journal = Journal(folder)
            self.socket.bind((host, port))
        except OSError:
            self.socket.close()
            raise
        self.socket.settimeout(0)
        self._hears = lru_cache(1_024)(
            lambda address: any(ipaddress.ip_address(address) in network for network in allowed)
        )
        self._file: FileIO | None = None
        self._written = 0
        self._queue: deque[tuple[bytes, str, int]] = deque()
        self._queued = 0
        self._exporters: dict[tuple[str, int], Heard] = {}
        self._said: dict[str, int] = {}
        self.strangers = self.unheard = self.unread = 0
        """Datagrams from elsewhere, and such that found no room; flows that found none in the files."""

    def serve(self, until: int) -> None:
        """Listen until this file descriptor ends; what has come by then is still written down. Raises OSError of the disk."""
        ended, told = False, time.monotonic()
        while not ended or self._queue:
            ready, _, _ = select.select([self.socket.fileno(), until], [], [], 0 if self._queue else None)
            self.receive()
            if until in ready:
                ended = ended or not os.read(until, 1)
            self.write()
            if not self._queue or time.monotonic() > told + _PAUSE:
                told = time.monotonic()
                sys.stderr.writelines(f"{sentence}\n" for sentence in self.news())

    def receive(self) -> None:
        """Take what has come, as far as there is room. Never waits."""
        while self._queued < QUEUE:
            try:
                data, more, _, sender = self.socket.recvmsg(_LONGEST, 64)
            except BlockingIOError:
                return
            for level, kind, value in more:
                if (level, kind) == (socket.SOL_SOCKET, _SO_RXQ_OVFL):
                    self.unheard = int.from_bytes(value[:4], sys.byteorder)
            address = sender[0].partition("%")[0]
            if not self._hears(address):
                self.strangers += 1
                continue
            self._queue.append((data, address, sender[1]))
            self._queued += len(data)

    def write(self, most: int = _ONE) -> None:
        """Write the flows of up to so many datagrams down. Raises OSError."""
        lines: list[bytes] = []
        for _ in range(min(most, len(self._queue))):
            data, address, port = self._queue.popleft()
            self._queued -= len(data)
            # NetFlow names an exporter by its address (RFC 3954), IPFIX by address and port (RFC 7011).
            name = address, port if data[:2] == b"\0\x0a" else 0
            heard = self._exporters[name] = self._exporters.pop(name) if name in self._exporters else Heard()
            if len(self._exporters) > EXPORTERS:
                self._exporters.pop(next(iter(self._exporters)))
            lines += [line(row, address) for row in heard.exporter.take(data)]
        if not lines:
            return
        if self._file is None or self._written >= SIZE:
            if self._file is not None:
                self._file.close()
            self._file = None
            if self._journal.full():
                self.unread += len(lines)
                return
            self._file, self._written = self._journal.begin(), 0
        rest = memoryview(b"".join(lines))
        self._written += len(rest)
        while rest:
            rest = rest[self._file.write(rest) :]

    def news(self) -> Iterator[str]:
        """What the operator has not been told, or has doubled since."""
        for (address, _), heard in self._exporters.items():
            told = heard.exporter.told
            for what, count, sentence in (
                ("lost", told.lost_flows, "{:,} flows of {} were lost on the way."),
                ("lost datagrams", told.lost_datagrams, "{:,} datagrams of {} were lost on the way."),
                ("waiting", bool(heard.exporter.waiting), "Datagrams of {1} wait for their template."),
                ("given up", told.given_up, "{:,} datagrams of {} were given up: their template did not come."),
                ("unreadable", sum(told.unreadable.values()), "{:,} datagrams or flows of {} could not be read."),
                (
                    "rate",
                    round(told.rate) - 1,
                    "{1} looks at a part of its packets: its counts are multiplied, and estimates.",
                ),
            ):
                if _grown(heard.said, what, count):
                    yield sentence.format(count, address)
        for what, count, sentence in (
            ("strangers", self.strangers, "{:,} datagrams came from addresses outside from=, and were not read."),
            (
                "unheard",
                self.unheard,
                "{:,} datagrams found no room on this machine: raise net.core.rmem_max to 16777216.",
            ),
            ("unread", self.unread, "{:,} flows were let go: the watch has too many to read."),
        ):
            if _grown(self._said, what, count):
                yield sentence.format(count)

    def close(self) -> None:
        """Let socket and file go."""
        self.socket.close()
        if self._file is not None:
            self._file.close()


def _grown(said: dict[str, int], what: str, count: int) -> bool:
    """Whether it is to be said (again); it counts as said."""
    if not count or (what in said and count < 2 * said[what]):
        return False
    said[what] = count
    return True


def main(arguments: list[str]) -> int:
    """The process. 0 at its end; 3 when it cannot listen or write."""
    folder, host, port, *networks = arguments
    try:
        ear = Ear(Path(folder), host, int(port), tuple(ipaddress.ip_network(one) for one in networks))
    except OSError as error:
        sys.stdout.write(f"{error.strerror}\n")
        return 3
    with contextlib.closing(ear):
        sys.stdout.write(f"at {ear.socket.getsockname()[1]}\n")
        sys.stdout.flush()
        try:
            ear.serve(sys.stdin.fileno())
        except OSError as error:
            sys.stderr.write(f"Flows cannot be written down: {error.strerror}.\n")
            return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
