"""Who asks: a session and a person, told from the request as gateway.toml says, kept as keyed hashes.

The gateway checks no signature: whether a session is good is the portal's answer. So what a request claims counts against nobody
until the portal has answered it with a document: a made-up token of somebody else spends nothing of theirs.

What is kept and stands in events is a hash under a key that lies with the counts: it names a session, and lets nobody use it.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

from strongroom.errors import Malformed
from strongroom.gateway.contract import Headers
from strongroom.gateway.counts import Counts
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.settings import Person
from strongroom.identity.strict import unbase64url
from strongroom.ids import encode

_MAX_CLAIM: Final = 256
_UNSEEN: Final = frozenset({"Mn", "Me", "Cf", "Cc"})
"""Accents, and what has no shape (Unicode Standard, section 4.5)."""
_ONE_NAME: Final = bytes.maketrans(b". [", b"___")
_PLAIN: Final = re.compile(rb"[A-Za-z0-9!#$&'()*+./:<=>?@^_`{|}~\[\]-]{1,4096}")


@dataclass(frozen=True, slots=True)
class Who:
    """Both are names made here. A session whose person is not known is its own person."""

    session: str
    person: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request's headers say of who asks. `person` is empty where only the counts know whose session it is."""

    session: str
    person: str


class People:
    """Sessions and whose they are."""

    def __init__(self, settings: Person | None, counts: Counts) -> None:
        """`counts` remembers whose session is whose."""
        self._settings, self._counts = settings, counts

    def who(self, claim: Claim | None) -> Who | None:
        """Whom a request is from that claims this; None where it claims nothing. Raises Uncounted."""
        if claim is None:
            return None
        return Who(claim.session, claim.person or self._counts.person_of(claim.session) or claim.session)

    def claim(self, headers: Headers) -> Claim | None:
        """What the headers say; None where they say nothing."""
        settings = self._settings
        if settings is None:
            return None
        found = _credential(settings, headers)
        if not found:
            return None
        session = self._name("session", found)
        if settings.by == "header":
            return Claim(session, self.name(found.decode("utf-8", "surrogateescape")))
        if settings.by == "jwt":
            claim = _claim(found, settings.name)
            return Claim(session, self.name(claim) if claim else session)
        return Claim(session, "")

    def check(self, headers: Headers) -> Refusal | None:
        """A session is told once, and in one way: two readers would find two sessions, and we would count for neither."""
        settings = self._settings
        if settings is None or settings.by == "jwt":
            return None
        if settings.by == "header":
            wanted = settings.name.lower().encode()
            if sum(name == wanted for name, _ in headers) > 1:
                return Refusal(400, "header-twice", "A header that may come once came twice.", hard=True)
            return None
        values = [one for name, value in headers if name == b"cookie" for one in _cookies(value, settings.name)]
        if len(values) > 1 or any(not _PLAIN.fullmatch(value) for value in values):
            return Refusal(
                400, "session-double", "The session's cookie comes twice, or in more than one spelling.", hard=True
            )
        return None

    def login(self, person: str, cookies: Iterable[bytes], now: int, own: Who | None = None) -> Who | None:
        """A login of `person` was answered with these Set-Cookie headers: whose session that begins. None: none of ours.

        `own`: who asked. Where the answer sets no new session, the one that was there is theirs from now on, unless it is known
        whose it is: whoever is signed in does not become another by a login that failed. Raises Uncounted.
        """
        settings = self._settings
        if settings is None or settings.by != "cookie" or not person:
            return None
        before = own.session if own is not None else ""
        session = self._set(cookies) or before
        if not session or (session == before and self._counts.person_of(session) is not None):
            return None
        who = Who(session, self.name(person))
        self._counts.begin(session, who.person, now)
        return who

    def follow(self, own: Who, cookies: Iterable[bytes], now: int) -> None:
        """The answer to a request of theirs sets a new session: it is whose the old one was, if that is known. Raises Uncounted."""
        if own.person == own.session:
            return
        session = self._set(cookies)
        if session and session != own.session and self._counts.person_of(session) is None:
            self._counts.begin(session, own.person, now)

    def _set(self, cookies: Iterable[bytes]) -> str:
        """The session that an answer sets, if it sets one."""
        settings = self._settings
        if settings is None or settings.by != "cookie":
            return ""
        values = (value for one in cookies for value in _cookies(one.partition(b";")[0], settings.name)[:1] if value)
        return next((self._name("session", value) for value in values), "")

    def name(self, person: str) -> str:
        """What the person is called here, whom the portal calls `person`."""
        return self._name("person", folded(person).encode("utf-8", "surrogatepass"))

    def _name(self, what: str, value: bytes) -> str:
        return encode(hashlib.blake2b(value, digest_size=16, key=self._counts.key, person=what.encode()).digest())


def folded(name: str) -> str:
    """What portals and their databases take for the same name: capitals, accents, blanks and what cannot be seen are nothing.

    Else whoever signs in by one name in twenty spellings is twenty people.
    """
    return "".join(
        one
        for one in unicodedata.normalize("NFKD", name).casefold()
        if not one.isspace() and unicodedata.category(one) not in _UNSEEN
    )


def _credential(settings: Person, headers: Headers) -> bytes:
    if settings.by == "cookie":
        return next(
            (one for name, value in headers if name == b"cookie" for one in _cookies(value, settings.name)), b""
        )
    wanted = b"authorization" if settings.by == "jwt" else settings.name.lower().encode()
    value = next((value for name, value in headers if name == wanted), b"")
    if settings.by == "jwt":
        scheme, _, token = value.partition(b" ")
        return token.strip(b" ") if scheme.lower() in {b"bearer", b"dpop"} else b""
    return value


def _cookies(line: bytes, name: str) -> list[bytes]:
    """The values of that name, in one spelling.

    Portals differ in what they take for the same name (PHP: `a.b` is `a_b`; ASP.NET: case does not count) and for the same
    value (many decode escapes): what may be the same is the same here.
    """
    found = []
    for part in line.split(b";"):
        key, mark, value = part.strip(b" \t").partition(b"=")
        if mark and _folded(key) == _folded(name.encode()):
            found.append(unquote_to_bytes(_unquoted(value)))
    return found


def _unquoted(value: bytes) -> bytes:
    """Without the quotes around it, which to some readers are part of it, and to others not (RFC 6265, section 4.1.1)."""
    return value[1:-1] if len(value) > 1 and value[:1] == value[-1:] == b'"' else value


def _folded(name: bytes) -> bytes:
    return unquote_to_bytes(name).strip(b" \t").translate(_ONE_NAME).lower()


def _claim(token: bytes, name: str) -> str:
    """The claim, unchecked, as text; empty where there is none."""
    parts = token.split(b".")
    if len(parts) != 3:  # noqa: PLR2004  # header, claims, signature
        return ""
    try:
        claims = msgspec.json.decode(unbase64url(parts[1].decode("ascii")), type=dict[str, msgspec.Raw])
        value = msgspec.json.decode(claims[name], type=str | int) if name in claims else ""
    except (Malformed, msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return str(value)[:_MAX_CLAIM]
