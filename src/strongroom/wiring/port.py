"""A port for a program that is started in a moment: for rehearsals, benches and tests."""

import random
import socket

LOW, HIGH = 10_240, 32_767
"""Below those that Linux gives to outgoing connections: one of these could take a port between our look and its use."""
TRIES = 100


def free_port() -> int:
    """A port of loopback that nobody listens on just now. Raises OSError when there is none."""
    for _ in range(TRIES):
        with socket.socket() as probe:
            port = random.randint(LOW, HIGH)  # noqa: S311  # chance, not a secret
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    msg = "No port of loopback is free."
    raise OSError(msg)
