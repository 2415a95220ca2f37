"""What concerns one connection stays there, and who the client is said to be is said by those who may."""

import pytest

from strongroom.errors import Malformed
from strongroom.gateway.headers import check_connection, client_of, scheme_of, to_client, to_portal
from strongroom.identity.network import declare

PROXIES = declare({"proxies": ["10.0.0.0/8", "2001:db8::/32"]})


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", ["9.9.9.9"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["9.9.9.9"], "9.9.9.9"),
        ("10.0.0.1", ["1.1.1.1, 9.9.9.9"], "9.9.9.9"),
        ("10.0.0.1", ["1.1.1.1, 9.9.9.9 ,10.0.0.2"], "9.9.9.9"),
        ("10.0.0.1", ["1.1.1.1", "9.9.9.9,10.0.0.2"], "9.9.9.9"),
        ("10.0.0.1", ["9.9.9.9, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["9.9.9.9, \xff"], "10.0.0.1"),
        ("10.0.0.1", ["9.9.9.9:1234"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["2001:db8::5, 10.0.0.9"], "2001:db8::5"),
        ("10.0.0.1", [",".join(["8.8.8.8"] + ["10.0.0.2"] * 40)], "10.0.0.2"),
    ],
)
def test_the_client_is_whom_declared_proxies_name(peer: str, forwarded: list[str], client: str) -> None:
    """From the nearest proxy outwards; the first that is no proxy is the client, and who may not speak is not heard."""
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    assert str(client_of(peer, headers, PROXIES)) == client


def test_a_peer_without_an_address_is_nobody() -> None:
    """Fails closed."""
    with pytest.raises(Malformed):
        client_of("unix", [], PROXIES)


def test_tls_is_believed_of_proxies_only() -> None:
    """Another word than the two, or another speaker, changes nothing."""
    assert scheme_of("10.0.0.1", "http", [(b"x-forwarded-proto", b"https")], PROXIES) == "https"
    assert scheme_of("10.0.0.1", "http", [(b"x-forwarded-proto", b"gopher")], PROXIES) == "http"
    assert scheme_of("192.0.2.1", "http", [(b"x-forwarded-proto", b"https")], PROXIES) == "http"


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ([(b"connection", b"keep-alive")], False),
        ([(b"connection", b"close, X-Own")], False),
        ([(b"connection", b"keep-alive, Authorization")], True),
        ([(b"connection", b"Upgrade")], True),
        ([(b"upgrade", b"websocket")], True),
    ],
)
def test_connection_takes_nothing_away_that_was_checked(headers: list[tuple[bytes, bytes]], refused: bool) -> None:
    """And switches to no other protocol."""
    assert (check_connection(headers) is not None) == refused


def test_headers_on_their_way() -> None:
    """To the portal and back."""
    came = [
        (b"connection", b"X-Own"),
        (b"x-own", b"1"),
        (b"accept-encoding", b"br"),
        (b"cookie", b"a=b"),
        (b"content-length", b"5"),
    ]
    told = to_portal(came, client="192.0.2.1", host=b"p", scheme="https", plain=True)
    assert told[0] == (b"cookie", b"a=b")
    assert (b"accept-encoding", b"identity") in told
    assert not {b"x-own", b"connection", b"content-length", b"expect"} & {name for name, _ in told}
    cookies = [(b"set-cookie", b"a"), (b"set-cookie", b"b")]
    back = to_client(200, [(b"connection", b"close"), *cookies, (b"transfer-encoding", b"chunked")], "r")
    assert back == [*cookies, (b"x-request-id", b"r")]
    assert to_client(304, [(b"content-length", b"9"), (b"etag", b"x")], "r") == [
        (b"etag", b"x"),
        (b"x-request-id", b"r"),
    ]
