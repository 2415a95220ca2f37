"""Settings that no client could use are refused at start."""

import pytest

from strongroom.api.settings import Settings
from strongroom.errors import ConfigError
from strongroom.secret import Secret

KEY = Secret(b"k" * 32)


@pytest.mark.parametrize("base", ["", "/fhir", "http://x/fhir/", "http://x", "ftp://x/fhir", "http://x/fhir?a=/fhir"])
def test_addresses(base: str) -> None:
    """Absolute, and ending in /fhir."""
    with pytest.raises(ConfigError):
        Settings(base=base, page_key=KEY)


def test_keys_and_sums() -> None:
    """A short key is refused; the origin is the address without its path."""
    with pytest.raises(ConfigError):
        Settings(base="http://x/fhir", page_key=Secret(b"k" * 31))
    settings = Settings(base="https://portal.example:8441/fhir", page_key=KEY)
    assert settings.origin == "https://portal.example:8441"
    assert settings.max_json > settings.max_inline * 4 // 3


@pytest.mark.parametrize(
    "types", [(), ("text/html",), ("image/svg+xml", "text/plain"), ("pdf",), ("Text/plain",), ("a/b; c=d",)]
)
def test_media_types(types: tuple[str, ...]) -> None:
    """Some, each a bare one, and none that a browser would run, whoever asks for it."""
    with pytest.raises(ConfigError):
        Settings(base="http://x/fhir", page_key=KEY, media_types=frozenset(types))
