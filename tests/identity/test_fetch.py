import ssl
from collections.abc import Callable
from typing import Any

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.errors import ConfigError
from strongroom.identity.fetch import MAX_WIRE, Fetch, Source, source

URI = "https://op.example/jwks?v=1"
KEYS = b'{"keys": []}'
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n" + KEYS


class Server:
    """The other side: TLS, one request read, one answer given. `close`: whether it says goodbye."""

    def __init__(self, authority: Any, answer: bytes, *, close: bool = True) -> None:
        self.request = b""
        self._answer = answer
        self._close = close
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = authority.server().wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._answered = False

    def receive(self, data: bytes) -> bytes:
        """Bytes in return for `data`."""
        self._incoming.write(data)
        try:
            self._tls.do_handshake()
            while not self.request.endswith(b"\r\n\r\n"):
                self.request += self._tls.read(4_096)
            if not self._answered:
                self._answered = True
                self._tls.write(self._answer)
                if self._close:
                    self._tls.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLError):
            pass
        return self._outgoing.read()


def converse(fetch: Fetch, server: Server, *, step: int = 1 << 20) -> Fetch:
    """Carry bytes between the two, `step` at a time, until nothing moves; then the pipe is cut."""
    up = fetch.start()
    while not fetch.ended and up:
        down, up = server.receive(up), b""
        for at in range(0, len(down), step):
            if not fetch.ended:
                up += fetch.receive(down[at : at + step])
    if not fetch.ended:
        fetch.receive(b"")
    return fetch


@pytest.fixture(scope="module")
def authority(make_authority: Callable[..., Any]) -> Any:
    """An authority that vouches for op.example."""
    return make_authority("op.example")


@pytest.fixture(scope="module")
def where(authority: Any) -> Source:
    """The source at op.example."""
    return source(URI, authorities=authority.pem)


@pytest.mark.parametrize("step", [1 << 20, 100, 1])
def test_a_key_set_comes_through(authority: Any, where: Source, step: int) -> None:
    """The body arrives whole, however the bytes are cut on their way."""
    server = Server(authority, GOOD)
    fetch = converse(Fetch(where), server, step=step)
    assert (fetch.body, fetch.failure) == (KEYS, "")
    assert server.request.startswith(b"GET /jwks?v=1 HTTP/1.1\r\nHost: op.example\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n" + KEYS + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + KEYS,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + GOOD,
        GOOD + b"HTTP/1.1 200 OK\r\n\r\nmore",
    ],
)
def test_other_ways_to_answer(authority: Any, where: Source, answer: bytes) -> None:
    """Chunks, an answer that ends with the connection, and early hints are HTTP too; what follows is not read."""
    assert converse(Fetch(where), Server(authority, answer)).body == KEYS


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\n\r\n" + KEYS,
        b"HTTP/1.1 500 Oops\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n" + KEYS,
        b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nContent-Length: 13\r\n\r\n" + KEYS,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 30_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 12_000 + GOOD,
        b"\x00\x01\x02",
        b"",
    ],
)
def test_answers_not_taken(authority: Any, where: Source, answer: bytes) -> None:
    """Redirects, errors, half answers, too much and what is no HTTP yield no keys, and a reason."""
    fetch = converse(Fetch(where), Server(authority, answer))
    assert fetch.body is None
    assert fetch.failure


def test_cut_without_goodbye(authority: Any, where: Source) -> None:
    """An answer that ends with a cut connection may have been cut by the courier: it is not taken."""
    fetch = converse(Fetch(where), Server(authority, b"HTTP/1.1 200 OK\r\n\r\n" + KEYS, close=False))
    assert (fetch.body, fetch.failure) == (None, "TLS failed, or the connection was cut.")


def test_an_end_without_an_answer(where: Source) -> None:
    """Whatever else HTTP may come to say ends the conversation: it does not turn in circles."""
    fetch = Fetch(where)
    fetch._take(h11.ConnectionClosed())
    assert fetch.ended
    assert fetch.failure == "The issuer closed without an answer."


def test_another_authority(make_authority: Callable[..., Any], where: Source) -> None:
    """A courier in the middle, with a certificate of its own authority, is found out before anything is asked."""
    server = Server(make_authority("op.example"), GOOD)
    fetch = converse(Fetch(where), server)
    assert fetch.body is None
    assert fetch.failure.startswith("The certificate is not acceptable")
    assert server.request == b""


def test_another_host(make_authority: Callable[..., Any]) -> None:
    """A certificate of the right authority for another host is refused."""
    other = make_authority("evil.example")
    fetch = converse(Fetch(source(URI, authorities=other.pem)), Server(other, GOOD))
    assert fetch.body is None
    assert fetch.failure.startswith("The certificate is not acceptable")


def test_pinned_key(authority: Any) -> None:
    """Where a public key is pinned, another one is refused even when the authority vouches for it."""
    for spki, body in ((authority.spki, KEYS), (b"\x00" * 32, None)):
        server = Server(authority, GOOD)
        fetch = converse(Fetch(source(URI, authorities=authority.pem, spki=[spki])), server)
        assert fetch.body == body
        assert bool(server.request) is (body is not None)


def test_old_tls(authority: Any, where: Source) -> None:
    """TLS 1.2 is the oldest that is spoken."""
    assert where.tls.minimum_version == ssl.TLSVersion.TLSv1_2
    assert where.tls.check_hostname
    assert where.tls.verify_mode is ssl.CERT_REQUIRED


def test_a_flood_ends(where: Source) -> None:
    """More bytes than a key set can need end the conversation."""
    fetch = Fetch(where)
    fetch.start()
    assert fetch.receive(b"x" * (MAX_WIRE + 1)) == b""
    assert fetch.ended
    assert fetch.body is None


@given(chunks=st.lists(st.binary(min_size=1, max_size=50), max_size=5))
def test_garbage_instead_of_tls(where: Source, chunks: list[bytes]) -> None:
    """Any garbage in place of TLS ends in a failure, and raises nothing."""
    fetch = Fetch(where)
    fetch.start()
    for chunk in [*chunks, b""]:
        if not fetch.ended:
            fetch.receive(chunk)
    assert fetch.ended
    assert fetch.body is None
    assert fetch.failure


@settings(max_examples=50)
@given(answer=st.binary(max_size=300))
def test_garbage_inside_tls(authority: Any, where: Source, answer: bytes) -> None:
    """Any garbage in place of HTTP ends in a failure, and raises nothing."""
    fetch = converse(Fetch(where), Server(authority, answer))
    assert fetch.ended
    assert (fetch.body is None) == bool(fetch.failure)


def test_no_authority() -> None:
    """An authority that does not parse is refused at start, and so is an address without https."""
    for uri, pem in ((URI, "nonsense"), ("http://op.example/jwks", None)):
        with pytest.raises(ConfigError):
            source(uri, authorities=pem)
