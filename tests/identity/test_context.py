from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.clock import SECOND, Millis
from strongroom.errors import Malformed
from strongroom.identity.context import Context, ContextVerifier, Signer, bare_url, hash_token, sign_context
from strongroom.identity.refusal import Refusal
from strongroom.identity.signing import SigningKey, generate

NOW = Millis(1_767_225_600_000)
GATEWAY, LOCAL, STRANGER = generate(), generate(), generate()
VERIFIER = ContextVerifier([(GATEWAY.public, Signer.GATEWAY), (LOCAL.public, Signer.LOCAL)])


def _sign(key: SigningKey = GATEWAY, **changes: Any) -> str:
    claims = {"token": "t", "address": "203.0.113.7", "now": NOW, "method": "GET", "url": "https://h.example/x?q=1"}
    return sign_context(key, **{**claims, "device": "d1", "request": "r1", **changes})


@pytest.mark.parametrize(("key", "signer"), [(GATEWAY, Signer.GATEWAY), (LOCAL, Signer.LOCAL)])
def test_round_trip(key: SigningKey, signer: Signer) -> None:
    """What a pinned signer says arrives, and who said it."""
    context = VERIFIER.verify(_sign(key), NOW)
    assert isinstance(context, Context)
    assert (str(context.address), context.device, context.request) == ("203.0.113.7", "d1", "r1")
    assert (context.method, context.url, context.at) == ("GET", "https://h.example/x", NOW)
    assert (context.token_hash, context.signer) == (hash_token("t"), signer)


def test_a_stranger_signs_nothing() -> None:
    """A context under a key that is not pinned is refused, also when it names one that is."""
    text = _sign(STRANGER)
    assert isinstance(VERIFIER.verify(text, NOW), Refusal)
    head, body, signature = _sign().split(".")
    assert isinstance(VERIFIER.verify(f"{head}.{body}.{text.split('.')[2]}", NOW), Refusal)
    assert isinstance(VERIFIER.verify(f"{head}.{text.split('.')[1]}x.{signature}", NOW), Refusal)


def test_an_access_token_is_no_context() -> None:
    """Something else that a pinned key signed is not a context."""
    claims = {"addr": "203.0.113.7", "t": NOW, "ath": "A" * 43, "htm": "GET", "htu": "https://h.example/"}
    assert isinstance(VERIFIER.verify(GATEWAY.sign_compact("at+jwt", claims), NOW), Refusal)


@pytest.mark.parametrize("by", [-30, 30])
def test_fresh(by: int) -> None:
    """A context holds for 30 s either way, and not for a millisecond more."""
    edge = Millis(NOW + by * SECOND)
    beyond = Millis(edge + (1 if by > 0 else -1))
    assert isinstance(VERIFIER.verify(_sign(), edge), Context)
    assert isinstance(VERIFIER.verify(_sign(), beyond), Refusal)


@pytest.mark.parametrize(
    "changes",
    [{"address": "localhost"}, {"address": "fe80::1%eth0"}, {"method": "get"}, {"url": "/x"}, {"device": "d" * 129}],
)
def test_malformed_claims(changes: dict[str, Any]) -> None:
    """Even a pinned signer says only well-formed things."""
    assert isinstance(VERIFIER.verify(_sign(**changes), NOW), Refusal)


def test_nothing_is_made_up() -> None:
    """A context cannot be constructed outside the verifier."""
    context = VERIFIER.verify(_sign(), NOW)
    assert isinstance(context, Context)
    with pytest.raises(TypeError):
        Context(context.address, "", NOW, "", "GET", "", "", Signer.GATEWAY, "", object())


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://H.Example:443/a/B?q=1#f", "https://h.example/a/B"),
        ("HTTP://h.example:80", "http://h.example/"),
        ("http://h.example:8441/fhir", "http://h.example:8441/fhir"),
        ("http://[2001:db8::1]:8441/x", "http://[2001:db8::1]:8441/x"),
    ],
)
def test_bare_url(url: str, bare: str) -> None:
    """Two spellings of an address compare equal, query and fragment aside."""
    assert bare_url(url) == bare == bare_url(bare)


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://h/x", "https://", "https://u@h/x", "https://h:99999/", "https://[::1/", "https://h/\n"]
)
def test_no_address(url: str) -> None:
    """What is no absolute web address is refused."""
    with pytest.raises(Malformed):
        bare_url(url)


@given(st.text(max_size=200))
def test_garbage_is_refused(text: str) -> None:
    """Any garbage is refused, and raises nothing."""
    assert isinstance(VERIFIER.verify(text, NOW), Refusal)
