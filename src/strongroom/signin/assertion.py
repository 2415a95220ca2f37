"""How a program proves who it is: a short signed statement (private_key_jwt, RFC 7523; SMART backend services)."""

from typing import Annotated

import msgspec

from strongroom.clock import MINUTE, SECOND, Millis
from strongroom.errors import Malformed
from strongroom.identity.jwk import parse_jwks
from strongroom.identity.jws import Jws, read_jws
from strongroom.identity.strict import read_as
from strongroom.signin.sqlite import People, Program

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_AHEAD = 5 * MINUTE
"""SMART App Launch 2.2: an assertion expires within five minutes."""
_SKEW = 60 * SECOND
_Name = Annotated[str, msgspec.Meta(pattern=r"\A[\x20-\x7e]{1,255}\Z")]


class _Claims(msgspec.Struct, frozen=True):
    iss: _Name
    sub: _Name
    aud: _Name | Annotated[list[_Name], msgspec.Meta(max_length=8)]
    exp: Annotated[float, msgspec.Meta(ge=0, lt=2**33)]
    jti: _Name


def verify_assertion(text: str, audiences: frozenset[str], people: People, now: Millis) -> Program | None:
    """The program that made the statement in `text`, or None. Each statement counts once. Raises Unavailable."""
    try:
        jws = read_jws(text)
        claims = read_as(jws.claims, _Claims)
    except Malformed:
        return None
    program = people.program(claims.sub)
    if program is None or program.disabled or claims.iss != claims.sub or not _signed(jws, program):
        return None
    named = {claims.aud} if isinstance(claims.aud, str) else set(claims.aud)
    until = Millis(int(claims.exp * SECOND) + _SKEW)
    if audiences.isdisjoint(named) or not now < until <= now + MAX_AHEAD + 2 * _SKEW:
        return None
    return program if people.use_once(f"{claims.sub}\n{claims.jti}", until, now) else None


def _signed(jws: Jws, program: Program) -> bool:
    keys = {key.kid: key for key in parse_jwks(program.jwks)}
    key = keys.get(jws.header.kid)
    return key is not None and jws.header.media_type in {"", "jwt"} and jws.is_by(key)
