"""From an address to its handler, and from what a handler raises on purpose to the answer it stands for.

One look a segment, instead of one pattern after another; and every address is one way and no other.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from strongroom.api.respond import Declined, Halt, failed, fhir, refused
from strongroom.api.routes import Handler, Way
from strongroom.errors import StrongroomError, Tampered, Unavailable
from strongroom.fhir.outcome import single

log = logging.getLogger("strongroom.api")


class _Place:
    """What lies at an address, by method, and beneath it, by the next segment."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.beneath: dict[str, _Place] = {}
        self.named: tuple[str, _Place] | None = None
        """A segment that may be any text, and its name."""


class Table:
    """An ASGI application for HTTP. GET includes HEAD."""

    def __init__(self, ways: Sequence[Way], handlers: Mapping[str, Handler]) -> None:
        """`handlers`: by the names of the ways."""
        self._root = _Place()
        for way in ways:
            place = self._root
            for segment in way.path.split("/"):
                place = _beneath(place, segment)
            place.handlers[way.method] = handlers[way.name]
            if way.method == "GET":
                place.handlers["HEAD"] = handlers[way.name]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request(scope, receive, send)
        try:
            response = await self._handler(scope)(request)
        except (ClientDisconnect, Declined, Halt, StrongroomError) as error:
            response = _answer(request, error)
        await response(scope, receive, send)

    def served(self) -> Iterator[tuple[str, str]]:
        """(method, path) of everything there is."""
        waiting = [("", self._root)]
        while waiting:
            path, place = waiting.pop()
            yield from ((method, path[1:]) for method in place.handlers)
            waiting += ((f"{path}/{segment}", below) for segment, below in place.beneath.items())
            if place.named is not None:
                waiting.append((f"{path}/{{{place.named[0]}}}", place.named[1]))

    def _handler(self, scope: Scope) -> Handler:
        """Raises Halt: 404, 405."""
        place, found = self._root, {}
        for segment in scope["path"].split("/"):
            below = place.beneath.get(segment)
            if below is None:
                if place.named is None or not segment:
                    raise _nowhere()
                name, below = place.named
                found[name] = segment
            place = below
        handler = place.handlers.get(scope["method"])
        if handler is None:
            raise _not_offered(place) if place.handlers else _nowhere()
        scope["path_params"] = found
        return handler


def _beneath(place: _Place, segment: str) -> _Place:
    if not segment.startswith("{"):
        return place.beneath.setdefault(segment, _Place())
    if place.named is None:
        place.named = (segment[1:-1], _Place())
    return place.named[1]


def _nowhere() -> Halt:
    return Halt(fhir(single("not-found", "There is nothing at this address."), 404))


def _not_offered(place: _Place) -> Halt:
    allowed = {"Allow": ", ".join(sorted(place.handlers))}
    return Halt(fhir(single("not-supported", "This is not offered here."), 405, allowed))


def _answer(request: Request, error: Exception) -> Response:
    """What handlers raise on purpose, as the answer it stands for. A part that failed is told to the operators."""
    if isinstance(error, Halt):
        return error.response
    if isinstance(error, Declined):
        return refused(error.refused)
    if isinstance(error, ClientDisconnect):  # while it was sending; nobody reads this
        return fhir(single("incomplete", "The body ended early. Nothing was kept."), 400)
    if isinstance(error, Unavailable | Tampered):
        log.warning("request %s: %s", request.scope.get("request_id", "-"), error)
    return failed(error if isinstance(error, StrongroomError) else StrongroomError("No answer."))
