"""Datagrams to whoever collects them, over UDP or a socket of this machine. Nobody waits: what is not taken at once is dropped, and
counted.
"""

import contextlib
import logging
import re
import socket
from typing import Final

from strongroom.errors import ConfigError

MOST: Final = 2_048
"""Bytes: what every receiver of syslog should take (RFC 5424, section 6.1)."""
AGAIN: Final = 100
"""Datagrams that are dropped before another connection is tried."""
MAX_PORT: Final = 65_535
_UDP: Final = re.compile(r"udp://(?:\[([0-9a-fA-F:]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})")
_log = logging.getLogger("strongroom.gateway")


class Datagrams:
    """To `udp://host:port`, or the path of a socket, as `/dev/log`."""

    def __init__(self, to: str) -> None:
        """Raises ConfigError for what is neither, and for a name that nobody knows. Whether somebody is there is not asked."""
        self.dropped = 0
        """Datagrams that nobody took."""
        self._socket: socket.socket | None = None
        found = _UDP.fullmatch(to)
        advice = "Write udp://HOST:PORT, or the path of a socket: /dev/log."
        self._address: object = to
        self._family = socket.AF_UNIX
        if found is not None and 0 < int(found[3]) <= MAX_PORT:
            try:
                where = socket.getaddrinfo(found[1] or found[2], int(found[3]), type=socket.SOCK_DGRAM)[0]
            except OSError as error:
                raise ConfigError(f"[events] syslog: {to} cannot be found.", advice=advice) from error
            self._family, self._address = where[0], where[4]
        elif not to.startswith("/"):
            raise ConfigError("[events] syslog names no receiver.", advice=advice)
        self._connect()

    def send(self, datagram: bytes) -> None:
        """Never waits, and raises nothing."""
        if self._socket is None and self.dropped % AGAIN == 0:
            self._connect()
        try:
            if self._socket is None:
                raise ConnectionRefusedError
            self._socket.send(datagram[:MOST])
        except OSError as error:
            if not isinstance(error, BlockingIOError):
                self.close()
            self.dropped += 1
            if self.dropped % 1_000 == 1:
                _log.error("SYSLOG TAKES NO EVENTS: %d are lost so far.", self.dropped)

    def close(self) -> None:
        """Let it go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> None:
        one = socket.socket(self._family, socket.SOCK_DGRAM)
        one.settimeout(0)
        with contextlib.suppress(OSError):
            one.connect(self._address)  # type: ignore[arg-type]  # what getaddrinfo gave, or a path
            self._socket = one
            return
        one.close()
