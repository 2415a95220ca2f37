"""A store is served, filled through its API, backed up while it runs, destroyed, and brought back with the recovery key."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from strongroom.cli.http import Api, Order
from strongroom.cli.init import TEMPLATE
from strongroom.cli.token import token_for
from strongroom.config import Layout, parse
from strongroom.keys.recovery import RecoveryPrivate
from strongroom.wiring.demo import DemoFile, demo_file, make_demo
from strongroom.wiring.place import choose_users
from strongroom.wiring.port import free_port
from strongroom.wiring.supervisor import Supervisor

TITLE = "Zwischenbericht Quokka"
TEXT = b"a sentence that stands in no other document: quokkas sing at dusk\n"


@dataclass
class World:
    """The store, the backup made of it while it ran, and what was put in just before."""

    root: Path
    backup: Path
    recovery: Path
    demo: DemoFile
    base: str
    put: dict[str, bytes]
    patient: str


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One command, as somebody types it."""
    return subprocess.run(
        [sys.executable, "-m", "strongroom.cli.main", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "STRONGROOM_STORE": ""},
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Made, filled, backed up while it was served, and stopped."""
    folder = tmp_path_factory.mktemp("backup")
    root = folder / "store"
    text = TEMPLATE.format(
        name="quoll", demonstration="true", host="127.0.0.1", port=free_port(), signin_port=free_port(),
        users=choose_users(root),
    )  # fmt: skip
    made = make_demo(root, text, patients=30, decoys=5)
    recovery = folder / "paper.txt"
    recovery.write_text(f"keep me safe\n{made.recovery}\n")
    demo = json.loads(demo_file(Layout(root)).read_bytes())
    supervisor = Supervisor(root, lambda _: None)
    supervisor.start()
    try:
        with Api(made.config.base, token_for(root, "patient1")) as api:
            patient = api.own_patient()
            put = {}
            for number, size in enumerate((1, 20_000, 8_000_000)):
                path = folder / f"{number}.txt"
                path.write_bytes(TEXT * (size // len(TEXT) + 1))
                put[api.put(Order(path, patient, TITLE)).document] = path.read_bytes()
        done = run("backup", "--store", str(root), "--to", str(folder / "copy"), "--json")
    finally:
        supervisor.stop()
    assert done.returncode == 0, done.stderr
    told = DemoFile(**{**demo, "documents": tuple(tuple(one) for one in demo["documents"])})
    yield World(root, folder / "copy", recovery, told, made.config.base, put, patient)
    shutil.rmtree(folder)


def restored(world: World, target: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Restore into `target`."""
    return run("restore", str(world.backup), "--store", str(target), "--recovery-key-file", str(world.recovery), *more)


def test_everything_comes_back(world: World, tmp_path: Path) -> None:
    """With the machine's data gone, the recovery key brings back every document and the log, and the store serves them."""
    gone = world.root.rename(tmp_path / "gone")
    try:
        done = restored(world, world.root, "--verify", "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        result = json.loads(done.stdout)
        assert result["verified"]["failures"] == []
        assert result["verified"]["versions"] >= len(world.demo.documents) + len(world.put)
        assert result["restored"]["patients"] == 30
        assert (world.root / "keeper" / "root.key").read_bytes() != (gone / "keeper" / "root.key").read_bytes()
        supervisor = Supervisor(world.root, lambda _: None)
        supervisor.start()
        try:
            with Api(world.base, token_for(world.root, "patient1")) as api:
                for document, content in world.put.items():
                    read = bytearray()
                    api.fetch(document, None, read.extend)
                    assert read == content
                assert {one["id"] for one in api.listed(None)} >= set(world.put)
            verified = run("log", "verify", "--store", str(world.root), "--json")
        finally:
            supervisor.stop()
        assert json.loads(verified.stdout)["holds"] is True
    finally:
        shutil.rmtree(world.root, ignore_errors=True)
        gone.rename(world.root)


def test_the_restoring_is_in_the_log(world: World, tmp_path: Path) -> None:
    """The restored log extends the one that was backed up by an entry that says so."""
    target = tmp_path / "back"
    assert restored(world, target).returncode == 0
    exported = run("log", "export", "--store", str(target)).stdout.splitlines()
    assert json.loads(exported[-1])["entry"]["op"] == "restored"


def test_a_backup_tells_nothing(world: World) -> None:
    """No name, title, text, login or id of a patient or document stands in any file of a backup, nor in a file's name."""
    database = sqlite3.connect(world.root / "keeper" / "keeper.db")
    ids = [str(row[0]) for row in database.execute("select id from patient union select id from document")]
    database.close()
    config = parse((world.root / "strongroom.toml").read_bytes())
    known = [
        TITLE,
        TEXT.decode().strip(),
        *ids,
        *world.demo.logins.values(),
        config.issuer_url,
        "create table",
        "SQLite",
    ]
    known += ["EVALUATION", "strongroom-evaluation-root-key", "PRIVATE KEY", "enrolment", "practice-1"]
    files = [path for path in world.backup.rglob("*") if path.is_file()]
    assert len(files) > len(world.demo.documents)
    whole = b"\n".join([*(path.read_bytes() for path in files), *(str(path).encode() for path in files)])
    assert [one for one in known if one.encode() in whole] == []
    assert not list(world.backup.rglob("root.key"))


def test_another_recovery_key_opens_nothing(world: World, tmp_path: Path) -> None:
    """With another store's recovery key the answer is no, and nothing is written."""
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(RecoveryPrivate.generate().render())
    target = tmp_path / "back"
    done = run("restore", str(world.backup), "--store", str(target), "--recovery-key-file", str(wrong))
    assert done.returncode == 3
    assert "does not open" in done.stderr
    assert not target.exists()


def test_an_altered_backup_is_refused(world: World, tmp_path: Path) -> None:
    """A byte that changed, an end that is missing and an object that is missing are each refused, and nothing is left."""
    for number, spoil in enumerate((flip, cut, lose)):
        copy = tmp_path / f"copy{number}"
        shutil.copytree(world.backup, copy)
        spoil(copy)
        target = tmp_path / f"back{number}"
        done = run("restore", str(copy), "--store", str(target), "--recovery-key-file", str(world.recovery))
        assert done.returncode == 3, (spoil.__name__, done.stderr)
        assert not target.exists() or not any(target.iterdir())


def flip(copy: Path) -> None:
    """Change one byte in the middle."""
    raw = bytearray((copy / "store.sealed").read_bytes())
    raw[len(raw) // 2] ^= 1
    (copy / "store.sealed").write_bytes(raw)


def cut(copy: Path) -> None:
    """Leave out the end."""
    raw = (copy / "store.sealed").read_bytes()
    (copy / "store.sealed").write_bytes(raw[: len(raw) - 20_000])


def lose(copy: Path) -> None:
    """Take one object away."""
    next(path for path in (copy / "objects").rglob("*") if path.is_file()).unlink()


def test_verification_finds_what_was_altered(world: World, tmp_path: Path) -> None:
    """An object, a metadata row and a log file that changed after the restore are each named, with exit code 1."""
    target = tmp_path / "back"
    assert restored(world, target).returncode == 0
    spoilt = next(path for path in sorted((target / "objects").rglob("*")) if path.is_file())
    raw = bytearray(spoilt.read_bytes())
    raw[-1] ^= 1
    spoilt.write_bytes(raw)
    with sqlite3.connect(target / "app" / "catalogue.db") as catalogue:
        # One row, not one document: a document that was superseded has a row for each of its versions.
        document, blob = catalogue.execute(
            "select document, blob from entry where blob <> ? limit 1", (spoilt.name,)
        ).fetchone()
        catalogue.execute("update entry set metadata = zeroblob(80) where blob = ?", (blob,))
    catalogue.close()
    tile = next(path for path in sorted((target / "keeper" / "log" / "tile" / "0").rglob("*")) if path.is_file())
    tile.write_bytes(b"\0" * tile.stat().st_size)
    done = run("restore", "--store", str(target), "--verify", "--json")
    assert done.returncode == 1
    failures = json.loads(done.stdout)["verified"]["failures"]
    assert len(failures) == 3
    assert sum(one.startswith("document ") for one in failures) == 2
    assert any(document in one for one in failures)
    assert sum(one.startswith("log: ") for one in failures) == 1


def test_two_officers_accept_a_log_that_was_set_back(world: World, tmp_path: Path) -> None:
    """A database older than what was published is refused by everybody but two officers with a reason, and that is logged."""
    target = tmp_path / "back"
    assert restored(world, target).returncode == 0
    newer = tmp_path / "newer"
    assert restored(world, newer).returncode == 0
    # A log of the same key that went another way: its last entry has another time.
    shutil.rmtree(target / "keeper" / "log")
    shutil.copytree(newer / "keeper" / "log", target / "keeper" / "log")
    keys = [str(world.root / "officers" / f"{name}.key") for name in ("privacy", "security", "operator")]

    def accept(*officers: str) -> subprocess.CompletedProcess[str]:
        named = [word for one in officers for word in ("--officer", one)]
        return run("restore", "--store", str(target), "--accept-log", "--reason", "disk lost", *named, "--json")

    assert accept(keys[0]).returncode == 2
    assert accept(keys[0], keys[0]).returncode == 3
    assert accept(keys[0], keys[2]).returncode == 3
    done = accept(keys[0], keys[1])
    assert done.returncode == 0, done.stderr
    verified = json.loads(run("log", "verify", "--store", str(target), "--json").stdout)
    assert verified["size"] == json.loads(done.stdout)["accepted_log_size"]
    assert list((target / "keeper").glob("log.set-aside-*"))


def test_nothing_is_overwritten(world: World, tmp_path: Path) -> None:
    """Neither a backup nor a restore goes where something is, nor a backup into its own store."""
    (tmp_path / "mine").write_text("mine")
    assert restored(world, tmp_path).returncode == 3
    for target in (tmp_path, world.root / "inside"):
        assert run("backup", "--store", str(world.root), "--to", str(target)).returncode in {3, 78}
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
