"""Who is asking, by their own signed token (RFC 7519, RFC 9068, RFC 8725), verified here and by nobody else.

`Verifier.verify` goes through these steps, in this order; the first that fails refuses:

1. The context is for this very token (`ath`).
2. The token parses: at most 8,192 characters, strict base64url and JSON, no member twice, no header member that
   brings a key or changes what is signed, and every claim we read is of its type and within its bounds.
3. `typ` is `at+jwt` or `JWT`; `iss` is a pinned issuer, exactly; `alg` is on that issuer's list; `kid` names a key of
   that issuer; the signature holds under that key and that algorithm.
4. `aud` contains our audience.
5. Times: issued not in the future, valid already, lives 15 minutes at most, not expired (60 s for clocks that
   differ).
6. There is a session (`sid`, else `jti`), and it is not revoked; there is exactly one client.
7. A token that is bound to a key, or whose client must bind, comes with a proof of possession that holds (`dpop`). A
   proof is for one request: with the same signed context it may come again, for the app asks more than once.

Whether a second factor was shown is told (`mfa`, `fresh`), not demanded: people must have it, programs cannot, and
which of the two a subject is, the keeper looks up. Roles and scopes in a token are not read.

What steps 2 and 3 found is remembered for a token whose signature held: how it reads, and under which key. Everything else
is done each time: whether that key still holds, audience, times, session, possession.
"""

import hashlib
from collections import OrderedDict
from dataclasses import InitVar, dataclass
from typing import Annotated

import msgspec

from strongroom.clock import MINUTE, SECOND, Millis
from strongroom.errors import Malformed
from strongroom.identity.context import Context, hash_token
from strongroom.identity.dpop import Bound, Proofs
from strongroom.identity.issuers import Issuer, Issuers, Pin
from strongroom.identity.jwk import PublicKey
from strongroom.identity.jws import Jws, read_jws
from strongroom.identity.refusal import Refusal, login
from strongroom.identity.sessions import Revoked
from strongroom.identity.strict import read_as
from strongroom.ids import SessionId, encode

SKEW = 60 * SECOND
MAX_LIFETIME = 15 * MINUTE
FRESH = 5 * MINUTE
"""How long ago the second factor may have been shown for acts that need it fresh."""
MEMO = 20_000
"""Tokens remembered: about 40 MB, those of 20,000 sessions that are active within a token's lifetime. None outlives its
own expiry: the oldest go first, and one that has expired goes when it is shown again."""
TYPES = frozenset({"at+jwt", "jwt"})

_MADE_HERE = object()
_Name = Annotated[str, msgspec.Meta(pattern=r"\A[\x20-\x7e]{1,255}\Z")]
"""OpenID Connect Core, section 2 (`sub`); RFC 6749, appendix A (client ids). Longer or other text is refused."""
_Instant = Annotated[float, msgspec.Meta(ge=0, lt=2**33)]
"""Seconds, RFC 7519 NumericDate."""


def session_id(issuer: str, claim: str, value: str) -> SessionId:
    """The name of the session that tokens of `issuer` call `value` in their `claim` (sid or jti)."""
    return SessionId(encode(hashlib.sha256(f"{issuer}\n{claim}\n{value}".encode()).digest()))


class _Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """RFC 7800. Other ways of binding than a key's thumbprint are refused: we could not check them."""

    jkt: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{43}\Z")]


class _Claims(msgspec.Struct, frozen=True):
    iss: _Name
    sub: _Name
    aud: _Name | Annotated[list[_Name], msgspec.Meta(max_length=16)]
    exp: _Instant
    iat: _Instant
    nbf: _Instant = 0
    sid: _Name | None = None
    jti: _Name | None = None
    azp: _Name | None = None
    client_id: _Name | None = None
    auth_time: _Instant | None = None
    amr: Annotated[list[_Name], msgspec.Meta(max_length=16)] = []
    acr: _Name | None = None
    cnf: _Confirmation | None = None

    @property
    def client(self) -> str:
        """`azp` and `client_id` mean the same. Empty when neither is there, or they differ."""
        one, other = self.azp or self.client_id or "", self.client_id or self.azp
        return one if one == other else ""

    @property
    def session(self) -> SessionId:
        """Named by issuer and session; a token without a session is a session of its own. Empty when it has no name."""
        if self.sid:
            return session_id(self.iss, "sid", self.sid)
        return session_id(self.iss, "jti", self.jti) if self.jti else SessionId("")


@dataclass(frozen=True, slots=True)
class _Held:
    """How a token reads whose signature held under the key with this thumbprint. Says nothing of any other moment."""

    claims: _Claims
    client: str
    session: SessionId
    kid: str
    thumbprint: str


@dataclass(frozen=True, slots=True)
class Verified:
    """Somebody, by a token that held at one moment. Only `Verifier.verify` makes one; it is not kept for later."""

    issuer: str
    subject: str
    session: SessionId
    client: str
    mfa: bool
    fresh: bool
    """A second factor was shown within the last five minutes."""
    bound: bool
    """The sender proved to hold the key that the token is bound to."""
    expires: Millis
    auth_time: Millis | None
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        """Refuses an identity that was made up."""
        if made_by is not _MADE_HERE:
            msg = "An identity is made by verifying a token."
            raise TypeError(msg)


