import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey

from strongroom.clock import MINUTE, SECOND, Millis
from strongroom.identity.jwk import PublicKey
from strongroom.identity.jws import Jws
from strongroom.identity.refusal import Refusal
from strongroom.identity.strict import base64url
from strongroom.identity.token import Verified, session_id
from strongroom.ids import SessionId

AT = 1_767_225_600
NOW = Millis(AT * SECOND)


def test_a_good_token_tells_who_asks(world: Any) -> None:
    """All that the keeper needs is read from the user's own token."""
    who = world.ask(world.token())
    assert isinstance(who, Verified)
    assert (who.issuer, who.subject, who.client) == ("https://op.example", "u1", "portal")
    assert who.session == session_id("https://op.example", "sid", "s1")
    assert (who.mfa, who.fresh, who.bound) == (True, True, False)
    assert (who.expires, who.auth_time) == (NOW + 10 * MINUTE, NOW)


@pytest.mark.parametrize("kind", ["typ", "media"])
def test_both_spellings_of_the_type(world: Any, kind: str) -> None:
    """`JWT`, and the long form of `at+jwt`, are tokens too."""
    typ = {"typ": "JWT", "media": "application/at+JWT"}[kind]
    assert isinstance(world.ask(world.token(header={"typ": typ})), Verified)


_BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "wrong audience": {"aud": "https://other.example"},
    "no audience": {"aud": None},
    "empty audience": {"aud": []},
    "audience that only begins like ours": {"aud": "https://store.example/fhir/"},
    "audience of another type": {"aud": {"https://store.example/fhir": 1}},
    "wrong issuer": {"iss": "https://evil.example"},
    "issuer with a slash more": {"iss": "https://op.example/"},
    "issuer in capitals": {"iss": "https://OP.example"},
    "no issuer": {"iss": None},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "subject that is no text": {"sub": 7},
    "subject with a line break": {"sub": "u1\nu2"},
    "subject with half a character": {"sub": "\ud800"},
    "no session at all": {"sid": None, "jti": None},
    "no client": {"client_id": None},
    "two clients": {"azp": "other"},
    "not valid yet": {"nbf": AT + 61},
    "issued in the future": {"iat": AT + 61},
    "no issue time": {"iat": None},
    "no expiry": {"exp": None},
    "expiry as text": {"exp": str(AT + 60)},
    "expiry true": {"exp": True},
    "expiry of 400 digits": {"exp": 10**400},
    "expiry beyond counting": {"exp": 2.0**40},
    "lives 16 minutes": {"exp": AT + 16 * 60},
    "expires before it was issued": {"iat": AT, "exp": AT - 1},
    "bound in a way we cannot check": {"cnf": {"x5t#S256": "A" * 43}},
    "bound to nothing": {"cnf": {}},
    "a client that must bind": {"client_id": "robot"},
    "seventeen audiences": {"aud": ["https://store.example/fhir"] * 17},
}


@pytest.mark.parametrize("changes", _BAD_CLAIMS.values(), ids=_BAD_CLAIMS.keys())
def test_hostile_claims(world: Any, changes: dict[str, Any]) -> None:
    """A well-signed token with a wrong claim is refused."""
    outcome = world.ask(world.token(**changes))
    assert isinstance(outcome, Refusal)
    assert outcome.why == "login"


_BAD_HEADERS: dict[str, dict[str, Any]] = {
    "unknown kid": {"kid": "k2"},
    "kid as a path": {"kid": "../../../dev/null"},
    "kid as SQL": {"kid": "k1' OR '1'='1"},
    "kid that is a list": {"kid": ["k1"]},
    "kid too long": {"kid": "k" * 257},
    "no kid": {"kid": ""},
    "a key of its own": {"jwk": {"kty": "EC"}},
    "an address of keys": {"jku": "https://evil.example/jwks"},
    "a certificate": {"x5c": ["MIIB"]},
    "an address of certificates": {"x5u": "https://evil.example"},
    "critical extension": {"crit": ["exp"]},
    "unencoded payload": {"b64": False, "crit": ["b64"]},
    "type of a proof": {"typ": "dpop+jwt"},
    "type of a context": {"typ": "strongroom-context+jwt"},
    "no type": {"typ": ""},
    "type null": {"typ": None},
}


