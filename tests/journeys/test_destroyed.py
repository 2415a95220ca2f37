"""A patient's key is destroyed: in the store, in a copy of its database made before, and in a backup that is renewed."""

import json
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from strongroom.cli.init import TEMPLATE
from strongroom.config import Layout, parse
from strongroom.errors import Tampered
from strongroom.ids import PatientId
from strongroom.keeper.destroying import DELAY, destroy_due
from strongroom.keys.custody import patient_bound
from strongroom.keys.file import FileRootKey
from strongroom.keys.life import open_in
from strongroom.keys.recovery import RecoveryPrivate
from strongroom.keys.sqlite import LifeFile
from strongroom.wiring.app import read_context_key
from strongroom.wiring.demo import DemoFile, demo_file, make_demo
from strongroom.wiring.place import choose_users
from strongroom.wiring.port import free_port
from strongroom.wiring.rehearsal import MovedClock, clock_file
from strongroom.wiring.signin import signing_key
from tests.journeys.test_backup_restore import run
from tests.keeper.conftest import House


@dataclass
class World:
    """A store with one destroyed patient, and two things that were copied before."""

    house: House
    patient: str
    backup: Path
    replica: Path
    paper: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Made, backed up, its database copied; then two officers destroy a patient's key."""
    folder = tmp_path_factory.mktemp("destroyed")
    root = folder / "store"
    text = TEMPLATE.format(
        name="quoll", demonstration="true", host="127.0.0.1", port=free_port(), signin_port=free_port(),
        users=choose_users(root),
    )  # fmt: skip
    made = make_demo(root, text, patients=16, decoys=2, rehearsal=True)
    paper = folder / "paper.txt"
    paper.write_text(made.recovery)
    done = run("backup", "--store", str(root), "--to", str(folder / "copy"))
    assert done.returncode == 0, done.stderr
    replica = folder / "replica.db"
    with sqlite3.connect(root / "keeper" / "keeper.db") as source, sqlite3.connect(replica) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    layout = Layout(root)
    config = parse(layout.config.read_bytes())
    demo = msgspec.json.decode(demo_file(layout).read_bytes(), type=DemoFile)
    clock = MovedClock(clock_file(layout.run))
    house = House(layout, config, demo, clock, read_context_key(layout), signing_key(config, layout))
    patient = demo.own["person-8"]

    async def destroy(h: House) -> None:
        await h.done("destroy", {"patient": patient, "reason": "erasure request"}, "privacy", "security")
        h.clock.advance(DELAY)
        assert await destroy_due(h.parts) == 1

    house.run(destroy)
    return World(house, patient, folder / "copy", replica, paper)


def restored(world: World, target: Path) -> dict[str, object]:
    """The backup, restored and verified."""
    done = run("restore", str(world.backup), "--store", str(target), "--recovery-key-file", str(world.paper),
               "--verify", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_a_copy_of_the_database_opens_with_no_key(world: World) -> None:
    """Neither with the root key nor with the recovery key, which open every other patient in it."""
    root, life = FileRootKey.read(world.house.layout.root_key), LifeFile(world.house.layout.life)
    paper = RecoveryPrivate.parse(world.paper.read_text())
    with sqlite3.connect(world.replica) as db:
        rows = db.execute("select id, wrapped, recovery from patient where length(recovery) > 0").fetchall()
    db.close()
    assert len(rows) > 10
    for patient, wrapped, recovery in rows:
        bound = patient_bound("quoll", PatientId(patient), 1)
        if patient == world.patient:
            for sealed in (wrapped, recovery):
                with pytest.raises(Tampered, match="destroyed"):
                    open_in(life, sealed, bound)
        else:
            assert root.unwrap(open_in(life, wrapped, bound), bound) == paper.unwrap(
                open_in(life, recovery, bound), bound
            )


def test_a_renewed_backup_brings_everybody_back_but_the_destroyed(world: World, tmp_path: Path) -> None:
    """Until it is renewed it brings back all: that is said in the docs, and is why there is a command."""
    before = restored(world, tmp_path / "before")
    done = run("backup", "--store", str(world.house.layout.root), "--renew", str(world.backup), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["renewed"] == [str(world.backup)]
    after = restored(world, tmp_path / "after")
    counts = [(one["restored"]["patients"], one["restored"]["destroyed"]) for one in (before, after)]  # type: ignore[index]
    assert counts == [(16, 0), (15, 1)]
    lost = before["verified"]["versions"] - after["verified"]["versions"]  # type: ignore[index]
    mine = [one for one, owner in world.house.demo.documents if owner == world.patient]
    assert lost == len(mine) > 0
    with sqlite3.connect(tmp_path / "after" / "keeper" / "keeper.db") as db:
        found = db.execute(
            "select count(*) from version v join document d on d.id = v.document"
            " where d.patient = ? and length(v.wrapped_content) > 0", (world.patient,),
        ).fetchone()  # fmt: skip
    db.close()
    assert found == (0,)


def test_another_stores_backup_is_not_renewed(world: World, tmp_path: Path) -> None:
    """Nor a folder that is none; nothing in them changes."""
    other = tmp_path / "other"
    shutil.copytree(world.backup, other)
    header = json.loads((other / "backup.json").read_bytes())
    (other / "backup.json").write_text(json.dumps({**header, "store": "another"}))
    life = (other / "life.sealed").read_bytes()
    for folder in (other, tmp_path):
        done = run("backup", "--store", str(world.house.layout.root), "--renew", str(folder))
        assert done.returncode == 2
    assert (other / "life.sealed").read_bytes() == life
    both = run("backup", "--store", str(world.house.layout.root), "--renew", str(other), "--to", str(tmp_path / "x"))
    assert both.returncode == 2
