"""Making users and programs. Used by the command line; the web application cannot."""

import re
from dataclasses import dataclass

from strongroom.clock import Millis
from strongroom.errors import UsageError
from strongroom.identity.jwk import parse_jwks
from strongroom.ids import new_id
from strongroom.secret import Secret
from strongroom.signin.password import Passwords
from strongroom.signin.sqlite import People, Program, User
from strongroom.signin.totp import Sealer, new_secret

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,127}")
_CLIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def normal_login(login: str) -> str:
    """`login` as it is kept and compared: lower case, no space around it."""
    return login.strip().lower()


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A new user, and the second factor's secret, to be shown once (`totp.provisioning_uri`)."""

    subject: str
    totp: Secret


class Enrolment:
    """Makes and changes users."""

    def __init__(self, people: People, passwords: Passwords, sealer: Sealer) -> None:
        self._people = people
        self._passwords = passwords
        self._sealer = sealer

    def add_user(self, login: str, password: str, *, subject: str = "", totp: Secret | None = None) -> Enrolled:
        """A new user. Raises UsageError for a bad name or password, Conflict when it is taken, Unavailable."""
        name = normal_login(login)
        if _LOGIN.fullmatch(name) is None:
            msg = "A login name has letters, digits and . _ @ + - only, 128 at most."
            raise UsageError(msg)
        enrolled = Enrolled(subject or new_id(), totp or new_secret())
        kept = self._passwords.hash(password, name)
        sealed = self._sealer.seal(enrolled.subject, enrolled.totp)
        self._people.add_user(User(enrolled.subject, name, kept, sealed))
        return enrolled

    def set_password(self, login: str, password: str, now: Millis) -> None:
        """A new password; sessions end. Raises UsageError, Unavailable."""
        user = self._known(login)
        self._people.set_password(user.subject, self._passwords.hash(password, user.login), now)

    def renew_totp(self, login: str) -> Secret:
        """A new second factor; the old one is good for nothing from now on. Raises UsageError, Unavailable."""
        user = self._known(login)
        secret = new_secret()
        self._people.set_totp(user.subject, self._sealer.seal(user.subject, secret))
        return secret

    def set_disabled(self, login: str, *, disabled: bool) -> None:
        """Whether the user may sign in. Raises UsageError, Unavailable."""
        self._people.set_disabled(self._known(login).subject, disabled=disabled)

    def add_program(self, client: str, jwks: bytes, *, subject: str = "") -> str:
        """A program with its public keys; answers the subject it acts as. Raises UsageError, Malformed, Conflict."""
        if _CLIENT.fullmatch(client) is None:
            msg = "A client id has letters, digits and . _ - only, 64 at most."
            raise UsageError(msg)
        parse_jwks(jwks)
        acts_as = subject or new_id()
        self._people.add_program(Program(client, acts_as, jwks))
        return acts_as

    def _known(self, login: str) -> User:
        user = self._people.user(login=normal_login(login))
        if user is None:
            msg = "There is no user of that name."
            raise UsageError(msg)
        return user
