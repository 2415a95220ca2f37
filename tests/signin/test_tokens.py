import pytest

from strongroom.clock import Millis
from strongroom.errors import ConfigError, UsageError
from strongroom.identity.jws import read_jws
from strongroom.identity.signing import generate
from strongroom.signin.settings import Settings
from strongroom.signin.tokens import Session, issue, mint

NOW = Millis(1_767_225_600_999)
KEY = generate()
SETTINGS = Settings("https://signin.example", "https://store.example/fhir", lifetime=60_000)


def test_what_a_token_says() -> None:
    """Whole seconds, the configured lifetime, and only what holds for the session."""
    jws = read_jws(issue(KEY, SETTINGS, Session("u", "robot"), NOW))
    assert jws.is_by(KEY.public)
    assert jws.header.media_type == "at+jwt"
    claims = {name: value for name, value in jws.claims.items() if name != "jti"}
    assert claims == {
        "iss": "https://signin.example", "aud": "https://store.example/fhir", "sub": "u", "client_id": "robot",
        "iat": 1_767_225_600, "exp": 1_767_225_660,
    }  # fmt: skip


def test_minting_is_for_demonstration() -> None:
    """A token without signing in is made in demonstration stores, and refused in all others."""
    claims = read_jws(mint(KEY, SETTINGS, "u", NOW, demonstration=True)).claims
    assert (claims["sub"], claims["client_id"], claims["auth_time"]) == ("u", "cli", 1_767_225_600)
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    with pytest.raises(UsageError):
        mint(KEY, SETTINGS, "u", NOW, demonstration=False)


@pytest.mark.parametrize("lifetime", [0, 59_999, 600_001])
def test_lifetimes_not_taken(lifetime: int) -> None:
    """Tokens live between one and ten minutes."""
    with pytest.raises(ConfigError):
        Settings("https://signin.example", "aud", lifetime=lifetime)
