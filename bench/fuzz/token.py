"""Who is asking: tokens, contexts, proofs of possession, key sets, officers' acts.

Bytes alone never get past a signature. So most of these targets take what is signed, sign it themselves, and then hold the
verdict against a second opinion, written out here without the product's parts; and what somebody altered after the signing
must never be believed.
"""

import hashlib
import json
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.fuzz.target import Target, must
from strongroom.clock import MINUTE, SECOND, Millis
from strongroom.errors import Malformed
from strongroom.identity.context import (
    Context,
    ContextKey,
    ContextVerifier,
    Signer,
    bare_url,
    hash_token,
    sign_context,
)
from strongroom.identity.dpop import ALGORITHMS as PROOF_ALGORITHMS
from strongroom.identity.dpop import WINDOW, Bound, Proofs
from strongroom.identity.issuers import Issuer, Issuers, Pin
from strongroom.identity.jwk import ALGORITHMS, parse_jwks
from strongroom.identity.jws import read_jws
from strongroom.identity.officers import LIFETIME, Officer, Officers, Role, Signed, sign_act
from strongroom.identity.refusal import Refusal
from strongroom.identity.sessions import Revoked
from strongroom.identity.signing import SigningKey
from strongroom.identity.strict import base64url
from strongroom.identity.token import MAX_LIFETIME, SKEW, Verified, Verifier
from strongroom.secret import Secret

NOW = Millis(1_767_225_600_000)
AT = NOW // SECOND
ISSUER = "https://op.example"
AUDIENCE = "https://store.example/fhir"
URL = f"{AUDIENCE}/Binary/x"
STORE = "unit"


def key_of(name: str) -> SigningKey:
    """A key that is the same in every run, so that what a seed is signed with is known to every run."""
    return SigningKey(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest()))


ISSUERS_KEY, CLIENTS_KEY, OFFICERS_KEY = key_of("issuer"), key_of("client"), key_of("officer")
GATEWAY = ContextKey(Secret(hashlib.sha256(b"gateway").digest()), Signer.GATEWAY)
PIN = Pin(ISSUER, AUDIENCE, frozenset({"EdDSA", "ES256"}), bound_clients=frozenset({"robot"}))
OFFICERS = (Officer("ann", OFFICERS_KEY.public_bytes, frozenset({Role.PRIVACY})),)
HEADER = {"alg": "EdDSA", "kid": ISSUERS_KEY.kid, "typ": "at+jwt"}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER, "aud": AUDIENCE, "sub": "u1", "sid": "s1", "jti": "j1", "client_id": "portal", "iat": AT, "exp": AT + 600,
    "auth_time": AT, "amr": ["pwd", "otp"],
}  # fmt: skip
BOUND_CLAIMS = {**CLAIMS, "client_id": "robot", "cnf": {"jkt": CLIENTS_KEY.kid}}


def sealed(header: bytes, payload: bytes, key: SigningKey) -> str:
    """A compact JWS of exactly these bytes."""
    signed = f"{base64url(header)}.{base64url(payload)}"
    return f"{signed}.{base64url(key.sign(signed.encode()))}"


def _verifier() -> Verifier:
    issuer = Issuer(PIN)
    issuer.offer(ISSUERS_KEY.jwks(), NOW)
    return Verifier(Issuers([issuer]), Revoked(), Proofs())


def _circumstances(token: str) -> Context:
    signed = sign_context(GATEWAY, token=token, address="203.0.113.7", now=NOW, method="GET", url=URL, request="r1")
    context = ContextVerifier([GATEWAY]).verify(signed, NOW)
    if isinstance(context, Context):
        return context
    raise AssertionError(context.because)


def _ask(token: str, proof: str = "") -> Verified | Refusal:
    """The verdict; the same from memory, and none after the token has surely expired."""
    verifier, context = _verifier(), _circumstances(token)
    first, again = verifier.verify(token, proof, context, NOW), verifier.verify(token, proof, context, NOW)
    must(type(first) is type(again), "what is remembered of a token changes nothing")
    if isinstance(first, Verified):  # one that is not believed yet may be later
        late = Millis(NOW + MAX_LIFETIME + 2 * SKEW + 1)
        must(
            isinstance(verifier.verify(token, proof, context, late), Refusal), "no token outlives the longest lifetime"
        )
    return first


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


TOKENS = (
    sealed(msgspec.json.encode(HEADER), msgspec.json.encode(CLAIMS), ISSUERS_KEY),
    sealed(msgspec.json.encode(HEADER), msgspec.json.encode(BOUND_CLAIMS), ISSUERS_KEY),
)


def token_text(data: bytes) -> None:
    """Any text as a token: only one that was signed, as it was signed, is believed."""
    text = _text(data)
    if isinstance(_ask(text), Verified):
        must(text in TOKENS, "a token that nobody signed is not believed")
    try:
        jws = read_jws(text)
    except Malformed:
        return
    parts = text.split(".")
    must(jws.signed.decode() == f"{parts[0]}.{parts[1]}", "what is checked is what stands there")
    must(base64url(jws.signature) == parts[2], "a signature has one spelling")


