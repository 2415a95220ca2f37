"""Which headers go on to the portal, which come back from it, and what is said of the client. Pure.

What concerns one connection only stays there (RFC 9110, section 7.6.1). What a proxy says of the client (`Forwarded`,
`X-Forwarded-…`, `X-Real-IP`, `X-Request-Id`) is said by us alone. Names with `_` are not passed on: to CGI `x_forwarded_for` and
`x-forwarded-for` are one.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from strongroom.errors import Malformed
from strongroom.gateway.answer import NO_CONTENT, NOT_MODIFIED
from strongroom.gateway.contract import SINGLE, Headers
from strongroom.gateway.refusal import Refusal
from strongroom.identity.network import Address, Declared, network_of, parse_address

HOP: Final = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authorization proxy-authentication-info te trailer "
    b"transfer-encoding upgrade http2-settings".split()
)
_OURS: Final = frozenset(
    b"forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port x-forwarded-prefix x-forwarded-server "
    b"x-real-ip x-client-ip true-client-ip x-request-id strongroom-context expect".split()
)
_IN_PART: Final = frozenset(b"accept-encoding range if-range if-none-match if-modified-since".split())
"""Of these an answer may come otherwise than whole: as a part, not at all, compressed."""
_FRAMING: Final = frozenset({b"content-length"})
_NOT_BACK: Final = HOP | {b"x-request-id"}
MAX_FORWARDS: Final = 32
"""Addresses in X-Forwarded-For that are looked at."""


def check_connection(headers: Headers) -> Refusal | None:
    """`Connection` may take away what concerns the connection, and not what was checked; a switch of protocols is refused."""
    named = _named(headers)
    if not named.isdisjoint(SINGLE | _OURS) or b"upgrade" in named or any(name == b"upgrade" for name, _ in headers):
        because = "The request asks for another protocol, or for a header to be taken away."
        return Refusal(400, "connection-header", because, hard=True)
    return None


def to_portal(headers: Headers, *, client: str, host: bytes, scheme: str, plain: bool) -> list[tuple[bytes, bytes]]:
    """What the portal is told, but for the request's number. `plain`: its answer is to come whole and without compression, whatever
    the client has of it already, because it is read on the way.
    """
    dropped = HOP | _OURS | _FRAMING | _named(headers) | (_IN_PART if plain else set())
    kept = [(name, value) for name, value in headers if name not in dropped and b"_" not in name]
    return [
        *kept,
        *([(b"accept-encoding", b"identity")] if plain else []),
        (b"x-forwarded-for", client.encode()),
        (b"x-forwarded-host", host),
        (b"x-forwarded-proto", scheme.encode()),
    ]


def to_client(status: int, headers: Sequence[tuple[bytes, bytes]], request: str) -> list[tuple[bytes, bytes]]:
    """What the client is told. Where there is no body its length, which is another answer's, is not said."""
    dropped = _NOT_BACK | _named(headers) if any(name == b"connection" for name, _ in headers) else _NOT_BACK
    if status in {NO_CONTENT, NOT_MODIFIED}:
        dropped |= _FRAMING
    return [*((name, value) for name, value in headers if name not in dropped), (b"x-request-id", request.encode())]


def client_of(peer: str, headers: Headers, proxies: Declared) -> Address:
    """Who asks: the peer, or what declared proxies say of whom they ask for, from the nearest to the farthest.

    Raises Malformed where the peer itself has no address. What does not parse ends the chain: the last that was believed counts.
    """
    address = parse_address(peer)
    chain = [part for name, value in headers if name == b"x-forwarded-for" for part in value.split(b",")]
    for part in reversed(chain[-MAX_FORWARDS:]):
        if not network_of(address, proxies).startswith("org:"):
            break
        try:
            address = parse_address(part.strip(b" \t").decode("ascii"))
        except (Malformed, UnicodeDecodeError):
            break
    return address


def scheme_of(peer: str, own: str, headers: Headers, proxies: Declared) -> str:
    """How the client came: ours, or what a declared proxy that ends TLS says."""
    said = next((value for name, value in headers if name == b"x-forwarded-proto"), b"")
    if said in {b"http", b"https"} and network_of(parse_address(peer), proxies).startswith("org:"):
        return said.decode()
    return own


def _named(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    return frozenset(
        part.strip(b" \t").lower() for name, value in headers if name == b"connection" for part in value.split(b",")
    )
