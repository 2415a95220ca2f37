"""What the keeper and the courier say to each other before the courier becomes a dumb pipe. A language; no I/O.

The courier connects to the keeper's `courier.sock` and waits. When the keeper wants to reach an issuer it writes one
line, ``CONNECT host:port``; the courier answers ``OK`` when the connection stands, ``NO`` when it does not. From then
on bytes pass unread both ways until either side closes. One connection serves one conversation.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from strongroom.errors import ConfigError, Malformed

OK = b"OK\n"
NO = b"NO\n"

_LINE = re.compile(rb"CONNECT ([a-z0-9.-]{1,253}):([1-9][0-9]{0,4})\n")
_HOST = re.compile(r"[a-z0-9.-]{1,253}")
_PATH = re.compile(r"/[\x21-\x22\x24-\x7e]{0,1023}")
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,2048}")
_MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Target:
    """A host to connect to. Names and IPv4 addresses; an IPv6 address needs a name."""

    host: str
    port: int

    def line(self) -> bytes:
        """What the keeper writes."""
        return f"CONNECT {self.host}:{self.port}\n".encode()


def parse_line(line: bytes) -> Target:
    """The target the keeper named. Raises Malformed."""
    match = _LINE.fullmatch(line)
    if match is None or int(match[2]) > _MAX_PORT:
        msg = "Not a CONNECT line."
        raise Malformed(msg)
    return Target(match[1].decode(), int(match[2]))


def parse_uri(uri: str) -> tuple[Target, str]:
    """Target and path of an https address. Raises ConfigError: addresses come from the configuration."""
    try:
        parts = urlsplit(uri if _PRINTABLE.fullmatch(uri) else "")  # urlsplit drops line breaks without a word
        port = 443 if parts.port is None else parts.port
    except ValueError:
        parts, port = urlsplit(""), 0
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fits = _HOST.fullmatch(parts.hostname or "") and _PATH.fullmatch(path) and port
    if parts.scheme != "https" or not fits or "@" in parts.netloc or parts.fragment:
        msg = f"{uri} is not an https address without user and fragment."
        raise ConfigError(msg, advice="Keys of an issuer without https are pinned by jwks_file.")
    return Target(parts.hostname or "", port), path
