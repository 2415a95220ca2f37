"""`doctor`: what is wrong is found and explained."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from strongroom.audit import sqlite_rows
from strongroom.wiring import doctor

Type = Callable


def states(told: dict) -> dict[str, str]:
    """The worst state of each thing looked at."""
    order = ["ok", "warn", "bad"]
    found: dict[str, str] = {}
    for one in told["findings"]:
        found[one["what"]] = max(found.get(one["what"], "ok"), one["state"], key=order.index)
    return found


def test_a_served_store_is_well(strongroom: Type) -> None:
    """Everything answers; officers' keys that still lie there are said."""
    told = strongroom("doctor", "--json")
    found = states(told.json)
    assert (told.code, [one for one in told.json["findings"] if one["state"] == "bad"]) == (0, [])
    assert {"keeper", "app", "signin", "log", "clock", "checkpoint", "objects", "permissions", "disk", "feeds"} <= set(
        found
    )
    assert (found["officers"], found["keeper"], found["log"]) == ("warn", "ok", "ok")
    assert "officers" in strongroom("doctor").out


@pytest.fixture
def stopped(served: Path, tmp_path: Path) -> Path:
    """A copy of the store that nobody serves."""
    copy = tmp_path / "copy"
    shutil.copytree(served, copy, ignore=shutil.ignore_patterns("*.sock"))
    text = (copy / "strongroom.toml").read_text()
    port = text.split("port = ")[1].split("\n")[0]
    (copy / "strongroom.toml").write_text(text.replace(f"port = {port}", "port = 1"))
    return copy


def break_permissions(store: Path) -> None:
    """Let others read the database."""
    (store / "keeper" / "keeper.db").chmod(0o644)


def break_rows(store: Path) -> None:
    """Invent a relation behind the keeper's back."""
    with closing(sqlite3.connect(store / "keeper" / "keeper.db")) as db, db:
        db.execute("update enrolment set until = until + 1 where patient = (select min(patient) from enrolment)")


def break_log(store: Path) -> None:
    """Take the checkpoint away."""
    (store / "keeper" / "log" / "checkpoint").unlink()


def break_root(store: Path) -> None:
    """Damage the root key."""
    (store / "keeper" / "root.key").write_text("nothing")


def break_config(store: Path) -> None:
    """A field that does not exist."""
    (store / "strongroom.toml").write_text("[store]\nname = 'x'\ncolour = 1\n")


def break_objects(store: Path) -> None:
    """Take the objects away."""
    shutil.rmtree(store / "objects")


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (break_permissions, "permissions"),
        (break_log, "log"),
        (break_rows, "rows"),
        (break_root, "root"),
        (break_config, "configuration"),
        (break_objects, "objects"),
    ],
)
def test_damage_is_found(strongroom: Type, stopped: Path, damage: Callable[[Path], None], what: str) -> None:
    """Each kind of damage is a finding of its own, with exit code 1; a keeper and an app that do not run are others."""
    damage(stopped)
    told = strongroom("doctor", "--store", stopped, "--json")
    found = states(told.json)
    assert (told.code, told.json["healthy"], found[what]) == (1, False, "bad")
    assert damage is break_config or (found["keeper"], found["app"]) == ("bad", "bad")


def test_rows_of_a_large_database_are_counted_when_that_is_asked_for(
    strongroom: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unasked they are counted where it takes some seconds; else it is said that they are not. While the keeper runs."""
    monkeypatch.setattr(sqlite_rows, "STEP", 50)
    monkeypatch.setattr(doctor, "SMALL", 0)
    said = {
        option: [
            one["said"] for one in strongroom("doctor", *option, "--json").json["findings"] if one["what"] == "rows"
        ]
        for option in ((), ("--rows",))
    }
    assert "not counted again" in said[()][0]
    assert said["--rows",] == ["every row of the keeper's database is one that its log tells of"]
