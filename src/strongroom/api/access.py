"""From an HTTP request to the door: the user's own token, the signed circumstances, and the ids that were named.

Nothing here looks into a token. An id of another form than ours is sent on as one that nobody has, so that a malformed
id takes the same way, and the same time, as an unknown or a foreign one.
"""

import re
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request

from strongroom.api.ports import ContextSigner, Door
from strongroom.api.respond import Declined, no_token, stop
from strongroom.api.settings import Settings
from strongroom.errors import Unavailable
from strongroom.identity.context import CONTEXT
from strongroom.ids import is_ours, new_id
from strongroom.keeper.protocol import AppRequest, Asking, Known, List, Listed, Refused, Reply, Row, WhoAmI

NOBODY = "a" * 26
"""An id of our form that is never given out but by a chance of 1 in 2^128."""
MAX_TOKEN = 8_192
"""Characters, of a token and of a proof; the keeper's own bound."""
MAX_VERSION = 2**31 - 1

_CREDENTIAL = re.compile(r"(?P<scheme>Bearer|DPoP) +(?P<token>[A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)
_VERSION = re.compile(r"[1-9][0-9]{0,9}")
_PURPOSE = re.compile(r"[A-Z]{2,16}")
_CONTEXT = re.compile(r"[A-Za-z0-9._-]{1,8192}")
_DEVICE = re.compile(r"[A-Za-z0-9_-]{1,128}")

R = TypeVar("R", bound=Reply)


@dataclass(frozen=True, slots=True)
class Access:
    """The way of a request to the door."""

    door: Door
    sign: ContextSigner
    settings: Settings

    async def ask(self, question: AppRequest, expected: type[R]) -> R:
        """The door's answer. Raises Declined when it says no, Unavailable when it says something else."""
        reply = await self.door.ask(question)
        if isinstance(reply, expected):
            return reply
        if isinstance(reply, Refused):
            raise Declined(reply)
        msg = "The keeper answered another question."
        raise Unavailable(msg, advice="Are the app and the keeper of the same version?")

    async def row(self, asking: Asking, document: str, version: int | None = None) -> Row:
        """What the door says of one document, without releasing it. Raises Declined("absent")."""
        listed = await self.ask(List(asking=asking, document=document, version=version), Listed)
        if not listed.rows:
            raise Declined(Refused(why="absent"))
        return listed.rows[0]

    async def known(self, asking: Asking) -> Known:
        """Which account this is, and which patients it may leave unnamed."""
        return await self.ask(WhoAmI(asking=asking), Known)

    def asking(self, request: Request) -> Asking:
        """Who asks, in their own signed words. Raises Halt (401) without a credential in the Authorization header.

        To be called once a request: what it returns may be shown to the door several times on this one occasion, and
        the occasion's name is made here. Were it the client's X-Request-Id, a stolen proof could be replayed under it.
        """
        found = _CREDENTIAL.fullmatch(request.headers.get("authorization", ""))
        if found is None or len(found["token"]) > MAX_TOKEN:
            raise no_token()
        context = self.sign(
            token=found["token"],
            address=request.client.host if request.client else "",
            method=request.method,
            url=self.settings.origin + request.scope["raw_path"].decode("latin-1"),
            device=_matching(_DEVICE, request.headers.get("x-device-id", "")),
            request=new_id(),
            told=_matching(_CONTEXT, request.headers.get(CONTEXT, "")),
        )
        return Asking(
            token=found["token"], context=context, proof=_proof(request, found["scheme"]), purpose=_purpose(request)
        )


def document_id(request: Request) -> str:
    """The id in the path, or one that nobody has."""
    return ours(request.path_params["id"])


def ours(text: str) -> str:
    """`text` if it has the form of our ids, else one that nobody has."""
    return text if is_ours(text) else NOBODY


def path_version(request: Request) -> int:
    """The version in the path; 0, which no document has, for anything else."""
    return as_version(request.path_params["version"])


def as_version(text: str) -> int:
    """A version number, or 0."""
    return int(text) if _VERSION.fullmatch(text) and int(text) <= MAX_VERSION else 0


_TAG = re.compile(r'\s*(?:W/)?"(?P<version>[^"]*)"\s*')


def tagged_versions(header: str) -> set[int]:
    """The versions that a list of entity tags names; weak and strong alike (FHIR compares weakly)."""
    found = (_TAG.fullmatch(part) for part in header.split(","))
    return {as_version(tag["version"]) if tag else 0 for tag in found}


def if_match(request: Request) -> int:
    """The one version a change is made upon. Raises Halt: 428 without If-Match (RFC 6585), 400 for another form."""
    header = request.headers.get("if-match")
    if header is None:
        raise stop(428, "required", 'Changes need If-Match with the version you read, such as If-Match: W/"1".')
    versions = tagged_versions(header)
    if len(versions) != 1:
        raise stop(400, "invalid", "If-Match names one version.")
    return next(iter(versions))


def not_modified(request: Request, version: int) -> bool:
    """Whether If-None-Match says that the client has this version already."""
    header = request.headers.get("if-none-match")
    return header is not None and (header.strip() == "*" or version in tagged_versions(header))


def _proof(request: Request, scheme: str) -> str:
    proof = request.headers.get("dpop", "")
    if len(proof) > MAX_TOKEN or (scheme.lower() == "dpop" and not proof):
        raise stop(401, "login", "The DPoP scheme needs one proof, in the DPoP header.", {"WWW-Authenticate": "DPoP"})
    return proof


def _purpose(request: Request) -> str:
    purpose = request.headers.get("x-purpose-of-use", "")
    if purpose and _PURPOSE.fullmatch(purpose) is None:
        raise stop(400, "invalid", "X-Purpose-Of-Use is one PurposeOfUse code, such as TREAT.")
    return purpose


def _matching(pattern: re.Pattern[str], text: str) -> str:
    return text if pattern.fullmatch(text) else ""
