"""Putting the built-in issuer together."""

from starlette.applications import Starlette

from strongroom.clock import SystemClock
from strongroom.config import Config, Layout
from strongroom.identity import keyfile
from strongroom.identity.signing import SigningKey
from strongroom.secret import Secret
from strongroom.signin.enrol import Enrolment
from strongroom.signin.grants import Grants
from strongroom.signin.http import create_app
from strongroom.signin.password import Passwords
from strongroom.signin.settings import Settings
from strongroom.signin.sqlite import People
from strongroom.signin.totp import Sealer


def signin_settings(config: Config) -> Settings:
    """Addresses of the built-in issuer."""
    return Settings(config.issuer_url, config.base)


def signing_key(config: Config, layout: Layout) -> SigningKey:
    """The issuer's key. Raises ConfigError."""
    return keyfile.read(layout.signin / "signing.key", owner=config.users.signin)


def open_signin(config: Config, layout: Layout) -> Starlette:
    """The issuer's web application. Raises ConfigError."""
    key = signing_key(config, layout)
    grants = Grants(
        signin_settings(config),
        key,
        People(layout.signin / "signin.db"),
        SystemClock(),
        sealer=_sealer(layout),
        passwords=Passwords(),
    )
    return create_app(grants, key)


def open_enrolment(layout: Layout, passwords: Passwords | None = None) -> Enrolment:
    """For making users from the command line."""
    return Enrolment(People(layout.signin / "signin.db"), passwords or Passwords(), _sealer(layout))


def _sealer(layout: Layout) -> Sealer:
    return Sealer(Secret(keyfile.read_private(layout.signin / "totp.key")))
