"""The access tokens of the built-in issuer (RFC 9068), and what a session of it is."""

from dataclasses import dataclass

from strongroom.clock import SECOND, Millis
from strongroom.errors import UsageError
from strongroom.identity.signing import SigningKey
from strongroom.ids import new_id
from strongroom.signin.settings import Settings

MEDIA_TYPE = "at+jwt"
PERSON = ("pwd", "otp", "mfa")
"""RFC 8176: a password and a one-time code, which make two factors."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a token is issued for. `sid` is empty for programs: each of their tokens is a session of its own."""

    subject: str
    client: str
    sid: str = ""
    amr: tuple[str, ...] = ()
    auth_time: Millis | None = None
    """When the factors in `amr` were shown."""
    jkt: str = ""
    """Thumbprint of the key that the token is bound to; empty: a bearer token."""


def issue(key: SigningKey, settings: Settings, session: Session, now: Millis) -> str:
    """A signed token for `session`."""
    seconds = now // SECOND
    claims: dict[str, object] = {
        "iss": settings.issuer,
        "aud": settings.audience,
        "sub": session.subject,
        "client_id": session.client,
        "iat": seconds,
        "exp": seconds + settings.lifetime // SECOND,
        "jti": new_id(),
    }
    if session.sid:
        claims["sid"] = session.sid
    if session.auth_time is not None:
        claims |= {"auth_time": session.auth_time // SECOND, "amr": list(session.amr)}
    if session.jkt:
        claims["cnf"] = {"jkt": session.jkt}
    return key.sign_compact(MEDIA_TYPE, claims)


def mint(  # the demonstration's switch must be seen at every call
    key: SigningKey, settings: Settings, subject: str, now: Millis, *, demonstration: bool, client: str = "cli"
) -> str:
    """A token for `subject` without anybody having signed in. Only for stores made for demonstration or rehearsal.

    Raises UsageError elsewhere: the owner of a real store has the key, and must not get used to this.
    """
    if not demonstration:
        msg = "Tokens without signing in exist only in demonstration stores."
        raise UsageError(msg, advice="Sign in: POST to the token address that /.well-known/openid-configuration names.")
    session = Session(subject, client, sid=new_id(), amr=PERSON, auth_time=now)
    return issue(key, settings, session, now)
