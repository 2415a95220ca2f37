"""What is made of the tries in each process's place."""

from pathlib import Path

from strongroom.border.process import REACHED
from strongroom.border.table import declare
from strongroom.config import Layout, parse
from strongroom.wiring.finding import Finding
from strongroom.wiring.reach import _judged, own_address, reach, running

CONFIG = parse(b"[store]\nname = 'x'\n[users]\nkeeper = 61130\napp = 61131\nsignin = 61132\ncourier = 61133")
LAYOUT = Layout(Path("/srv/no-such-store"))
APP = declare(CONFIG, LAYOUT).row("app")


def judged(ends: dict[str, str], wanted: set[str], *, demonstration: bool = False) -> list[tuple[str, str]]:
    """State and sentence of each finding."""
    return [(one.state, one.said) for one in _judged(APP, ends, wanted, demonstration=demonstration)]


def test_more_than_the_row_is_bad_and_less_is_worth_a_word() -> None:
    """What is open and listed is no finding; what is closed and not listed neither."""
    ends = {"a": REACHED, "b": "ECONNREFUSED", "outside c": REACHED, "file d": REACHED, "e": "silent"}
    assert judged(ends, {"a", "e"}) == [
        ("bad", "not in the table: outside c"), ("bad", "not in the table: file d"),
        ("warn", "in the table, and not reached: e (silent)"),
    ]  # fmt: skip
    assert judged({"a": REACHED, "b": "EACCES"}, {"a"}) == []


def test_in_a_demonstration_an_open_network_is_told_and_an_open_file_is_bad() -> None:
    """Nobody has closed the machine of a demonstration; its users and files are as in any store."""
    ends = {"outside c": REACHED, "memory 5": REACHED}
    assert [state for state, _ in judged(ends, set(), demonstration=True)] == ["warn", "bad"]


def test_many_ends_make_one_sentence() -> None:
    """The first four by name, and how many more there are."""
    (said,) = [said for _, said in judged({str(number): REACHED for number in range(9)}, set())]
    assert said == "not in the table: 0, 1, 2, 3 and 5 more"


def test_without_users_there_is_nothing_to_try() -> None:
    """One finding that says so, and no process that is not ours is looked into."""
    plain = parse(b"[store]\nname = 'x'")
    assert list(reach(plain, LAYOUT, None)) == [
        Finding("reach", "warn", "not tried: all processes are one user, and may do what that user may")
    ]


def test_a_process_that_does_not_run_is_not_found() -> None:
    """By its user, its name and its store; nobody else's process is taken for it."""
    assert running(APP, LAYOUT.root) is None


def test_the_machines_own_address_is_no_loopback() -> None:
    """Where it has one: what listens on it is reached by another way than the loopback's."""
    assert all(not one.startswith("127.") for one in own_address())
