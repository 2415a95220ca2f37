"""After a change: what was written, in the form that the client prefers; and a change upon an older version."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import Response

from strongroom.api.parts import Parts, preferences
from strongroom.api.respond import Declined, Halt, etag, fhir, http_date, stop
from strongroom.api.view import shown
from strongroom.fhir.outcome import single
from strongroom.fhir.resource import DocumentReference, encode
from strongroom.keeper.protocol import Row


def written(
    parts: Parts, request: Request, row: Row, document: DocumentReference, status: int, kind: str = "DocumentReference"
) -> Response:
    """The answer to a change that is durable: Location, ETag, and a body by `Prefer: return=` (FHIR R4, http.html#ops).

    Of a Binary the client has the bytes already; it gets the location alone.
    """
    headers = {
        "Location": f"{parts.settings.base}/{kind}/{row.document}/_history/{row.version}",
        "ETag": etag(row.version),
        "Last-Modified": http_date(row.updated),
    }
    wishes = preferences(request)
    if kind != "DocumentReference" or "return=minimal" in wishes:
        return Response(status_code=status, headers=headers)
    if "return=OperationOutcome" in wishes:
        return fhir(single("informational", "It is kept.", "information"), status, headers)
    return fhir(encode(shown(document, row, parts.settings.base)), status, headers)


def check_current(row: Row, expected: int) -> None:
    """Raises Halt (412) when the change is meant for another version than the newest (RFC 9110, section 13.1.1)."""
    if row.version != expected:
        raise _stale()


@contextmanager
def stale_is_412() -> Iterator[None]:
    """Within it, the door's "conflict" is the client's If-Match that no longer holds."""
    try:
        yield
    except Declined as declined:
        if declined.refused.why != "conflict":
            raise
        raise _stale() from None


def _stale() -> Halt:
    return stop(412, "conflict", "It changed since you last read it. Read it again, then repeat the change.")
