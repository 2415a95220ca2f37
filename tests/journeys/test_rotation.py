"""Every kind of key is replaced on a served store, by the real commands, and nobody who reads notices."""

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import msgspec

from strongroom.audit import stranger
from strongroom.cli.init import TEMPLATE
from strongroom.clock import SystemClock, iso
from strongroom.config import Layout, parse
from strongroom.keeper import logkey
from strongroom.wiring.app import read_context_key
from strongroom.wiring.demo import DemoFile, demo_file, make_demo
from strongroom.wiring.place import choose_users
from strongroom.wiring.port import free_port
from strongroom.wiring.rehearsal import MovedClock, clock_file
from strongroom.wiring.signin import signing_key
from tests.journeys.honest import PROGRAM, Reader
from tests.journeys.test_backup_restore import run
from tests.journeys.test_processes import Running
from tests.keeper.conftest import House
from tests.respond.test_reencrypt import OTHER, OWNER, Store

PATIENCE = 120.0
"""Seconds for what the keeper does by itself; a limit, not a measure."""


def told(running: Running, *command: str) -> dict[str, object]:
    """What a command says. It must succeed."""
    arguments = [*PROGRAM, *command, "--store", str(running.store), "--json"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    shape: dict[str, object] = json.loads(done.stdout)
    return shape


def settled(running: Running) -> bool:
    """Whether no rotation is under way."""
    status = told(running, "rotate", "status")
    return not status["turning"] and status["log"]["until"] is None  # type: ignore[index]  # its shape


def test_root_patient_document_and_log_keys_are_replaced_under_load(served: Running) -> None:
    """One after the other and beside each other, twice; each read is answered rightly, and the log verifies by its keys."""
    layout, since = Layout(served.store), iso(SystemClock().now())
    first = (layout.trust / "log.vkey").read_text()
    readers = [Reader(served, "patient1"), Reader(served, "patient1")]
    resource = served.search("patient1").json()["entry"][0]["resource"]
    patient = resource["subject"]["reference"].removeprefix("Patient/")
    with readers[0], readers[1]:
        for _ in range(2):
            told(served, "rotate", "root")
            told(served, "rotate", "log", "--overlap-days", "0")
            told(served, "rotate", "patient", patient)
            done = told(served, "reencrypt", "--since", since, "--do", "--reason", "exercise")
            assert done["failed"] == []
            assert int(str(done["moved"])) > 0
            end = time.monotonic() + PATIENCE
            while not settled(served) and time.monotonic() < end:
                time.sleep(0.2)
            assert settled(served)
        rounds, end = [one.rounds for one in readers], time.monotonic() + PATIENCE
        while any(one.rounds <= before for one, before in zip(readers, rounds, strict=True)) and time.monotonic() < end:
            time.sleep(0.1)
    assert [one.wrong for one in readers] == [[], []]
    assert [path.name for path in layout.keeper.glob("root.key*")] == ["root.key.3"]
    assert sorted(path.name for path in layout.secrets.glob("log*")) == ["log.3.recovery", "log.3.root"]
    keys = told(served, "log", "vkey")["all"]
    assert isinstance(keys, list)
    assert len(keys) == 3
    assert keys[-1].startswith(first.strip())
    told(served, "log", "verify")
    copy = served.store.parent / "copy"
    told(served, "log", "export", "--to", str(copy))
    command = [sys.executable, str(copy / "verify_log.py"), str(copy / "log"), "--key", str(copy / "log.vkey")]
    assert subprocess.run(command, check=False, timeout=300).returncode == 0
    proofs = sorted(copy.glob("log-key-*.tlog-proof"))
    assert len(proofs) == 2
    shown = [
        subprocess.run(
            [sys.executable, stranger.__file__, "--key", first.strip(), "--proof", str(proof)],
            capture_output=True, text=True, check=False, timeout=300,
        )
        for proof in proofs
    ]  # fmt: skip
    assert sorted(one.returncode for one in shown) == [0, 1]  # the first key names the second, and that one the third
    assert any("log key rotated" in one.stdout for one in shown)


def test_what_was_rotated_is_restored_and_verified(tmp_path: Path) -> None:
    """A backup of a store with editions, and with a log whose key was replaced once, and is being replaced again."""
    root = tmp_path / "store"
    text = TEMPLATE.format(
        name="numbat", demonstration="true", host="127.0.0.1", port=free_port(), signin_port=free_port(),
        users=choose_users(root),
    )  # fmt: skip
    made = make_demo(root, text, patients=16, decoys=2, rehearsal=True)
    (tmp_path / "paper").write_text(made.recovery)
    layout = Layout(root)
    config = parse(layout.config.read_bytes())
    demo = msgspec.json.decode(demo_file(layout).read_bytes(), type=DemoFile)
    clock = MovedClock(clock_file(layout.run))
    house = House(layout, config, demo, clock, read_context_key(layout, config.users.app), signing_key(config, layout))

    async def work(h: House) -> None:
        store, since = Store(h), h.clock.now()
        try:
            for subject in (OWNER, OTHER):
                await store.released(subject)
            assert (await store.run(since)).moved == 2
        finally:
            store.catalogue.close()
        await h.done("rotate-log", {"overlap_days": 0}, "privacy", "security")
        await logkey.turn(h.parts)
        await h.done("rotate-log", {"overlap_days": 7}, "privacy", "security")
        h.parts.log.publish()

    house.run(work)
    done = run("backup", "--store", str(root), "--to", str(tmp_path / "copy"))
    assert done.returncode == 0, done.stderr
    target = tmp_path / "restored"
    done = run("restore", str(tmp_path / "copy"), "--store", str(target), "--recovery-key-file", str(tmp_path / "paper"),
               "--verify", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    assert (target / "keeper" / "trust" / "log.vkey").read_text() == (layout.trust / "log.vkey").read_text()
    with closing(sqlite3.connect(target / "keeper" / "keeper.db")) as db:
        assert db.execute("select count(*) from version where edition = 1").fetchone() == (2,)
