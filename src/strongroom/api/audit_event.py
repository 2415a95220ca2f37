"""The route of AuditEvent: a search for the accesses to a record. Nothing writes here: the log is the keeper's."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from strongroom.api.access import ours
from strongroom.api.document_reference import search_pairs
from strongroom.api.parts import Parts, is_strict, require_json
from strongroom.api.respond import fhir
from strongroom.api.searching import own_patient
from strongroom.fhir.audit import audit_event
from strongroom.fhir.bundle import searchset
from strongroom.fhir.history import HistoryQuery, parse_history
from strongroom.keeper.protocol import Accesses, Asking, History


class AuditEvents:
    """Handlers. Each parses, asks, renders."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def search(self, request: Request) -> Response:
        """GET, or POST _search: newest first. Whose log may be read, and by whom, is the door's decision."""
        asking = self._parts.access.asking(request)
        require_json(request)
        query = parse_history(await search_pairs(self._parts, request), strict=is_strict(request))
        patient = ours(query.patient or await own_patient(self._parts, asking))
        base = self._parts.settings.base
        address = f"{base}/AuditEvent?{urlencode(query.used)}"
        accesses = await self._accesses(asking, patient, query, address)
        links = {"self": address}
        if accesses.more and accesses.rows:
            token = self._parts.pager.token(patient, address, (accesses.rows[-1].index, ""))
            links["next"] = f"{address}&{urlencode({'_page': token})}"
        page = [(f"{base}/AuditEvent/{one.index}", audit_event(one, patient, base)) for one in accesses.rows]
        return fhir(searchset(None, links, page))

    async def _accesses(self, asking: Asking, patient: str, query: HistoryQuery, address: str) -> Accesses:
        before = self._parts.pager.position(patient, address, query.page)[0] if query.page else None
        question = History(
            asking=asking, patient=patient, before=before, since=query.since, until=query.until, limit=query.count
        )
        return await self._parts.access.ask(question, Accesses)
