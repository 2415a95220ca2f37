"""The application, put together from its parts. Nothing is read from the environment here."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from strongroom.api.access import Access
from strongroom.api.crowd import Crowd
from strongroom.api.parts import Parts
from strongroom.api.ports import Catalogue, ContextSigner, Door
from strongroom.api.rim import Rim
from strongroom.api.routes import WAYS, handlers
from strongroom.api.settings import Settings
from strongroom.api.shelf import Shelf
from strongroom.api.table import Table
from strongroom.api.words import Words
from strongroom.clock import Clock
from strongroom.documents.blobs import Blobs
from strongroom.fhir.page import Pager


class Api:
    """The API as an ASGI application: the rim, other origins where some may call, and the table of routes."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.table = Table(WAYS, handlers(parts))
        self._app = Rim(_for_origins(self.table, parts.settings), parts.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self._app(scope, receive, send)


def create_app(
    door: Door, blobs: Blobs, catalogue: Catalogue, signer: ContextSigner, clock: Clock, settings: Settings
) -> Api:
    """The API over these parts."""
    return Api(
        Parts(
            Access(door, signer, settings),
            Shelf(blobs, catalogue),
            clock,
            Pager(settings.page_key),
            settings,
            Crowd(settings.max_uploads),
            Words(door),
        )
    )


def _for_origins(table: Table, settings: Settings) -> Table | CORSMiddleware:
    if not settings.origins:
        return table
    return CORSMiddleware(
        table,
        allow_origins=settings.origins,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "DPoP", "If-Match", "If-None-Match", "Prefer", "Range",
                       "X-Request-Id", "X-Security-Context"],
        expose_headers=["Content-Range", "ETag", "Last-Modified", "Location", "X-Request-Id", "X-Security-Context"],
    )  # fmt: skip
