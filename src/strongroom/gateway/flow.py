"""A request's body on its way to the portal: nothing of it goes on before what is in it was looked at.

    flow(intake, kind, ...) -> its pieces, each behind a look

What is looked at depends on what a body of its type can be to a portal:

* JSON, forms and XML are read whole, checked (`body`) and looked at; of base64 in JSON the beginning;
* multipart is split (`multipart`): fields, names and headers of parts are held until they were looked at, files flow behind them;
* a document (PDF, pictures; plain text, where a route describes it) flows: the look is at the headers of the request alone;
* a body of any other type is looked at for its first `START` bytes, and then flows.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from enum import StrEnum, unique
from typing import Final

from strongroom.gateway import body as bodies
from strongroom.gateway.intake import Intake, Unfit
from strongroom.gateway.multipart import Parts, boundary_of
from strongroom.gateway.refusal import Refusal

START: Final = 65_536
"""Bytes of a body of unknown kind that are looked at."""

Look = Callable[[bytes], Awaitable[None]]
"""At a request with this body. Raises Unfit for what may not pass."""


@unique
class Seen(StrEnum):
    """How much of a request's body is looked at."""

    ALL = "all"
    FIELDS = "fields"
    """All but what stands in files."""
    START = "start"
    HEAD = "head"
    """Nothing of it: it is a document."""


def seen(kind: str, *, described: bool) -> Seen:
    """Of a body of the type `kind`, which a route describes, or nobody."""
    if bodies.whole(kind):
        return Seen.ALL
    if kind == bodies.MULTIPART:
        return Seen.FIELDS
    return Seen.HEAD if bodies.document(kind) and (described or not kind.startswith("text/")) else Seen.START


async def flow(
    intake: Intake, content_type: bytes, kind: str, look: Look, *, max_keys: int, described: bool
) -> AsyncIterator[bytes]:
    """The pieces of a body, the first of them behind a look. Raises Gone and Unfit."""
    how = seen(kind, described=described)
    if how is Seen.ALL:
        body = await intake.whole()
        refusal = bodies.check(kind, body, max_keys)
        if refusal is not None:
            raise Unfit(refusal)
        await look(bodies.language(kind, body))
        yield body
    elif how is Seen.FIELDS:
        async for piece in _parts(intake, content_type, look, max_keys):
            yield piece
    elif how is Seen.HEAD:
        await look(b"")
        async for piece in intake.pieces():
            yield piece
    else:
        async for piece in _started(intake, look):
            yield piece


async def _started(intake: Intake, look: Look) -> AsyncIterator[bytes]:
    held, looked = b"", False
    async for piece in intake.pieces():
        held += piece
        if looked or len(held) >= START:
            if not looked:
                await look(held[:START])
                looked = True
            yield held
            held = b""
    if not looked:
        await look(held)
        yield held


async def _parts(intake: Intake, content_type: bytes, look: Look, max_keys: int) -> AsyncIterator[bytes]:
    boundary = boundary_of(content_type)
    if boundary is None:
        because = "The body's boundary can be read in two ways, or there is none."
        raise Unfit(Refusal(400, "multipart-boundary", because, hard=True))
    parts = Parts(boundary, max_keys)
    async for piece in intake.pieces():
        parts.feed(piece)
        if parts.ripe:
            if parts.news:
                await look(parts.seen())
            yield parts.take()
    parts.end()
    if parts.news:
        await look(parts.seen())
    yield parts.take()
