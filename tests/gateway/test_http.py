"""Events by POST: lines of JSON, a token from a file, TLS that is verified."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from strongroom.errors import ConfigError
from strongroom.gateway.http import Http, check_address, read_token
from strongroom.gateway.outbox import Unwanted
from tests.gateway.test_tls import Certificate, made

EVENTS = [("1", b'{"n":1}'), ("2", b'{"n":2}')]


class Collector(ThreadingHTTPServer):
    """Answers with the statuses that it is given, then 204; keeps what it was told."""

    daemon_threads = True

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.statuses = statuses
        self.heard: list[tuple[dict[str, str], list[Any]]] = []


class Taking(BaseHTTPRequestHandler):
    """One POST."""

    protocol_version = "HTTP/1.1"
    server: Collector

    def do_POST(self) -> None:
        """Keep it, and answer."""
        body = self.rfile.read(int(self.headers["content-length"]))
        lines = [json.loads(line) for line in body.splitlines()]
        self.server.heard.append(({key.lower(): value for key, value in self.headers.items()}, lines))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Nowhere."""


@contextmanager
def collector(one: Certificate | None = None, statuses: tuple[int, ...] = ()) -> Iterator[Collector]:
    """Running; with TLS where it has a certificate."""
    with Collector(list(statuses)) as server:
        if one is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(one.certificate, one.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_lines_of_json_over_tls_with_a_token(tmp_path: Path) -> None:
    """Over one connection; to a collector with another certificate than is believed, nothing."""
    own, other = made(tmp_path, "collector"), made(tmp_path, "other")
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    token.chmod(0o600)
    with collector(own) as server:
        url = f"https://127.0.0.1:{server.server_port}/events"
        way = Http(url, read_token(str(token)), "Splunk", str(own.certificate))
        way.send(EVENTS)
        way.send(EVENTS[:1])
        way.close()
        assert [lines for _, lines in server.heard] == [[{"n": 1}, {"n": 2}], [{"n": 1}]]
        said = server.heard[0][0]
        assert (said["authorization"], said["content-type"]) == ("Splunk s3cret", "application/x-ndjson")
        stranger = Http(url, None, "Bearer", str(other.certificate))
        with pytest.raises(OSError, match="no answer"):
            stranger.send(EVENTS)
        stranger.close()
        assert len(server.heard) == 2


@pytest.mark.parametrize(
    ("status", "error"), [(503, OSError), (401, OSError), (307, OSError), (413, Unwanted), (400, Unwanted)]
)
def test_what_is_not_taken_is_told(status: int, error: type[Exception]) -> None:
    """What may pass, and what will not; a redirection is followed nowhere."""
    with collector(statuses=(status,)) as server:
        way = Http(f"http://127.0.0.1:{server.server_port}/", None, "Bearer", "")
        with pytest.raises(error, match=str(status)):
            way.send(EVENTS)
        way.close()
        assert len(server.heard) == 1


@pytest.mark.parametrize(
    "url", ["http://collector.example/", "ftp://127.0.0.1/", "https://", "https://a:b@c/", "https://c:99999/", "c"]
)
def test_addresses_that_nothing_is_sent_to(url: str) -> None:
    """No TLS to another machine, another scheme, no host, a name and password in the address."""
    with pytest.raises(ConfigError, match="url"):
        Http(url, None, "Bearer", "")


def test_this_machine_needs_no_tls() -> None:
    """By any of its names; elsewhere TLS, at the port that is usual."""
    schemes = {"tls": 4222, "nats": 4222}
    assert check_address("nats://[::1]:1", schemes, "url") == ("::1", 1)
    assert check_address("nats://localhost", schemes, "url") == ("localhost", 4222)
    assert check_address("tls://n.example", schemes, "url") == ("n.example", 4222)


@pytest.mark.parametrize(("text", "mode"), [("", 0o600), ("two words", 0o600), ("a\nb", 0o600), ("ok", 0o644)])
def test_a_token_is_a_line_that_nobody_else_reads(tmp_path: Path, text: str, mode: int) -> None:
    """Anything else is a mistake that is said, without the token; no file, no token."""
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(ConfigError) as told:
        read_token(str(path))
    assert "words" not in str(told.value)
    assert read_token("") is None


def test_certificates_are_in_a_file_that_is_there() -> None:
    """Else it is said at the start."""
    with pytest.raises(ConfigError, match="ca_file"):
        Http("https://c/", None, "Bearer", "/nowhere.pem")