def token_claims(data: bytes) -> None:
    """Any payload, signed by the issuer: believed when a second reading of the rules agrees; altered afterwards, never."""
    token = sealed(msgspec.json.encode(HEADER), data, ISSUERS_KEY)
    verdict = _ask(token)
    if isinstance(verdict, Verified):
        claims = json.loads(data)
        must(_may_be_believed(claims), "claims that break a rule are refused")
        must((verdict.issuer, verdict.subject) == (claims["iss"], claims["sub"]), "who is told is who was signed")
        must(verdict.expires == int(claims["exp"] * SECOND), "the expiry is the token's own")
        must(not verdict.bound, "nobody is bound without a proof")
        head, _, signature = token.rpartition(".")
        must(isinstance(_ask(f"{_flipped(head, data)}.{signature}"), Refusal), "an altered token is refused")
        must(isinstance(_ask(f"{head}.{_flipped(signature, data)}"), Refusal), "an altered signature is refused")


def _flipped(text: str, data: bytes) -> str:
    """`text` with one character made another, at a place that `data` chooses."""
    at = int.from_bytes(hashlib.sha256(data).digest()[:4], "big") % len(text)
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def _may_be_believed(claims: dict[str, Any]) -> bool:
    """A second reading of the rules: at `NOW`, without a proof."""
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    client = {claims.get("azp") or claims.get("client_id"), claims.get("client_id") or claims.get("azp")}
    rules = (
        claims["iss"] == ISSUER,
        AUDIENCE in audience,
        claims["iat"] <= AT + 60,
        claims.get("nbf", 0) <= AT + 60,
        claims["exp"] > AT - 60,
        0 < claims["exp"] - claims["iat"] <= 900,
        bool(claims.get("sid") or claims.get("jti")),
        len(client) == 1 and client not in ({None}, {""}, {"robot"}),
        claims.get("cnf") is None,
        isinstance(claims["sub"], str) and 0 < len(claims["sub"]) <= 255,
    )
    return all(rules)


def token_header(data: bytes) -> None:
    """Any header over good claims: believed only with our key, a permitted algorithm and type, and nothing that misleads."""
    verdict = _ask(sealed(data, msgspec.json.encode(CLAIMS), ISSUERS_KEY))
    if isinstance(verdict, Verified):
        header = json.loads(data)
        must(
            header["alg"] == "EdDSA" and header["kid"] == ISSUERS_KEY.kid,
            "the key is the issuer's, under its algorithm",
        )
        must(header["typ"].lower().removeprefix("application/") in {"at+jwt", "jwt"}, "it is an access token")
        must(header.get("jwk") is None, "a key that comes along is no key")
        must(header.keys().isdisjoint({"b64", "crit", "jku", "x5c", "x5u", "zip"}), "nothing changes what is signed")


PROOF = (
    {"alg": "EdDSA", "typ": "dpop+jwt", "jwk": CLIENTS_KEY.jwk()},
    {"jti": "p1", "htm": "GET", "htu": URL, "iat": AT, "ath": hash_token(TOKENS[1])},
)


def token_proof(data: bytes) -> None:
    """Any header and claims of a proof (a JSON list of the two), signed by the client; or any text, as a proof."""
    try:
        header, claims = json.loads(data)
        proof = sealed(as_json(header), as_json(claims), CLIENTS_KEY)
    except (ValueError, TypeError, RecursionError):
        proof, (header, claims) = _text(data), PROOF
    token = TOKENS[1]
    verdict = _ask(token, proof)
    proofs, request = Proofs(), Bound("GET", URL, hash_token(token), CLIENTS_KEY.kid)
    alone = proofs.check(proof, request, NOW)
    must(
        isinstance(alone, str) is isinstance(verdict, Verified),
        "a bound token is believed with a good proof, and only so",
    )
    if isinstance(alone, str):
        must(proof == sealed(as_json(header), as_json(claims), CLIENTS_KEY), "a proof is one that the client signed")
        must(alone == CLIENTS_KEY.kid, "the proof is by the key that the token is bound to")
        must(
            header.get("alg") in PROOF_ALGORITHMS and "d" not in header["jwk"],
            "a public key, and a permitted algorithm",
        )
        must(claims["htm"] == "GET" and bare_url(claims["htu"]) == URL, "the proof is for this request")
        must(claims["ath"] == hash_token(token), "and for this token")
        must(abs(NOW - claims["iat"] * SECOND) <= WINDOW, "and of now")
        must(isinstance(proofs.check(proof, request, NOW), Refusal), "a proof counts once")
        must(isinstance(_ask(token, _flipped(proof, data)), Refusal), "an altered proof is refused")


def as_json(value: object) -> bytes:
    """JSON, with whatever strings."""
    return json.dumps(value).encode()


