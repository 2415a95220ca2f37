"""The keeper's peer in `./up bench keeper`: the same socket, framing, log and answers, and nothing in between.

`python -m bench.appender FOLDER` serves on FOLDER/socket. FOLDER/plan says what the entry of each request holds: a request
is looked up, its entry appended with the same group commit and disk sync, and a key of zeros answered.
"""

import asyncio
import gc
import hashlib
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.audit import event
from strongroom.audit.compose import Cover
from strongroom.audit.log import Log, Place
from strongroom.audit.receipt import ReceiptSeal
from strongroom.budget.scope import Disclosure, Kind, Scopes
from strongroom.clock import SystemClock
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId
from strongroom.keeper.protocol import MAX_REQUEST, AppRequest, Refused, Release, Released
from strongroom.keeper.socket import Listener
from strongroom.tlog.note import Signer, Verifier

SIZE = 9_000


class Planned(msgspec.Struct, frozen=True):
    """One request, by token and document, and what its entry says."""

    token: str
    document: str
    patient: str
    account: str
    session: str
    network: str
    organisation: str | None
    care: bool


async def serve(folder: Path) -> None:
    """Until SIGTERM."""
    key = Ed25519PrivateKey.generate()
    signer = Signer(Verifier("strongroom.local/bench", key.public_key().public_bytes_raw()), key.sign)
    place = Place(folder / "log.db", folder / "log")
    Log.create(place, signer)
    log = Log.open(place, signer, Cover(bytes, bytes, lambda row: hashlib.sha256(row).digest()), ReceiptSeal())
    clock = SystemClock()
    plan = msgspec.msgpack.decode((folder / "plan").read_bytes(), type=list[Planned])
    known = {(one.token, one.document): one for one in plan}
    grounds = {
        True: event.Ground("care", "TREAT", "0123456789abcdef"),
        False: event.Ground("owner", "PATRQT", "0123456789abcdef"),
    }

    async def handle(request: Release, _uid: int) -> Released:
        one, now = known[request.asking.token, request.document], clock.now()
        scopes = Scopes(
            SessionId(one.session), AccountId(one.account), "cli",
            None if one.organisation is None else OrganisationId(one.organisation), one.network,
        )  # fmt: skip
        kind, patient, document = Kind.CARE if one.care else Kind.OWN, PatientId(one.patient), DocumentId(one.document)
        what = Disclosure(now, kind, scopes, patient, document, 1, SIZE)
        receipt = await log.append(event.released(what, grounds[one.care], charged=1))
        return Released(
            receipt=receipt.index, document=document, version=1, patient=patient, content_type="application/pdf",
            size=SIZE, sealed_size=SIZE + 72, updated=now, key=bytes(32),
        )  # fmt: skip

    requests: Any = AppRequest
    listener = Listener(
        folder / "socket", requests, MAX_REQUEST, handle, lambda _uid: True, garbled=Refused(why="malformed")
    )
    await listener.start(0o600)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print("ready", flush=True)
    while not stop.is_set():
        await asyncio.to_thread(log.publish)  # every second, as the keeper does
        try:
            await asyncio.wait_for(stop.wait(), 1.0)
        except TimeoutError:
            continue
    await listener.stop()
    log.close()


if __name__ == "__main__":
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    uvloop.run(serve(Path(sys.argv[1])))
