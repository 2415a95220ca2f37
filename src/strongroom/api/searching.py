"""Searching one patient's documents: the door lists, the metadata is opened here, and the rest is comparison in memory.

Whose documents are meant: the patient named; else, with a single `_id`, the one that document is of; else the asker's
own record, if they have just one. Never "all". An unknown and a foreign patient have the same empty list.
"""

import logging
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from strongroom.api.access import ours
from strongroom.api.parts import Parts
from strongroom.api.respond import Declined, stop
from strongroom.api.view import shown
from strongroom.errors import Unavailable, Untrusted
from strongroom.fhir.bundle import searchset
from strongroom.fhir.outcome import single
from strongroom.fhir.resource import DocumentReference, encode
from strongroom.fhir.search import Query, matches, sort_key
from strongroom.keeper.protocol import Asking, List, Listed, Row

log = logging.getLogger("strongroom.api")


@dataclass(slots=True)
class Found:
    """Documents that match, and how many there are that do not open: a gap is told, never passed over in silence."""

    documents: list[DocumentReference] = field(default_factory=list)
    unopened: int = 0

    def warning(self) -> bytes | None:
        """An OperationOutcome when something is missing from the answer."""
        if not self.unopened:
            return None
        text = f"{self.unopened} of the documents cannot be opened and may be missing here. The operators are told."
        return single("incomplete", text, "warning")


async def search(parts: Parts, asking: Asking, query: Query) -> bytes:
    """The page that `query` asks for, as a Bundle. Raises Declined, Unreadable, Halt."""
    found = await collect(parts, await _rows_wanted(parts, asking, query), lambda document: matches(document, query))
    found.documents.sort(key=lambda document: sort_key(document, query))
    address = f"{parts.settings.base}/DocumentReference?{urlencode(query.used)}"
    keys = [sort_key(document, query) for document in found.documents]
    caller = (await parts.access.known(asking)).account if query.page or 0 < query.count < len(keys) else ""
    start = bisect_right(keys, parts.pager.position(caller, address, query.page)) if query.page else 0
    page = found.documents[start : start + query.count]
    links = {"self": address}
    if page and start + len(page) < len(keys):
        token = parts.pager.token(caller, address, keys[start + len(page) - 1])
        links["next"] = f"{address}&{urlencode({'_page': token})}"
    return searchset(len(keys), links, entries(parts, page), found.warning())


def entries(parts: Parts, documents: Sequence[DocumentReference]) -> list[tuple[str, bytes]]:
    """Documents as entries of a Bundle."""
    return [(f"{parts.settings.base}/DocumentReference/{one.id}", encode(one)) for one in documents]


async def collect(parts: Parts, rows: AsyncIterator[Row], wanted: Callable[[DocumentReference], bool]) -> Found:
    """The documents of `rows` that are `wanted`, opened."""
    found = Found()
    async for row in rows:
        try:
            document = shown(await parts.shelf.metadata(row), row, parts.settings.base)
        except Untrusted as error:
            log.error("metadata of %s.%d does not open: %s", row.document, row.version, type(error).__name__)
            found.unopened += 1
        else:
            if wanted(document):
                found.documents.append(document)
    return found


async def patients_rows(parts: Parts, asking: Asking, patient: str) -> AsyncIterator[Row]:
    """Every document of `patient` that the asker may know of. Raises Halt (422) beyond what a search looks through."""
    after, seen = None, 0
    while True:
        listed = await parts.access.ask(List(asking=asking, patient=ours(patient), after=after), Listed)
        seen += len(listed.rows)
        if seen > parts.settings.max_rows:
            raise stop(422, "too-costly", "This record has more documents than a search looks through.")
        for row in listed.rows:
            yield row
        if not listed.more:
            return
        if not listed.rows:  # more is said to follow, and nothing says where: an end here would be a silence
            msg = "The keeper gave a page without rows before the last one."
            raise Unavailable(msg)
        after = listed.rows[-1].document


async def _rows_wanted(parts: Parts, asking: Asking, query: Query) -> AsyncIterator[Row]:
    if query.patient is not None:
        return patients_rows(parts, asking, query.patient)
    if len(query.ids) == 1:
        return _one(parts, asking, query.ids[0])
    return patients_rows(parts, asking, await own_patient(parts, asking))


async def own_patient(parts: Parts, asking: Asking) -> str:
    """The one patient that the asker need not name. Raises Halt (400) for somebody who has none, or several."""
    own = (await parts.access.known(asking)).own
    if len(own) != 1:
        raise stop(400, "required", "Name the patient: patient=Patient/{id}.")
    return own[0]


async def _one(parts: Parts, asking: Asking, document: str) -> AsyncIterator[Row]:
    try:
        yield await parts.access.row(asking, ours(document))
    except Declined as declined:
        if declined.refused.why != "absent":
            raise