@pytest.mark.parametrize("header", _BAD_HEADERS.values(), ids=_BAD_HEADERS.keys())
def test_hostile_headers(world: Any, header: dict[str, Any]) -> None:
    """A header cannot choose the key, bring one, or change what is signed."""
    assert isinstance(world.ask(world.token(header=header)), Refusal)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
def test_unsigned(world: Any, alg: str) -> None:
    """`alg: none` in every spelling, with and without the good token's signature, is refused."""
    head, body, signature = world.token().split(".")
    unsigned = base64url(json.dumps({"alg": alg, "kid": "k1", "typ": "at+jwt"}).encode())
    assert isinstance(world.ask(f"{unsigned}.{body}."), Refusal)
    assert isinstance(world.ask(f"{unsigned}.{body}.{signature}"), Refusal)
    assert isinstance(world.ask(f"{head}.{body}."), Refusal)


def test_public_key_as_hmac_secret(world: Any) -> None:
    """HS256 with the public key's bytes, as PEM, DER or JSON, is refused."""
    public = json.dumps(world.key.as_dict(private=False)).encode()
    for secret in (world.key.as_pem(private=False), world.key.as_der(private=False), public):
        assert isinstance(world.ask(world.token(key=secret, header={"alg": "HS256"})), Refusal)


@pytest.mark.parametrize("alg", ["RS256", "EdDSA"])
def test_algorithm_of_another_kind_of_key(world: Any, alg: str) -> None:
    """An allowed algorithm that does not fit the named key is refused, whoever signed."""
    mallory = RSAKey.generate_key(2048) if alg == "RS256" else OKPKey.generate_key("Ed25519")
    assert isinstance(world.ask(world.token(key=mallory, header={"alg": alg})), Refusal)


def test_algorithm_not_on_the_issuers_list(world: Any) -> None:
    """A key of the issuer, used with an algorithm that its pin does not name, is refused."""
    key = ECKey.generate_key("P-384", {"kid": "k3"})
    world.offer(world.key, key)
    assert isinstance(world.ask(world.token(key=key, header={"alg": "ES384", "kid": "k3"})), Refusal)


def test_signed_by_somebody_else(world: Any) -> None:
    """A token that a stranger signed in the issuer's name is refused."""
    assert isinstance(world.ask(world.token(key=ECKey.generate_key("P-256", {"kid": "k1"}))), Refusal)


def test_duplicate_claims(world: Any) -> None:
    """A member that appears twice, which parsers read differently, is refused."""
    head = {"alg": "ES256", "kid": "k1", "typ": "at+jwt"}
    good = json.dumps(world.claims())
    twice = good[:-1] + ', "sub": "admin"}'
    for payload, believed in ((good, True), (twice, False)):
        assert isinstance(world.ask(world.seal(head, payload.encode())), Verified) is believed


def test_oversize_and_deep(world: Any) -> None:
    """What is longer than 8,192 characters, or nested deeply, is refused before it costs anything."""
    assert isinstance(world.ask(world.token(padding="x" * 8_192)), Refusal)
    assert isinstance(world.ask(world.token(deep=json.loads("[" * 400 + "]" * 400))), Refusal)


@pytest.mark.parametrize("tail", [".", ".e30", " ", "\n", "="])
def test_tails(world: Any, tail: str) -> None:
    """A good token with anything after it is another token, and refused."""
    assert isinstance(world.ask(world.token() + tail), Refusal)


def test_second_spelling_of_the_signature(world: Any) -> None:
    """Stray bits in the last base64 character do not make a second token of one."""
    token = world.token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(token[-1]) ^ 1]  # 64 bytes: the lowest four bits of the last character say nothing
    assert isinstance(world.ask(token[:-1] + other), Refusal)


def test_expiry_to_the_second(world: Any) -> None:
    """A token is good until 60 s after its expiry, for clocks that differ, and then says `expired`."""
    token = world.token()
    assert isinstance(world.ask(token, now=Millis(NOW + 11 * MINUTE - 1)), Verified)
    outcome = world.ask(token, now=Millis(NOW + 11 * MINUTE))
    assert isinstance(outcome, Refusal)
    assert outcome.why == "expired"


