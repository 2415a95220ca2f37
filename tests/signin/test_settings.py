import pytest

from strongroom.errors import ConfigError
from strongroom.signin.settings import Settings


@pytest.mark.parametrize(("issuer", "audience"), [("", "aud"), ("https://signin.example", "")])
def test_addresses_are_needed(issuer: str, audience: str) -> None:
    """An issuer without a name, or whose tokens are for nobody, does not start."""
    with pytest.raises(ConfigError):
        Settings(issuer, audience)
