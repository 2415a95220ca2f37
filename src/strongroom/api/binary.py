"""The routes of Binary: bytes in (raw, or in FHIR form), bytes out (raw, in FHIR form, a range, or their headers
alone).

No unowned bytes: a Binary belongs to a DocumentReference of the same id. Written with `X-Security-Context:
Patient/{id}` it makes a new document with a minimal DocumentReference, which a PUT completes; with
`DocumentReference/{id}` and If-Match it makes a new version of that document.

Reading is one release. Whoever asks with a condition, or for one particular type only, is first told what the door
lists: so that a 304 or a 406 is no release.
"""

import re
from collections.abc import AsyncGenerator

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from strongroom.api.access import document_id, if_match, not_modified, ours, path_version
from strongroom.api.content import check_type
from strongroom.api.delivery import Delivery
from strongroom.api.deposit import Order, deposit
from strongroom.api.fhir_binary import Upload, form, form_length, read_upload
from strongroom.api.negotiate import Taste
from strongroom.api.parts import Parts, tasted
from strongroom.api.ranges import Range, parse_range
from strongroom.api.respond import FHIR_JSON, etag, http_date, stop
from strongroom.api.view import minimal
from strongroom.api.written import check_current, stale_is_412, written
from strongroom.documents.blobs import Piece
from strongroom.fhir.criteria import bare_media_type
from strongroom.fhir.labels import NORMAL
from strongroom.fhir.resource import DocumentReference
from strongroom.keeper.protocol import Asking, Release, Released, Row

_CONTEXT = re.compile(r"(?P<kind>Patient|DocumentReference)/(?P<id>[A-Za-z0-9\-.]{1,64})")
_PASSIVE = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp", "text/plain"})
"""Types that a browser may show: they cannot act. Everything else is offered as a download."""


