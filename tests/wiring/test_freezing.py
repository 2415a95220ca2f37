"""Alerts ask the gateway for what the operator's file says, and for no more, whatever stands in a log."""

from pathlib import Path
from typing import Any

import pytest

from strongroom.clock import HOUR, ManualClock, Millis
from strongroom.errors import ConfigError
from strongroom.gateway import acts
from strongroom.gateway.sqlite import prepare
from strongroom.identity import keyfile
from strongroom.wiring.described import DESCRIBED
from strongroom.wiring.freezing import FRESH, Freezer
from strongroom.wiring.gateway import counts_of, looked_after, read_settings

NOW = 1_790_000_000_000
WALK = ("4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b01", "Ids were asked for in a row")
FILE = 'gateway = "gateway.toml"\ndetections = ["Ids were asked for in a row"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a gateway has its settings and its counts."""
    settings = tmp_path / "gateway.toml"
    settings.write_text((DESCRIBED / "portal.toml").read_text(encoding="utf-8"), encoding="utf-8")
    counts = counts_of(read_settings(settings), settings)
    prepare(counts)
    return tmp_path


def freezer(folder: Path, said: list[str], text: str = FILE) -> Freezer:
    """As a watch has it."""
    (folder / "freeze.toml").write_text(text, encoding="utf-8")
    return Freezer(folder / "freeze.toml", [WALK], ManualClock(Millis(NOW)), said.append)


def alert(about: str, **more: Any) -> dict[str, Any]:
    """As the store holds it."""
    body = {"id": "a1", "detection": WALK[0], "title": WALK[1], "level": "high", "about": about, "fired": NOW - 1_000}
    return {**body, **more}


def held(folder: Path) -> int:
    """How many are refused."""
    _, counts = looked_after(folder / "gateway.toml")
    found = acts.status(counts, NOW).held
    counts.close()
    assert all(one.until == NOW + 4 * HOUR and "alert a1" in one.why for one in found)
    return len(found)


def test_forged_lines_lock_out_three_people_an_hour(folder: Path) -> None:
    """And no address, nobody who is never to be, whatever a thousand alerts say; each is told of."""
    said: list[str] = []
    one = freezer(folder, said, FILE + 'never = ["ward-7"]\n')
    for about in ("address 192.0.2.1", "walk on /d/#", "login ", "role admin", "login ward-7"):
        one.tell(alert(about))
    for number in range(1_000):
        one.tell(alert(f"login p{number}"))
    assert held(folder) == 3
    assert len(said) == 1_001
    assert "NOT refused: login ward-7 (is never to be" in said[0]
    assert [line.partition(":")[0] for line in said[1:5]] == ["Refused documents for some hours"] * 3 + ["NOT refused"]
    again = freezer(folder, said)
    again.tell(alert("login q"))
    assert held(folder) == 3, "another watch, or one that was started anew, has no bound of its own"


@pytest.mark.parametrize(
    ("more", "because"),
    [
        ({"detection": "other", "title": "Something else"}, None),
        ({"level": "low"}, None),
        ({"fired": NOW - FRESH - 1}, "not of this hour"),
        ({"fired": NOW + FRESH}, "not of this hour"),
    ],
)
def test_what_freezes_nobody(folder: Path, more: dict[str, Any], because: str | None) -> None:
    """Other detections, trying alone, history, and the future."""
    said: list[str] = []
    freezer(folder, said).tell(alert("login ann", **more))
    assert held(folder) == 0
    assert [because in line for line in said if because] == ([True] if because else [])


def test_names_are_logins_or_those_of_the_gateways_events(folder: Path) -> None:
    """As the file says: a login that is called like somebody's name in events is still a login."""
    said: list[str] = []
    freezer(folder, said, FILE + 'names = "gateway"\n').tell(alert("login someone"))
    _, counts = looked_after(folder / "gateway.toml")
    assert [acts.written(one.where) for one in acts.status(counts, NOW).held] == ["person:someone"]
    counts.close()
    freezer(folder, said).tell(alert("login someone"))
    assert held(folder) == 2


KEEPER = '[keeper]\nstore = "store"\nkey = "watch.key"\n'


def test_the_keeper_is_asked_as_the_file_says(folder: Path) -> None:
    """Beside the gateway or alone; each is asked once, also when the other cannot be asked now, as a keeper that is not there."""
    said: list[str] = []
    keyfile.create(folder / "watch.key")
    (folder / "store").mkdir()
    (folder / "store" / "strongroom.toml").write_text('[store]\nname = "unit"\n')
    store = f'{KEEPER}issuer = "https://login.example"\n'
    both, alone = freezer(folder, said, FILE + store), freezer(folder, said, FILE.split("\n", 1)[1] + store)
    for _ in range(2):
        with pytest.raises(OSError, match="keeper"):
            both.tell(alert("login patient1"))
    assert [one.split(";")[0] for one in said] == [
        "Refused documents for some hours: login patient1 (by the gateway: the account is refused"
    ]
    with pytest.raises(OSError, match="keeper"):
        alone.tell(alert("login patient2"))
    both.tell(alert(f"login {'x' * 300}", id="a2"))
    assert "by the keeper: nobody has such a name" in said[-1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('detections = ["Ids were asked for in a row"]\n', "neither a gateway nor a keeper"),
        (FILE + KEEPER, "There is no store"),
        (FILE + KEEPER.replace(".key", ".pem"), "key"),
        ('gateway = "gateway.toml"\ndetections = []\n', "length"),
        ('gateway = "gateway.toml"\ndetections = ["x"]\n', "no detection 'x'"),
        (FILE + "an_hour = 1000\n", "<= 20"),
        (FILE + 'network = "all"\n', "network"),
        (FILE.replace("gateway.toml", "none.toml"), "none.toml"),
        ("x" * 70_000, "larger"),
        ("=", "does not fit"),
    ],
)
def test_a_file_that_cannot_be_obeyed_is_refused(folder: Path, text: str, words: str) -> None:
    """Before anything is watched."""
    with pytest.raises(ConfigError, match=words):
        freezer(folder, [], text)
    with pytest.raises(ConfigError, match="cannot be read"):
        Freezer(folder / "nothing.toml", [WALK], ManualClock(Millis(NOW)), print)


def test_a_gateway_that_is_gone_is_asked_again(folder: Path) -> None:
    """What asks is tried again by whoever tells alerts: an OSError says so."""
    one = freezer(folder, [])
    checked = read_settings(folder / "gateway.toml")
    counts_of(checked, folder / "gateway.toml").unlink()
    with pytest.raises(OSError, match="counts"):
        one.tell(alert("login ann"))
