"""The routes of DocumentReference: create, read, vread, update, delete, search, `$docref`."""

from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from strongroom.api.access import document_id, if_match, not_modified, ours, path_version
from strongroom.api.body import Body, alone
from strongroom.api.content import carried, check_metadata, inline, refers_to
from strongroom.api.deposit import Order, deposit
from strongroom.api.parts import Parts, is_strict, require_json
from strongroom.api.respond import etag, fhir, http_date, stop
from strongroom.api.searching import collect, entries, own_patient, patients_rows, search
from strongroom.api.view import shown
from strongroom.api.written import check_current, stale_is_412, written
from strongroom.clock import iso
from strongroom.fhir import parameters
from strongroom.fhir.attachment import ATTACHMENT
from strongroom.fhir.bundle import searchset
from strongroom.fhir.checks import patient_of
from strongroom.fhir.criteria import bare_media_type
from strongroom.fhir.docref import DocRef, is_wanted, understand
from strongroom.fhir.fault import Fault, Unacceptable, Unreadable
from strongroom.fhir.labels import category_of
from strongroom.fhir.parse import parse_document_reference
from strongroom.fhir.resource import DocumentReference, encode
from strongroom.fhir.search import Pairs, parse_search
from strongroom.keeper.protocol import Asking, Delete, Done, Row

MAX_FORM = 65_536
"""Bytes of a search sent by POST."""
MAX_FIELDS = 128
"""Fields of that form; the search itself takes fewer."""
JSON_TYPES = frozenset({"application/fhir+json", "application/json"})


