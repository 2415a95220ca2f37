"""A body is read once, to its end or to a bound, whichever comes first."""

import asyncio
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from strongroom.api.body import Body, alone, declared_length, joined
from strongroom.api.respond import Halt
from strongroom.keeper import protocol as p
from tests.api.conftest import BASE, PATIENT, PDF, House, build

SETTINGS = build(idle=0.02, min_rate=1_000_000).settings


class Sender:
    """A client that sends these pieces, then ends, goes away (None), or says nothing more (...)."""

    def __init__(self, *pieces: Any) -> None:
        self._pieces = list(pieces)

    async def __call__(self) -> Message:
        """The next message."""
        piece = self._pieces.pop(0) if self._pieces else b""
        if piece is None:
            return {"type": "http.disconnect"}
        if piece is ...:
            await asyncio.Event().wait()
        if isinstance(piece, float):
            await asyncio.sleep(piece)
            piece = b"slow"
        return {"type": "http.request", "body": piece, "more_body": bool(self._pieces)}


def _request(sender: Sender, **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, sender)


def _whole(sender: Sender, **headers: str) -> bytes:
    async def read() -> bytes:
        return await Body(_request(sender, **headers), 100, SETTINGS).whole()

    return asyncio.run(read())


def test_pieces_are_joined() -> None:
    """However they came, empty ones too."""
    assert _whole(Sender(b"a", b"", b"bc")) == b"abc"
    assert _whole(Sender()) == b""
    assert _whole(Sender(b"a" * 100)) == b"a" * 100


@pytest.mark.parametrize(
    ("sender", "headers", "status"),
    [
        (Sender(b"a" * 101), {}, 413),
        (Sender(b"a" * 60, b"a" * 60), {}, 413),
        (Sender(), {"content_length": "101"}, 413),
        (Sender(), {"content_encoding": "gzip"}, 415),
        (Sender(b"a", ...), {}, 408),
        (Sender(b"a", 0.015, 0.015, 0.015, b""), {}, 408),
    ],
)
def test_too_long_too_silent_too_slow(sender: Sender, headers: dict[str, str], status: int) -> None:
    """Announced or not; silent altogether, or dripping."""
    with pytest.raises(Halt) as caught:
        _whole(sender, **headers)
    assert caught.value.response.status_code == status
    if status in {408, 413}:
        assert caught.value.response.headers["connection"] == "close"


def test_a_client_that_goes_away_is_no_end() -> None:
    """A cut body is never taken for a whole one."""
    with pytest.raises(ClientDisconnect):
        _whole(Sender(b"abc", None, b"d"))


def test_the_head_and_the_rest_are_the_whole() -> None:
    """Whatever the pieces: nothing is lost or doubled between the two."""

    async def read(pieces: list[bytes]) -> tuple[bytes, bytes]:
        body = Body(_request(Sender(*pieces)), 100, SETTINGS)
        head = await body.head(4)
        return head, b"".join([chunk async for chunk in joined(head, body)])

    for pieces in ([b"abcdef"], [b"a"] * 6, [b"ab", b"cdef"], [b"abc", b"def"], [b"ab"]):
        head, whole = asyncio.run(read(pieces))
        assert whole == b"".join(pieces)
        assert len(head) >= min(4, len(whole))


def test_bytes_in_memory_are_a_stream() -> None:
    """In pieces of the size asked for."""

    async def read() -> list[bytes]:
        return [chunk async for chunk in alone(b"abcde", 2)]

    assert asyncio.run(read()) == [b"ab", b"cd", b"e"]


@pytest.mark.parametrize(("text", "length"), [(None, None), ("5", 5), ("x", None), ("-1", None), ("٣", None)])
def test_declared_lengths(text: str | None, length: int | None) -> None:
    """What is no number is no promise."""
    assert declared_length(_request(Sender(), **({} if text is None else {"content_length": text}))) == length


def _upload(house: House, sender: Sender) -> list[Message]:
    """A raw upload straight into the application, as a server would hand it on."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = {
        "authorization": "Bearer owner",
        "content-type": "application/pdf",
        "x-security-context": f"Patient/{PATIENT}",
    }
    scope = {
        "type": "http", "method": "POST", "path": "/fhir/Binary", "raw_path": b"/fhir/Binary", "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "client": ("192.0.2.1", 1),
        "scheme": "http", "server": (BASE, 80), "root_path": "",
    }  # fmt: skip
    asyncio.run(house.app(scope, sender, send))
    return sent


def test_an_upload_that_breaks_off_leaves_nothing() -> None:
    """Cut after the head, silent in the middle, dripping: no object, no version, no last word."""
    for sender, status in ((Sender(PDF * 10, PDF, None), 400), (Sender(PDF * 10, ...), 408), (Sender(None), 400)):
        house = build(idle=0.02)
        sent = _upload(house, sender)
        assert sent[0]["status"] == status
        assert house.blobs.objects == {}
        assert house.catalogue.rows == {}
        assert house.door.words(p.Deposited) == []


def test_an_upload_in_small_pieces_arrives() -> None:
    """The same path, to its end."""
    house = build()
    sent = _upload(house, Sender(*[bytes([byte]) for byte in PDF]))
    assert sent[0]["status"] == 201
    assert house.door.words(p.Deposited)[0].size == len(PDF)
