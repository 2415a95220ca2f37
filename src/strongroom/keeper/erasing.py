"""The end of a deleted document: its keys are overwritten when the delay is over.

Until then it can be brought back (`Acts`, "undelete"): a thief with somebody's login destroys nothing that is missed
within the delay. Afterwards nobody can, the keeper's own officers included; copies in backups live as long as these.
"""

import asyncio

from strongroom.audit import event
from strongroom.errors import Conflict
from strongroom.ids import DocumentId, PatientId
from strongroom.keeper import effects
from strongroom.keeper.door import Parts

BATCH = 100
"""Documents erased at once. The keeper does this every minute, so that honest requests hardly wait for it."""


async def erase_due(parts: Parts) -> int:
    """Erase what is due, `BATCH` documents at most; gives how many. Raises Unavailable."""
    now = parts.clock.now()

    async def erase(document: DocumentId, patient: PatientId) -> bool:
        try:
            await parts.log.append(event.erased(now, patient, document), effects.erase_document(document, now))
        except Conflict:  # it was brought back meanwhile
            return False
        return True

    due = parts.catalog.erasable(now - parts.settings.deletion_delay, BATCH)
    return sum(await asyncio.gather(*[erase(document, patient) for document, patient in due]))
