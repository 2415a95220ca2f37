"""What every group of routes is made from; put together once, by `app.create_app`."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from starlette.requests import Request

from strongroom.api.access import Access
from strongroom.api.crowd import Crowd
from strongroom.api.negotiate import Taste, taste
from strongroom.api.respond import stop
from strongroom.api.settings import Settings
from strongroom.api.shelf import Shelf
from strongroom.api.words import Words
from strongroom.clock import Clock
from strongroom.fhir.page import Pager
from strongroom.keeper.protocol import Asking


@dataclass(frozen=True, slots=True)
class Parts:
    """The way to the door, the sealed store, and the rest."""

    access: Access
    shelf: Shelf
    clock: Clock
    pager: Pager
    settings: Settings
    crowd: Crowd
    words: Words

    async def sender(self, asking: Asking) -> AbstractContextManager[None]:
        """Somebody whom the door knows, about to send a document; to be asked for before any of it is read. What it
        gives lasts as long as the upload. Raises Declined, Unavailable; Halt (429) on entering.
        """
        return self.crowd.sending((await self.access.known(asking)).account)


def tasted(request: Request) -> Taste:
    """What the client takes."""
    wanted = request.query_params.get("_format") if request.scope["query_string"] else None
    return taste(request.headers.get("accept"), wanted)


def require_json(request: Request) -> None:
    """Raises Halt (406) when the client takes no FHIR JSON: it is the only form there is."""
    if not tasted(request).fhir():
        raise stop(406, "not-supported", "Only FHIR JSON is served: Accept application/fhir+json.")


def is_strict(request: Request) -> bool:
    """Whether unknown search parameters are to be refused (FHIR R4, search.html#errors)."""
    return "handling=strict" in preferences(request)


def preferences(request: Request) -> set[str]:
    """The preferences of the Prefer header (RFC 7240), as `name=value` without spaces."""
    parts = ",".join(request.headers.getlist("prefer")).replace(";", ",").split(",")
    return {part.replace(" ", "").replace('"', "") for part in parts}
