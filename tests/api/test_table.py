"""One address is one way: exact before named, whole segments, and nothing beside them."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message

from strongroom.api.routes import Way
from strongroom.api.table import Table

WAYS = (
    Way("GET", "/a", "a"),
    Way("POST", "/a/_search", "search"),
    Way("GET", "/a/{id}", "one"),
    Way("PUT", "/a/{id}", "put"),
    Way("GET", "/a/{id}/b/{version}", "two"),
)


async def _says(request: Request) -> Response:
    return PlainTextResponse(f"{request.method} {dict(request.path_params)}")


TABLE = Table(WAYS, {way.name: _says for way in WAYS})


def ask(method: str, path: str) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of one request."""
    told: list[Message] = []

    async def send(message: Message) -> None:
        told.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    asyncio.run(TABLE(scope, receive, send))
    return told[0]["status"], dict(told[0]["headers"]), told[1]["body"]


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("GET", "/a", {}),
        ("HEAD", "/a", {}),
        ("GET", "/a/x", {"id": "x"}),
        ("HEAD", "/a/x", {"id": "x"}),
        ("PUT", "/a/b", {"id": "b"}),
        ("GET", "/a/x/b/7", {"id": "x", "version": "7"}),
        ("POST", "/a/_search", {}),
    ],
)
def test_an_address_and_what_it_names(method: str, path: str, named: dict[str, str]) -> None:
    """Each segment that is named is handed to the handler as it came."""
    status, _, body = ask(method, path)
    assert (status, body) == (200, f"{method} {named}".encode())


@pytest.mark.parametrize(
    "path", ["", "/", "a", "/a/", "//a", "/a//b/7", "/a/x/", "/a/x/c/7", "/a/x/b", "/a/x/b/7/", "/A"]
)
def test_another_spelling_is_another_address(path: str) -> None:
    """404: no second way to what a check knows by one."""
    assert ask("GET", path)[0] == 404


def test_what_is_not_offered_says_what_is() -> None:
    """405 with Allow (RFC 9110, section 15.5.6); an exact address is not taken for a named one."""
    status, headers, _ = ask("DELETE", "/a/x")
    assert (status, headers[b"allow"]) == (405, b"GET, HEAD, PUT")
    assert ask("PUT", "/a/_search")[0] == 405
