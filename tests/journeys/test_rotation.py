"""Every kind of key is replaced on a served store, by the real commands, and nobody who reads notices."""

import json
import subprocess
import sys
import time

from strongroom.audit import stranger
from strongroom.clock import SystemClock, iso
from strongroom.config import Layout
from tests.journeys.honest import PROGRAM, Reader
from tests.journeys.test_processes import Running

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
