"""Events to an HTTP address: batches of lines of JSON (NDJSON), a POST each, over TLS that is verified."""

import ipaddress
import re
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2

from strongroom.errors import ConfigError
from strongroom.gateway.outbox import Unwanted
from strongroom.identity.keyfile import read_private
from strongroom.secret import Secret

TIMEOUT: Final = 10.0
"""Seconds until a connection, and between two signs of life."""
MAX_ANSWER: Final = 65_536
"""Bytes of an answer that are read; what it says is of no interest."""
_TOKEN: Final = re.compile(rb"[\x21-\x7e]{1,8192}")
_NEVER: Final = frozenset({400, 405, 410, 413, 415, 422})
"""What is answered to a body that will not be taken next time either. Others pass: a token that ran out, a collector that moves."""


class Http:
    """One collector. Redirections are not followed, and proxies of the environment not asked."""

    def __init__(self, url: str, token: Secret | None, scheme: str, ca_file: str) -> None:
        """`token` goes into `Authorization`, behind `scheme`. Raises ConfigError for what is no address, or no certificates."""
        check_address(url, {"https": 443, "http": 80}, "[events.http] url")
        headers = {"content-type": "application/x-ndjson", "user-agent": "strongroom-gateway"}
        if token is not None:
            headers["authorization"] = f"{scheme} {token.reveal().decode()}"
        self._url = url
        self._client = httpx2.Client(headers=headers, verify=trusted(ca_file), timeout=TIMEOUT, trust_env=False)

    def send(self, events: Sequence[tuple[str, bytes]]) -> None:
        """See `outbox.Way`."""
        try:
            with self._client.stream("POST", self._url, content=b"".join(line + b"\n" for _, line in events)) as answer:
                size = 0
                for piece in answer.iter_raw():
                    size += len(piece)
                    if size > MAX_ANSWER:
                        break
        except httpx2.HTTPError as error:
            msg = f"no answer: {type(error).__name__}"
            raise OSError(msg) from error
        if answer.status_code in _NEVER:
            msg = f"the answer was {answer.status_code}"
            raise Unwanted(msg)
        if not answer.is_success:
            msg = f"the answer was {answer.status_code}"
            raise OSError(msg)

    def close(self) -> None:
        """See `outbox.Way`."""
        self._client.close()


def check_address(url: str, schemes: dict[str, int], what: str) -> tuple[str, int]:
    """Host and port of an address. `schemes`: name -> its port, the one with TLS first; the other for this machine alone.

    Raises ConfigError: events name documents, and go to other machines over TLS alone.
    """
    secure = next(iter(schemes))
    advice = f"Write {secure}://HOST[:PORT]…; for a receiver on this machine {' or '.join(schemes)}."
    try:
        parts = urlsplit(url)
        port = parts.port or schemes[parts.scheme]
        host = parts.hostname or ""
    except (KeyError, ValueError) as error:
        raise ConfigError(f"{what} is no address of a receiver.", advice=advice) from error
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise ConfigError(f"{what} is no address of a receiver.", advice=advice)
    if parts.scheme != secure and not _here(host):
        raise ConfigError(f"{what}: without TLS nothing is sent to another machine.", advice=advice)
    return host, port


def trusted(ca_file: str) -> ssl.SSLContext:
    """Whose certificates are believed: those of the file, or the system's. Raises ConfigError."""
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        msg = f"[events] ca_file, {ca_file}, cannot be read, or holds no certificates."
        raise ConfigError(msg, advice="Name a PEM file.") from error


def read_token(path: str) -> Secret | None:
    """What the receiver knows us by, from a file that only its owner can read. None where none is named. Raises ConfigError."""
    if not path:
        return None
    token = read_private(Path(path)).strip()
    if not _TOKEN.fullmatch(token):
        raise ConfigError(f"[events] token_file, {path}, does not hold a token.", advice="One line, without spaces.")
    return Secret(token)


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
