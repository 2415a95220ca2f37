"""Binary's two forms on the way in and on the way out: the bytes themselves, or a FHIR resource with the bytes in
base64.

A body with a FHIR media type that is no Binary is a document like any other (an International Patient Summary is FHIR
JSON too), and is kept as bytes.
"""

import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

import msgspec
from starlette.requests import Request

from strongroom.api.body import Body, alone, joined
from strongroom.api.content import check_accepted
from strongroom.api.respond import stop
from strongroom.api.settings import Settings
from strongroom.clock import iso
from strongroom.documents.blobs import Piece
from strongroom.envelope.mime import HEAD
from strongroom.fhir.attachment import decode_base64, is_mime
from strongroom.fhir.criteria import bare_media_type
from strongroom.fhir.parse import parse_binary
from strongroom.keeper.protocol import Row

_JSON_TYPES = frozenset({"application/fhir+json", "application/json"})


@dataclass(frozen=True, slots=True)
class Upload:
    """A document on its way in. `context` is the securityContext of the FHIR form, if it had one."""

    content_type: str
    head: bytes
    chunks: AsyncIterator[bytes]
    context: str | None = None


async def read_upload(request: Request, settings: Settings) -> Upload:
    """The document in the body, raw or in FHIR form. Raises Halt, Unreadable, Unacceptable; refuses an empty one."""
    content_type = request.headers.get("content-type", "")
    if not is_mime(content_type):
        raise stop(415, "not-supported", "Say what the bytes are: Content-Type with a media type.")
    body = Body(request, settings.max_document, settings)
    if bare_media_type(content_type) in _JSON_TYPES:
        head = await body.head(settings.max_json)
        if _is_binary(head):
            upload = _from_resource(head, settings)
            check_accepted(upload.content_type, settings)
            return upload
        check_accepted(content_type, settings)
    else:
        check_accepted(content_type, settings)  # before anything is read
        head = await body.head(HEAD)
    if not head:
        raise stop(400, "required", "The body is empty.")
    return Upload(content_type, head[:HEAD], joined(head, body))


def _is_binary(head: bytes) -> bool:
    """Whether this is JSON that calls itself a Binary. What does not parse is some other document.

    Only the name is made a value: of a large document, or one made to be large when parsed, nothing else is.
    """
    try:
        return _kind.decode(head).resource_type == "Binary"
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


class _Kind(msgspec.Struct, rename="camel"):
    resource_type: str = ""


_kind = msgspec.json.Decoder(_Kind)


def _from_resource(raw: bytes, settings: Settings) -> Upload:
    binary = parse_binary(raw)
    content = decode_base64(binary.data or "") or b""
    if len(content) > settings.max_inline:
        text = (
            f"In FHIR form a document has at most {settings.max_inline} bytes. Send it raw, with its own Content-Type."
        )
        raise stop(413, "too-long", text)
    context = binary.security_context.reference if binary.security_context else None
    return Upload(binary.content_type, content[:HEAD], alone(content), context)


def form_length(row: Row) -> int:
    """Bytes of the FHIR form of `row`."""
    return len(_opening(row)) + (row.size + 2) // 3 * 4 + len(_CLOSING)


async def form(row: Row, chunks: AsyncGenerator[Piece, None]) -> AsyncGenerator[bytes, None]:
    """The FHIR form of `row`, whose bytes are `chunks`, without ever holding it whole."""
    yield _opening(row)
    rest = b""
    async for chunk in chunks:
        rest += chunk
        whole = len(rest) - len(rest) % 3
        yield base64.b64encode(rest[:whole])
        rest = rest[whole:]
    yield base64.b64encode(rest) + _CLOSING


_CLOSING = b'"}'


def _opening(row: Row) -> bytes:
    """The resource up to where its data begins."""
    resource = {
        "resourceType": "Binary",
        "id": row.document,
        "meta": {"versionId": str(row.version), "lastUpdated": iso(row.updated)},
        "contentType": row.content_type,
        "securityContext": {"reference": f"DocumentReference/{row.document}"},
        "data": "",
    }
    return json.dumps(resource, separators=(",", ":")).encode().removesuffix(_CLOSING)
