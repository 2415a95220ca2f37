"""The published log in a second bucket with object lock, by the real commands on a real S3 server."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from strongroom.ids import new_id
from strongroom.wiring.port import free_port
from tests.courier.test_s3 import _closing, locked  # noqa: F401  # the fixture closes what is opened
from tests.journeys.honest import PROGRAM
from tests.journeys.test_processes import unhurried

COPY = """
[copy]
bucket = "locked"
endpoint = "http://127.0.0.1:{port}"
access_key_file = "{folder}/s3key"
allow_http = true
prefix = "{prefix}/"
retention_days = 1
"""
PATIENCE = 90.0
"""Seconds for what the publisher does by itself within ten; a limit, not a measure."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every process's user can pass through."""
    made = Path(tempfile.mkdtemp(prefix="strongroom-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def ran(*command: str) -> tuple[int, list[dict[str, object]], str]:
    """Exit code, objects and errors of a command with --json."""
    done = subprocess.run([*PROGRAM, *command, "--json"], capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def looked(store: Path) -> dict[str, object]:
    """What doctor says of the copy."""
    _, found, _ = ran("doctor", "--store", str(store))
    rows = [row for one in found for row in one.get("findings", [one])]  # type: ignore[attr-defined]  # its shape
    [copy] = [row for row in rows if row.get("what") == "copy"]
    return dict(copy)


def test_a_store_pushes_its_log_and_a_set_back_one_is_found(s3_port: int, folder: Path) -> None:
    """Served, read, pushed; verified from the bucket with the store and by a stranger without it. Then the published files
    of before are put back: the copy holds, and the command says that the local log was set back.
    """
    store, port = folder / "store", free_port()
    locked(s3_port)
    make = [
        *PROGRAM,
        "demo",
        "--store",
        str(store),
        "--make-only",
        "--patients",
        "8",
        "--port",
        str(port),
        "--gateway-port",
        "0",
    ]
    subprocess.run([*make, "--signin-port", str(free_port())], check=True, capture_output=True)
    (folder / "s3key").write_text("key\nsecret\n")
    (folder / "s3key").chmod(0o600)
    prefix = new_id()
    with (store / "strongroom.toml").open("a") as file:
        file.write(COPY.format(port=s3_port, folder=folder, prefix=prefix))
    unhurried(store)
    before = folder / "before"
    shutil.copytree(store / "keeper" / "log", before)
    assert looked(store)["state"] == "warn"
    with subprocess.Popen([*PROGRAM, "serve", "--store", str(store)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"Serving" in process.stdout.readline()
        token = ran("token", "--as", "patient1", "--store", str(store))[1][0]["token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx2.get(f"http://127.0.0.1:{port}/fhir/DocumentReference", headers=headers, timeout=60).is_success
        end = time.monotonic() + PATIENCE
        while looked(store)["state"] != "ok" and time.monotonic() < end:
            time.sleep(0.5)
        told = looked(store)
        assert told["state"] == "ok", told
        assert "locked for 1 days" in str(told["said"])
        process.terminate()
        assert process.wait(60) == 0
    code, [verdict], error = ran("log", "verify", "--from", "copy", "--store", str(store))
    assert (code, verdict["faults"], verdict["covered"]) == (0, [], []), error
    assert int(str(verdict["size"])) <= int(str(verdict["local"]))
    vkey = folder / "log.vkey"
    vkey.write_text((store / "keeper" / "trust" / "log.vkey").read_text())
    stranger = ("log", "verify", "--from", f"s3://locked/{prefix}", "--endpoint", f"http://127.0.0.1:{s3_port}",
                "--access-key-file", str(folder / "s3key"), "--vkey", str(vkey), "--log", str(before))  # fmt: skip
    code, [alone], _ = ran(*stranger)
    assert (code, alone["size"]) == (1, verdict["size"])
    shutil.rmtree(store / "keeper" / "log")
    shutil.copytree(before, store / "keeper" / "log")
    code, [after], _ = ran("log", "verify", "--from", "copy", "--store", str(store))
    assert (code, after["size"]) == (1, verdict["size"])
    assert "set back" in str(after["faults"])
    for wrong in (("--from", "ftp://x"), ("--from", "copy", "--quorum", "1"), ("--from", "s3://locked/x")):
        assert ran("log", "verify", *wrong, "--store", str(store))[0] == 2
