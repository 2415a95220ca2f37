"""Looks up the names that rules are about, when they are printed."""

import ipaddress
import socket

from strongroom.errors import OperationError

MAX_ADDRESSES = 64
"""Of one name; a service that answers with more has to be given as networks (`--address`)."""


def ask(host: str) -> tuple[str, ...]:
    """The addresses of a name, sorted. Raises OperationError."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        msg = f"{host} cannot be looked up: {error.strerror or error}."
        raise OperationError(
            msg, advice=f"Say where it is: --address {host}=ADDRESS, or put it into /etc/hosts."
        ) from error
    every = {ipaddress.ip_address(str(address[0]).partition("%")[0]) for *_, address in found}
    if len(every) > MAX_ADDRESSES:
        msg = f"{host} has {len(every)} addresses; {MAX_ADDRESSES} are taken."
        raise OperationError(msg, advice=f"Say which to allow: --address {host}=ADDRESS, as often as needed.")
    return tuple(str(one) for one in sorted(every, key=lambda one: (one.version, int(one))))
