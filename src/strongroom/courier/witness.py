"""The witness's one address, `POST /add-checkpoint`, for a server of its own."""

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from strongroom.audit.witness import Witness
from strongroom.errors import StrongroomError
from strongroom.tlog.cosign import MAX_REQUEST


def witness_app(witness: Witness) -> Starlette:
    """The web application. What went wrong on our side is 503: the log asks again."""

    async def add_checkpoint(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_REQUEST:
                return Response("Too long.\n", 413)
        try:
            answer = await run_in_threadpool(witness.add_checkpoint, body)
        except StrongroomError as error:
            return Response(f"{error.message}\n", 503)
        return Response(answer.body, answer.status, headers={"content-type": answer.kind})

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])])