class Binaries:
    """Handlers. Each parses, asks, renders."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def create(self, request: Request) -> Response:
        """POST: a new document, or a new version of one, by X-Security-Context."""
        asking = self._parts.access.asking(request)
        with await self._parts.sender(asking):
            row, kept = await self._create(request, asking)
        return written(self._parts, request, row, kept, 201, "Binary")

    async def _create(self, request: Request, asking: Asking) -> tuple[Row, DocumentReference]:
        upload = await read_upload(request, self._parts.settings)
        kind, owner = _security_context(request, upload)
        check_type(upload.head, upload.content_type)
        if kind == "Patient":
            document = minimal(owner, upload.content_type, self._parts.clock.now())
            order = Order(owner, NORMAL, upload.content_type, document)
        else:
            order = await self._next_version(request, asking, owner, upload.content_type)
        with stale_is_412():
            return await deposit(self._parts, asking, order, upload.chunks)

    async def read(self, request: Request) -> Response:
        """GET [id], HEAD [id]."""
        return await self._read(request, None)

    async def vread(self, request: Request) -> Response:
        """GET [id]/_history/[version], HEAD too."""
        return await self._read(request, path_version(request))

    async def _next_version(self, request: Request, asking: Asking, document: str, content_type: str) -> Order:
        """New bytes for a document whose metadata stay as they are."""
        expected = if_match(request)
        row = await self._parts.access.row(asking, document)
        check_current(row, expected)
        before = await self._parts.shelf.metadata(row)
        attachment = msgspec.structs.replace(
            before.content[0].attachment, content_type=content_type, size=None, hash=None
        )
        content = msgspec.structs.replace(before.content[0], attachment=attachment)
        metadata = msgspec.structs.replace(before, content=(content,))
        return Order(row.patient, row.category, content_type, metadata, row.document, row.version)

    async def _read(self, request: Request, version: int | None) -> Response:
        asking, document, taste = self._parts.access.asking(request), document_id(request), tasted(request)
        wanted, as_resource = parse_range(request.headers.get("range")), taste.prefers_resource()
        if request.method == "HEAD" or _must_look(request, taste):
            row = await self._parts.access.row(asking, document, version)
            as_resource = _form(taste, row)
            if not_modified(request, row.version):
                return Response(status_code=304, headers=_headers(row, as_resource=as_resource))
            if request.method == "HEAD":
                length = form_length(row) if as_resource else row.size
                return Response(headers={**_headers(row, as_resource=as_resource), "Content-Length": str(length)})
            version, wanted = row.version, _if_range(request, row, wanted)
        if as_resource:
            return await self._resource(Release(asking=asking, document=document, version=version))
        return await self._bytes(asking, document, version, wanted)

    async def _resource(self, question: Release) -> Response:
        """The FHIR form, always whole: a range of base64 would be a range of nothing that anybody has."""
        released = await self._parts.access.ask(question, Released)
        row = _row(released)
        chunks = form(row, self._parts.shelf.read(released, 0, released.size))
        return self._delivery(released, chunks, form_length(row), 200, _headers(row, as_resource=True))

    async def _bytes(self, asking: Asking, document: str, version: int | None, wanted: Range | None) -> Response:
        start, length = (wanted.first, wanted.length) if wanted else (0, None)
        question = Release(asking=asking, document=document, version=version, start=start, length=length)
        released = await self._parts.access.ask(question, Released)
        headers, size = _headers(_row(released), as_resource=False), released.size
        if wanted is None:
            return self._delivery(released, self._parts.shelf.read(released, 0, size), size, 200, headers)
        part = wanted.of(size)
        if part is None:
            self._parts.words.tell(released.receipt, 0, complete=False)
            raise stop(416, "invalid", "The range lies beyond the document.", {"Content-Range": f"bytes */{size}"})
        headers["Content-Range"] = f"bytes {part[0]}-{part[0] + part[1] - 1}/{size}"
        return self._delivery(released, self._parts.shelf.read(released, *part), part[1], 206, headers)

    def _delivery(
        self, released: Released, chunks: AsyncGenerator[Piece, None], length: int, status: int, headers: dict[str, str]
    ) -> Delivery:
        return Delivery(
            self._parts.words,
            released.receipt,
            chunks,
            length,
            status=status,
            headers=headers,
            idle=self._parts.settings.idle,
        )


def _security_context(request: Request, upload: Upload) -> tuple[str, str]:
    """Whose the bytes are: the kind of owner and an id of our form. Raises Halt (400): no unowned bytes."""
    header = request.headers.get("x-security-context")
    if header is not None and upload.context is not None and header != upload.context:
        raise stop(400, "invalid", "X-Security-Context and securityContext name different owners.")
    found = _CONTEXT.fullmatch(header or upload.context or "")
    if found is None:
        text = (
            "Say whose the bytes are: X-Security-Context: Patient/{id} for a new document, DocumentReference/{id} else."
        )
        raise stop(400, "required", text)
    return found["kind"], ours(found["id"])


def _must_look(request: Request, taste: Taste) -> bool:
    """Whether what the door lists decides if there is to be a release at all."""
    conditional = "if-none-match" in request.headers or "if-range" in request.headers
    return conditional or not (taste.anything() or taste.prefers_resource())


def _form(taste: Taste, row: Row) -> bool:
    """Whether the FHIR form is wanted. Raises Halt (406) when neither form is."""
    if taste.prefers_resource():
        return True
    if taste.quality(bare_media_type(row.content_type)) > 0:
        return False
    if taste.fhir():
        return True
    raise stop(406, "not-supported", "The document is of another type than those you accept.")


def _if_range(request: Request, row: Row, wanted: Range | None) -> Range | None:
    """The range, unless If-Range names another version: then the whole (RFC 9110, section 13.1.5)."""
    header = request.headers.get("if-range")
    return wanted if header is None or header == _strong_etag(row.version) else None


def _strong_etag(version: int) -> str:
    """The raw bytes of a version never change, so their ETag is strong and ranges can be resumed upon it."""
    return f'"{version}"'


def _headers(row: Row, *, as_resource: bool) -> dict[str, str]:
    headers = {
        "Content-Type": FHIR_JSON if as_resource else row.content_type,
        "ETag": etag(row.version) if as_resource else _strong_etag(row.version),
        "Last-Modified": http_date(row.updated),
        "X-Security-Context": f"DocumentReference/{row.document}",
        "Vary": "Accept",
    }
    if not as_resource:
        headers["Accept-Ranges"] = "bytes"
        if bare_media_type(row.content_type) not in _PASSIVE:
            headers["Content-Disposition"] = "attachment"
    return headers


def _row(released: Released) -> Row:
    """What a listing would have said of what was released."""
    return Row(
        document=released.document,
        version=released.version,
        patient=released.patient,
        category="",
        state="available",
        content_type=released.content_type,
        size=released.size,
        updated=released.updated,
        metadata_key=b"",
    )
