"""Who asks is told in one way, and kept under names that are of use to nobody else."""

import json

import pytest

from strongroom.gateway.counts import Counts
from strongroom.gateway.person import People, Who
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.sections import Person
from strongroom.identity.strict import base64url

COOKIE = Person(by="cookie", name="session_id")
JWT = Person(by="jwt", name="sub")
STAYS = Person(by="cookie", name="stays")


def token(claims: object) -> bytes:
    """A bearer token with these claims, signed by nobody."""
    return b"Bearer " + ".".join(base64url(json.dumps(part).encode()) for part in ({}, claims, "x")).encode()


def asks(people: People, headers: list[tuple[bytes, bytes]]) -> Who | None:
    """Whom a request with these headers is from."""
    who = people.who(people.claim(headers))
    assert not isinstance(who, Refusal)
    return who


def cookie(**values: str) -> tuple[bytes, bytes]:
    """A Cookie header."""
    return b"cookie", "; ".join(f"{name}={value}" for name, value in values.items()).encode()


def rule(people: People, headers: list[tuple[bytes, bytes]]) -> str:
    """Why a request with these headers is nobody's."""
    who = people.who(people.claim(headers))
    return who.rule if isinstance(who, Refusal) else ""


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
    assert (People([COOKIE], Counts()).check([(b"cookie", line)]) is not None) == refused


def test_one_session_has_one_name_however_it_is_spelled() -> None:
    """Escapes do not make a new session of an old one."""
    people = People([COOKIE], Counts())
    assert asks(people, [(b"cookie", b"session_id=abc")]) == asks(people, [(b"cookie", b"session.id=%61bc")])
    assert asks(people, [(b"cookie", b"session_id=abc")]) != asks(people, [(b"cookie", b"session_id=abd")])
    assert asks(people, [(b"cookie", b"session_id=abc")]) == asks(people, [(b"cookie", b'session_id="abc"')])
    assert asks(people, [(b"cookie", b"theme=dark")]) is None
    assert asks(People([], Counts()), [(b"cookie", b"session_id=abc")]) is None


def test_a_login_says_whose_session_it_is() -> None:
    """Two sessions of one person are one person; a session that nobody saw begin is its own."""
    people = People([COOKIE], Counts())
    before = asks(people, [(b"cookie", b"session_id=a")])
    assert before is not None
    assert before.person == before.session
    assert people.login("ann", [b"theme=x", b"session_id=a; Path=/; HttpOnly"], 0)
    assert people.login("ann", [b"session_id=b"], 0)
    assert not people.login("", [b"session_id=c"], 0)
    assert not people.login("ann", [b"theme=x"], 0)
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
    people = People([COOKIE], Counts())
    assert people.name(name) == people.name("ann@x.org") != people.name("anne@x.org")
    assert people.name("\ud800") != people.name("")


@pytest.mark.parametrize("claims", [{"sub": "ann"}, {"sub": "ann", "exp": 1}])
def test_a_claim_names_a_person(claims: object) -> None:
    """Whatever else the token says."""
    people = People([JWT], Counts())
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
    who = asks(People([JWT], Counts()), [(b"authorization", value)])
    assert who is not None
    assert who.person == who.session


def test_other_schemes_name_nobody() -> None:
    """Basic is not a bearer's token."""
    assert asks(People([JWT], Counts()), [(b"authorization", b"Basic abc")]) is None
    assert asks(People([JWT], Counts()), []) is None


def test_a_header_names_a_person() -> None:
    """By its value, under another name than the session's."""
    who = asks(People([Person(by="header", name="X-User")], Counts()), [(b"x-user", b"ann")])
    assert who is not None
    assert who.person != who.session


def test_a_header_names_one_person() -> None:
    """Of two, each of two readers would take another."""
    people = People([Person(by="header", name="X-User")], Counts())
    assert people.check([(b"x-user", b"ann"), (b"accept", b"*/*")]) is None
    refusal = people.check([(b"x-user", b"ann"), (b"x-user", b"bob")])
    assert refusal is not None
    assert (refusal.rule, refusal.hard) == ("header-twice", True)


