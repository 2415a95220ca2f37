"""The outermost layer: what is true of every request and every answer, whatever the route.

A request has an id; its address is short, its deciding headers are there once, and no token stands in the address,
where logs and histories would keep it. An answer is never stored by a cache, never guessed at by a browser, and never
tells what went wrong inside. It is dated by the same clock as what it tells of: nothing was changed after it was said.
"""

import logging
import re
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from strongroom.api.respond import broken, fhir, http_date, in_order
from strongroom.clock import Clock
from strongroom.errors import StrongroomError, where
from strongroom.fhir.outcome import single
from strongroom.ids import new_id

log = logging.getLogger("strongroom.api")

Headers = list[tuple[bytes, bytes]]

MAX_ADDRESS = 8_192
"""Bytes of path and query (RFC 9110, section 4.1, asks for 8,000 at least)."""

MAX_PATH = 1_024
"""Bytes of the path alone, which goes to the door with every question. Our longest is about 120."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ONCE = frozenset(
    {b"authorization", b"content-encoding", b"content-length", b"content-type", b"dpop", b"host", b"if-match",
     b"if-none-match", b"if-range", b"range", b"x-device-id", b"x-purpose-of-use", b"x-request-id", b"x-security-context"}
)  # fmt: skip
"""Headers that decide something. Twice, and two readers could decide differently."""
_TOKENS = frozenset({"access_token", "authorization", "bearer", "dpop", "id_token", "jwt", "token"})

_ALWAYS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class Rim:
    """Wraps the application. Raises nothing: what the application lets out becomes a 500 without details."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Of the rest of ASGI only a server's start and stop are known, for which there is nothing to do."""
        if scope["type"] != "http":
            await _started_and_stopped(receive, send)
            return
        scope["request_id"] = request_id = _request_id(scope)
        started = False

        async def finish(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = self._finished(message["headers"], request_id)
            await send(message)

        refusal = _refusal(scope)
        try:
            await (refusal or self._app)(scope, receive, finish)
        except Exception as error:  # noqa: BLE001  # the last line: nothing of an error may reach the client or the log
            log.error("request %s failed: %s", request_id, where(error))
            if not started:
                await broken()(scope, receive, finish)

    def _finished(self, headers: Headers, request_id: str) -> Headers:
        """With what every answer has. Date, and no Last-Modified after it (RFC 9110, sections 6.6.1 and 8.8.2.1).

        The keeper's clock may be a little ahead of ours; what it dated later than now was changed now.
        """
        there = dict(headers)
        added = [(name, value) for name, value in _ALWAYS if name not in there]
        added.append((b"x-request-id", request_id.encode("latin-1")))
        try:
            date = http_date(self._clock.now()).encode()
        except StrongroomError:  # a clock that went back tells no time; the answer is given all the same
            return [*headers, *added]
        added.append((b"date", date))
        changed = there.get(b"last-modified")
        if changed is not None and in_order(changed) > in_order(date):
            headers = [(name, date if name == b"last-modified" else value) for name, value in headers]
        return [*headers, *added]


async def _started_and_stopped(receive: Receive, send: Send) -> None:
    for told in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{told}.complete"})


def _request_id(scope: Scope) -> str:
    """The client's, if it is one that can be written into a log; else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value.decode("latin-1")):
            return str(value.decode("latin-1"))
    return new_id()


def _refusal(scope: Scope) -> Response | None:
    """Why this request is not even looked at."""
    query = scope["query_string"]
    if len(scope["raw_path"]) + len(query) > MAX_ADDRESS:
        return fhir(single("too-long", f"The address is longer than {MAX_ADDRESS} bytes."), 414)
    if len(scope["raw_path"]) > MAX_PATH:
        return fhir(single("too-long", f"The path is longer than {MAX_PATH} bytes."), 414)
    told = [name for name, _ in scope["headers"]]
    if len(told) != len(set(told)) and any(told.count(name) > 1 for name in _ONCE):
        return fhir(single("invalid", "A header that decides something is there twice."), 400)
    if not query:
        return None
    names = {name.lower() for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)}
    if names & _TOKENS:
        headers = {"WWW-Authenticate": 'Bearer realm="strongroom", error="invalid_request"'}
        return fhir(single("login", "A token in the address is not taken: use the Authorization header."), 401, headers)
    return None
