"""Another signing key for the log, while it is written, published and verified on.

1. The new key is made and pinned beside the old one. From then on checkpoints bear both signatures.
2. An entry names the new key; what covers it is signed by the old one.
3. A proof of that entry is kept: whoever has the old key can verify with it that the log itself names the new one.
4. When the overlap is over, an entry says so; the old key signs that, and then is retired at this size and destroyed.

Both keys hold meanwhile, so that nobody who verifies is ever without one. Each step is found again by a start, and done
again by the keeper's second: what is pinned says how far it got.
"""

import asyncio
from dataclasses import dataclass

import msgspec

from strongroom.audit import event
from strongroom.audit.verify import prove
from strongroom.clock import Millis
from strongroom.errors import UsageError
from strongroom.ids import AccountId
from strongroom.keeper import effects
from strongroom.keeper.door import Parts
from strongroom.tlog.logkeys import LogSigners

STATE = "log-key"
"""Name, among the states beside the log, of what was announced last."""
MOST_ENTRIES = 10_000
"""Entries about keys that are looked through for the one that names the new key."""


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """The key that was announced; from which size of the log on; and until when (ms) the one before it signs beside it."""

    vkey: str
    after: int
    until: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """How the rotation of the log's key stands. `until` (ms): when the old key signs no more; None when one key signs."""

    keys: int
    until: int | None


async def begin(parts: Parts, by: AccountId, signers: str, overlap: int) -> tuple[int, str]:
    """(index of the entry, the new public key). `overlap`: ms. Raises UsageError while two keys sign, Unavailable."""
    if len(parts.log.keys.active()) > 1:
        raise UsageError(
            "The log's key is being replaced already.", advice="`strongroom rotate status` says until when."
        )
    pens = await asyncio.to_thread(parts.pens.begin)
    index = await _announce(parts, pens, overlap, by=by, details=signers)
    return index, pens.keys.newest.vkey()


async def turn(parts: Parts) -> None:
    """What is to be done next, if anything. To be called again and again. Raises Unavailable."""
    keys, now = parts.log.keys, parts.clock.now()
    if len(keys.active()) == 1:
        return
    told = announced(parts)
    if told is None or told.vkey != keys.newest.vkey():  # killed between making it and saying so
        await _announce(parts, await asyncio.to_thread(parts.pens.begin), 0)
        return
    if not await asyncio.to_thread(parts.pens.proven, keys.newest.key_id):
        await asyncio.to_thread(_prove, parts, told)
    if now >= told.until:
        old = keys.active()[-1]
        await parts.log.append(event.key(now, "log key retired", event.Target("key", old.vkey())))
        checkpoint = await asyncio.to_thread(parts.log.publish)
        parts.log.sign_with(await asyncio.to_thread(parts.pens.finish, checkpoint.size))


def announced(parts: Parts) -> Announced | None:
    """What was announced last."""
    raw = parts.catalog.state(STATE)
    return None if raw is None else msgspec.json.decode(raw, type=Announced)


def standing(parts: Parts) -> Overlap:
    """How it stands."""
    keys, told = parts.log.keys, announced(parts)
    return Overlap(len(keys.verifiers), told.until if told and len(keys.active()) > 1 else None)


async def _announce(
    parts: Parts, pens: LogSigners, overlap: int, *, by: AccountId | None = None, details: str | None = None
) -> int:
    now, vkey = parts.clock.now(), pens.keys.newest.vkey()
    told = Announced(vkey=vkey, after=parts.log.size, until=Millis(now + overlap))
    draft = event.key(now, "log key rotated", event.Target("key", vkey), by=by, details=details)
    receipt = await parts.log.append(draft, [effects.keep_state(STATE, msgspec.json.encode(told))])
    parts.log.sign_with(pens)
    return receipt.index


def _prove(parts: Parts, told: Announced) -> None:
    """3. Of the published log, whose checkpoint both keys signed by now."""
    sql = "select idx, body from log_entry where idx >= ? and op = 'key' order by idx limit ?"
    wanted = f'"target":"key:{told.vkey}"'.encode()
    for index, body in parts.catalog.rows(sql, (told.after, MOST_ENTRIES)):
        if isinstance(body, bytes) and wanted in body:
            parts.log.publish()
            proof = prove(parts.log.published, parts.log.keys, int(str(index)))
            parts.pens.keep(parts.log.keys.newest.key_id, proof)
            return
