"""Events to a real NATS server: acknowledged, once each, over TLS or not at all."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nats
import pytest
from nats.js.api import StreamConfig

from strongroom.errors import ConfigError
from strongroom.gateway.nats import Nats
from strongroom.secret import Secret
from strongroom.wiring.port import free_port
from tests.gateway.test_tls import made

LONG = 60.0
SERVER = Path(sys.executable).with_name("nats-server")
EVENTS = [("1", b'{"n":1}'), ("2", b'{"n":2}')]


@contextmanager
def server(folder: Path, port: int, *arguments: str) -> Iterator[None]:
    """A NATS server with streams."""
    command = [str(SERVER), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder / "streams"), *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        assert any("Server is ready" in line for line in process.stderr)
        yield
    finally:
        process.kill()
        process.communicate()


def stream(port: int, **options: object) -> list[bytes]:
    """What stands in the stream of events, which is made if it is not there."""

    async def asked() -> list[bytes]:
        client = await nats.connect(f"nats://127.0.0.1:{port}", **options)
        js = client.jetstream()
        await js.add_stream(StreamConfig(name="events", subjects=["strongroom.>"]))
        found = (await js.stream_info("events")).state
        texts = [(await js.get_msg("events", number)).data or b"" for number in range(1, found.last_seq + 1)]
        await client.close()
        return texts

    return asyncio.run(asked())


def test_events_are_in_the_stream_once_each(tmp_path: Path) -> None:
    """Refused while no stream takes them and while the server is away; sent again they are there once."""
    port = free_port()
    way = Nats(f"nats://127.0.0.1:{port}", "strongroom.gateway", Secret(b"t0ken"), "")
    with pytest.raises(OSError, match="not acknowledged"):
        way.send(EVENTS)
    with server(tmp_path, port, "--auth", "t0ken"):
        with pytest.raises(OSError, match=r"no stream takes strongroom\.gateway"):
            way.send(EVENTS)
        assert stream(port, token="t0ken") == []
        way.send(EVENTS[:1])
        way.send(EVENTS)
        assert stream(port, token="t0ken") == [line for _, line in EVENTS]
    with pytest.raises(OSError, match="not acknowledged"):
        way.send(EVENTS)
    way.close()


def test_over_tls_that_is_verified(tmp_path: Path) -> None:
    """To the server whose certificate is believed, and to no other."""
    own, other, port = made(tmp_path, "server"), made(tmp_path, "other"), free_port()
    with server(tmp_path, port, "--tls", "--tlscert", str(own.certificate), "--tlskey", str(own.key)):
        stranger = Nats(f"tls://127.0.0.1:{port}", "strongroom.gateway", None, str(other.certificate))
        with pytest.raises(OSError, match="not acknowledged"):
            stranger.send(EVENTS)
        stranger.close()
        way = Nats(f"tls://127.0.0.1:{port}", "strongroom.gateway", None, str(own.certificate))
        with pytest.raises(OSError, match="no stream"):
            way.send(EVENTS)
        way.close()


INFO = b'INFO {"server_id":"x","version":"2.10.0","proto":1,"max_payload":1048576,"auth_required":true}\r\n'


@pytest.mark.parametrize("token", [Secret(b"t0ken"), None])
def test_nothing_is_said_to_a_server_that_does_not_speak_tls(tmp_path: Path, token: Secret | None) -> None:
    """Whoever stands before the server could claim that; neither token nor event is told."""
    own, heard = made(tmp_path, "server"), list[bytes]()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def play() -> None:
            with listening.accept()[0] as client:
                client.settimeout(LONG)
                client.sendall(INFO)
                with contextlib.suppress(OSError):
                    while piece := client.recv(65_536):
                        heard.append(piece)
                        client.sendall(b"PONG\r\n")

        thread = threading.Thread(target=play)
        thread.start()
        way = Nats(f"tls://127.0.0.1:{listening.getsockname()[1]}", "strongroom.gateway", token, str(own.certificate))
        with pytest.raises(OSError, match="not acknowledged: ConnectionRefused"):
            way.send(EVENTS)
        way.close()
        thread.join(LONG)
        assert not thread.is_alive()
    assert not any(b"t0ken" in piece or b"PUB" in piece for piece in heard)


def test_an_address_without_tls_is_this_machine() -> None:
    """Anything else is said at the start."""
    with pytest.raises(ConfigError, match="nats"):
        Nats("nats://nats.example:4222", "a", None, "")
