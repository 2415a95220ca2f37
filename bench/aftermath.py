"""What must hold of a store after its processes died, or its machine lost power. Examined on a copy, by a real start.

1. The keeper opens: every check of a start holds.
2. Every acknowledged release and listing has its entry.
3. Every entry's charge is counted: no window of the ledger holds less than the whole log says.
4. Every acknowledged upload is read through the door with its bytes; what was deleted stays deleted.
5. Every version that can be listed opens, metadata and bytes, and the published log verifies (`strongroom restore
   --verify` does the same).
6. The databases are whole, and of one version: nothing is half migrated.
"""

import asyncio
import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from bench.load import Told, Upload
from strongroom.api.app import create_app
from strongroom.api.settings import Settings
from strongroom.audit.sqlite import SCHEMA_VERSION
from strongroom.budget.ledger import Ledger
from strongroom.budget.table import DEFAULTS
from strongroom.config import Config, Layout, parse
from strongroom.documents.sqlite import Catalogue
from strongroom.errors import StrongroomError
from strongroom.identity import keyfile
from strongroom.keeper.protocol import AppRequest, Reply
from strongroom.keeper.schema import VERSION
from strongroom.secret import Secret
from strongroom.signin.tokens import mint
from strongroom.wiring.app import ContextSigner, open_blobs, read_context_key
from strongroom.wiring.keeper import Opened, open_keeper
from strongroom.wiring.rehearsal import Rehearsal
from strongroom.wiring.signin import signin_settings, signing_key
from strongroom.wiring.verify import verify_store


def examine(root: Path, told: Told, fresh: Sequence[Upload]) -> list[str]:
    """What does not hold of the copy in `root`. `fresh`: the uploads that are read back, byte by byte."""
    layout = Layout(root)
    config = parse(layout.config.read_bytes())
    try:
        found = asyncio.run(_inside(config, layout, told, fresh))
        found += verify_store(config, layout, lambda _: None).failures
    except StrongroomError as error:
        return [f"the store does not open: {error}"]
    return found + list(_whole(layout))


async def _inside(config: Config, layout: Layout, told: Told, fresh: Sequence[Upload]) -> list[str]:
    opened = open_keeper(config, layout, rehearsal=Rehearsal())  # 1
    try:
        return [
            *_recorded(config, opened, told),
            *_charged(opened),
            *await _readable(config, layout, opened, told, fresh),
        ]
    finally:
        await opened.keeper.stop()


def _recorded(config: Config, opened: Opened, told: Told) -> Iterator[str]:
    """2."""
    parts = opened.keeper.door.parts
    released: Counter[tuple[str, str]] = Counter()
    listed: Counter[tuple[str, str]] = Counter()
    for one in opened.keeper.recount(0):
        if one.document is None:
            listed[one.scopes.account, one.patient] += 1
        else:
            released[one.scopes.account, one.document] += 1

    def account(subject: str) -> str:
        return str(parts.catalog.account(parts.veil.login(config.issuer_url, subject)).id)

    for name, wanted, there in (("release", told.released, released), ("listing", told.listed, listed)):
        for (subject, what), times in Counter((subject, what) for _, subject, what in wanted).items():
            if (found := there[account(subject), what]) < times:
                yield f"of {times} acknowledged {name}s of {what} to {subject} the log has {found}"


def _charged(opened: Opened) -> Iterator[str]:
    """3."""
    whole = Ledger(DEFAULTS)
    for one in opened.keeper.recount(0):
        whole.apply(one)
    counted = _windows(opened.keeper.door.parts.ledger)
    for place, sums in _windows(whole).items():
        have = counted.get(place, (0, 0, 0, 0))
        if any(less < more for less, more in zip(have, sums, strict=True)):
            yield f"budget window {place} counts {have}, the log says {sums}"


def _windows(ledger: Ledger) -> dict[tuple[int, str], tuple[int, int, int, int]]:
    """Documents, bytes, people and openings of each window, out of the ledger's own snapshot."""
    state: list[Any] = msgspec.msgpack.decode(ledger.snapshot())
    return {
        (place, name): (sum(one[1] for one in events), sum(one[2] for one in events), len(meetings), len(events))
        for place, name, events, meetings in state[3]
    }


async def _readable(config: Config, layout: Layout, opened: Opened, told: Told, fresh: Sequence[Upload]) -> list[str]:
    """4."""
    parts = opened.keeper.door.parts
    state = "select state from document where id = ?"
    kept = [name for name in told.deleted if parts.catalog.rows(state, (name,)) != [("deleted",)]]
    found = [f"{name} was deleted and is there" for name in kept]
    key, clock = signing_key(config, layout), parts.clock
    catalogue = Catalogue.open(layout.catalogue)
    app = create_app(
        _Inside(opened), open_blobs(config, layout), catalogue, ContextSigner(read_context_key(layout), clock),
        clock, Settings(base=config.base, page_key=Secret(keyfile.read_private(layout.page_key))),
    )  # fmt: skip
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app, client=("127.0.0.1", 1))) as http:
        for one in fresh:
            if one.document in told.deleting:
                continue
            token = mint(key, signin_settings(config), one.subject, clock.now(), demonstration=True)
            url = f"{config.base}/Binary/{one.document}/_history/{one.version}"
            answer = await http.get(url, headers={"Authorization": f"Bearer {token}"})
            if answer.status_code != httpx2.codes.OK:
                found.append(f"acknowledged {one.document} version {one.version} is answered {answer.status_code}")
            elif hashlib.sha256(answer.content).hexdigest() != one.digest:
                found.append(f"acknowledged {one.document} version {one.version} has other bytes")
    catalogue.close()
    return found


def _whole(layout: Layout) -> Iterator[str]:
    """6."""
    for path in (layout.database, layout.catalogue, layout.signin / "signin.db"):
        with closing(sqlite3.connect(path)) as db:
            checked = [row[0] for row in db.execute("pragma integrity_check")]
            if checked != ["ok"]:
                yield f"{path.name}: {'; '.join(checked)[:200]}"
    with closing(sqlite3.connect(layout.database)) as db:
        versions = [db.execute(sql).fetchone()[0] for sql in ("pragma user_version", "select version from log_head")]
        if versions != [VERSION, SCHEMA_VERSION]:
            yield f"the keeper's tables are of versions {versions}"


class _Inside:
    """The door in the same process."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    async def ask(self, request: AppRequest) -> Reply:
        """See `api.ports.Door`."""
        return await self._opened.keeper.dispatch.handle(request, 0)
