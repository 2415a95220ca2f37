import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.clock import SECOND, Millis
from strongroom.envelope.small import new_key
from strongroom.errors import Malformed
from strongroom.identity.context import Context, ContextKey, ContextVerifier, Signer, bare_url, hash_token, sign_context
from strongroom.identity.refusal import Refusal
from strongroom.identity.strict import base64url
from strongroom.secret import Secret

NOW = Millis(1_767_225_600_000)
GATEWAY, STRANGER = (ContextKey(new_key(), Signer.GATEWAY) for _ in range(2))
LOCAL = ContextKey(new_key(), Signer.LOCAL)
VERIFIER = ContextVerifier([GATEWAY, LOCAL])


def _sign(key: ContextKey = GATEWAY, **changes: Any) -> str:
    claims = {"token": "t", "address": "203.0.113.7", "now": NOW, "method": "GET", "url": "https://h.example/x?q=1"}
    return sign_context(key, **{**claims, "device": "d1", "request": "r1", **changes})


@pytest.mark.parametrize(("key", "signer"), [(GATEWAY, Signer.GATEWAY), (LOCAL, Signer.LOCAL)])
def test_round_trip(key: ContextKey, signer: Signer) -> None:
    """What a pinned signer says arrives, and who said it."""
    context = VERIFIER.verify(_sign(key), NOW)
    assert isinstance(context, Context)
    assert (str(context.address), context.device, context.request) == ("203.0.113.7", "d1", "r1")
    assert (context.method, context.url, context.at) == ("GET", "https://h.example/x?q=1", NOW)
    assert (context.token_hash, context.signer) == (hash_token("t"), signer)


def test_a_stranger_signs_nothing() -> None:
    """A context under another key is refused, also when it names a signer that is known, or borrows its parts."""
    name, claims, tag = _sign().split(".")
    other = _sign(STRANGER, address="192.0.2.1").split(".")
    for text in (".".join(other), f"{name}.{claims}.{other[2]}", f"{name}.{other[1]}.{tag}", f"local.{claims}.{tag}"):
        assert isinstance(VERIFIER.verify(text, NOW), Refusal)


def test_a_signer_without_a_key_is_nobody() -> None:
    """Where only the gateway signs, the local signer's word is refused."""
    assert isinstance(ContextVerifier([GATEWAY]).verify(_sign(LOCAL), NOW), Refusal)


@given(st.integers(0, 10_000), st.sampled_from(list("Aa0._-=\n\x00é")))
def test_any_single_change_is_refused(at: int, by: str) -> None:
    """A good context in which one character was changed is refused."""
    text = _sign()
    position = at % len(text)
    if text[position] != by:
        assert isinstance(VERIFIER.verify(text[:position] + by + text[position + 1 :], NOW), Refusal)


@pytest.mark.parametrize("claims", [b"", b"{}", b"[", b"[]", b'{"addr": 1}', b"\xff", b"{" * 500])
def test_a_signer_is_read_strictly(claims: bytes) -> None:
    """Even under the right key, what is no well-formed context is refused, and raises nothing."""
    told = f"gateway.{base64url(claims)}"
    assert isinstance(VERIFIER.verify(f"{told}.{GATEWAY.tag(told)}", NOW), Refusal)


def test_a_key_has_one_length_and_does_not_print() -> None:
    """32 bytes; nothing of them is shown or pickled."""
    with pytest.raises(ValueError, match="32 bytes"):
        ContextKey(Secret(b"short"), Signer.LOCAL)
    assert repr(LOCAL) == "ContextKey(local)"
    with pytest.raises(TypeError):
        pickle.dumps(LOCAL)


@pytest.mark.parametrize("by", [-30, 30])
def test_fresh(by: int) -> None:
    """A context holds for 30 s either way, and not for a millisecond more."""
    edge = Millis(NOW + by * SECOND)
    beyond = Millis(edge + (1 if by > 0 else -1))
    assert isinstance(VERIFIER.verify(_sign(), edge), Context)
    assert isinstance(VERIFIER.verify(_sign(), beyond), Refusal)


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "localhost"},
        {"address": "fe80::1%eth0"},
        {"method": "get"},
        {"url": "x" * 2_049},
        {"device": "d" * 129},
    ],
)
def test_malformed_claims(changes: dict[str, Any]) -> None:
    """Even a pinned signer says only well-formed things."""
    assert isinstance(VERIFIER.verify(_sign(**changes), NOW), Refusal)


def test_nothing_is_made_up() -> None:
    """A context cannot be constructed outside the verifier."""
    context = VERIFIER.verify(_sign(), NOW)
    assert isinstance(context, Context)
    with pytest.raises(TypeError):
        Context(context.address, Signer.GATEWAY, context.signed, context.claims, object())


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
