"""Proof of possession (DPoP, RFC 9449): the sender of a token holds the key that the token is bound to.

A proof counts for one request, for its method and address, within a minute. The memory of used proofs does not
outlive the process: one captured in the minute before a restart could be shown again, for the same method, address
and token only.
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from strongroom.clock import SECOND, Millis
from strongroom.errors import Malformed
from strongroom.identity.context import bare_url
from strongroom.identity.jwk import parse_jwk
from strongroom.identity.jws import Jws, read_jws
from strongroom.identity.refusal import Refusal, login
from strongroom.identity.replay import Replay
from strongroom.identity.strict import read_as

ALGORITHMS = frozenset({"EdDSA", "Ed25519", "ES256", "ES384"})
"""What clients may sign proofs with. RSA keys would make every proof a kilobyte."""
WINDOW = 60 * SECOND
"""Milliseconds either way."""

_Thumbprint = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{43}\Z")]


class _Claims(msgspec.Struct, frozen=True):
    """RFC 9449, section 4.2."""

    jti: Annotated[str, msgspec.Meta(pattern=r"\A[\x20-\x7e]{1,256}\Z")]
    htm: Annotated[str, msgspec.Meta(max_length=16)]
    htu: Annotated[str, msgspec.Meta(max_length=2_048)]
    iat: Annotated[float, msgspec.Meta(ge=0, lt=2**33)]
    ath: _Thumbprint | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """What a proof must be for. `token_hash` and `thumbprint` are None at a token endpoint: there is no token yet."""

    method: str
    url: str
    token_hash: str | None = None
    thumbprint: str | None = None
    occasion: str = ""
    """Names the one request that this is about, where a program may have to look at its proof more than once."""


class Proofs:
    """Checks proofs and remembers which were used. One for each program that takes them."""

    def __init__(self) -> None:
        self._used = Replay(2 * WINDOW)

    def check(self, proof: str, request: Bound, now: Millis) -> str | Refusal:
        """The RFC 7638 thumbprint of the key that made `proof`, or why it is no good. Never raises for anything in it.

        A proof is remembered only when all else held, so that strangers cannot fill the memory.
        """
        try:
            jws = read_jws(proof, brings_key=True)
            claims = read_as(jws.claims, _Claims)
            same_url = bare_url(claims.htu) == bare_url(request.url)
            thumbprint = _signer(jws)
        except Malformed as error:
            return login(f"The proof of possession is malformed: {error.message}")
        doubts = {
            "is not signed with the key it must be signed with": request.thumbprint not in {None, thumbprint},
            "is for another request": claims.htm != request.method or not same_url,
            "is for another token": request.token_hash not in {None, claims.ath},
            "is stale, or the client's clock is off by a minute": abs(now - claims.iat * SECOND) > WINDOW,
        }
        doubt = next((words for words, holds in doubts.items() if holds), None)
        if doubt is None and not self._used.first_use(thumbprint, claims.jti, now, occasion=request.occasion):
            doubt = "was used before"
        return thumbprint if doubt is None else login(f"The proof of possession {doubt}.")


def _signer(jws: Jws) -> str:
    """The thumbprint of the key in the header, which signed. Raises Malformed when it did not, or may not."""
    key = parse_jwk(jws.header.jwk)
    # RFC 9449 section 4.3, check 7: a private key in the header is refused, whoever it belongs to.
    private = jws.header.jwk is not None and "d" in jws.header.jwk
    fits = jws.header.media_type == "dpop+jwt" and jws.header.alg in ALGORITHMS and not private
    if not fits or not jws.is_by(key):
        msg = "It is not signed as it says."
        raise Malformed(msg)
    return key.thumbprint
