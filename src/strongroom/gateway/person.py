"""Who asks: a session and a person, told from the request as gateway.toml says, kept as keyed hashes.

The gateway checks no signature: whether a session is good is the portal's answer. So what a request claims counts against nobody
until the portal has answered it with a document: a made-up token of somebody else spends nothing of theirs.

A portal may know people by several credentials. Which one it obeys, where a request brings two, nobody here knows: a request whose
credentials are of two people is nobody's, and gets no document. What no login was seen to begin is a person of its own, or nobody.

What is kept and stands in events is a hash under a key that lies with the counts: it names a session, and lets nobody use it.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from strongroom.gateway import credentials
from strongroom.gateway.contract import Headers
from strongroom.gateway.counts import Counts
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.sections import Person
from strongroom.ids import encode

_UNSEEN: Final = frozenset({"Mn", "Me", "Cf", "Cc"})
"""Accents, and what has no shape (Unicode Standard, section 4.5)."""
_UNKNOWN: Final = Refusal(401, "person-unknown", "It is not known whose session this is. Sign in again.", hard=True)
_TWO: Final = Refusal(
    401, "person-double", "This request says that it is from two people. Sign out, and in again.", hard=True
)


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
    by: int = 0
    """Which of the described credentials says so."""
    beside: tuple["Claim", ...] = ()
    """What the others say."""


class People:
    """Sessions and whose they are."""

    def __init__(self, by: Sequence[Person], counts: Counts) -> None:
        """`by`: the credentials that the portal believes, in order. `counts` remembers whose session is whose."""
        self._by, self._counts = tuple(by), counts
        self._cookies = tuple((number, one.name) for number, one in enumerate(by) if one.by == "cookie")
        self._tokens = tuple(number for number, one in enumerate(by) if one.by == "token")

    def who(self, claim: Claim | None) -> Who | Refusal | None:
        """Whom a request is from that claims this; None where it claims nothing. Raises Uncounted."""
        if claim is None:
            return None
        who = self._who(claim)
        if who.person == who.session and any(self._by[one.by].known for one in (claim, *claim.beside)):
            return _UNKNOWN
        if not claim.beside:
            return who
        others = [self._who(one) for one in claim.beside]
        if any(one.person != who.person for one in others):
            return _TWO
        # which session it is, is said by one that a login began, if there is one: others are told by whoever asks
        begun = (one for claimed, one in zip((claim, *claim.beside), (who, *others), strict=True) if not claimed.person)
        return next(begun, who)

    def _who(self, claim: Claim) -> Who:
        return Who(claim.session, claim.person or self._counts.person_of(claim.session) or claim.session)

    def claim(self, headers: Headers) -> Claim | None:
        """What the headers say; None where they say nothing."""
        claims = list(self._claims(headers))
        if len(claims) <= 1:
            return claims[0] if claims else None
        first, *others = claims
        return Claim(first.session, first.person, first.by, tuple(others))

    def _claims(self, headers: Headers) -> Iterator[Claim]:
        for number, one in enumerate(self._by):
            found = credentials.credential(one.by, one.name, headers)
            if not found:
                continue
            session = self._name("session", found)
            if one.by == "header":
                yield Claim(session, self.name(found.decode("utf-8", "surrogateescape")), number)
            elif one.by == "jwt":
                named = credentials.claim(found, one.name)
                yield Claim(session, self.name(named) if named else session, number)
            else:
                yield Claim(session, "", number)

    def check(self, headers: Headers) -> Refusal | None:
        """Why what the headers say could be read in two ways."""
        found = (credentials.check(one.by, one.name, headers) for one in self._by)
        return next((refusal for refusal in found if refusal is not None), None)

    def login(  # each is something that an answer says
        self, person: str, cookies: Iterable[bytes], now: int, own: Claim | None = None, *, token: str = "", said: bool = False
    ) -> bool:  # fmt: skip
        """A login of `person` was answered with these Set-Cookie headers and this token; gives whether that begins a session.

        `own`: what the request claimed. In the place of a session that the answer does not set, the one that was there is theirs
        from now on, unless it is known whose one of those is: whoever is signed in does not become another by a login that failed.
        Where sessions must be known, that needs an answer that `said` who it is. Raises Uncounted.
        """
        if not person:
            return False
        name, before = self.name(person), self._before(own)
        known = {session for session, owner in before.values() if owner is not None}
        if any(owner not in {None, name} for _, owner in before.values()):
            before = {}
        kept = {number: session for number, (session, _) in before.items() if said or not self._by[number].known}
        begun = kept | self._set(cookies, token)
        begun = {number: session for number, session in begun.items() if session not in known}
        for session in begun.values():
            self._counts.begin(session, name, now)
        return bool(begun)

    def follow(
        self, own: Who, claim: Claim | None, cookies: Iterable[bytes], now: int, token: str = ""
    ) -> None:  # fmt: skip
        """The answer to a request of theirs sets new sessions: they are whose the old one was, if a login was seen to begin that.

        What a token only says is not followed: whoever makes one up would begin sessions under names made up. Raises Uncounted.
        """
        new = self._set(cookies, token)
        if not new or own.person not in {owner for _, owner in self._before(claim).values()}:
            return
        for session in new.values():
            if session != own.session and self._counts.person_of(session) is None:
                self._counts.begin(session, own.person, now)

    def _before(self, claim: Claim | None) -> dict[int, tuple[str, str | None]]:
        """Of cookies and tokens that a request brought: sessions, and whose they are, where that is known."""
        claims = () if claim is None else (claim, *claim.beside)
        return {one.by: (one.session, self._counts.person_of(one.session)) for one in claims if not one.person}

    def _set(self, cookies: Iterable[bytes], token: str) -> dict[int, str]:
        """The sessions that an answer sets, of each described cookie the first; and what it gives as a token."""
        found = dict.fromkeys(self._tokens, self._name("session", token.encode())) if token else {}
        lines = [one.partition(b";")[0] for one in cookies] if self._cookies else []
        for number, name in self._cookies if lines else ():
            values = (value for line in lines for value in credentials.cookies(line, name)[:1] if value)
            value = next(values, b"")
            if value:
                found[number] = self._name("session", value)
        return found

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
