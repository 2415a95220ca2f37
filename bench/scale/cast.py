"""The few people of a large store whom the benches really let in: their patient keys and their documents' keys open."""

import asyncio
import sqlite3

from bench.scale.world import World
from strongroom.audit.receipt import ReceiptSeal
from strongroom.clock import SystemClock
from strongroom.keys.custody import Above, Custody, Subject

MOST = 64


def members(world: World) -> list[int]:
    """Numbers of patients with more than fifty documents, from all over the store."""
    step = max(1, world.favoured // MOST)
    return list(range(3, world.favoured, step))[:MOST]


def give_keys(db: sqlite3.Connection, world: World, store: str, above: Above) -> None:
    """Real keys for them, in place of bytes of the same length."""
    asyncio.run(_give(db, world, Custody(store, above, ReceiptSeal(), SystemClock())))


async def _give(db: sqlite3.Connection, world: World, custody: Custody) -> None:
    for number in members(world):
        patient = world.patient(number)
        made = await custody.new_patient(patient)
        lengths = db.execute(
            "select length(wrapped), length(recovery) from patient where id = ?", (patient,)
        ).fetchone()
        assert lengths == (len(made.wrapped), len(made.recovery)), (len(made.wrapped), len(made.recovery))
        db.execute("update patient set wrapped = ?, recovery = ? where id = ?", (made.wrapped, made.recovery, patient))
        for one in world.documents_of(number):
            document = world.document(one)
            prepared = await custody.prepare(Subject(patient, made.wrapped), document, 1)
            changed = db.execute(
                "update version set wrapped_content = ?, wrapped_metadata = ? where document = ? and version = 1",
                (prepared.wrapped_content, prepared.wrapped_metadata, document),
            )
            assert changed.rowcount == 1
