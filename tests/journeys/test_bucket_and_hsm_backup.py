"""A store in an HSM and a bucket is backed up with its objects, loses bucket, HSM or both, and is brought back."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from strongroom.documents.objects import Objects
from strongroom.documents.s3 import Bucket, read_credentials, s3_blobs
from tests.journeys.test_hsm_and_bucket import CONFIG, MAKE, MODULE

LOCAL = '[store]\nname = "hsm"\ndemonstration = true\n'


@dataclass
class World:
    """A made store, its backup, and where they are."""

    folder: Path
    root: Path
    backup: Path
    recovery: Path
    s3: int
    objects: int

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """One command, as somebody types it on a machine with the HSM."""
        return subprocess.run(
            [sys.executable, "-m", "strongroom.cli.main", *map(str, arguments)],
            capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "SOFTHSM2_CONF": f"{self.folder}/softhsm.conf", "STRONGROOM_STORE": ""},
        )  # fmt: skip

    def config(self, name: str, *, label: str = "strongroom", pin: str = "pin", s3: int = 0) -> Path:
        """A strongroom.toml with another token or another S3 server."""
        path = self.folder / name
        text = CONFIG.format(module=MODULE, folder=self.folder, s3=s3 or self.s3, port=8441, signin=8442)
        path.write_text(text.replace('token = "strongroom"', f'token = "{label}"').replace("/pin", f"/{pin}"))
        return path

    def restored(self, target: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
        """Restore into `target` and verify everything."""
        return self.run(
            "restore", self.backup, "--store", target, "--recovery-key-file", self.recovery, "--verify", "--json", *more
        )

    def whole(self, done: subprocess.CompletedProcess[str]) -> None:
        """Everything came back and opens."""
        assert done.returncode == 0, done.stderr + done.stdout
        result = json.loads(done.stdout)
        assert result["verified"]["failures"] == []
        assert result["verified"]["versions"] >= self.objects > 20
        assert result["restored"]["patients"] == 8

    @property
    def bucket(self) -> Objects:
        """The bucket."""
        bucket = Bucket("docs", f"http://127.0.0.1:{self.s3}", "us-east-1", allow_http=True)
        return s3_blobs(bucket, read_credentials(self.folder / "s3key"))

    def names(self) -> list[str]:
        """The names of this store's objects. Other tests use the bucket, too."""
        database = sqlite3.connect(self.root / "app" / "catalogue.db")
        found = [str(row[0]) for row in database.execute("select blob from entry")]
        database.close()
        return found

    def lose(self, names: list[str]) -> None:
        """Objects that somebody deletes from the bucket."""

        async def delete() -> None:
            for name in names:
                await self.bucket.delete(name)

        asyncio.run(delete())


def make_token(folder: Path, label: str, pin: str) -> None:
    """A token in SoftHSM."""
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", pin]
    environment = {**os.environ, "SOFTHSM2_CONF": f"{folder}/softhsm.conf"}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    file = folder / ("pin" if label == "strongroom" else label)
    file.write_text(pin)
    file.chmod(0o600)