def token_keys(data: bytes) -> None:
    """Any key set of an issuer: keys for signatures, each named once, none that holds for garbage."""
    try:
        keys = parse_jwks(data)
    except Malformed:
        return
    must(len({key.kid for key in keys}) == len(keys) and all(key.kid for key in keys), "each key has a name of its own")
    for key in keys:
        must(key.algorithms and key.algorithms <= ALGORITHMS and len(key.thumbprint) == 43, "a key that we take")
        for algorithm in (*ALGORITHMS, "none", "HS256"):
            must(not key.holds(algorithm, b"signed", data[:64]), "garbage is nobody's signature")
    must([key.thumbprint for key in parse_jwks(data)] == [key.thumbprint for key in keys], "read twice, the same")


CONTEXT = sign_context(
    GATEWAY, token=TOKENS[0], address="2001:db8::7", now=NOW, method="GET", url=URL, device="d", request="r"
)


def token_context(data: bytes) -> None:
    """Any claims of a context under the signer's key, and any text: believed as signed and fresh, altered never."""
    verifier = ContextVerifier([GATEWAY])
    if isinstance(verifier.verify(_text(data), NOW), Context):
        must(_text(data) == CONTEXT, "a context that nobody signed is not believed")
    told = f"gateway.{base64url(data)}"
    text = f"{told}.{GATEWAY.tag(told)}"
    verdict = verifier.verify(text, NOW)
    if isinstance(verdict, Refusal):
        return
    must(verdict.at - 30 * SECOND <= NOW <= verdict.at + 30 * SECOND, "a stale context is refused")
    must(len(verdict.token_hash) == 43 and verdict.method.isalpha(), "what it is for is well-formed")
    must(
        str(verdict.address).lower() == str(verdict.address) and "%" not in str(verdict.address),
        "an address without a zone",
    )
    must(isinstance(verifier.verify(text, Millis(NOW + MINUTE + 1)), Refusal), "no context is fresh for ever")
    must(isinstance(verifier.verify(_flipped(text, data), NOW), Refusal), "an altered context is refused")
    must(isinstance(ContextVerifier([]).verify(text, NOW), Refusal), "nor one of a signer who is not known")


def token_url(data: bytes) -> None:
    """Any address that a proof is for: what it is compared as is compared as itself."""
    try:
        bare = bare_url(_text(data))
    except Malformed:
        return
    must(bare_url(bare) == bare, "an address has one bare form")
    must("?" not in bare and "#" not in bare and "@" not in bare.split("/")[2], "without query, fragment and user")


def token_act(data: bytes) -> None:
    """Any body of an officer's act, signed by one: done once, when it is of this store, of now, and in its one spelling."""
    officers = Officers(STORE, OFFICERS, NOW)
    signatures = [("ann", sign_act(OFFICERS_KEY, data))]
    verdict = officers.verify(data, signatures, NOW)
    must(isinstance(officers.verify(data, [("ann", data[:64])], NOW), Refusal), "garbage is no officer's signature")
    must(isinstance(officers.verify(data, [], NOW), Refusal), "nobody's act is not done")
    if isinstance(verdict, Signed):
        must(msgspec.json.encode(json.loads(data), order="sorted") == data, "an act has one spelling")
        must(NOW - LIFETIME <= verdict.at <= NOW, "an act is of now")
        must(verdict.has(frozenset({Role.PRIVACY})) and not verdict.has(frozenset(Role), 2), "one officer is one")
        must(isinstance(officers.verify(data, signatures, NOW), Refusal), "an act is done once")
        moved = Officers("other", OFFICERS, NOW).verify(data, signatures, NOW)
        must(isinstance(moved, Refusal), "an act is of one store")
        altered = _flipped(data.decode(), data).encode()
        must(isinstance(officers.verify(altered, signatures, NOW), Refusal), "an altered act is not done")


_JOSE = (
    "alg",
    "kid",
    "typ",
    "jwk",
    "crit",
    "b64",
    "EdDSA",
    "Ed25519",
    "ES256",
    "none",
    "HS256",
    "at+jwt",
    "kty",
    "crv",
    "use",
    "sig",
)
_CLAIMED = (*CLAIMS, "nbf", "azp", "acr", "cnf", "jkt", "otp", ISSUER, AUDIENCE)

TARGETS = (
    Target("token-text", token_text, limit=9_000),
    Target("token-claims", token_claims, "json", _CLAIMED),
    Target("token-header", token_header, "json", _JOSE),
    Target("token-proof", token_proof, "json", (*_JOSE, "htm", "htu", "ath", "jti", "iat")),
    Target(
        "token-keys", token_keys, "json", (*_JOSE, "keys", "RSA", "EC", "OKP", "P-256", "P-384", "x", "y", "n", "e")
    ),
    Target(
        "token-context", token_context, "json", ("addr", "t", "ath", "htm", "htu", "device", "rid", "::ffff:", "GET")
    ),
    Target(
        "token-url", token_url, words=("http://", "https://", ":443", ":80", "[::1]", "@", "#", "?", "//"), limit=256
    ),
    Target("token-act", token_act, "json", ("op", "args", "store", "nonce", "freeze", STORE)),
)
