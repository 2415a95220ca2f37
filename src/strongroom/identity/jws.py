"""Signed words in compact form (JWS, RFC 7515): taken apart strictly, then checked with a key we chose.

Reading believes nothing: `Jws` is what somebody wrote. Only `PublicKey.holds` over `signed` makes it somebody's.
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from strongroom.errors import Malformed
from strongroom.identity.jwk import PublicKey
from strongroom.identity.strict import read_as, read_object, unbase64url

MAX_COMPACT = 8_192
"""Characters. Tokens of real issuers are 0.7 to 3 KB; `keeper.protocol.Token` has the same bound."""
_PARTS = 3
_REFUSED = frozenset({"b64", "crit", "jku", "x5c", "x5u", "zip"})
"""Header members that change what is signed, or bring a key of the sender's choice (RFC 8725, sections 2 and 3)."""


class Header(msgspec.Struct, frozen=True):
    """The header members we read."""

    alg: Annotated[str, msgspec.Meta(max_length=16)]
    typ: Annotated[str, msgspec.Meta(max_length=64)] = ""
    kid: Annotated[str, msgspec.Meta(max_length=256)] = ""
    jwk: dict[str, object] | None = None
    """Only a DPoP proof may carry one (RFC 9449, section 4.2)."""

    @property
    def media_type(self) -> str:
        """`typ` as RFC 7515 section 4.1.9 compares it: lower case, without `application/`."""
        return self.typ.lower().removeprefix("application/")


@dataclass(frozen=True, slots=True)
class Jws:
    """A JWS as written. Nothing about it is believed yet."""

    header: Header
    claims: dict[str, object]
    signed: bytes
    signature: bytes

    def is_by(self, key: PublicKey) -> bool:
        """Whether the signature is `key`'s, under the algorithm the header names."""
        return key.holds(self.header.alg, self.signed, self.signature)


def read_jws(text: str, *, brings_key: bool = False) -> Jws:
    """`text` taken apart. `brings_key`: whether a `jwk` in the header is wanted or refused. Raises Malformed."""
    parts = text.split(".", _PARTS)
    if len(text) > MAX_COMPACT or len(parts) != _PARTS:
        msg = "Not a compact JWS, or longer than allowed."
        raise Malformed(msg)
    members = read_object(unbase64url(parts[0]), MAX_COMPACT)
    header = read_as(members, Header)
    if not _REFUSED.isdisjoint(members) or (header.jwk is not None) != brings_key:
        msg = "The header has members that are refused here."
        raise Malformed(msg)
    claims = read_object(unbase64url(parts[1]), MAX_COMPACT)
    return Jws(header, claims, f"{parts[0]}.{parts[1]}".encode(), unbase64url(parts[2]))
