"""Another root key: every patient's key is wrapped under it, a batch a second, while everybody reads and writes on.

The state is the keys themselves: while there is an older root key beside the newest, the rotation is under way, also after a
restart. How far it got is kept in the transaction of each batch; to forget it costs time alone. The older key is destroyed
last, when the entry that says so is durable.
"""

import asyncio
from dataclasses import dataclass

from strongroom.audit import event
from strongroom.errors import UsageError
from strongroom.ids import AccountId, PatientId
from strongroom.keeper import effects
from strongroom.keeper.door import Parts

BATCH = 500
"""Patients in a second, and in one entry."""
CURSOR = "root-rotation"
"""Name, among the states beside the log, of the last patient whose key is under the newest root key."""
ROOT = event.Target("key", "root")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: `turning` whether there is a rotation, `done` of `patients`."""

    turning: bool
    done: int
    patients: int


async def begin(parts: Parts, by: AccountId, signers: str) -> int:
    """Make a newer root key; gives the index of the entry. Raises UsageError when one is being rotated, Unavailable."""
    if await asyncio.to_thread(parts.roots.turning):
        raise UsageError(
            "The root key is being rotated already.", advice="`strongroom rotate status` says how far it is."
        )
    now = parts.clock.now()
    draft = event.key(now, "root rotation began", ROOT, by=by, details=signers)
    receipt = await parts.log.append(draft, [effects.keep_state(CURSOR, b"")])
    parts.custody.use(await asyncio.to_thread(parts.roots.begin))
    return receipt.index


async def turn(parts: Parts) -> None:
    """One batch, if a rotation is under way; after the last, the older key is destroyed. Raises Unavailable, Tampered."""
    if not await asyncio.to_thread(parts.roots.turning):
        return
    cursor = (parts.catalog.state(CURSOR) or b"").decode()
    rows = parts.catalog.keys_after(PatientId(cursor), BATCH)
    now = parts.clock.now()
    if not rows:
        await parts.log.append(event.key(now, "root rotated", ROOT), [effects.keep_state(CURSOR, b"")])
        parts.custody.use(await asyncio.to_thread(parts.roots.finish))
        return
    moved = await parts.custody.rewrap(rows)
    changes = [effects.rewrap_patient(patient, old, new) for (patient, old, _), new in zip(rows, moved, strict=True)]
    draft = event.key(now, "root rewrapped", ROOT, count=len(rows))
    await parts.log.append(draft, [*changes, effects.keep_state(CURSOR, rows[-1][0].encode())])


async def progress(parts: Parts) -> Progress:
    """How far it is. Raises Unavailable."""
    turning = await asyncio.to_thread(parts.roots.turning)
    cursor = (parts.catalog.state(CURSOR) or b"").decode()
    done, patients = parts.catalog.count_keys(PatientId(cursor))
    return Progress(turning, done if turning else patients, patients)
