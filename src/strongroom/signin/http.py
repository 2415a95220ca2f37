"""The built-in issuer over HTTP: metadata (RFC 8414, OpenID discovery), keys, tokens, step-up, logout.

Every answer that is about a person is `no-store`; every error is JSON as RFC 6749 section 5.2 has it. At most two
passwords are hashed at once, and a few wait; beyond that the answer is 503 at once, so that guessing cannot exhaust
the memory.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from strongroom.errors import Malformed, StrongroomError
from strongroom.identity.dpop import ALGORITHMS as PROOF_ALGORITHMS
from strongroom.identity.jwk import ALGORITHMS
from strongroom.identity.network import Declared, network_of, parse_address
from strongroom.identity.signing import SigningKey
from strongroom.signin.grants import Asked, Denied, Grants, Issued

T = TypeVar("T")

MAX_FORM = 32_768
"""Bytes. A signed statement and a password need a third of it."""
FORM = 10.0
"""Seconds within which a form must be here: whoever sends a byte at a time keeps nobody else from signing in."""
MAX_FIELDS = 16
HASHES = 2
"""At once, 64 MiB each."""
WAITING = 32
"""About five seconds of work; who comes later is told to come again."""
_PRIVATE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_log = logging.getLogger(__name__)


def create_app(grants: Grants, key: SigningKey) -> Starlette:
    """The web application. It keeps its state in `grants`."""
    pages = _Pages(grants, key)
    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", pages.metadata),
            Route("/.well-known/oauth-authorization-server", pages.metadata),
            Route("/jwks.json", pages.keys),
            Route("/token", pages.token, methods=["POST"]),
            Route("/step-up", pages.step_up, methods=["POST"]),
            Route("/logout", pages.logout, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _on_http, StrongroomError: _on_ours, Exception: _on_anything},
    )


class _Pages:
    def __init__(self, grants: Grants, key: SigningKey) -> None:
        self._grants = grants
        self._key = key
        self._room = asyncio.Semaphore(HASHES)
        self._waiting = 0

    async def metadata(self, _: Request) -> Response:
        issuer = self._grants.settings.issuer
        return JSONResponse(
            {
                "issuer": issuer,
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/jwks.json",
                "grant_types_supported": ["password", "client_credentials"],
                "response_types_supported": [],
                "subject_types_supported": ["public"],
                "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": sorted(ALGORITHMS),
                "dpop_signing_alg_values_supported": sorted(PROOF_ALGORITHMS),
            }
        )

    async def keys(self, _: Request) -> Response:
        return Response(self._key.jwks(), media_type="application/jwk-set+json")

    async def token(self, request: Request) -> Response:
        asked = await _asked(request)
        return _answer(await self._run(lambda: self._grants.token(asked)))

    async def step_up(self, request: Request) -> Response:
        asked = await _asked(request)
        return _answer(await self._run(lambda: self._grants.step_up(asked)))

    async def logout(self, request: Request) -> Response:
        asked = await _asked(request)
        denied = await self._run(lambda: self._grants.logout(asked))
        return Response(status_code=204, headers=_PRIVATE) if denied is None else _answer(denied)

    async def _run(self, work: Callable[[], T]) -> T | Denied:
        """`work` in a thread, when it is its turn."""
        if self._waiting >= WAITING:
            return Denied("temporarily_unavailable", "Many are signing in; try again.", status=503, retry=2)
        self._waiting += 1
        try:
            async with self._room:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


async def _asked(request: Request) -> Asked:
    """The request in our words. Raises Malformed."""
    address = parse_address(request.client.host if request.client else "")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    proofs = request.headers.getlist("dpop")
    if len(proofs) > 1:
        msg = "There is more than one DPoP header."
        raise Malformed(msg)
    return Asked(
        form=await _form(request),
        network=network_of(address, Declared()),
        address=str(address),
        proof=proofs[0] if proofs else "",
        token=token.strip() if scheme.lower() in {"bearer", "dpop"} else "",
    )


async def _form(request: Request) -> dict[str, str]:
    """The form, every field once (RFC 6749, section 3.2). Raises Malformed."""
    try:
        async with asyncio.timeout(FORM):
            body = await _body(request)
    except TimeoutError:
        msg = "The form came too slowly."
        raise Malformed(msg) from None
    if (
        body
        and request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded"
    ):
        msg = "Send the fields as application/x-www-form-urlencoded."
        raise Malformed(msg)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError as error:
        msg = "The form does not parse."
        raise Malformed(msg) from error
    form = dict(pairs)
    if len(form) != len(pairs):
        msg = "A field appears twice."
        raise Malformed(msg)
    return form


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            msg = f"The form is longer than {MAX_FORM} bytes."
            raise Malformed(msg)
    return bytes(body)


def _answer(outcome: Issued | Denied) -> Response:
    if isinstance(outcome, Issued):
        kind = "DPoP" if outcome.bound else "Bearer"
        body = {"access_token": outcome.token, "token_type": kind, "expires_in": outcome.seconds}
        return JSONResponse(body, headers=_PRIVATE)
    headers = dict(_PRIVATE)
    if outcome.retry:
        headers["Retry-After"] = str(outcome.retry)
    if outcome.status == 401:  # noqa: PLR2004  # RFC 9110: every 401 says how to do better
        headers["WWW-Authenticate"] = f'Bearer error="{outcome.error}"'
    body = {"error": outcome.error, "error_description": outcome.because}
    return JSONResponse(body, outcome.status, headers)


async def _on_http(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _answer(Denied("invalid_request", "There is nothing here, or not for this method.", status=status))


async def _on_ours(_: Request, error: Exception) -> Response:
    if isinstance(error, Malformed):
        return _answer(Denied("invalid_request", error.message))
    _log.error("%s", error)
    return _answer(Denied("temporarily_unavailable", "Signing in is not possible now; try again.", status=503, retry=5))


async def _on_anything(_: Request, error: Exception) -> Response:
    _log.error("Unexpected %s.", type(error).__name__)
    return _answer(Denied("server_error", "Something went wrong; nothing was done.", status=500))
