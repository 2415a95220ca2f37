"""The circumstances of a request, signed: where it came from, when, and which token it carried.

Signed by the gateway; until there is one, by the app's local signer. The signature ties the circumstances to one
token (`ath`), so that a context cannot be moved to another login. A stolen signer's key lets its thief lie about
address and device and nothing else: who asks is told by the token alone.

Each request has another context, so each is checked anew. Hence a key that signer and keeper share, and a MAC:
Ed25519 took longer than everything else that the door does to a request (docs/adr/0011-context-mac.md). That the keeper
could sign a context too means nothing: it is who believes them.

Form: `signer.claims.tag`; claims are base64url of JSON, the tag is base64url of HMAC-SHA256 over what stands before it. The
tag is checked before anything is parsed. The claims: `addr` address · `device` opaque name of the device, may be empty ·
`t` milliseconds · `ath` RFC 9449 hash of the token · `htm`, `htu` method and address of the request · `rid` request id.
The form may grow by claims that older readers ignore.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from enum import Enum, unique
from functools import lru_cache
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from strongroom.clock import SECOND, Millis
from strongroom.envelope.keyed import keyed_hash
from strongroom.errors import Malformed
from strongroom.identity.network import Address, parse_address
from strongroom.identity.refusal import Refusal, login, unavailable
from strongroom.identity.strict import base64url, unbase64url
from strongroom.secret import Secret

FRESH = 30 * SECOND
"""Milliseconds either way. Signer and keeper stand on one machine or keep time by NTP; a hop takes milliseconds."""
MAX_CONTEXT = 8_192
"""Characters; `keeper.protocol.Token` has the same bound."""
KEY_SIZE = 32
CONTEXT = "strongroom-context"
"""Header in which a gateway tells the app behind it what it signed."""

_MADE_HERE = object()
_Short = Annotated[str, msgspec.Meta(pattern=r"\A[\x20-\x7e]{0,128}\Z")]
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,2048}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@unique
class Signer(Enum):
    """Who signed a context."""

    GATEWAY = "gateway"
    LOCAL = "local"


class ContextKey:
    """The key that one signer of contexts and the keeper share. Does not print."""

    __slots__ = ("_hashed", "signer")

    def __init__(self, key: Secret, signer: Signer) -> None:
        """Raises ValueError for a key that is not 32 bytes."""
        if len(key) != KEY_SIZE:
            msg = "A context key has 32 bytes."
            raise ValueError(msg)
        self.signer = signer
        self._hashed = keyed_hash(key.reveal())

    def __repr__(self) -> str:
        return f"ContextKey({self.signer.value})"

    def __reduce__(self) -> str:
        msg = "A context key is not pickled."
        raise TypeError(msg)

    def tag(self, text: str) -> str:
        """What stands at the end of a context that begins with `text`."""
        return base64url(self._hashed(b"strongroom-context\n" + _bytes(text)))


class _Claims(msgspec.Struct, frozen=True, gc=False):
    addr: _Short
    t: int
    ath: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{43}\Z")]
    htm: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]{1,16}\Z")]
    htu: Annotated[str, msgspec.Meta(max_length=2_048)]
    device: _Short = ""
    rid: _Short = ""


_claims = msgspec.json.Decoder(_Claims)
_address = lru_cache(8_192)(parse_address)  # a session's address comes again with each of its requests


@dataclass(frozen=True, slots=True)
class Context:
    """A context whose signature held and which was fresh. Only `ContextVerifier.verify` makes one."""

    address: Address
    signer: Signer
    signed: str
    """The whole context, as it came."""
    claims: _Claims
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        """Refuses a context that was made up."""
        if made_by is not _MADE_HERE:
            msg = "A context is made by verifying a signed one."
            raise TypeError(msg)

    @property
    def device(self) -> str:
        """The signer's opaque name of the device; empty where it knows none."""
        return self.claims.device

    @property
    def at(self) -> Millis:
        """When it was signed."""
        return Millis(self.claims.t)

    @property
    def token_hash(self) -> str:
        """Of the one token it was signed for, as `hash_token` gives it."""
        return self.claims.ath

    @property
    def method(self) -> str:
        """Of the request."""
        return self.claims.htm

    @property
    def url(self) -> str:
        """As signed; `bare_url` is for comparing."""
        return self.claims.htu

    @property
    def request(self) -> str:
        """The signer's id of the request."""
        return self.claims.rid

    @property
    def digest(self) -> str:
        """SHA-256 of the context as signed: names the one request it was signed for."""
        return hash_token(self.signed)


def hash_token(token: str) -> str:
    """`ath` of RFC 9449, section 4.2: base64url of the SHA-256 of the token's characters."""
    return base64url(hashlib.sha256(_bytes(token)).digest())


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
    key: ContextKey,
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
    claims = _Claims(addr=address, device=device, rid=request, t=now, htm=method, htu=url, ath=hash_token(token))
    text = f"{key.signer.value}.{base64url(msgspec.json.encode(claims))}"
    return f"{text}.{key.tag(text)}"


class ContextVerifier:
    """Believes contexts of the signers whose keys it has. Give it no local signer's where there is a gateway."""

    def __init__(self, keys: Iterable[ContextKey]) -> None:
        self._keys = {key.signer.value: key for key in keys}

    def verify(self, text: str, now: Millis) -> Context | Refusal:
        """The context in `text`, or why not. Never raises for anything in `text`.

        That it belongs to the token at hand is checked by `token.Verifier`, which wants both.
        """
        told, _, tag = text.rpartition(".")
        name, _, raw = told.partition(".")
        key = self._keys.get(name)
        if key is None or len(text) > MAX_CONTEXT or not hmac.compare_digest(key.tag(told).encode(), _bytes(tag)):
            return unavailable("The request's context is not signed by a known signer.")
        try:
            claims = _claims.decode(unbase64url(raw))
            address = _address(claims.addr)
        except (Malformed, msgspec.MsgspecError, UnicodeDecodeError):
            return login("The request's context is malformed.")
        if abs(now - claims.t) > FRESH:
            return unavailable("The request's context is stale, or the signer's clock is off by more than 30 s.")
        return Context(address, key.signer, text, claims, _MADE_HERE)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
