"""A thief hoards keys; officers have everything re-encrypted that was released since; honest people read all along."""

import asyncio
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Self

import httpx2
import pytest

from strongroom.clock import SystemClock, iso
from strongroom.config import Layout
from strongroom.envelope.binding import content_context
from strongroom.envelope.sealed import Opener
from strongroom.errors import Tampered
from strongroom.identity.context import sign_context
from strongroom.ids import new_id
from strongroom.keeper.client import KeeperClient
from strongroom.keeper.protocol import Asking, Release, Released
from strongroom.secret import Secret
from strongroom.wiring.app import read_context_key
from strongroom.wiring.stage import _free_port
from tests.journeys.test_processes import Running

PROGRAM = [sys.executable, "-m", "strongroom.cli.main"]
PATIENCE = 90.0
"""Seconds for what the app does by itself within a minute; a limit, not a measure."""


@pytest.fixture
def running() -> Iterator[Running]:
    """A store of 12 patients, served; in a folder that every process's user can pass through."""
    folder = Path(tempfile.mkdtemp(prefix="strongroom-test-"))
    folder.chmod(0o755)
    store, port = folder / "store", _free_port()
    make = [*PROGRAM, "demo", "--store", str(store), "--make-only", "--patients", "12", "--port", str(port)]
    subprocess.run([*make, "--signin-port", str(_free_port())], check=True)
    process = subprocess.Popen([*PROGRAM, "serve", "--store", str(store)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert b"Serving" in process.stdout.readline()
    yield Running(store, f"http://127.0.0.1:{port}/fhir", process)
    process.terminate()
    assert process.wait(60) == 0
    process.stdout.close()
    shutil.rmtree(folder)


class Reader:
    """An honest patient who reads their documents over and over."""

    def __init__(self, running: Running, name: str) -> None:
        self._running = running
        self._name = name
        self.documents = self._ids()
        self.wrong: list[str] = []
        self.rounds = 0
        self._digests: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ids(self) -> list[str]:
        return [entry["resource"]["id"] for entry in self._running.search(self._name).json()["entry"]]

    def _read(self) -> None:
        token = self._running.token(self._name)
        headers = {"Authorization": f"Bearer {token}"}
        while not self._stop.is_set():
            for one in self.documents:
                answer = httpx2.get(f"{self._running.base}/Binary/{one}", headers=headers, timeout=60)
                digest = hashlib.sha256(answer.content).hexdigest()
                if answer.status_code != 200 or self._digests.setdefault(one, digest) != digest:
                    self.wrong.append(f"{one}: {answer.status_code}")
            listing = httpx2.get(f"{self._running.base}/DocumentReference", headers=headers, timeout=60)
            if listing.status_code != 200 or len(listing.json()["entry"]) != len(self.documents):
                self.wrong.append(f"listing: {listing.status_code}")
            self.rounds += 1


async def _hoard(running: Running, name: str, documents: list[str]) -> list[Released]:
    """What a thief who owns the app and has a token keeps of it."""
    layout, token, clock = Layout(running.store), running.token(name), SystemClock()
    client, found = KeeperClient(layout.socket, timeout=60), []
    key = read_context_key(layout, layout.context_key.stat().st_uid)
    for document in documents:
        context = sign_context(
            key, token=token, address="127.0.0.1", now=clock.now(), method="GET", url=f"{running.base}/x",
            request=new_id(),
        )  # fmt: skip
        reply = await client.ask(Release(asking=Asking(token=token, context=context), document=document))
        assert isinstance(reply, Released), reply
        found.append(reply)
    client.close()
    return found


def _opened(running: Running, keys: list[Released]) -> int:
    """How many (key, object) pairs open, of all that is in the store."""
    count = 0
    objects = [path.read_bytes() for path in (running.store / "objects").rglob("*") if path.is_file()]
    for one in keys:
        context = content_context(one.patient, one.document, one.version, one.content_type)
        for cipher in objects:
            opener = Opener(Secret(one.key), context)
            try:
                opener.update(cipher)
                opener.finish()
            except Tampered:
                continue
            count += 1
    return count


def _reencrypt(running: Running, *options: str) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, "reencrypt", "--store", str(running.store), "--json", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_a_thief_who_hoarded_keys_is_left_with_nothing(running: Running) -> None:
    """Before, each key opens its object. A plan changes nothing. The program is killed half-way, run again, and then no key
    that went out opens anything that is kept; honest people were refused nothing, and the log verifies.
    """
    since = iso(SystemClock().now())
    victim = Reader(running, "patient1")
    keys = asyncio.run(_hoard(running, "patient1", victim.documents))
    assert _opened(running, keys) == len(keys) > 3
    plan = json.loads(_reencrypt(running, "--since", since).stdout)
    assert (plan["done"], plan["plan"]["versions"], plan["plan"]["patients"]) == (False, len(keys), 1)
    assert _opened(running, keys) == len(keys)
    refused = _reencrypt(running, "--since", since, "--do", "--reason", "x", "--officer",
                         str(running.store / "officers" / "privacy.key"))  # fmt: skip
    assert refused.returncode == 3
    assert "2 officer" in json.loads(refused.stdout)["error"]
    assert _reencrypt(running, "--since", since, "--do").returncode == 2
    with victim:
        do = [*PROGRAM, "reencrypt", "--store", str(running.store), "--since", since, "--do", "--at-once",
              "--reason", "stolen login"]  # fmt: skip
        before = len(list((running.store / "objects").rglob("*")))
        with subprocess.Popen(do, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
            while killed.poll() is None and len(list((running.store / "objects").rglob("*"))) == before:
                time.sleep(0.001)
            killed.send_signal(signal.SIGKILL)
        done = _reencrypt(running, *do[4:])
        assert done.returncode == 0, done.stderr + done.stdout
        told = json.loads(done.stdout)
        assert told["failed"] == []
        assert told["moved"] + told["plan"]["versions"] > 0
        rounds, end = victim.rounds, time.monotonic() + PATIENCE
        while _opened(running, keys) and time.monotonic() < end:
            time.sleep(0.5)
        assert _opened(running, keys) == 0
        while victim.rounds < rounds + 2 and time.monotonic() < end:
            time.sleep(0.05)
    assert victim.wrong == []
    assert victim.rounds > 1
    with closing(sqlite3.connect(running.store / "keeper" / "keeper.db")) as db:
        editions = dict(db.execute("select document, edition from version where edition > 0"))
    assert {one.document for one in keys} <= set(editions)
    assert subprocess.run([*PROGRAM, "log", "verify", "--store", str(running.store)], check=False).returncode == 0
    assert os.stat(running.store / "objects").st_uid == os.stat(running.store / "app").st_uid  # noqa: PTH116  # both