@pytest.mark.parametrize("changes", [{"nbf": AT + 60}, {"iat": AT + 60, "exp": AT + 660}, {"exp": AT + 900}])
def test_within_the_skew(world: Any, changes: dict[str, Any]) -> None:
    """Clocks may differ by 60 s, and a token may live 15 minutes."""
    assert isinstance(world.ask(world.token(**changes)), Verified)


_FACTORS: list[tuple[dict[str, Any], bool, bool]] = [
    ({"amr": None}, False, False),
    ({"amr": []}, False, False),
    ({"amr": ["pwd"]}, False, False),
    ({"amr": ["pwd", "mfa"]}, True, True),
    ({"amr": ["hwk"]}, True, True),
    ({"amr": None, "acr": "urn:loa:3"}, True, True),
    ({"amr": None, "acr": "urn:loa:2"}, False, False),
    ({"auth_time": None}, True, False),
    ({"auth_time": AT - 300}, True, True),
    ({"auth_time": AT - 301}, True, False),
    ({"auth_time": AT + 61}, True, False),
    ({"amr": ["pwd"], "auth_time": AT}, False, False),
]


@pytest.mark.parametrize(("changes", "mfa", "fresh"), _FACTORS)
def test_second_factor(world: Any, changes: dict[str, Any], mfa: bool, fresh: bool) -> None:
    """A second factor is one when the issuer's rule says so, and fresh for five minutes only."""
    who = world.ask(world.token(**changes))
    assert isinstance(who, Verified)
    assert (who.mfa, who.fresh) == (mfa, fresh)


def test_revoked_session(world: Any) -> None:
    """A revoked session's tokens are refused at once, those already believed included; other sessions' are not."""
    token = world.token()
    who = world.ask(token)
    world.revoked.revoke(who.session, NOW)
    assert isinstance(world.ask(token), Refusal)
    assert isinstance(world.ask(world.token(exp=AT + 300)), Refusal)
    assert isinstance(world.ask(world.token(sid="s2")), Verified)


def test_session_falls_back_to_the_token(world: Any) -> None:
    """Without a `sid` every token is a session of its own, and never the one that a `sid` of that text names."""
    alone = world.ask(world.token(sid=None, jti="s1"))
    assert isinstance(alone, Verified)
    assert alone.session == session_id("https://op.example", "jti", "s1")
    assert alone.session != world.ask(world.token(sid="s1")).session


def test_context_of_another_token(world: Any) -> None:
    """Circumstances that were signed for one token say nothing about another."""
    mine, yours = world.token(), world.token(sub="u2", sid="s2")
    assert isinstance(world.verifier.verify(yours, "", world.context(mine), NOW), Refusal)


def test_bound_token_needs_its_key(world: Any) -> None:
    """A token bound to a key is refused without a proof, with a stranger's proof, and believed with its own."""
    token = world.token(client_id="robot", **world.bound)
    stranger = ECKey.generate_key("P-256")
    assert isinstance(world.ask(token), Refusal)
    assert isinstance(world.ask(token, world.proof(token, key=stranger)), Refusal)
    who = world.ask(token, world.proof(token))
    assert isinstance(who, Verified)
    assert who.bound


def test_bound_in_two_ways(world: Any) -> None:
    """A token that is also bound in a way we cannot check is refused, the good proof notwithstanding."""
    token = world.token(cnf={**world.bound["cnf"], "x5t#S256": "A" * 43})
    assert isinstance(world.ask(token, world.proof(token)), Refusal)


def test_proof_for_another_token(world: Any) -> None:
    """A proof made for one token is none for another that is bound to the same key."""
    token, other = world.token(**world.bound), world.token(sid="s2", **world.bound)
    assert isinstance(world.ask(token, world.proof(other)), Refusal)


@pytest.mark.parametrize("request_", [{"method": "PUT"}, {"url": "https://store.example/fhir/Binary/y"}])
def test_proof_for_another_request(world: Any, request_: dict[str, str]) -> None:
    """A proof for one method and address is none for another."""
    token = world.token(**world.bound)
    assert isinstance(world.ask(token, world.proof(token), **request_), Refusal)


