"""The circumstances of a request, signed: where it came from, when, and which token it carried.

Signed by the gateway; until there is one, by the app's local signer. The signature ties the circumstances to one
token (`ath`), so that a context cannot be moved to another login. A stolen local signer's key lets its thief lie
about address and device and nothing else: who asks is told by the token alone.

The claims: `addr` address · `device` opaque name of the device, may be empty · `t` milliseconds · `ath` RFC 9449 hash
of the token · `htm`, `htu` method and address of the request · `rid` request id. The form may grow by claims that
older readers ignore.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from enum import Enum, unique
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from strongroom.clock import SECOND, Millis
from strongroom.errors import Malformed
from strongroom.identity.jwk import PublicKey
from strongroom.identity.jws import read_jws
from strongroom.identity.network import Address, parse_address
from strongroom.identity.refusal import Refusal, login
from strongroom.identity.signing import SigningKey
from strongroom.identity.strict import base64url, read_as

MEDIA_TYPE = "strongroom-context+jwt"
FRESH = 30 * SECOND
"""Milliseconds either way. Signer and keeper stand on one machine or keep time by NTP; a hop takes milliseconds."""

_MADE_HERE = object()
_Short = Annotated[str, msgspec.Meta(pattern=r"\A[\x20-\x7e]{0,128}\Z")]
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,2048}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@unique
class Signer(Enum):
    """Who signed a context."""

    GATEWAY = "gateway"
    LOCAL = "local"


class _Claims(msgspec.Struct, frozen=True):
    addr: _Short
    t: int
    ath: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{43}\Z")]
    htm: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]{1,16}\Z")]
    htu: Annotated[str, msgspec.Meta(max_length=2_048)]
    device: _Short = ""
    rid: _Short = ""


@dataclass(frozen=True, slots=True)
class Context:
    """A context whose signature held and which was fresh. Only `ContextVerifier.verify` makes one."""

    address: Address
    device: str
    at: Millis
    token_hash: str
    method: str
    url: str
    request: str
    signer: Signer
    digest: str
    """SHA-256 of the context as signed: names the one request it was signed for."""
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        """Refuses a context that was made up."""
        if made_by is not _MADE_HERE:
            msg = "A context is made by verifying a signed one."
            raise TypeError(msg)


def hash_token(token: str) -> str:
    """`ath` of RFC 9449, section 4.2: base64url of the SHA-256 of the token's characters."""
    return base64url(hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest())


def bare_url(url: str) -> str:
    """`url` without query and fragment, scheme and host in lower case, default port left out (RFC 9449, section 4.3).

    Raises Malformed when it is not an absolute http(s) address.
    """
    try:
        parts = urlsplit(url if _PRINTABLE.fullmatch(url) else "")  # urlsplit drops line breaks without a word
        port = parts.port
    except ValueError as error:
        msg = "Not an address."
        raise Malformed(msg) from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        msg = "Not an absolute http(s) address."
        raise Malformed(msg)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    suffix = "" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{suffix}{parts.path or '/'}"


def sign_context(  # one argument a claim; a bundle of them would only be this call again
    key: SigningKey,
    *,
    token: str,
    address: str,
    now: Millis,
    method: str,
    url: str,
    device: str = "",
    request: str = "",
) -> str:
    """A context for one request, for the gateway and the app's local signer."""
    claims: dict[str, object] = {"addr": address, "device": device, "rid": request, "t": now, "htm": method, "htu": url}
    claims["ath"] = hash_token(token)
    return key.sign_compact(MEDIA_TYPE, claims)


class ContextVerifier:
    """Believes contexts of pinned signers only. Pin no local signer where there is a gateway."""

    def __init__(self, signers: Iterable[tuple[PublicKey, Signer]]) -> None:
        self._signers = {key.kid: (key, signer) for key, signer in signers}

    def verify(self, text: str, now: Millis) -> Context | Refusal:
        """The context in `text`, or why not. Never raises for anything in `text`.

        That it belongs to the token at hand is checked by `token.Verifier`, which wants both.
        """
        try:
            jws = read_jws(text)
            claims = read_as(jws.claims, _Claims)
            address = parse_address(claims.addr)
            url = bare_url(claims.htu)
        except Malformed as error:
            return login(f"The request's context is malformed: {error.message}")
        key, signer = self._signers.get(jws.header.kid, (None, Signer.LOCAL))
        if key is None or jws.header.media_type != MEDIA_TYPE or not jws.is_by(key):
            return login("The request's context is not signed by a pinned signer.")
        if abs(now - claims.t) > FRESH:
            return login("The request's context is stale, or the signer's clock is off by more than 30 s.")
        at, digest = Millis(claims.t), hash_token(text)
        return Context(address, claims.device, at, claims.ath, claims.htm, url, claims.rid, signer, digest, _MADE_HERE)
