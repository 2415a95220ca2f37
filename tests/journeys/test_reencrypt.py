"""A thief hoards keys; officers have everything re-encrypted that was released since; honest people read all along."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

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
from tests.journeys.honest import PROGRAM, Reader
from tests.journeys.test_processes import Running

PATIENCE = 90.0
"""Seconds for what the app does by itself within a minute; a limit, not a measure."""


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


def test_a_thief_who_hoarded_keys_is_left_with_nothing(served: Running) -> None:
    """Before, each key opens its object. A plan changes nothing. The program is killed half-way, run again, and then no key
    that went out opens anything that is kept; honest people were refused nothing, and the log verifies.
    """
    since = iso(SystemClock().now())
    victim = Reader(served, "patient1")
    keys = asyncio.run(_hoard(served, "patient1", victim.documents))
    assert _opened(served, keys) == len(keys) > 3
    plan = json.loads(_reencrypt(served, "--since", since).stdout)
    assert (plan["done"], plan["plan"]["versions"], plan["plan"]["patients"]) == (False, len(keys), 1)
    assert _opened(served, keys) == len(keys)
    refused = _reencrypt(served, "--since", since, "--do", "--reason", "x", "--officer",
                         str(served.store / "officers" / "privacy.key"))  # fmt: skip
    assert refused.returncode == 3
    assert "2 officer" in json.loads(refused.stdout)["error"]
    assert _reencrypt(served, "--since", since, "--do").returncode == 2
    with victim:
        do = [*PROGRAM, "reencrypt", "--store", str(served.store), "--since", since, "--do", "--at-once",
              "--reason", "stolen login"]  # fmt: skip
        before = len(list((served.store / "objects").rglob("*")))
        with subprocess.Popen(do, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
            while killed.poll() is None and len(list((served.store / "objects").rglob("*"))) == before:
                time.sleep(0.001)
            killed.send_signal(signal.SIGKILL)
        done = _reencrypt(served, *do[4:])
        assert done.returncode == 0, done.stderr + done.stdout
        told = json.loads(done.stdout)
        assert told["failed"] == []
        assert told["moved"] + told["plan"]["versions"] > 0
        rounds, end = victim.rounds, time.monotonic() + PATIENCE
        while _opened(served, keys) and time.monotonic() < end:
            time.sleep(0.5)
        assert _opened(served, keys) == 0
        while victim.rounds < rounds + 2 and time.monotonic() < end:
            time.sleep(0.05)
    assert victim.wrong == []
    assert victim.rounds > 1
    with closing(sqlite3.connect(served.store / "keeper" / "keeper.db")) as db:
        editions = dict(db.execute("select document, edition from version where edition > 0"))
    assert {one.document for one in keys} <= set(editions)
    assert subprocess.run([*PROGRAM, "log", "verify", "--store", str(served.store)], check=False).returncode == 0
    assert os.stat(served.store / "objects").st_uid == os.stat(served.store / "app").st_uid  # noqa: PTH116  # both
