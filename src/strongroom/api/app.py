"""The application, put together from its parts. Nothing is read from the environment here."""

import logging

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from strongroom.api.access import Access
from strongroom.api.crowd import Crowd
from strongroom.api.parts import Parts
from strongroom.api.ports import Catalogue, ContextSigner, Door
from strongroom.api.respond import Declined, Halt, failed, fhir, refused
from strongroom.api.rim import Rim
from strongroom.api.routes import WAYS, handlers
from strongroom.api.settings import Settings
from strongroom.api.shelf import Shelf
from strongroom.api.words import Words
from strongroom.clock import Clock
from strongroom.documents.blobs import Blobs
from strongroom.errors import StrongroomError, Tampered, Unavailable
from strongroom.fhir.outcome import single
from strongroom.fhir.page import Pager

log = logging.getLogger("strongroom.api")


def create_app(
    door: Door, blobs: Blobs, catalogue: Catalogue, signer: ContextSigner, clock: Clock, settings: Settings
) -> Starlette:
    """The API as an ASGI application."""
    shelf = Shelf(blobs, catalogue)
    parts = Parts(
        Access(door, signer, settings),
        shelf,
        clock,
        Pager(settings.page_key),
        settings,
        Crowd(settings.max_uploads),
        Words(door),
    )
    serve = handlers(parts)
    app = Starlette(
        routes=[Route(way.path, serve[way.name], methods=[way.method], name=way.name) for way in WAYS],
        middleware=_middleware(settings, clock),
        exception_handlers={
            ClientDisconnect: _gone,
            Declined: _answered,
            Halt: _answered,
            HTTPException: _no_route,
            StrongroomError: _answered,
        },
    )
    app.state.shelf = shelf
    app.router.redirect_slashes = False  # one address for one thing: no second spelling to forget in a check
    return app


def _middleware(settings: Settings, clock: Clock) -> list[Middleware]:
    layers = [Middleware(Rim, clock=clock)]
    if settings.origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "DPoP", "If-Match", "If-None-Match", "Prefer", "Range",
                           "X-Request-Id", "X-Security-Context"],
            expose_headers=["Content-Range", "ETag", "Last-Modified", "Location", "X-Request-Id", "X-Security-Context"],
        )  # fmt: skip
        layers.append(cors)
    return layers


_ROUTING = {
    404: ("not-found", "There is nothing at this address."),
    405: ("not-supported", "This is not offered here."),
}


async def _no_route(_request: Request, error: Exception) -> Response:
    """The router's own refusals, before anybody was asked anything."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    code, text = _ROUTING.get(status, ("invalid", "The request cannot be served."))
    return fhir(single(code, text), status, headers)


async def _answered(request: Request, error: Exception) -> Response:
    """What handlers raise on purpose, as the answer it stands for. A part that failed is told to the operators."""
    if isinstance(error, Halt):
        return error.response
    if isinstance(error, Declined):
        return refused(error.refused)
    if isinstance(error, Unavailable | Tampered):
        log.warning("request %s: %s", request.scope.get("request_id", "-"), error)
    return failed(error if isinstance(error, StrongroomError) else StrongroomError("No answer."))


async def _gone(_request: Request, _error: Exception) -> Response:
    """The client went away while it was sending; nobody reads this."""
    return fhir(single("incomplete", "The body ended early. Nothing was kept."), 400)