def test_proof_replayed(world: Any) -> None:
    """A proof counts for one request: the app may show it again for that very one, and for no other."""
    token = world.token(**world.bound)
    proof, context = world.proof(token), world.context(token)
    for _ in range(3):
        assert isinstance(world.verifier.verify(token, proof, context, NOW), Verified)
        assert isinstance(world.ask(token, proof), Refusal)


def test_unknown_key_is_wanted_and_then_believed(world: Any) -> None:
    """An unknown key id asks for the issuer's keys; when they came, the same token is believed."""
    later = Millis(NOW + MINUTE)
    new = ECKey.generate_key("P-256", {"kid": "k2"})
    token = world.token(key=new, header={"kid": "k2"})
    assert not world.issuer.wanted(later)
    assert isinstance(world.ask(token, now=later), Refusal)
    assert world.issuer.wanted(later)
    world.offer(world.key, new, now=later)
    assert isinstance(world.ask(token, now=later), Verified)


def test_dropped_key_ends_what_was_remembered(world: Any) -> None:
    """A token that was believed a moment ago is not, once its key was dropped."""
    token = world.token()
    assert isinstance(world.ask(token), Verified)
    world.issuer.drop("k1")
    assert isinstance(world.ask(token), Refusal)


def test_signatures_are_remembered_not_identities(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The arithmetic is done once for a token, and once again for one that differs in a single character."""
    checked: list[bytes] = []
    real = Jws.is_by

    def watched(jws: Jws, key: PublicKey) -> bool:
        checked.append(jws.signature)
        return real(jws, key)

    monkeypatch.setattr(Jws, "is_by", watched)
    token = world.token()
    context = world.context(token)
    checked.clear()
    world.verifier.verify(token, "", context, NOW)
    world.verifier.verify(token, "", context, NOW)
    assert len(checked) == 1
    forged = token[:-8] + "AAAAAAAA"
    assert isinstance(world.ask(forged), Refusal)
    assert isinstance(world.ask(forged), Refusal)
    assert isinstance(world.ask(token), Verified)


def test_what_is_remembered_is_bounded(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tokens do not make the memory grow, and each is still judged as itself."""
    monkeypatch.setattr("strongroom.identity.token.MEMO", 2)
    tokens = [world.token(sub=f"u{number}") for number in range(5)]
    for token in tokens * 2:
        assert isinstance(world.ask(token), Verified)
    assert len(world.verifier._held) == 2


def test_nobody_is_made_up() -> None:
    """An identity cannot be constructed outside the verifier."""
    with pytest.raises(TypeError):
        Verified("i", "s", SessionId("x"), "c", True, True, True, NOW, None, object())


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_names = st.sampled_from(
    ["iss", "aud", "sub", "sid", "jti", "exp", "iat", "nbf", "amr", "acr", "cnf", "azp", "auth_time"]
)


@given(changes=st.dictionaries(_names, _json, max_size=3))
def test_any_claims_are_answered(world: Any, changes: dict[str, Any]) -> None:
    """Whatever a well-signed token says, the answer is a value, never an exception."""
    assert isinstance(world.ask(world.token(**changes)), Verified | Refusal)


@given(header=st.dictionaries(st.sampled_from(["typ", "kid", "jwk", "crit", "cty"]), _json, max_size=3))
def test_any_header_is_answered(world: Any, header: dict[str, Any]) -> None:
    """Whatever the header says, the answer is a value, never an exception."""
    assert isinstance(world.ask(world.token(header=header)), Verified | Refusal)


@given(token=st.text(max_size=300), proof=st.text(max_size=300))
def test_garbage_is_refused(world: Any, token: str, proof: str) -> None:
    """Any garbage is refused, and raises nothing."""
    assert isinstance(world.ask(token, proof), Refusal)
    assert isinstance(world.ask(world.token(**world.bound), proof), Refusal)


@given(at=st.integers(0, 10_000), by=st.sampled_from(list("Aa0._-=\n\x00é")))
def test_any_single_change_is_refused(world: Any, at: int, by: str) -> None:
    """A good token in which one character was changed is refused."""
    token = world.token()
    position = at % len(token)
    if token[position] != by:
        assert isinstance(world.ask(token[:position] + by + token[position + 1 :]), Refusal)
