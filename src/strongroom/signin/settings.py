"""What the built-in issuer needs to know. Constructed by the wiring from the configuration."""

from dataclasses import dataclass

from strongroom.clock import HOUR, MINUTE
from strongroom.errors import ConfigError

MAX_TOKEN_LIFETIME = 10 * MINUTE
"""The keeper believes 15 minutes at most; a clock may be off by some."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses without trailing slash; times in milliseconds."""

    issuer: str
    audience: str
    """The FHIR base address, for which tokens are good."""
    public_clients: frozenset[str] = frozenset({"cli", "portal"})
    """Programs that people sign in with; they hold no secret."""
    lifetime: int = MAX_TOKEN_LIFETIME
    session: int = 12 * HOUR
    """From signing in until stepping up no longer prolongs it: a working day."""

    def __post_init__(self) -> None:
        """Raises ConfigError for tokens that nobody would take, or that live too long."""
        if not self.issuer or not self.audience or not MINUTE <= self.lifetime <= MAX_TOKEN_LIFETIME:
            msg = "Sign-in needs an issuer, an audience and a token lifetime of 1 to 10 minutes."
            raise ConfigError(msg)
