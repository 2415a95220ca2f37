"""Alerts to a syslog server or the local one: RFC 5424 over UDP or a Unix socket, the body as JSON in ASCII."""

import json
import os
import socket
from typing import Any, Final

_FACILITY: Final = 10
"""authpriv: for those who may know."""
_SEVERITY: Final = {"critical": 2, "high": 3, "medium": 4, "low": 5, "informational": 6}


class Syslog:
    """One server. `address`: host and port, or the path of a socket."""

    def __init__(self, address: tuple[str, int] | str) -> None:
        self._address = address

    def tell(self, body: dict[str, Any]) -> None:
        """Send one. Raises OSError. UDP tells nobody whether it arrived."""
        priority = _FACILITY * 8 + _SEVERITY[body["level"]]
        head = f"<{priority}>1 {body['fired_at']} {socket.gethostname() or '-'} strongroom {os.getpid()} alert -"
        data = f"{head} {json.dumps(body)}".encode()
        if isinstance(self._address, str):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
                one.sendto(data, self._address)
            return
        family, kind, _, _, target = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as one:
            one.sendto(data, target)