def test_names_are_of_use_to_no_other_process() -> None:
    """Another key, another name; and the session's value is not in it."""
    headers = [(b"cookie", b"session_id=abc")]
    assert asks(People([COOKIE], Counts()), headers) != asks(People([COOKIE], Counts()), headers)


# ---- several credentials --------------------------------------------------------------------------------------------


def test_whoever_shows_one_of_several_credentials_is_who_it_says() -> None:
    """A session on the web, a token in the app; whoever shows none is a stranger."""
    people = People([COOKIE, JWT], Counts())
    assert people.login("ann", [b"session_id=a"], 0)
    web, app = asks(people, [cookie(session_id="a")]), asks(people, [(b"authorization", token({"sub": "ANN"}))])
    assert web is not None
    assert app is not None
    assert web.person == app.person == people.name("ann")
    assert asks(people, [cookie(theme="dark"), (b"authorization", b"Basic abc")]) is None


@pytest.mark.parametrize(
    "both",
    [
        [cookie(session_id="a"), (b"authorization", token({"sub": "bob"}))],
        [cookie(session_id="a"), (b"authorization", token({}))],
        [cookie(session_id="a"), (b"authorization", b"Bearer opaque")],
        [cookie(session_id="unseen"), (b"authorization", token({"sub": "ann"}))],
        [cookie(session_id="a", stays="b")],
        [cookie(session_id="a", stays="unseen")],
        [cookie(session_id="unseen", stays="a")],
        [cookie(session_id="a", stays="a"), (b"authorization", token({"sub": "bob"}))],
    ],
)
def test_a_request_of_two_people_is_nobodys(both: list[tuple[bytes, bytes]]) -> None:
    """Which of the two the portal obeys nobody here knows: to count for one would let the other read without being counted."""
    people = People([COOKIE, STAYS, JWT], Counts())
    assert people.login("ann", [b"session_id=a"], 0)
    assert people.login("bob", [b"stays=b"], 0)
    assert rule(people, both) == "person-double"
    assert rule(people, list(reversed(both))) == "person-double"


def test_two_credentials_of_one_person_are_one() -> None:
    """And the session is the one that a login began: a token beside it, made anew each time, makes no new session."""
    people = People([JWT, COOKIE], Counts())
    assert people.login("ann", [b"session_id=a"], 0)
    alone = asks(people, [cookie(session_id="a")])
    for salt in range(3):
        made = (b"authorization", token({"sub": "ann", "salt": salt}))
        assert asks(people, [cookie(session_id="a"), made]) == alone != asks(people, [made])


def test_a_login_begins_all_sessions_that_it_sets() -> None:
    """A session, and a cookie that remembers; where the second begins another session, that is theirs, too."""
    people = People([COOKIE, STAYS], Counts())
    assert people.login("ann", [b"session_id=a", b"stays=b; Max-Age=9"], 0)
    alone = people.claim([cookie(stays="b")])
    who = people.who(alone)
    assert isinstance(who, Who)
    assert who.person == people.name("ann")
    people.follow(who, alone, [b"session_id=c"], 1)
    assert asks(people, [cookie(session_id="c", stays="b")]) is not None


def test_what_a_token_only_says_begins_no_session() -> None:
    """Else a made-up token would name whoever signs in on that session next, and one login would be ever new people."""
    people = People([COOKIE, JWT], Counts())
    made = people.claim([(b"authorization", token({"sub": "made up"}))])
    who = people.who(made)
    assert isinstance(who, Who)
    people.follow(who, made, [b"session_id=a"], 0)
    assert people.login("mallory", [], 0, people.claim([cookie(session_id="a")]))
    found = asks(people, [cookie(session_id="a")])
    assert found is not None
    assert found.person == people.name("mallory")


