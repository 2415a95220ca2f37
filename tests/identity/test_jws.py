import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed
from strongroom.identity.jws import MAX_COMPACT, read_jws
from strongroom.identity.signing import generate
from strongroom.identity.strict import base64url

KEY = generate()


@given(st.dictionaries(st.text(max_size=10), st.integers() | st.text(max_size=30), max_size=5))
def test_round_trip(claims: dict[str, object]) -> None:
    """What is signed is read back, and is by that key and by no other."""
    jws = read_jws(KEY.sign_compact("at+jwt", claims))
    assert jws.claims == claims
    assert jws.is_by(KEY.public)
    assert not jws.is_by(generate().public)


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "APPLICATION/AT+JWT"])
def test_media_type(typ: str) -> None:
    """The type is compared without regard to case and prefix (RFC 7515, section 4.1.9)."""
    assert read_jws(KEY.sign_compact(typ, {})).header.media_type == "at+jwt"


def _parts(*parts: bytes) -> str:
    return ".".join(base64url(part) for part in parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        _parts(b'{"alg":"EdDSA"}', b"{}"),
        _parts(b'{"alg":"EdDSA"}', b"{}", b"s", b"t"),
        _parts(b'{"alg":"EdDSA"}', b"[]", b"s"),
        _parts(b'{"alg":7}', b"{}", b"s"),
        _parts(b"{}", b"{}", b"s"),
        _parts(b'{"alg":"EdDSA","alg":"none"}', b"{}", b"s"),
        _parts(b'{"alg":"EdDSA"}', '{"a":1}'.encode("utf-16"), b"s"),
        _parts(b'{"alg":"EdDSA"}', b'{"a":NaN}', b"s"),
        _parts(b'{"alg":"EdDSA"}', b'{"a":' + b"9" * 5_000 + b"}", b"s"),
        "é.e30.AA",
        "x" * (MAX_COMPACT + 1),
        _parts(b'{"alg":"EdDSA"}', b"{}", b"s" * MAX_COMPACT),
    ],
)
def test_malformed(text: str) -> None:
    """What is not exactly three well-formed parts is refused."""
    with pytest.raises(Malformed):
        read_jws(text)


def test_a_key_is_brought_where_it_is_wanted() -> None:
    """A `jwk` in the header is refused where none is wanted, and missed where one is."""
    text = _parts(json.dumps({"alg": "EdDSA", "jwk": KEY.jwk()}).encode(), b"{}", b"s")
    assert read_jws(text, brings_key=True).header.jwk == KEY.jwk()
    with pytest.raises(Malformed):
        read_jws(text)
    with pytest.raises(Malformed):
        read_jws(KEY.sign_compact("dpop+jwt", {}), brings_key=True)


@given(st.text(alphabet="eyJhbGciOi.AB_-=\n{}", max_size=100))
def test_garbage_is_malformed(text: str) -> None:
    """Garbage raises Malformed, and never anything else."""
    with pytest.raises(Malformed):
        read_jws(text)