class DocumentReferences:
    """Handlers. Each parses, asks, renders."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def create(self, request: Request) -> Response:
        """POST: a new document, its bytes inside."""
        asking = self._parts.access.asking(request)
        if "if-none-exist" in request.headers:
            raise stop(400, "not-supported", "Conditional create is not offered; leave If-None-Exist out.")
        with await self._parts.sender(asking):
            document = await self._document(request)
            content = inline(document, self._parts.settings)
            order = self._order(document, ours(patient_of(document.subject) or ""))
            row, kept = await deposit(self._parts, asking, order, alone(content))
        return written(self._parts, request, row, kept, 201)

    async def update(self, request: Request) -> Response:
        """PUT [id]: a new version, with new bytes or with those of the version before."""
        asking, expected = self._parts.access.asking(request), if_match(request)
        with await self._parts.sender(asking):
            row, kept = await self._update(request, asking, expected)
        return written(self._parts, request, row, kept, 200)

    async def _update(self, request: Request, asking: Asking, expected: int) -> tuple[Row, DocumentReference]:
        document = await self._document(request)
        if document.id != request.path_params["id"]:
            raise stop(400, "value", "The id in the body is not the id in the address.")
        row = await self._parts.access.row(asking, document_id(request))
        check_current(row, expected)
        _check_unmoved(document, row)
        inside = document.content[0].attachment.data is not None
        chunks = alone(inline(document, self._parts.settings)) if inside else carried(self._parts, asking, row)
        with stale_is_412():
            return await deposit(self._parts, asking, self._order(document, row.patient, row), chunks)

    async def read(self, request: Request) -> Response:
        """GET [id]: the newest version, unless the client has it."""
        return await self._read(request, None)

    async def vread(self, request: Request) -> Response:
        """GET [id]/_history/[version]."""
        return await self._read(request, path_version(request))

    async def delete(self, request: Request) -> Response:
        """DELETE [id]: a tombstone. The bytes stay for the delay, so that no thief can destroy."""
        asking = self._parts.access.asking(request)
        await self._parts.access.ask(Delete(asking=asking, document=document_id(request)), Done)
        return Response(status_code=204)

    async def search(self, request: Request) -> Response:
        """GET, or POST _search: the same parameters, the same answer."""
        asking = self._parts.access.asking(request)
        require_json(request)
        query = parse_search(await search_pairs(self._parts, request), strict=is_strict(request))
        return fhir(await search(self._parts, asking, query))

    async def docref(self, request: Request) -> Response:
        """GET or POST $docref."""
        asking = self._parts.access.asking(request)
        require_json(request)
        wanted = understand(parameters.typed(await self._inputs(request), DocRef))
        patient = wanted.patient or await own_patient(self._parts, asking)
        rows = patients_rows(self._parts, asking, patient)
        found = await collect(self._parts, rows, lambda document: is_wanted(document, wanted))
        page = entries(self._parts, found.documents)
        return fhir(searchset(len(page), {}, page, found.warning()))

    async def _inputs(self, request: Request) -> dict[str, object]:
        if request.method == "POST":
            return parameters.read_body(await Body(request, parameters.MAX_BODY, self._parts.settings).whole())
        pairs = request.query_params.multi_items()
        return parameters.read_pairs([pair for pair in pairs if not pair[0].startswith("_")])

    async def _read(self, request: Request, version: int | None) -> Response:
        asking = self._parts.access.asking(request)
        require_json(request)
        row = await self._parts.access.row(asking, document_id(request), version)
        headers = {"ETag": etag(row.version), "Last-Modified": http_date(row.updated)}
        if not_modified(request, row.version):
            return Response(status_code=304, headers=headers)
        document = shown(await self._parts.shelf.metadata(row), row, self._parts.settings.base)
        return fhir(encode(document), headers=headers)

    async def _document(self, request: Request) -> DocumentReference:
        """The DocumentReference in the body, within bounds."""
        require_json(request)
        if bare_media_type(request.headers.get("content-type", "")) not in JSON_TYPES:
            raise stop(415, "not-supported", "Send FHIR JSON: Content-Type application/fhir+json.")
        raw = await Body(request, self._parts.settings.max_json, self._parts.settings).whole()
        document = parse_document_reference(raw)
        check_metadata(document, self._parts.settings)
        return document

    def _order(self, document: DocumentReference, patient: str, row: Row | None = None) -> Order:
        dated = document if document.date else msgspec.structs.replace(document, date=iso(self._parts.clock.now()))
        return Order(
            patient=patient,
            category=category_of(document),
            content_type=document.content[0].attachment.content_type or "",
            metadata=dated,
            document=row.document if row else None,
            expected=row.version if row else None,
        )


async def search_pairs(parts: Parts, request: Request) -> Pairs:
    """The parameters of a search: of the address, and of the form when it is sent by POST. Raises Halt, Unreadable."""
    pairs = request.query_params.multi_items()
    if request.method != "POST":
        return pairs
    if bare_media_type(request.headers.get("content-type", "")) != "application/x-www-form-urlencoded":
        raise stop(415, "not-supported", "A search by POST is a form: application/x-www-form-urlencoded.")
    raw = await Body(request, MAX_FORM, parts.settings).whole()
    try:
        return pairs + parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:  # UnicodeDecodeError among them
        raise Unreadable(Fault("structure", "The form does not parse.")) from None


def _check_unmoved(document: DocumentReference, row: Row) -> None:
    """Raises Unacceptable for what a change cannot do: move a document, its category, or its bytes."""
    if patient_of(document.subject) != row.patient:
        raise Unacceptable(Fault("business-rule", "A document stays with its patient.", "DocumentReference.subject"))
    if category_of(document) != row.category:
        text = "The labels ask for another category: POST DocumentReference/{id}/$relabel does that."
        raise Unacceptable(Fault("business-rule", text, "DocumentReference.securityLabel"))
    attachment = document.content[0].attachment
    if attachment.data is None and attachment.content_type != row.content_type:
        text = "The bytes stay as they are, and so does their type: send them again to change it."
        raise Unacceptable(Fault("business-rule", text, f"{ATTACHMENT}.contentType"))
    if attachment.data is None and not refers_to(attachment, row):
        raise Unacceptable(Fault("not-supported", "The bytes are this document's own Binary.", f"{ATTACHMENT}.url"))
