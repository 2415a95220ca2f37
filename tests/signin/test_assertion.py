from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from strongroom.clock import SECOND
from strongroom.signin.assertion import verify_assertion

AT = 1_767_225_600
AUDIENCES = frozenset({"https://signin.example", "https://signin.example/token"})


def _verify(desk: Any, text: str) -> str | None:
    program = verify_assertion(text, AUDIENCES, desk.people, desk.clock.now())
    return None if program is None else program.subject


@pytest.mark.parametrize("aud", ["https://signin.example", ["x", "https://signin.example/token"]])
def test_a_good_statement(desk: Any, aud: object) -> None:
    """The issuer and its token address are both audiences (RFC 7523, section 3)."""
    assert _verify(desk, desk.assertion(aud=aud)) == desk.robot


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"sub": "other"},
        {"iss": "other", "sub": "other"},
        {"aud": "https://evil.example"},
        {"aud": []},
        {"exp": AT - 61},
        {"exp": AT + 361},
        {"exp": None},
        {"jti": None},
        {"jti": "\ud800"},
    ],
)
def test_statements_not_taken(desk: Any, changes: dict[str, Any]) -> None:
    """Somebody else's, for somebody else, too old, too long, or without a name of its own: refused."""
    assert _verify(desk, desk.assertion(**changes)) is None


@pytest.mark.parametrize("header", [{"kid": "c2"}, {"kid": ""}, {"typ": "at+jwt"}, {"jku": "https://evil.example"}])
def test_headers_not_taken(desk: Any, header: dict[str, Any]) -> None:
    """The key is one of the program's, and named."""
    assert _verify(desk, desk.assertion(header=header)) is None


def test_a_stranger(desk: Any) -> None:
    """A statement under another key is refused, and does not use up the name of the good one."""
    stranger = ECKey.generate_key("P-384", {"kid": "c1"})
    assert _verify(desk, desk.assertion(key=stranger, jti="n1")) is None
    assert _verify(desk, desk.assertion(jti="n1")) == desk.robot
    assert _verify(desk, desk.assertion(jti="n1")) is None


def test_remembered_for_as_long_as_it_is_good(desk: Any) -> None:
    """A statement dated as far ahead as allowed is refused the second time until it is too old by itself."""
    text = desk.assertion(exp=AT + 300)
    assert _verify(desk, text) == desk.robot
    for _ in range(8):
        desk.clock.advance(60 * SECOND)
        assert _verify(desk, text) is None


@given(st.text(max_size=200))
def test_garbage(desk: Any, text: str) -> None:
    """Any garbage is nobody's statement, and raises nothing."""
    assert _verify(desk, text) is None
