"""A keeper's last minute: many releases appended to a large log, and then a death without a word.

`python -m bench.scale.tail ROOT COUNT` opens the store in ROOT as a start does, keeps a snapshot of the budgets, appends COUNT
releases through the real log with `IN_FLIGHT` at once, publishes every second, prints how many seconds the appends took, and
kills itself (SIGKILL): what a start must then replay is in the log and in no snapshot.
"""

import asyncio
import os
import random
import signal
import sys
import time
from pathlib import Path

from bench.scale import Standing, read
from bench.scale.door import opened
from strongroom.audit import event
from strongroom.audit.log import Log
from strongroom.budget.scope import Disclosure, Kind, Scopes
from strongroom.clock import Clock
from strongroom.ids import SessionId, new_id
from strongroom.keeper.snapshot import Snapshots
from strongroom.wiring.root import open_root
from strongroom.wiring.secrets import open_secrets

IN_FLIGHT = 256
USES = 8
"""Releases of a session."""
GROUND = event.Ground("care", "TREAT", "0123456789abcdef")


def main(root: Path, count: int) -> None:
    """See the module. Does not return."""
    standing = read(root)
    layout, config = standing.layout, standing.config
    secrets = open_secrets(layout.secrets, config.store.name, open_root(config, layout))
    with opened(standing) as door:
        Snapshots(layout.keeper / "budgets.snapshot", secrets.snapshot).keep(door.parts.ledger, door.parts.log.size)
        drafts = [_draft(standing, door.parts.clock, random.Random(at)) for at in range(count // USES)]
        print(asyncio.run(_append(door.parts.log, [one for some in drafts for one in some])), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)


def _draft(standing: Standing, clock: Clock, rng: random.Random) -> list[event.Draft]:
    """One session of a clinician: documents of different patients of the practice."""
    world = standing.world
    staff = rng.randrange(world.sizes.clinicians)
    practice = world.practice(staff)
    scopes = Scopes(SessionId(new_id()), world.clinician(staff), "cli", practice, f"10.0.{staff >> 8}.{staff & 255}/32")
    drafts = []
    for _ in range(USES):
        fellows = world.sizes.patients // world.practices
        patient = staff % world.practices + world.practices * rng.randrange(fellows)
        document = world.document(rng.choice(world.documents_of(patient)))
        what = Disclosure(clock.now(), Kind.CARE, scopes, world.patient(patient), document, 1, 252_000)
        drafts.append(event.released(what, GROUND, charged=1))
    return drafts


async def _append(log: Log, drafts: list[event.Draft]) -> float:
    waiting = iter(drafts)
    done = asyncio.Event()

    async def one_after_the_other() -> None:
        for draft in waiting:
            await log.append(draft)

    async def publish() -> None:
        while not done.is_set():
            await asyncio.sleep(1)
            await asyncio.to_thread(log.publish)

    publishing = asyncio.create_task(publish())
    start = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(IN_FLIGHT)))
    taken = time.perf_counter() - start
    done.set()
    await publishing
    return taken


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
