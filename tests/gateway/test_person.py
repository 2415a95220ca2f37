"""Who asks is told in one way, and kept under names that are of use to nobody else."""

import json

import pytest

from strongroom.gateway.counts import Counts
from strongroom.gateway.person import People, Who
from strongroom.gateway.settings import Person
from strongroom.identity.strict import base64url

COOKIE = Person(by="cookie", name="session_id")
JWT = Person(by="jwt", name="sub")


def token(claims: object) -> bytes:
    """A bearer token with these claims, signed by nobody."""
    return b"Bearer " + ".".join(base64url(json.dumps(part).encode()) for part in ({}, claims, "x")).encode()


def asks(people: People, headers: list[tuple[bytes, bytes]]) -> Who | None:
    """Whom a request with these headers is from."""
    return people.who(people.claim(headers))


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (b"session_id=abc", False),
        (b"theme=dark; session_id=abc; x", False),
        (b"theme=dark", False),
        (b"session_id=abc; session_id=abc", True),
        (b"session_id=abc; SESSION_ID=x", True),
        (b"session_id=abc; session.id=x", True),
        (b"session_id=abc; session%5Fid=x", True),
        (b'session_id="abc"', False),
        (b'session_id="abc', True),
        (b'session_id="a"b"', True),
        (b"session_id=a,session_id=b", True),
        (b"session_id=a%00b", True),
        (b"session_id=a%20b", True),
        (b"session_id=", True),
    ],
)
def test_a_session_is_told_once(line: bytes, refused: bool) -> None:
    """What some portals take for the same cookie is the same cookie here, and twice is refused."""
    assert (People(COOKIE, Counts()).check([(b"cookie", line)]) is not None) == refused


def test_one_session_has_one_name_however_it_is_spelled() -> None:
    """Escapes do not make a new session of an old one."""
    people = People(COOKIE, Counts())
    assert asks(people, [(b"cookie", b"session_id=abc")]) == asks(people, [(b"cookie", b"session.id=%61bc")])
    assert asks(people, [(b"cookie", b"session_id=abc")]) != asks(people, [(b"cookie", b"session_id=abd")])
    assert asks(people, [(b"cookie", b"session_id=abc")]) == asks(people, [(b"cookie", b'session_id="abc"')])
    assert asks(people, [(b"cookie", b"theme=dark")]) is None
    assert asks(People(None, Counts()), [(b"cookie", b"session_id=abc")]) is None


def test_a_login_says_whose_session_it_is() -> None:
    """Two sessions of one person are one person; a session that nobody saw begin is its own."""
    people = People(COOKIE, Counts())
    before = asks(people, [(b"cookie", b"session_id=a")])
    assert before is not None
    assert before.person == before.session
    assert people.login("ann", [b"theme=x", b"session_id=a; Path=/; HttpOnly"], 0) is not None
    assert people.login("ann", [b"session_id=b"], 0) is not None
    assert people.login("", [b"session_id=c"], 0) is None
    assert people.login("ann", [b"theme=x"], 0) is None
    first, second = (asks(people, [(b"cookie", b"session_id=" + one)]) for one in (b"a", b"b"))
    assert first is not None
    assert second is not None
    assert first.person == second.person != before.person
    assert first.session != second.session


@pytest.mark.parametrize(
    "name", ["ANN@x.org", " ann@x.org", "ann@x.org\u200b", "\uff41nn@x.org", "\u00e4nn@X.ORG", "an\u00adn@x.org"]
)
def test_a_name_in_other_spellings_is_the_same_person(name: str) -> None:
    """Portals take them for the same: twenty spellings of a login would be twenty people's documents."""
    people = People(COOKIE, Counts())
    assert people.name(name) == people.name("ann@x.org") != people.name("anne@x.org")
    assert people.name("\ud800") != people.name("")


@pytest.mark.parametrize("claims", [{"sub": "ann"}, {"sub": "ann", "exp": 1}])
def test_a_claim_names_a_person(claims: object) -> None:
    """Whatever else the token says."""
    people = People(JWT, Counts())
    who, other = (
        asks(people, [(b"authorization", token(claims))]),
        asks(people, [(b"authorization", token({"sub": "ann", "x": 1}))]),
    )
    assert who is not None
    assert other is not None
    assert who.person == other.person
    assert who.session != other.session


@pytest.mark.parametrize(
    "value", [token([]), token({}), token({"sub": []}), b"Bearer a.b.c", b"Bearer \xff.\xff.\xff", b"Bearer abc"]
)
def test_what_names_nobody_is_its_own_person(value: bytes) -> None:
    """A token that cannot be read counts for itself."""
    who = asks(People(JWT, Counts()), [(b"authorization", value)])
    assert who is not None
    assert who.person == who.session


def test_other_schemes_name_nobody() -> None:
    """Basic is not a bearer's token."""
    assert asks(People(JWT, Counts()), [(b"authorization", b"Basic abc")]) is None
    assert asks(People(JWT, Counts()), []) is None


def test_a_header_names_a_person() -> None:
    """By its value, under another name than the session's."""
    who = asks(People(Person(by="header", name="X-User"), Counts()), [(b"x-user", b"ann")])
    assert who is not None
    assert who.person != who.session


def test_a_header_names_one_person() -> None:
    """Of two, each of two readers would take another."""
    people = People(Person(by="header", name="X-User"), Counts())
    assert people.check([(b"x-user", b"ann"), (b"accept", b"*/*")]) is None
    refusal = people.check([(b"x-user", b"ann"), (b"x-user", b"bob")])
    assert refusal is not None
    assert (refusal.rule, refusal.hard) == ("header-twice", True)


def test_names_are_of_use_to_no_other_process() -> None:
    """Another key, another name; and the session's value is not in it."""
    headers = [(b"cookie", b"session_id=abc")]
    assert asks(People(COOKIE, Counts()), headers) != asks(People(COOKIE, Counts()), headers)
