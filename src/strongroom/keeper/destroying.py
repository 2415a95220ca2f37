"""Destroying a patient's key, for good and in every copy: asked for by two officers, done 72 hours later by the keeper.

The entry comes first, with everything in the keeper's database overwritten in its transaction; then the life key is
overwritten in its own file. A crash in between is mended by the next start: what the log says was destroyed, is destroyed.
"""

from strongroom.audit import event
from strongroom.clock import DAY, HOUR, Millis
from strongroom.errors import Conflict
from strongroom.keeper import effects
from strongroom.keeper.door import Parts
from strongroom.keys.life import life_of

DELAY = 72 * HOUR
"""From asking to destroying: a weekend in which somebody notices."""
A_DAY = 10
"""Patients that can be asked for within 24 hours, cancelled ones included. Officers whose keys were stolen destroy no more."""


async def destroy_due(parts: Parts) -> int:
    """Destroy what is due; gives how many. Raises Unavailable."""
    now, count = parts.clock.now(), 0
    for one in parts.catalog.destructions(now):
        key = parts.catalog.key_of(one.patient)
        if now < one.due or key is None:
            continue
        wrapped, _ = key
        draft = event.key(now, "destroyed", event.Target("patient", one.patient))
        try:
            await parts.log.append(draft, effects.destroy_patient(one.patient, life_of(wrapped), now))
        except Conflict:  # it was cancelled meanwhile
            continue
        parts.custody.destroy(one.patient, life_of(wrapped))
        count += 1
    return count


def finish_destroyed(parts: Parts) -> None:
    """What the log says was destroyed is destroyed, also when the keeper was killed in between. Raises Unavailable."""
    for life in parts.catalog.destroyed_lives():
        parts.custody.destroy(None, life)


def asked_within_a_day(parts: Parts, now: Millis) -> int:
    """Patients whose destruction was asked for in the last 24 hours."""
    return sum(1 for one in parts.catalog.destructions(now - DAY) if one.asked > now - DAY)
