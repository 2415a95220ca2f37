"""Before a portal of another make: two servers, three credentials, numbers of each patient; over sockets, as its people come."""

import contextlib
import http.client
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.gateway.conftest import LONG, Served, gateway
from tests.gateway.other import EACH, SETTINGS, Other, portal


@pytest.fixture
def other() -> Iterator[Other]:
    """The portal."""
    with portal() as one:
        yield one


@dataclass
class People:
    """Whoever comes to a gateway, and how often they asked in all."""

    served: Served
    stack: contextlib.ExitStack
    asked: int = 0

    def rules(self) -> list[str]:
        """What was said to them, once all of it is told."""
        self.served.event(self.asked - 1)
        return [event.rule for event in self.served.events if event.rule]

    def come(self, cookies: dict[str, str] | None = None, token: str = "") -> "Client":
        """Somebody with a browser, or an app."""
        line = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=LONG)
        self.stack.callback(line.close)
        return Client(self, line, dict(cookies or {}), token)


@dataclass
class Client:
    """One of them, on one connection, which is kept."""

    people: People
    line: http.client.HTTPConnection
    cookies: dict[str, str]
    token: str

    def asks(self, path: str, form: str = "") -> tuple[int, bytes]:
        """Status and body."""
        headers = (
            {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        )
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        self.people.asked += 1
        self.line.request("POST" if form else "GET", path, form or None, headers)
        answer = self.line.getresponse()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.read()

    def takes(self, *pairs: tuple[int, int]) -> list[int]:
        """Of each patient and number the status."""
        return [self.asks(f"/patients/{patient}/records/{number}")[0] for patient, number in pairs]


@contextlib.contextmanager
def people_of(sign_in: int, records: int) -> Iterator[People]:
    """People before a gateway before these ports."""
    settings = SETTINGS.format(port=sign_in).encode()
    with gateway(settings, records) as served, contextlib.ExitStack() as stack:
        yield People(served, stack)


@pytest.fixture
def people(other: Other) -> Iterator[People]:
    """Before both servers."""
    with people_of(other.ports["sign-in"], other.ports["records"]) as some:
        yield some


def test_people_sign_in_at_one_server_and_read_at_the_other(people: People, other: Other) -> None:
    """What a list showed on the web is read in the app: both are one person. Each server is asked for what is its own alone."""
    web, app = people.come(), people.come(token=other.token("Ann@x.org"))
    assert web.asks("/pages/sign-in.html") == (200, b"<form>")
    assert web.asks("/patients/7/records")[0] == 401
    assert web.asks("/sign-in", "email=ann%40x.org")[0] == 204
    assert web.asks("/patients/7/records")[0] == 200
    own = [(7, number) for number in range(1, EACH + 1)]
    assert web.takes(*own) == app.takes(*own) == [200] * EACH
    assert web.asks("/patients/7/records/1")[1] == b"record 1 of 7"
    assert other.asked["sign-in"] == ["/pages/sign-in.html", "/sign-in"]
    assert {path.split("/")[1] for path in other.asked["records"]} == {"patients"}
    assert people.rules() == []


def test_a_thief_takes_five_by_whatever_credential(people: People, other: Other) -> None:
    """Who was shown numbers 1 to 6 of their own has them of nobody else; a token, another session and one that is remembered are no
    other person; and what is made up beside one's own gives nothing at all.
    """
    thief = people.come()
    thief.asks("/sign-in", "email=eve%40x.org&stay=1")
    assert thief.asks("/patients/66/records")[0] == 200
    assert thief.takes(*((66, number) for number in range(1, EACH + 1))) == [200] * EACH
    assert thief.takes(*((patient * 50, 1) for patient in range(1, 9))) == [200] * 5 + [401] * 3
    again = people.come()
    again.asks("/sign-in", "email=EVE%40x.org")
    stayed = people.come({"stays": thief.cookies["stays"]})
    for one in (again, stayed, people.come(token=other.token("eve@x.org"))):
        assert one.takes((900, 2), (1_000, 2)) == [401, 401]
    assert stayed.takes((66, 1)) == [200]
    assert stayed.cookies.keys() == {"stays", "sid"}
    assert stayed.takes((900, 2), (66, 1)) == [401, 200]
    asked = len(other.asked["records"])
    for number in range(3):
        made = other.token(f"made{number}@up.org")
        assert people.come(dict(thief.cookies), made).takes((900, 2), (66, 1)) == [401, 401]
        assert people.come({"sid": f"made{number}"}, other.token("eve@x.org")).takes((66, 1)) == [401]
        assert people.come({"sid": f"made{number}"}).takes((66, 1)) == [401]
    assert len(other.asked["records"]) == asked
    assert set(people.rules()) == {"guard-person-unshown-24h", "person-double", "person-unknown"}


def test_who_came_by_a_single_sign_on_is_who_the_portal_says(people: People, other: Other) -> None:
    """Signing in anew makes nobody a new person: before it is told whose the session is, it gets nothing."""
    taken = []
    for start in range(1, 10):
        one = people.come({"sid": other.session("eve@x.org")})
        assert one.takes((start * 50, 1)) == [401]
        assert one.asks("/me")[0] == 200
        taken += one.takes((start * 50, 1))
    assert taken == [200] * 5 + [401] * 4
    assert set(people.rules()) == {"guard-person-unshown-24h", "person-unknown"}


def test_one_server_that_is_away_takes_only_its_own_with_it(other: Other) -> None:
    """Who is signed in goes on reading; what the other server says of its failure is not shown."""
    with people_of(1, other.ports["records"]) as people:
        one = people.come(token=other.token("ann@x.org"))
        assert one.asks("/patients/7/records")[0] == 200
        assert one.asks("/sign-in", "email=ann%40x.org")[0] == 502
        assert one.takes((7, 1)) == [200]
        assert people.rules() == ["portal-failed"]
