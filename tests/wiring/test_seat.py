"""The place that the table gives a program."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.wiring.user import may_separate

SIT = """
import logging, os, pathlib, sys
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
from strongroom.config import Layout, parse
from strongroom.wiring.seat import take_seat
layout = Layout(pathlib.Path(sys.argv[1]))
take_seat(sys.argv[2], parse(layout.config.read_bytes()), layout)
print(os.getuid(), os.getgroups())
for one in (layout.keeper / "here", layout.app / "here", layout.root / "copy.key"):
    try:
        print(one.name, repr(one.read_text()))
    except OSError as error:
        print(one.name, error.strerror)
print(len(pathlib.Path("/proc/net/dev").read_text().splitlines()) - 2)
"""
CONFIG = """
[store]
name = "x"
[copy]
bucket = "b"
access_key_file = "copy.key"
[users]
keeper = 61130
app = 61131
signin = 61132
courier = 61133
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user can pass through, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="strongroom-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def sat(store: Path, program: str, *before: str) -> list[str]:
    """What a program sees from its place; everything lies open to everybody, so that users alone would hide nothing."""
    for folder in (store / "keeper", store / "app", store / "run"):
        folder.mkdir(exist_ok=True)
        (folder / "here").write_text("open")
    (store / "copy.key").write_text("open")
    (store / "strongroom.toml").write_text(CONFIG)
    done = subprocess.run(
        [*before, sys.executable, "-c", SIT, store, program], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_what_is_not_in_its_row_is_not_there(place: Path) -> None:
    """Others' directories are empty and shut, others' files are no files; the keeper, which connects nowhere, has no network."""
    if not may_separate():
        return  # without root there is no border, which `doctor` says; CI is root
    app, keeper = sat(place, "app"), sat(place, "keeper")
    assert app[:4] == ["61131 []", "here Permission denied", "here 'open'", "copy.key Permission denied"]
    assert keeper[0] == "keeper has no network: nothing is listed that it connects to."
    assert keeper[1:5] == [
        "61130 [61131, 61133]",
        "here 'open'",
        "here Permission denied",
        "copy.key Permission denied",
    ]
    assert keeper[5] == "1"  # the loopback of its own, which is down
    assert int(app[4]) >= 1
    assert (place / "keeper" / "here").read_text() == "open"  # for everybody else nothing has changed


def test_where_namespaces_are_not_allowed_it_is_said(place: Path) -> None:
    """A container without the right to: the program becomes its user all the same, and its log says what is lacking."""
    if not may_separate():
        return  # as above
    said = sat(place, "app", "setpriv", "--bounding-set=-sys_admin")
    assert said[:2] == ["No namespaces of its own for app: Operation not permitted.", "61131 []"]