class Verifier:
    """Believes tokens of pinned issuers, and nothing else about who is asking."""

    def __init__(self, issuers: Issuers, revoked: Revoked, proofs: Proofs) -> None:
        self._issuers = issuers
        self._pins = {issuer.pin.url: issuer.pin for issuer in issuers}
        self._revoked = revoked
        self._proofs = proofs
        self._held: OrderedDict[str, _Held] = OrderedDict()

    def verify(self, token: str, proof: str, context: Context, now: Millis) -> Verified | Refusal:
        """Who is asking, or why they are not believed. `proof` is empty where there is none.

        Fails closed. Never raises for anything in `token` and `proof`.
        """
        if context.token_hash != hash_token(token):  # 1
            return login("The request's context was signed for another token.")
        held = self._remembered(context.token_hash, now) or self._read(token, context.token_hash, now)  # 2, 3
        if isinstance(held, Refusal):
            return held
        claims, pin = held.claims, self._pins[held.claims.iss]
        return (
            _audience(claims, pin)  # 4
            or self._timed(context.token_hash, claims, now)  # 5
            or self._session(held)  # 6
            or self._possession(held, proof, context, pin, now)  # 7
            or _identity(held, pin, now)
        )

    def _remembered(self, token_hash: str, now: Millis) -> _Held | None:
        """What is known of this very token, if the key that signed it holds now."""
        held = self._held.get(token_hash)
        if held is None:
            return None
        issuer = self._issuers.get(held.claims.iss)
        key = None if issuer is None else issuer.key(held.kid, now)
        if key is None or key.thumbprint != held.thumbprint:
            del self._held[token_hash]
            return None
        self._held.move_to_end(token_hash)
        return held

    def _read(self, token: str, token_hash: str, now: Millis) -> _Held | Refusal:
        """Steps 2 and 3, remembered if they hold."""
        try:
            jws = read_jws(token)  # 2
            claims = read_as(jws.claims, _Claims)
        except Malformed as error:
            return login(f"The token is malformed: {error.message}")
        issuer = self._issuers.get(claims.iss)
        key = None if issuer is None else _signer(jws, issuer, now)
        if key is None:  # 3
            return login("The token is not signed by a pinned issuer with a key known now.")
        held = _Held(claims, claims.client, claims.session, jws.header.kid, key.thumbprint)
        self._held[token_hash] = held
        if len(self._held) > MEMO:
            self._held.popitem(last=False)
        return held

    def _timed(self, token_hash: str, claims: _Claims, now: Millis) -> Refusal | None:
        refusal = _times(claims, now)
        if refusal is not None:
            self._held.pop(token_hash, None)
        return refusal

    def _session(self, held: _Held) -> Refusal | None:
        if not held.session or not held.client:
            return login("The token names no session, or not exactly one client.")
        return login("The session was revoked.") if held.session in self._revoked else None

    def _possession(self, held: _Held, proof: str, context: Context, pin: Pin, now: Millis) -> Refusal | None:
        confirmation = held.claims.cnf
        if confirmation is None:
            return login("This client's tokens must be bound to a key.") if held.client in pin.bound_clients else None
        request = Bound(context.method, context.url, context.token_hash, confirmation.jkt, context.digest)
        outcome = self._proofs.check(proof, request, now)
        return outcome if isinstance(outcome, Refusal) else None


def _signer(jws: Jws, issuer: Issuer, now: Millis) -> PublicKey | None:
    """The issuer's key that signed, if one did in a way that its pin allows."""
    if jws.header.media_type not in TYPES or jws.header.alg not in issuer.pin.algorithms:
        return None
    key = issuer.key(jws.header.kid, now)
    return key if key is not None and jws.is_by(key) else None


def _audience(claims: _Claims, pin: Pin) -> Refusal | None:
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    return None if pin.audience in audiences else login("The token is for another audience.")


def _times(claims: _Claims, now: Millis) -> Refusal | None:
    latest = (now + SKEW) / SECOND
    if claims.iat > latest or claims.nbf > latest:
        return login("The token is not valid yet.")
    if not 0 < claims.exp - claims.iat <= MAX_LIFETIME / SECOND:
        return login("The token lives for no time, or longer than 15 minutes.")
    if claims.exp <= (now - SKEW) / SECOND:
        return Refusal("expired", "The token has expired.")
    return None


def _identity(held: _Held, pin: Pin, now: Millis) -> Verified:
    claims = held.claims
    mfa = not pin.mfa_amr.isdisjoint(claims.amr) or claims.acr in pin.mfa_acr
    shown = None if claims.auth_time is None else Millis(int(claims.auth_time * SECOND))
    fresh = mfa and shown is not None and now - FRESH <= shown <= now + SKEW
    return Verified(
        issuer=claims.iss, subject=claims.sub, session=held.session, client=held.client, mfa=mfa, fresh=fresh,
        bound=claims.cnf is not None, expires=Millis(int(claims.exp * SECOND)), auth_time=shown, made_by=_MADE_HERE,
    )  # fmt: skip
