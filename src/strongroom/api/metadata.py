"""What needs no sign-in: the CapabilityStatement, and whether the process lives and the door is open."""

import hashlib

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from strongroom.api.parts import Parts, require_json
from strongroom.api.respond import Declined, fhir
from strongroom.errors import StrongroomError
from strongroom.fhir.capability import capability_statement
from strongroom.keeper.protocol import Ping, Refused, Status


class Metadata:
    """Handlers without a door, but for the one question that anybody may ask: whether it is open."""

    def __init__(self, parts: Parts) -> None:
        settings = parts.settings
        self._parts = parts
        self._statement = capability_statement(settings.base, settings.version, settings.released)
        self._etag = f'W/"{hashlib.sha256(self._statement).hexdigest()[:16]}"'

    async def capabilities(self, request: Request) -> Response:
        """GET metadata."""
        require_json(request)
        if request.headers.get("if-none-match") == self._etag:
            return Response(status_code=304, headers={"ETag": self._etag})
        return fhir(self._statement, headers={"ETag": self._etag})

    async def alive(self, _request: Request) -> Response:
        """GET /healthz: this process answers."""
        return JSONResponse({"alive": True})

    async def confirmation(self, _request: Request) -> Response:
        """GET /.well-known/strongroom-probe: the operator's line, where there is one; else nothing is here."""
        line = self._parts.settings.probe
        if not line:
            raise Declined(Refused(why="absent"))
        return PlainTextResponse(line)

    async def ready(self, _request: Request) -> Response:
        """GET /readyz: the door is open. 503 when it is not, without saying why: that is for `strongroom doctor`."""
        try:
            status = await self._parts.access.ask(Ping(), Status)
        except StrongroomError:
            return JSONResponse({"ready": False}, 503)
        return JSONResponse({"ready": status.open}, 200 if status.open else 503)