@pytest.fixture(scope="module")
def world(s3_port: int, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Made, filled and backed up with its objects."""
    if not MODULE.exists():
        pytest.skip("needs SoftHSM (Debian's softhsm2; ./up check installs it)")
    folder = tmp_path_factory.mktemp("bucket")
    (folder / "tokens").mkdir()
    (folder / "softhsm.conf").write_text(f"directories.tokendir = {folder}/tokens\n")
    make_token(folder, "strongroom", "87654321")
    (folder / "s3key").write_text("key\nsecret\n")
    (folder / "s3key").chmod(0o600)
    world = World(folder, folder / "store", folder / "copy", folder / "paper.txt", s3_port, 0)
    made = subprocess.run(
        [sys.executable, "-c", MAKE.replace("make_demo(", "made = make_demo(", 1) + "; print(made.recovery)",
         world.root, world.config("strongroom.toml")],
        env={**os.environ, "SOFTHSM2_CONF": f"{folder}/softhsm.conf"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    world.recovery.write_text(made.stdout)
    done = world.run("backup", "--store", world.root, "--to", world.backup, "--with-objects", "--json")
    assert done.returncode == 0, done.stderr
    world.objects = len(world.names())
    assert json.loads(done.stdout)["objects"] == world.objects
    return world


def test_the_backup_has_every_object_and_nothing_of_the_hsm(world: World) -> None:
    """Those that the catalogue knows, as they lie in the bucket, and no PIN, key or credentials."""
    found = {path.name: path for path in (world.backup / "objects").rglob("*") if path.is_file()}
    assert set(found) == set(world.names())
    whole = b"".join(path.read_bytes() for path in world.backup.rglob("*") if path.is_file())
    for secret in (b"87654321", b"key\nsecret", b"PRIVATE KEY"):
        assert secret not in whole


def test_a_bucket_that_lost_its_objects_gets_them_back(world: World, tmp_path: Path) -> None:
    """All of them, or just those that are missing; the HSM that has the store's key keeps it."""
    names = world.names()
    world.lose(names)
    world.whole(world.restored(tmp_path / "all"))
    world.lose(names[::2])
    world.whole(world.restored(tmp_path / "some"))


def test_a_store_whose_hsm_is_lost_goes_on_in_another(world: World, tmp_path: Path) -> None:
    """The recovery key opens every patient's key, which is wrapped under the new HSM's; the old one is not asked."""
    make_token(world.folder, "second", "11223344")
    tokens = world.folder / "tokens"
    away = {
        path: tmp_path / path.name for path in tokens.iterdir() if b"strongroom" in (path / "token.object").read_bytes()
    }
    assert len(away) == 1
    for path, aside in away.items():
        shutil.move(path, aside)
    try:
        done = world.restored(tmp_path / "back", "--config", world.config("second.toml", label="second", pin="second"))
    finally:
        for path, aside in away.items():
            shutil.move(aside, path)
    world.whole(done)
    verified = world.run("restore", "--store", tmp_path / "back", "--verify", "--json")
    assert json.loads(verified.stdout)["verified"]["failures"] == []
    assert not (tmp_path / "back" / "keeper" / "root.key").exists()


def test_a_store_moves_out_of_hsm_and_bucket_and_back(world: World, tmp_path: Path) -> None:
    """Into files; and from a backup of those into an HSM and a bucket that has nothing."""
    local = world.folder / "local.toml"
    local.write_text(LOCAL)
    world.whole(world.restored(tmp_path / "files", "--config", local))
    assert (tmp_path / "files" / "keeper" / "root.key").exists()
    done = world.run("backup", "--store", tmp_path / "files", "--to", tmp_path / "copy", "--json")
    assert json.loads(done.stdout)["objects"] == world.objects
    world.lose(world.names())
    make_token(world.folder, "third", "44332211")
    config = world.config("third.toml", label="third", pin="third")
    done = world.run(
        "restore", tmp_path / "copy", "--store", tmp_path / "back", "--recovery-key-file", world.recovery, "--verify",
        "--json", "--config", config,
    )  # fmt: skip
    world.whole(done)


def test_a_restore_that_cannot_reach_bucket_or_hsm_leaves_nothing(world: World, tmp_path: Path) -> None:
    """It says which, and the PIN of nothing."""
    for name, config in (
        ("no-bucket", world.config("no-bucket.toml", s3=1)),
        ("no-hsm", world.config("no-hsm.toml", label="nowhere")),
    ):
        done = world.restored(tmp_path / name, "--config", config)
        assert done.returncode in {3, 78}, done.stderr
        assert "87654321" not in done.stderr + done.stdout
        assert not list((tmp_path / name).iterdir())


def test_a_bucket_that_cannot_be_reached_leaves_no_backup(world: World, tmp_path: Path) -> None:
    """It is there whole or not at all."""
    text = (world.root / "strongroom.toml").read_text()
    (world.root / "strongroom.toml").write_text(text.replace(f":{world.s3}", ":1"))
    try:
        done = world.run("backup", "--store", world.root, "--to", tmp_path / "copy", "--with-objects")
    finally:
        (world.root / "strongroom.toml").write_text(text)
    assert done.returncode == 3, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_object_that_is_missing_is_said_and_the_rest_is_kept(world: World, tmp_path: Path) -> None:
    """One lost object is no reason to have no backup; verification names the document."""
    names = world.names()
    lost = names[0]
    world.lose([lost])
    try:
        done = world.run("backup", "--store", world.root, "--to", tmp_path / "copy", "--with-objects", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["objects"] == len(names) - 1
        assert "1 object that the catalogue knows is missing" in done.stderr
        verified = world.run("restore", "--store", world.root, "--verify", "--json")
        assert verified.returncode == 1
        assert len(json.loads(verified.stdout)["verified"]["failures"]) == 1
    finally:
        world.whole(world.restored(tmp_path / "back"))
