import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from strongroom.clock import DAY, Millis
from strongroom.errors import ConfigError, Conflict, Unavailable
from strongroom.ids import SessionId
from strongroom.signin.sqlite import Held, People, Program, User, create

ANN = User("s1", "ann", "hash", b"sealed")
ROBOT = Program("robot", "s2", b"{}")


@pytest.fixture
def people(tmp_path: Path) -> People:
    """An empty database."""
    create(tmp_path / "signin.db")
    return People(tmp_path / "signin.db")


def test_nobody_else_reads_it(tmp_path: Path, people: People) -> None:
    """The database is its owner's alone."""
    people.add_user(ANN)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_creating_and_opening_are_two(tmp_path: Path) -> None:
    """What is there is not made anew; what is not there is not made by opening it; other files are not it."""
    with pytest.raises(ConfigError):
        People(tmp_path / "signin.db")
    assert list(tmp_path.iterdir()) == []
    create(tmp_path / "signin.db")
    with pytest.raises(Conflict):
        create(tmp_path / "signin.db")
    with pytest.raises(Unavailable):
        create(tmp_path / "none" / "signin.db")
    (tmp_path / "other").write_bytes(b"x" * 5_000)
    sqlite3.connect(tmp_path / "empty.db").close()
    for name in ("other", "empty.db"):
        with pytest.raises(ConfigError):
            People(tmp_path / name)


def test_users_and_programs(people: People) -> None:
    """What is kept comes back; names and subjects are taken once."""
    people.add_user(ANN)
    people.add_program(ROBOT)
    assert people.user(login="ann") == people.user(subject="s1") == ANN
    assert people.program("robot") == ROBOT
    assert people.user(login="s1") is None
    assert people.user(subject="ann") is None
    assert people.user() is None
    for again in (User("s1", "ben", "", b""), User("s3", "ann", "", b"")):
        with pytest.raises(Conflict):
            people.add_user(again)
    with pytest.raises(Conflict):
        people.add_program(Program("robot2", "s2", b""))


def test_changes(people: People) -> None:
    """Changes are told from no change, and last."""
    people.add_user(ANN)
    people.add_program(ROBOT)
    assert people.set_password("s1", "other", Millis(1))
    assert people.set_totp("s1", b"new")
    assert people.set_disabled("s1", disabled=True)
    assert people.set_disabled("s2", disabled=True)
    assert people.user(login="ann") == User("s1", "ann", "other", b"new", disabled=True)
    assert people.program("robot") == Program("robot", "s2", b"{}", disabled=True)
    nobody = (
        people.set_password("x", "", Millis(1)),
        people.set_totp("x", b""),
        people.set_disabled("x", disabled=True),
    )
    assert nobody == (False, False, False)


def test_a_code_is_used_by_one_of_many(people: People) -> None:
    """Of many who use one code at once, one may."""
    people.add_user(ANN)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: people.use_step("s1", 7), range(40))) == 1
    assert not people.use_step("s1", 6)
    assert people.use_step("s1", 8)
    assert people.set_totp("s1", b"new")
    assert people.use_step("s1", 1)


def test_used_once(people: People) -> None:
    """A mark is new once, until its time is over."""
    assert people.use_once("m", Millis(10), Millis(0))
    assert not people.use_once("m", Millis(10), Millis(10))
    assert people.use_once("m", Millis(20), Millis(11))


def test_sessions(people: People) -> None:
    """A session is there until it is forgotten, and ends once."""
    people.add_user(ANN)
    held = Held(SessionId("n"), "sid", "s1", "cli", "", Millis(5))
    people.start_session(held, "home")
    assert people.session(SessionId("n")) == held
    people.end_session(SessionId("n"), Millis(9))
    people.end_session(SessionId("n"), Millis(10))
    ended = people.session(SessionId("n"))
    assert ended is not None
    assert ended.ended == 9
    people.start_session(Held(SessionId("m"), "sid2", "s1", "cli", "", Millis(3 * DAY)), "home")
    assert people.session(SessionId("n")) is None


def test_known_networks(people: People) -> None:
    """The last twenty networks of a user are known, to that user only."""
    people.add_user(ANN)
    people.add_user(User("s9", "ben", "", b""))
    for number in range(22):
        people.start_session(Held(SessionId(str(number)), "", "s1", "cli", "", Millis(number)), f"n{number}")
    assert [people.knows("ann", f"n{number}") for number in (0, 1, 2, 21)] == [False, False, True, True]
    assert not people.knows("ben", "n21")


def test_a_database_that_is_gone(tmp_path: Path, people: People) -> None:
    """A database that cannot be used is said to be so, and nothing is half done."""
    people.add_user(ANN)
    other = sqlite3.connect(tmp_path / "signin.db")
    other.execute("DROP TABLE networks")
    other.close()
    with pytest.raises(Unavailable):
        people.start_session(Held(SessionId("n"), "", "s1", "cli", "", Millis(1)), "home")
    assert people.session(SessionId("n")) is None
    with pytest.raises(Unavailable):
        people.knows("ann", "home")
