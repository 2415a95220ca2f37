"""From what somebody presents to a token, or to a refusal in the words of RFC 6749. No web; blocking; thread-safe.

* `password`: login, password, one-time code. Everything that can be wrong with them is one and the same answer, after
  the same work.
* `client_credentials`: a program, by a statement signed with its own key, and only with a proof of possession (DPoP).
* `step_up`: whoever holds a live token and the user's next one-time code gets a token of the same session with a
  fresh `auth_time`.
* `logout`: no further token for the session. Tokens under way live on for minutes; ending those at once is the
  keeper's (`$logout` of the API), which this process does not reach.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.clock import Clock, Millis
from strongroom.identity.dpop import Bound, Proofs
from strongroom.identity.refusal import Refusal
from strongroom.identity.signing import SigningKey
from strongroom.identity.token import Verified, session_id
from strongroom.ids import new_id
from strongroom.signin.assertion import TYPE, verify_assertion
from strongroom.signin.bearer import OwnTokens
from strongroom.signin.enrol import normal_login
from strongroom.signin.password import Passwords
from strongroom.signin.settings import Settings
from strongroom.signin.sqlite import Held, People, User
from strongroom.signin.throttle import Throttle
from strongroom.signin.tokens import PERSON, Session, issue
from strongroom.signin.totp import Sealer, matching_step

_CODE_ONLY = ("otp", "mfa")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its form, where it came from (`network`), and what it carried."""

    form: Mapping[str, str]
    network: str
    address: str
    proof: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """A token. `seconds` it lives."""

    token: str
    seconds: int
    bound: bool


@dataclass(frozen=True, slots=True)
class Denied:
    """No. `error` is a code of RFC 6749, 6750 or 9449; `retry` in seconds when waiting helps."""

    error: str
    because: str
    status: int = 400
    retry: int = 0


_WRONG = Denied("invalid_grant", "Login name, password or one-time code is wrong.")
_UNKNOWN_CLIENT = Denied("invalid_client", "The client is not known, or did not prove who it is.", status=401)
_BAD_TOKEN = Denied("invalid_token", "The access token is not acceptable, or its session is over.", status=401)
_BAD_PROOF = Denied("invalid_dpop_proof", "The DPoP proof is missing or does not hold.")


def _wait(seconds: int) -> Denied:
    return Denied("slow_down", f"Too many failed attempts; try again in {seconds} s.", status=429, retry=seconds)


class Grants:
    """The token service. Raises Unavailable when its database is away; everything else is a value."""

    def __init__(  # its parts, each once
        self,
        settings: Settings,
        key: SigningKey,
        people: People,
        clock: Clock,
        *,
        sealer: Sealer,
        passwords: Passwords,
    ) -> None:
        self.settings = settings
        self._key = key
        self._people = people
        self._clock = clock
        self._sealer = sealer
        self._passwords = passwords
        self._throttle = Throttle()
        self._proofs = Proofs()
        self._own = OwnTokens(settings, key, self._proofs)

    def token(self, asked: Asked) -> Issued | Denied:
        """`POST /token`."""
        grant = asked.form.get("grant_type", "")
        if grant == "password":
            return self._password(asked)
        if grant == "client_credentials":
            return self._program(asked)
        return Denied("unsupported_grant_type", "Grant types are password (with otp) and client_credentials.")

    def step_up(self, asked: Asked) -> Issued | Denied:
        """`POST /step-up`: a live token and the next one-time code."""
        now = self._clock.now()
        held = self._held(asked, "/step-up", now)
        user = None if held is None else self._people.user(subject=held.subject)
        if held is None or user is None or user.disabled:
            return _BAD_TOKEN
        known = self._people.knows(user.login, asked.network)
        wait = self._throttle.begin(user.login, asked.network, now, known=known)
        if wait:
            return _wait(wait)
        if not self._code_holds(user, asked.form.get("otp", ""), now):
            return _WRONG
        self._throttle.forgive(user.login, asked.network, now, known=known)
        return self._issue(Session(held.subject, held.client, held.sid, _CODE_ONLY, now, held.jkt), now)

    def logout(self, asked: Asked) -> Denied | None:
        """`POST /logout`: end the token's session here. None when it is done."""
        now = self._clock.now()
        held = self._held(asked, "/logout", now)
        if held is None:
            return _BAD_TOKEN
        self._people.end_session(held.name, now)
        return None

    def _password(self, asked: Asked) -> Issued | Denied:
        form, now = asked.form, self._clock.now()
        if not all(form.get(name) for name in ("username", "password", "otp")):
            return Denied("invalid_request", "username, password and otp are all needed.")
        if form.get("client_id") not in self.settings.public_clients:
            return _UNKNOWN_CLIENT
        login = normal_login(form["username"])
        known = self._people.knows(login, asked.network)
        wait = self._throttle.begin(login, asked.network, now, known=known)
        if wait:
            return _wait(wait)
        user = self._people.user(login=login)
        right = self._passwords.check(form["password"], user.password if user else None)
        # The code is looked at only when all else is right, so that a wrong password does not use it up.
        if user is None or user.disabled or not right or not self._code_holds(user, form["otp"], now):
            return _WRONG
        self._throttle.forgive(login, asked.network, now, known=known)
        jkt = self._key_of(asked, now) if asked.proof else ""
        if isinstance(jkt, Denied):
            return jkt
        return self._begin(user, form["client_id"], jkt, asked.network, now)

    def _begin(self, user: User, client: str, jkt: str, network: str, now: Millis) -> Issued:
        sid = new_id()
        name = session_id(self.settings.issuer, "sid", sid)
        self._people.start_session(Held(name, sid, user.subject, client, jkt, now), network)
        return self._issue(Session(user.subject, client, sid, PERSON, now, jkt), now)

    def _program(self, asked: Asked) -> Issued | Denied:
        form, now = asked.form, self._clock.now()
        if form.get("client_assertion_type") != TYPE:
            return _UNKNOWN_CLIENT
        audiences = frozenset({self.settings.issuer, f"{self.settings.issuer}/token"})
        program = verify_assertion(form.get("client_assertion", ""), audiences, self._people, now)
        if program is None or form.get("client_id", program.client) != program.client:
            return _UNKNOWN_CLIENT
        jkt = self._key_of(asked, now)
        if isinstance(jkt, Denied):
            return jkt
        return self._issue(Session(program.subject, program.client, jkt=jkt), now)

    def _key_of(self, asked: Asked, now: Millis) -> str | Denied:
        """The key that the token is to be bound to, proven."""
        outcome = self._proofs.check(asked.proof, Bound("POST", f"{self.settings.issuer}/token"), now)
        return _BAD_PROOF if isinstance(outcome, Refusal) else outcome

    def _code_holds(self, user: User, code: str, now: Millis) -> bool:
        """Whether `code` is the user's and was not used before; from now on it was."""
        step = matching_step(self._sealer.open(user.subject, user.totp), code, now)
        return step is not None and self._people.use_step(user.subject, step)

    def _held(self, asked: Asked, path: str, now: Millis) -> Held | None:
        """The live session that the presented token belongs to."""
        who = self._own.verify(asked.token, asked.proof, f"{self.settings.issuer}{path}", asked.address, now)
        held = self._people.session(who.session) if isinstance(who, Verified) else None
        if held is None or held.ended is not None or now - held.started > self.settings.session:
            return None
        return held

    def _issue(self, session: Session, now: Millis) -> Issued:
        token = issue(self._key, self.settings, session, now)
        return Issued(token, self.settings.lifetime // 1000, bool(session.jkt))