def test_whoever_is_signed_in_becomes_nobody_else_by_another_cookie() -> None:
    """A login that failed, and was answered as if it had not, gives no cookie to a name that was made up."""
    people = People([COOKIE, STAYS], Counts())
    assert people.login("mallory", [b"session_id=a"], 0)
    both = people.claim([cookie(session_id="a", stays="unseen")])
    assert not people.login("made up", [b"session_id=a"], 1, both)
    assert asks(people, [cookie(session_id="a")]) == Who(both.session if both else "", people.name("mallory"))
    alone = asks(people, [cookie(stays="unseen")])
    assert alone is not None
    assert alone.person == alone.session


def test_each_credential_is_told_in_one_way() -> None:
    """The second as strictly as the first."""
    people = People([JWT, Person(by="header", name="X-User"), STAYS], Counts())
    twice = people.check([(b"x-user", b"ann"), (b"x-user", b"bob")])
    double = people.check([(b"cookie", b"stays=a; STAYS=b")])
    assert (twice and twice.rule, double and double.rule) == ("header-twice", "session-double")


# ---- tokens, and whose they are -------------------------------------------------------------------------------------

TOKEN = Person(by="token", name="Authorization")


def bearer(value: str) -> list[tuple[bytes, bytes]]:
    """An Authorization header."""
    return [(b"authorization", value.encode())]


def test_a_token_that_says_nothing_is_whose_login_gave_it() -> None:
    """Under whatever scheme; each login gives another one to the same person, and the next is given for the one before."""
    people = People([TOKEN], Counts())
    assert people.login("ann", [], 0, token="a.b~c+d/e=") is True
    assert people.login("ANN", [], 0, token="two")
    first, second = asks(people, bearer("Bearer a.b~c+d/e=")), asks(people, bearer("two"))
    assert first is not None
    assert second is not None
    assert first.person == second.person == people.name("ann")
    assert asks(people, bearer("token two")) == second
    people.follow(second, people.claim(bearer("two")), [], 1, token="three")
    third = asks(people, bearer("Bearer three"))
    assert third is not None
    assert third.person == people.name("ann")


@pytest.mark.parametrize(
    "value", ["Bearer  a", "Bearer\ta", 'Token token="a"', "a b c", "Bearer a, Bearer b", "", "Bearer a=b"]
)
def test_a_token_is_told_in_one_spelling(value: str) -> None:
    """What lenient readers would take for the same token would be somebody new to us each time."""
    people = People([TOKEN], Counts())
    refusal = people.check(bearer(value))
    assert refusal is not None
    assert (refusal.status, refusal.rule, refusal.hard) == (400, "session-double", True)
    twice = people.check([*bearer("a"), *bearer("b")])
    assert twice is not None
    assert twice.rule == "header-twice"


@pytest.mark.parametrize(
    ("by", "headers"),
    [
        ("cookie", [cookie(sid="made-up")]),
        ("token", bearer("Bearer made-up")),
        ("jwt", bearer("Bearer opaque")),
        ("jwt", [(b"authorization", token({"other": 1}))]),
    ],
)
def test_who_must_be_known_and_is_not_is_nobody(by: str, headers: list[tuple[bytes, bytes]]) -> None:
    """Made-up sessions, and sessions from elsewhere, are no new people: no document until it is told whose they are."""
    names = {"cookie": "sid", "token": "Authorization", "jwt": "sub"}
    people = People([Person(by=by, name=names[by], known=True)], Counts())  # type: ignore[arg-type]  # one of the four
    assert rule(people, headers) == "person-unknown"
    claim = people.claim(headers)
    if by == "jwt":
        return
    assert not people.login("made up", [], 0, claim)  # nobody but the portal can say so
    assert rule(people, headers) == "person-unknown"
    assert people.login("ann", [], 0, claim, said=True)
    known = asks(people, headers)
    assert known is not None
    assert known.person == people.name("ann")


def test_what_must_be_known_is_so_beside_another_credential() -> None:
    """One text in two places is no way around it."""
    people = People([JWT, Person(by="cookie", name="sid", known=True)], Counts())
    assert rule(people, [*bearer("Bearer same"), cookie(sid="same")]) == "person-unknown"
